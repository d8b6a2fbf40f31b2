"""The app as browsers and programs reach it: served by uvicorn in a thread, on a free port."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from fastapi import FastAPI

from flows.schedule.settings import Settings
from flows.schedule.store import Store, open_store
from flows.web.app import create_app
from flows.web.config import WebConfig
from flows.web.serving import AppServer, listen
from tests.browser import open_browser
from tests.waiting import PATIENCE, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TOKEN = "the-token-of-the-tests"
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@dataclass
class Running:
    """An app that runs. `client` is the owner's browser: signed in, with X-CSRF-Token on every request."""

    app: FastAPI
    config: WebConfig
    client: httpx2.Client
    address: str  # where it listens, with its base path: its URL, unless a test has a proxy stand in front
    server: AppServer = field(repr=False)  # ends once `should_exit` is set
    _stack: ExitStack = field(repr=False)

    @property
    def url(self) -> str:
        return self.config.url

    @property
    def token_url(self) -> str:
        """The first address, which signs a browser in: `page.goto(app.token_url)`."""
        return f"{self.url}/?token={TOKEN}"

    @property
    def store(self) -> Store:
        return self.config.store

    def stranger(self, **options: Any) -> httpx2.Client:
        """Somebody who has not signed in."""
        return self._stack.enter_context(_client(self.address, self.config.host, **options))

    def program(self, role: str = "editor") -> httpx2.Client:
        """A program with the token of a user of this role, who is called like it; "admin" signs in by PASSWORD."""
        accounts = self.app.state.accounts
        if accounts.users.find(role) is None:
            accounts.users.add(role, PASSWORD, role)
        _, token = accounts.tokens.make(role, "tests")
        return self.stranger(headers={"Authorization": f"Bearer {token}"})

    def signed_in(self, name: str, password: str = PASSWORD) -> httpx2.Client:
        """The browser of a user who has signed in."""
        client = self.stranger()
        client.headers["X-CSRF-Token"] = client.post(
            "/api/v1/login", json={"name": name, "password": password}
        ).json()["csrf"]
        return client


@pytest.fixture(scope="module")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """Serves apps until the module ends: `app = app_server(library_folder)`.

    `app.client.get("/api/v1/me")` asks as the owner; `app.program("reader")` is a client of another role;
    `page.goto(app.token_url)` signs a browser in. Further arguments are those of WebConfig: `only=`, `audio=`, `url=`.
    """
    with ExitStack() as stack:

        def serve(library: Path, settings: Mapping[str, Any] = {}, **options: Any) -> Running:
            place = str(tmp_path_factory.mktemp("store") / "store.db")
            made = Settings().model_copy(update={"library": str(library), "store": place, **settings})
            socket = listen("127.0.0.1", 0)
            url = f"http://127.0.0.1:{socket.getsockname()[1]}"
            values = {"url": url, "token": TOKEN, **options}
            config = WebConfig(made, open_store(made.store), library, **values)
            app = create_app(config)
            server = stack.enter_context(_served(AppServer(app, socket)))
            address = f"{url}{config.base}"
            client = stack.enter_context(_client(address, config.host))
            if config.token:
                client.get(f"/?token={TOKEN}", follow_redirects=False)
                client.headers["X-CSRF-Token"] = client.get("/api/v1/me").json()["csrf"]
            return Running(app, config, client, address, server, stack)

        yield serve


def _client(address: str, host: str, headers: Mapping[str, str] = {}, **options: Any) -> httpx2.Client:
    headers = {"Host": host, **headers}
    return httpx2.Client(base_url=address, headers=headers, timeout=PATIENCE, trust_env=False, **options)


@contextmanager
def _served(server: AppServer) -> Iterator[AppServer]:
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), "the app")
        yield server
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()
