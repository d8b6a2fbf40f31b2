"""What all routes share: pages of lists, tags, once-only requests, HEAD, compression, failures, streams."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy import update

from flows.schedule.tables import idempotency
from flows.web.access import Editor, Reader
from flows.web.config import API
from flows.web.etags import etag, not_modified, tagged
from flows.web.hub import stream
from flows.web.idempotency import KEEP_SECONDS, RUN_SECONDS, Once
from flows.web.paging import Page, Paging
from tests.flows.web.conftest import Running
from tests.waiting import PATIENCE

LARGE = [f"line {number}" for number in range(2000)]


class Made(BaseModel):
    """What a request made."""

    number: int


class Workshop:
    """Counts what was done, and lets a test stop it halfway."""

    def __init__(self) -> None:
        self.made = 0
        self.failing = False
        self.go_on, self.begun = threading.Event(), threading.Event()
        self.go_on.set()

    def make(self) -> Made:
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        if self.failing:
            raise ValueError("an internal matter")
        self.made += 1
        return Made(number=self.made)


@pytest.fixture(scope="module")
def workshop() -> Workshop:
    return Workshop()


@pytest.fixture(scope="module")
def app(
    app_server: Callable[..., Running], tmp_path_factory: pytest.TempPathFactory, workshop: Workshop
) -> Running:
    found = app_server(tmp_path_factory.mktemp("library"))
    route = found.app

    @route.post(f"{API}/try/made", status_code=201)
    def make(body: dict[str, Any], _: Editor, once: Once) -> Response:
        return once(workshop.make)

    @route.get(f"{API}/try/numbers")
    def numbers(_: Reader, paging: Paging) -> Page[int]:
        return paging.slice(range(7))

    @route.get(f"{API}/try/large")
    def large(_: Reader) -> list[str]:
        return LARGE

    @route.get(f"{API}/try/tagged")
    def with_tag(request: Request, _: Reader) -> Response:
        return not_modified(request, etag("revision 1")) or tagged(request, b"{}", tag=etag("revision 1"))

    @route.get(f"{API}/try/events")
    def events(request: Request, _: Reader) -> Response:
        return stream(request, "try", first)

    return found


async def first() -> list[dict[str, Any]]:
    return [{"event": "first", "number": 0}]


def make(client: httpx2.Client, key: str, **body: Any) -> httpx2.Response:
    return client.post(f"{API}/try/made", json=body, headers={"Idempotency-Key": key})


def test_a_list_comes_in_pages(app: Running) -> None:
    items: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        answer = app.client.get(f"{API}/try/numbers", params={"limit": "3", **cursor})
        items += answer.json()["items"]
        if answer.json()["next"] is None:
            break
        cursor = {"cursor": answer.json()["next"]}
        assert answer.links["next"]["url"] == f"{app.url}{API}/try/numbers?limit=3&cursor={cursor['cursor']}"
    assert items == list(range(7))
    assert "link" not in answer.headers


def test_what_the_caller_has_is_not_sent_again(app: Running) -> None:
    tag = app.client.get(f"{API}/try/tagged").headers["ETag"]
    for given in (tag, f'"x", {tag}', tag.removeprefix("W/"), "*"):
        answer = app.client.get(f"{API}/try/tagged", headers={"If-None-Match": given})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    assert app.client.get(f"{API}/try/tagged", headers={"If-None-Match": '"x"'}).status_code == 200


def test_the_same_key_does_it_once(app: Running, workshop: Workshop) -> None:
    first, again = make(app.client, "a", x=1), make(app.client, "a", x=1)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert make(app.client, "b", x=1).json() != first.json()
    assert make(app.program("editor"), "a", x=1).json() != first.json()  # keys are each user's own
    other = make(app.client, "a", x=2)
    assert (other.status_code, other.json()["type"]) == (422, "urn:episcribe:problem:idempotency-key")


def test_without_a_key_each_request_counts(app: Running) -> None:
    first, second = (app.client.post(f"{API}/try/made", json={}).json()["number"] for _ in range(2))
    assert second == first + 1
    assert make(app.client, "k" * 201).status_code == 422


def test_the_same_request_twice_at_once_is_refused(app: Running, workshop: Workshop) -> None:
    workshop.go_on.clear()
    workshop.begun.clear()
    answers: list[httpx2.Response] = []
    first = threading.Thread(target=lambda: answers.append(make(app.client, "slow")))
    first.start()
    assert workshop.begun.wait(PATIENCE)
    second = make(app.client, "slow")
    assert (second.status_code, second.json()["type"]) == (409, "urn:episcribe:problem:in-progress")
    workshop.go_on.set()
    first.join(PATIENCE)
    assert make(app.client, "slow").json() == answers[0].json()


def test_what_failed_may_be_done_again(app: Running, workshop: Workshop) -> None:
    workshop.failing = True
    assert make(app.client, "f").status_code == 500
    workshop.failing = False
    assert make(app.client, "f").status_code == 201


def test_keys_are_kept_for_a_day(app: Running) -> None:
    first = make(app.client, "day").json()
    for seconds, same in ((KEEP_SECONDS - 60, True), (120, False)):
        with app.store.begin() as connection:
            values = {"created_at": idempotency.c.created_at - seconds}
            connection.execute(update(idempotency).values(**values))
        assert (make(app.client, "day").json() == first) is same
    assert RUN_SECONDS < KEEP_SECONDS


def test_head_answers_as_get_without_the_body(app: Running) -> None:
    for target in ("/", f"{API}/me", f"{API}/try/numbers?limit=3", f"{API}/openapi.json"):
        got, asked = app.client.get(target), app.client.head(target)
        assert asked.status_code == got.status_code == 200
        assert asked.content == b""
        for name in ("content-type", "content-length", "link", "content-security-policy"):
            assert asked.headers.get(name) == got.headers.get(name)
    assert app.client.head(f"{API}/try/made").status_code == 405
    assert app.client.head(f"{API}/try/events").headers["content-type"].startswith("text/event-stream")


def test_large_answers_are_compressed_but_pages_and_streams(app: Running) -> None:
    answer = app.client.get(f"{API}/try/large")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.json() == LARGE
    assert "Content-Encoding" not in app.client.get("/").headers


def test_streams_come_at_once_and_end_with_the_app(
    app_server: Callable[..., Running], tmp_path: Path
) -> None:
    app = app_server(tmp_path)

    @app.app.get(f"{API}/try/events")
    def events(request: Request, _: Reader) -> Response:
        return stream(request, "try", first)

    with app.client.stream("GET", f"{API}/try/events", headers={"Accept-Encoding": "gzip"}) as answer:
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["X-Accel-Buffering"] == "no"
        lines = (line for line in answer.iter_lines() if line and not line.startswith(":"))
        assert [next(lines), next(lines)] == ["event: first", 'data: {"number": 0}']
        app.app.state.hub.publish("try", {"event": "second"})
        assert [next(lines), next(lines)] == ["event: second", "data: {}"]
        app.server.should_exit = True
        assert list(lines) == []


def test_what_nobody_expected_is_told_without_how(app: Running, workshop: Workshop) -> None:
    workshop.failing = True
    answer = app.client.post(f"{API}/try/made", json={})
    workshop.failing = False
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "internal" not in answer.text
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_there_is_a_page_for_people_where_nothing_is(app: Running) -> None:
    page = app.client.get("/nothing", headers={"Accept": "text/html", "Accept-Language": "de"})
    assert page.status_code == 404
    assert "<h1>Hier ist nichts</h1>" in page.text
    assert "/search" in page.text
    assert "/search" not in app.stranger().get("/nothing", headers={"Accept": "text/html"}).text
    for target in ("/nothing", f"{API}/nothing"):
        answer = app.client.get(target, headers={"Accept": "text/html" if API in target else "*/*"})
        assert (answer.status_code, answer.json()["status"]) == (404, 404)
