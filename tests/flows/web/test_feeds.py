"""Shows that are followed by the API, in the file that its user may write in, too."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flows.schedule import settings, shows
from flows.web.fetching import AT_ONCE
from tests.audio.server import Reply, Server
from tests.flows.shows import serve_show, write_config
from tests.flows.web.conftest import Running
from tests.waiting import PATIENCE, wait_until


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = write_config(tmp_path_factory.mktemp("app"), "# mine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.CONFIG_VARIABLE, str(path))
        yield path


@pytest.fixture(scope="module")
def app(app_server: Callable[..., Running], config: Path) -> Running:
    return app_server(config.parent / "library", {"allow_private": True})


def follow(app: Running, status: int = 201, **asked: Any) -> Any:
    answer = app.client.post("/api/v1/feeds", json=asked)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_show_is_followed_from_its_feed_on_and_left_again(
    app: Running, server: Server, config: Path
) -> None:
    url = serve_show(server, [3, 2, 1])
    told = follow(app, url=url, back_fill=2, options={"language": "en", "people": "Ann, Bo"})
    assert (told["name"], told["title"], told["episodes"], told["error"]) == (
        "short-show",
        "Short Show",
        3,
        "",
    )
    show = settings.load().shows["short-show"]
    assert (show.back_fill, show.language, show.known_people) == (2, "en", ("Ann", "Bo"))
    assert "# mine" in config.read_text()
    queued = app.client.get("/api/v1/queue").json()["items"]
    assert [item["title"] for item in queued] == ["Clip 3", "Clip 2"]  # the schedule takes them at once
    assert app.client.get("/api/v1/feeds").json()["items"] == [told]
    assert "has this feed already" in follow(app, 400, url=url)["detail"]
    reader = app.program("reader")
    assert reader.post("/api/v1/feeds", json={"url": url}).status_code == 403
    assert reader.delete("/api/v1/feeds/short-show").status_code == 403
    assert app.client.delete("/api/v1/feeds/short-show").status_code == 204
    assert app.client.delete("/api/v1/feeds/short-show").status_code == 404
    assert app.client.get("/api/v1/feeds").json()["items"] == []


def test_rules_of_a_show(app: Running, server: Server, config: Path) -> None:
    url = serve_show(server, [3, 2, 1], "/ruled.xml")
    rules: dict[str, Any] = {"title_lacks": ["clip 3"], "types": ["full"]}
    asked: dict[str, Any] = {"url": url, "name": "ruled", "back_fill": 1, "rules": rules}
    seen = app.client.post("/api/v1/feeds/preview", json=asked).json()
    assert ([one["title"] for one in seen["taken"]], seen["passed_over"]) == (["Clip 2"], 1)
    told = follow(app, **asked)
    assert told["rules"] == {**rules, "title_has": [], "min_minutes": None, "max_minutes": None}
    assert told["ended_at"] is None
    assert settings.load().shows["ruled"].rules.title_lacks == ("clip 3",)
    skipped = app.client.get("/api/v1/queue", params={"state": "skipped"}).json()["items"]
    assert "passed over: its title has 'clip 3' (title_lacks)" in [one["error"] for one in skipped]
    follow(app, 422, url=url, rules={"types": ["teaser"]})
    assert app.client.delete("/api/v1/feeds/ruled").status_code == 204


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"url": "file:///etc/passwd"}, 400),
        ({"url": "http://me:secret@127.0.0.1/feed"}, 400),
        ({"url": "/etc/passwd"}, 400),
        ({"url": "https://example.org/", "options": {"login_from": "PATH"}}, 400),
        ({"url": "https://example.org/", "options": {"proxy": "http://x"}}, 400),
        ({"url": "https://example.org/", "options": {"model": "/etc"}}, 400),
        ({"url": "https://example.org/", "back_fill": -1}, 422),
        ({"url": "https://example.org/", "login_from": "PATH"}, 422),
        ({"url": "x" * 5000}, 422),
    ],
)
def test_feeds_that_can_not_be(app: Running, config: Path, asked: dict[str, Any], status: int) -> None:
    before = config.read_text()
    told = follow(app, status, **asked)
    assert "\n" not in told["detail"]
    assert "secret" not in told["detail"]
    assert config.read_text() == before


def test_sites_that_are_slow_take_no_threads_of_others(app: Running, server: Server) -> None:
    answered = threading.Event()

    def slow(_: object) -> Reply:
        answered.wait(PATIENCE)
        return Reply(404)

    def preview() -> int:
        return app.client.post("/api/v1/feeds/preview", json={"url": server.url("/slow")}).status_code

    server.routes["/slow"] = slow
    with ThreadPoolExecutor(AT_ONCE) as threads:
        waiting = [threads.submit(preview) for _ in range(AT_ONCE)]
        wait_until(lambda: len(server.requests) == AT_ONCE, "the requests")
        beyond = app.client.post("/api/v1/queue", json={"source": server.url("/slow")})
        answered.set()
        assert (beyond.status_code, beyond.json()["type"]) == (503, "urn:episcribe:problem:busy")
        assert int(beyond.headers["Retry-After"]) > 0
        assert {one.result() for one in waiting} == {502}


def test_names_are_keys_of_the_file_and_nothing_else(app: Running, server: Server, config: Path) -> None:
    url = serve_show(server, [1], "/names.xml")
    for name in ("a.b", "../x", 'a"]\nlibrary = "/', "A"):
        assert "is no name for a show" in follow(app, 400, url=url, name=name)["detail"]


def test_who_write_at_once_lose_nothing(app: Running, server: Server, config: Path) -> None:
    urls = [serve_show(server, [number], f"/{number}.xml") for number in range(1, 7)]
    writers = [
        threading.Thread(target=follow, args=(app,), kwargs={"url": url, "name": f"s{number}"})
        for number, url in enumerate(urls[:3])
    ]
    writers += [
        threading.Thread(target=shows.add, args=(f"s{number + 3}", {"url": url}))
        for number, url in enumerate(urls[3:])
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(settings.load().shows) == [f"s{number}" for number in range(6)]
    assert "# mine" in config.read_text()
