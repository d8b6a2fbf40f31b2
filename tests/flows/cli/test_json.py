"""What programs read of commands: the shapes that docs/api.md tells, and nothing else on standard output."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.schedule import settings
from flows.schedule.plan import FeedState
from flows.schedule.store import Store
from models.record.transcript import BY_USER, Chapter, Chapters, Episode, Evidence
from outputs.library.write import publish
from tests.docs.pages import ROOT, page
from tests.flows.shows import show_table, write_config
from tests.outputs.samples import CONVERSATION

NASTY = "Clip \x1b[31m\x9b1m\n\u202e'=1+1"


def told(*arguments: object, code: int = 0) -> Any:
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert (done.exit_code, done.stderr) == (code, "")
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout
    return json.loads(done.stdout)


def documented(*keys: str) -> Any:
    """The example in docs/api.md whose object begins with these keys."""
    blocks = [json.loads(block.code) for block in page(ROOT / "docs" / "api.md").blocks("json")]
    return next(block for block in blocks if tuple(block)[: len(keys)] == keys)


def shape(value: Any) -> Any:
    """The names and kinds of values of what is told; what may be none is of any kind."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items() if one is not None}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A show with an episode that is done, and one whose feed fails."""
    url, down = "https://feeds.example/short", "https://me.example/feed?key=secret"
    config = write_config(tmp_path, show_table("short", url) + show_table("down", down))
    monkeypatch.setenv(settings.CONFIG_VARIABLE, str(config))
    store = Store(str(tmp_path / "episcribe.db"))
    found = Episode("id-1", "Short", "g1", NASTY, "2026-01-01T00:00:00+00:00")
    store.record_reading(FeedState("short", url, title=NASTY), [found], back_fill=1, new_per_poll=1)
    store.record_failed_reading(FeedState("down", down), "answered 503", 60.0)
    assert store.lease("id-1", "run", 60) is not None
    with store.finishing("id-1", "run") as finished:
        finished.warnings, finished.folder = ("short",), "/srv/library/short/clip"
    return store


def test_status_and_feeds_list(store: Store) -> None:
    status = told("status")
    (episode,) = status["episodes"]
    assert (episode["id"], episode["title"], episode["state"]) == ("id-1", NASTY, "done")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", episode["done_at"])
    assert status["counts"] == {"done": 1}
    assert told("feeds", "list") == {"shows": status["feeds"]}
    short, down = status["feeds"]
    assert (short["episodes"], short["failures"], short["moved_to"]) == (1, 0, None)
    assert (down["last_read_at"], down["failures"], down["error"]) == (None, 1, "answered 503")
    assert down["url"] == "https://me.example/feed"
    assert "secret" not in str(status)
    assert [one["show"] for one in told("status", "short")["feeds"]] == ["short"]
    example = documented("episodes")
    assert shape(episode).items() <= shape(example["episodes"][0]).items()
    assert shape(short).items() <= shape(example["feeds"][0]).items()
    assert episode.keys() == example["episodes"][0].keys()
    assert short.keys() == example["feeds"][0].keys()


def test_speakers(tmp_path: Path) -> None:
    folder = tmp_path / "library" / "the-show" / "pilot"
    said = Evidence(
        CONVERSATION.speakers[0].label, "Ann Example", "introduction", 4.0, 3.2, "I'm Ann Example"
    )
    publish(replace(CONVERSATION, evidence=(said,)), folder, ["json"])
    found = told("speakers", folder)
    assert found["episode"]["title"] == CONVERSATION.episode.title
    assert [one["label"] for one in found["speakers"]] == [one.label for one in CONVERSATION.speakers]
    example = documented("episode", "speakers")
    assert found.keys() == example.keys()
    assert found["speakers"][0].keys() == example["speakers"][0].keys()
    candidate = next(one for speaker in found["speakers"] for one in speaker["candidates"])
    assert shape(candidate) == shape(example["speakers"][0]["candidates"][0])


def test_chapters(tmp_path: Path) -> None:
    made = Chapters(BY_USER, (Chapter(0.0, NASTY, by=NASTY),))
    publish(replace(CONVERSATION, chapters=made), tmp_path, ["json"])
    found, example = told("chapters", tmp_path), documented("episode", "source")
    assert found["chapters"][0]["title"] == NASTY
    assert (found.keys(), shape(found["chapters"])) == (example.keys(), shape(example["chapters"]))


def test_check() -> None:
    report = told("check")
    assert (report["ok"], {one["good"] for one in report["findings"]}) == (True, {True, None})
    example = documented("ok")
    assert shape(report).items() == shape(example).items()
