"""The figures that `episcribe serve` tells Prometheus, read by its own parsers."""

from __future__ import annotations

import re
import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from flows.progress import took
from flows.schedule import queue, settings, totals
from flows.schedule.leases import Lease
from flows.schedule.metrics import serving_metrics
from flows.schedule.plan import FeedState
from flows.schedule.store import open_store
from models.record.errors import EpiscribeError
from models.record.transcript import Episode
from tests.flows.conftest import ROOT
from tests.flows.schedule.test_store import place  # noqa: F401  (a fixture)

PAGE = ROOT / "docs" / "monitoring.md"
Samples = dict[tuple[str, tuple[str, ...]], float]
TYPES = {"openmetrics": "application/openmetrics-text; version=1.0.0", "plain": "text/plain"}


def scraped(port: int, form: str = "openmetrics") -> Samples:
    """What is served, by name and the values of labels."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": TYPES[form]})
    with urllib.request.urlopen(request) as answer:
        text = answer.read().decode()
    families = list((open_metrics if form == "openmetrics" else plain_text)(text))
    assert all(family.documentation and family.name.startswith("episcribe_") for family in families)
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def write(store: str) -> None:
        file = tmp_path / "episcribe.toml"
        shows = "".join(
            f'[shows.{name}]\nurl = "https://{name}.example"\n' for name in ("read", "down", "new")
        )
        file.write_text(f'store = "{store}"\n{shows}')
        monkeypatch.setenv(settings.CONFIG_VARIABLE, str(file))

    return write


def test_the_store_in_figures(configured: Callable[[str], None], place: str) -> None:  # noqa: F811
    configured(place)
    store = open_store(place)
    for name in ("done", "fails", "hopeless", "waits"):
        queue.add(store, Episode(name, title=name), options={}, by="ann")
    listed = store.lease("done", "run", 60)
    assert listed is not None
    with Lease(listed, "run", store, settings.load()).watched():
        for stage, seconds in (("decode", 1.0), ("transcribe", 20.0), ("transcribe", 10.0), ("publish", 2.0)):
            took(stage, seconds, 66.0)
    with store.finishing("done", "run"):
        pass
    for name, pause in (("fails", 3600.0), ("hopeless", None)):
        assert store.lease(name, "run", 60)
        store.fail(name, "run", "broken", pause=pause)
    store.record_reading(FeedState("read", "https://read.example"), [], back_fill=1, new_per_poll=1)
    store.record_failed_reading(FeedState("down", "https://down.example"), "503", 60)
    with store.begin() as connection:
        totals.add(connection, totals.NOTICES, {"us/1 sent": 2})
        totals.add(connection, totals.DELIVERIES, {"failed": 3})
    with serving_metrics("127.0.0.1", 0) as port:
        told, plain = scraped(port), scraped(port, "plain")
    assert {name for name, _ in plain} >= {name for name, _ in told}
    states = {labels[0]: value for (name, labels), value in told.items() if name == "episcribe_episodes"}
    assert states == {
        "waiting": 2,
        "done": 1,
        "failed": 1,
        "queued": 0,
        "running": 0,
        "cancelled": 0,
        "skipped": 0,
    }
    expected = {
        ("episcribe_store_up", ()): 1,
        ("episcribe_attempts_total", ("done",)): 1,
        ("episcribe_attempts_total", ("failed",)): 1,
        ("episcribe_attempts_total", ("given_up",)): 1,
        ("episcribe_stage_seconds_total", ("transcribe",)): 30,
        ("episcribe_stage_audio_seconds_total", ("transcribe",)): 132,
        ("episcribe_stage_runs_total", ("transcribe",)): 2,
        ("episcribe_audio_seconds_total", ()): 66,
        ("episcribe_real_time_factor", ()): 0.5,
        ("episcribe_feed_failures", ("down",)): 1,
        ("episcribe_feed_failures", ("new",)): 0,
        ("episcribe_notices_total", ("us/1", "sent")): 2,
        ("episcribe_webhook_deliveries_total", ("failed",)): 3,
    }
    assert {key: told.get(key) for key in expected} == expected
    assert (
        0 < told["episcribe_queue_age_seconds", ()] < 3000
    )  # of the one that waits, not of the one that pauses
    assert {name for name, _ in told} == set(
        re.findall(r"^\| `(episcribe_\w+)`", PAGE.read_text(), re.MULTILINE)
    )
    reads = [labels[0] for name, labels in told if name == "episcribe_feed_last_read_timestamp_seconds"]
    assert reads == ["read"]


def test_a_store_that_is_away_is_told(configured: Callable[[str], None], tmp_path: Path) -> None:
    configured(str(tmp_path / "no" / "folder" / "store.db"))
    with serving_metrics("127.0.0.1", 0) as port:
        told = scraped(port)
    assert told["episcribe_store_up", ()] == 0
    assert {name for name, _ in told} == {"episcribe_store_up", "episcribe_build_info"}


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(EpiscribeError, match=f"port {port}: Address already in use; see --metrics-host"),
            serving_metrics("127.0.0.1", port),
        ):
            pass
    with (
        pytest.raises(EpiscribeError, match=r"served on nowhere\.invalid"),
        serving_metrics("nowhere.invalid", 0),
    ):
        pass
