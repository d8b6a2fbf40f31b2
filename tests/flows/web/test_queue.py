"""The queue in the API: what people add, what they see of it, and what they can't do with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from flows.schedule import settings
from tests.audio.server import Server
from tests.flows.shows import serve_show, write_config
from tests.flows.web.conftest import Running

Serve = Callable[..., Running]


@pytest.fixture(scope="module")
def app(app_server: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("app")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.CONFIG_VARIABLE, str(write_config(folder, "")))
        yield app_server(folder / "library", {"uploads": str(folder / "uploads"), "allow_private": True})


def add(app: Running, **asked: Any) -> Any:
    return app.client.post("/api/v1/queue", json=asked)


def test_an_address_is_added_once_and_moved_and_cancelled_and_tried_again(
    app: Running, server: Server
) -> None:
    serve_show(server, [1, 2, 3])
    first = add(app, source=server.url("/1.wav"), options={"language": "en", "people": "Ann, Bo"})
    assert first.status_code == 202, first.text
    (one,) = first.json()["items"]
    assert (one["title"], one["state"], one["position"], one["added_by"]) == ("1", "waiting", 1, "owner")
    (two,) = add(app, source=server.url("/2.wav")).json()["items"]
    assert [item["id"] for item in app.client.get("/api/v1/queue").json()["items"]] == [one["id"], two["id"]]
