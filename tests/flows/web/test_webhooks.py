"""Webhooks: signed, sent until they are taken, told of all that was done whoever did it, never to private addresses."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from flows.schedule import happenings, tables
from flows.schedule.settings import Settings
from flows.schedule.store import Store
from flows.web.config import WebConfig
from flows.web.webhooks import EVENTS, Announcer, Delivery, Webhooks, announce
from tests.audio.server import Reply, Server
from tests.flows.web.conftest import Running
from tests.waiting import PATIENCE, wait_until

URL = "https://talks.example.org"


@pytest.fixture(scope="module")
def app(app_server: Callable[..., Running], tmp_path_factory: pytest.TempPathFactory) -> Running:
    return app_server(tmp_path_factory.mktemp("library"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(str(tmp_path / "store.db"))
    announce(store, URL)  # as the first app does that is started
    return store


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.web.webhooks.PAUSES", (0.0, 0.0))
    monkeypatch.setattr("flows.web.webhooks.LOOK_SECONDS", 0.01)


def subscribed(store: Store, url: str) -> tuple[str, str]:
    """A webhook's id and secret."""
    hook, secret = Webhooks(store).add("ann", url, EVENTS, allow_private=True)
    return hook.id, secret


def happens(store: Store, name: str, state: str = "done") -> None:
    """A worker somewhere is done with an episode."""
    record = json.dumps({"id": name, "title": f"Title of {name}"})
    with store.begin() as connection:
        now = tables.database_time(connection)
        row: dict[str, Any] = {
            "id": name,
            "show": "the-show",
            "guid": name,
            "published_at": 0.0,
            "record": record,
        }
        row |= {
            "backlog": False,
            "state": state,
            "found_at": now,
            "done_at": now,
            "error": "oh" * (state in ("failed", "waiting")),
        }
        connection.execute(insert(tables.episodes).values(**row, folder="/srv/library/the-show/pilot"))
        event: dict[str, happenings.Event] = {"done": "done", "failed": "given_up", "waiting": "failed"}
        if state in event:
            happenings.note(connection, event[state], [(name, row["error"])])


@contextmanager
def announcing(store: Store, *, allow_private: bool = True) -> Iterator[None]:
    settings = Settings().model_copy(update={"allow_private": allow_private})
    with Announcer(WebConfig(settings, store, Path(), URL)):
        yield


def told(store: Store, hook: str) -> list[Delivery]:
    return Webhooks(store).deliveries(hook, 100)


def ended(store: Store, hook: str, count: int = 1) -> list[Delivery]:
    """Deliveries, once there are so many and none waits."""
    wait_until(
        lambda: len(found := told(store, hook)) == count and all(one.state != "waiting" for one in found),
        "the deliveries",
    )
    return told(store, hook)


def test_signed_and_sent_again_until_taken(store: Store, server: Server) -> None:
    server.routes["/hook"] = [Reply(503, b"not\x1b now"), Reply(200, b"thanks")]
    hook, secret = subscribed(store, server.url("/hook"))
    happens(store, "new")
    with announcing(store):
        (delivery,) = ended(store, hook)
    assert (delivery.state, delivery.attempts, delivery.answer) == ("delivered", 2, "200 thanks")
    assert len(server.posted) == 2
    for headers, body in server.posted:
        assert headers["webhook-id"] == delivery.id
        signed = f"{delivery.id}.{headers['webhook-timestamp']}.".encode() + body
        digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
        assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    event = json.loads(server.posted[1][1])
    assert (event["type"], event["data"]["title"]) == ("episode.done", "Title of new")
    assert event["data"]["url"] == f"{URL}/episodes/the-show/pilot"


def test_what_happened_while_no_app_ran_is_told_once_by_however_many(store: Store, server: Server) -> None:
    happens(store, "before")
    announce(store, URL)
    server.routes["/hook"] = Reply(204)
    hook, _ = subscribed(store, server.url("/hook"))
    happens(store, "one")
    happens(store, "two", "failed")
    happens(store, "three", "cancelled")
    happens(store, "four", "waiting")
    with announcing(store), announcing(store):
        ended(store, hook, 3)
    events = sorted(
        (event["type"], event["data"]["id"]) for event in (json.loads(body) for _, body in server.posted)
    )
    assert events == [
        ("episode.attempt_failed", "four"),
        ("episode.done", "one"),
        ("episode.failed", "two"),
    ]


def test_webhooks_of_a_store_from_before_there_were_readers_miss_nothing(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store.db"))
    happens(store, "before")
    hook, _ = subscribed(store, "http://127.0.0.1:9/hook")
    happens(store, "new")
    announce(store, URL)
    announce(store, URL)
    assert [json.loads(body)["data"]["id"] for body in bodies(store)] == ["new"]
    assert [one.event for one in told(store, hook)] == ["episode.done"]


def bodies(store: Store) -> list[str]:
    with store.look() as connection:
        return list(connection.execute(select(tables.deliveries.c.body)).scalars())


@pytest.mark.parametrize(
    ("reply", "attempts", "answer"),
    [
        (Reply(302, b"", {"Location": "/elsewhere"}), 3, "302"),
        (Reply(410, b"no more"), 1, "410 no more"),
        (Reply(500, b"\x1b[31m" + b"x" * 10_000), 3, "500 "),
    ],
)
def test_what_is_not_taken_is_given_up(
    store: Store, server: Server, reply: Reply, attempts: int, answer: str
) -> None:
    server.routes["/hook"] = reply
    hook, _ = subscribed(store, server.url("/hook"))
    happens(store, "new")
    with announcing(store):
        (delivery,) = ended(store, hook)
    assert (delivery.state, delivery.attempts) == ("failed", attempts)
    assert delivery.answer.startswith(answer)
    assert delivery.answer.isprintable()
    assert len(delivery.answer) <= 200
    assert {path for path, _ in server.requests} == {"/hook"}


def test_who_never_answers_holds_up_nobody_else(store: Store, server: Server) -> None:
    answered = threading.Event()

    def never(_: object) -> Reply:
        answered.wait(PATIENCE)
        return Reply(204)

    server.routes |= {"/dead": never, "/hook": Reply(204)}
    dead, _ = subscribed(store, server.url("/dead"))
    hook, _ = subscribed(store, server.url("/hook"))
    for number in range(3):
        happens(store, f"new{number}")
    with announcing(store):
        ended(store, hook, 3)
        asked = [path for path, _ in server.requests].count("/dead")
        assert (asked, {one.state for one in told(store, dead)}) == (1, {"waiting"})
        answered.set()
        ended(store, dead, 3)


def test_private_addresses_are_not_asked(store: Store, server: Server) -> None:
    hook, _ = subscribed(store, server.url("/hook"))
    happens(store, "new")
    with announcing(store, allow_private=False):
        (delivery,) = ended(store, hook)
    assert "not a public address" in delivery.answer
    assert server.posted == []


def test_by_the_api_admins_see_them(app: Running) -> None:
    def ask(who: Any, path: str = "") -> Any:
        return who.get(f"/api/v1/webhooks{path}").json()["items"]

    editor, admin = app.program("editor"), app.program("admin")
    made = admin.post("/api/v1/webhooks", json={"url": "https://192.0.43.8/hook", "events": ["episode.done"]})
    assert made.status_code == 201
    hook = made.json()
    assert hook["secret"].startswith("whsec_")
    assert ask(admin) == [{name: hook[name] for name in ("id", "url", "events", "created_by", "created_at")}]
    assert ask(app.client) == ask(admin)
    assert ask(admin, f"/{hook['id']}/deliveries") == []
    assert editor.get("/api/v1/webhooks").status_code == 403
    assert editor.post("/api/v1/webhooks", json={"url": hook["url"]}).status_code == 403
    for url in (
        "http://127.0.0.1:1/",
        "http://localhost/",
        "ftp://example.org",
        "https://me:secret@192.0.43.8/",
        "?",
    ):
        refused = admin.post("/api/v1/webhooks", json={"url": url})
        assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json"), (
            url
        )
    assert admin.delete(f"/api/v1/webhooks/{hook['id']}").status_code == 204
    assert ask(admin) == []
