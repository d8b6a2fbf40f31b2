"""The app served: by itself, or beside the schedule."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import signal
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import uvicorn

from flows import logs
from flows.schedule import settings as configuration
from flows.schedule.settings import Settings, checked_local
from flows.schedule.store import open_store
from flows.web.app import create_app
from flows.web.config import WebConfig
from flows.web.users import Users
from models.record.errors import EpiscribeError, InputError
from outputs.library import read
from outputs.library.files import resolve_location

if TYPE_CHECKING:
    from fastapi import FastAPI

    from flows.web.engine import Engine

HOST, PORT = "127.0.0.1", 8300
END_SECONDS = 5  # for requests that go on when the app ends
PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
DEFAULT_PORTS = {"http": 80, "https": 443}


def serve_web(
    settings: Settings,
    *,
    host: str = HOST,
    port: int = PORT,
    public_url: str = "",
    open_browser: bool = False,
    engine: Engine | None = None,
) -> None:
    """Serve the app until Ctrl-C or SIGTERM, with the schedule beside it where an engine is given.

    public_url: where browsers reach the app, if a proxy stands in front. Who others can reach needs users, else
    InputError; on loopback a token in the first address lets in who started it, as admin.
    """
    url = checked_url(public_url) if public_url else ""
    library = checked_local(resolve_location(settings.library))
    store = open_store(settings.store)
    alone = is_loopback(host) and (not url or is_loopback(urlsplit(url).hostname or ""))
    if not alone and not Users(store).any():
        raise InputError(f"others could reach {url or host}: they sign in, so first episcribe users add NAME")
    if not url and is_any(host):
        raise InputError(f"{host} is no address to go to: say with --public-url how browsers reach the app")
    with listen(host, port) as listening:
        config = WebConfig(
            settings,
            store,
            library,
            url or address_of(listening, host),
            new_token() if alone else "",
        )
        run(config, listening, proxied=bool(url), open_browser=open_browser and alone, engine=engine)


def serve_episode(folder: Path, audio: Path | None, port: int, *, open_browser: bool) -> None:
    """Serve the page of one episode, wherever it lies, on this machine until Ctrl-C. InputError where there is none."""
    folder = read.record_file(folder).parent.absolute()
    read.load_record(folder)
    if audio is not None and not audio.is_file():
        raise InputError(f"{audio}: no such file")
    with tempfile.TemporaryDirectory(prefix="episcribe-") as place, listen(HOST, port) as listening:
        own = {"library": str(folder.parent), "store": str(Path(place) / "store.db")}
        settings = configuration.load().model_copy(update=own)
        url, store = address_of(listening, HOST), open_store(settings.store)
        config = WebConfig(settings, store, folder.parent, url, new_token(), only=folder, audio=audio)
        run(config, listening, open_browser=open_browser)
    logs.say(f"The files in {folder} are up to date.")


def run(
    config: WebConfig,
    listening: socket.socket,
    *,
    proxied: bool = False,
    open_browser: bool = False,
    engine: Engine | None = None,
) -> None:
    """Serve an app on a socket until Ctrl-C or SIGTERM; its first address is printed."""

    app = create_app(config)

    def started() -> None:
        first = f"{config.url}/?token={config.token}" if config.token else f"{config.url}/"
        if logs.is_json():  # a log is no place for what lets people in
            logs.say("the app is served", event="web", url=f"{config.url}/")
        if not logs.is_json() or sys.stdout.isatty():
            print(f"Episcribe: {first}\nstop with Ctrl-C", flush=True)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(invite(app),), daemon=True).start()
        if engine is not None:
            engine.start()

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):
            AppServer(app, listening, proxied=proxied, started=started).run()
    finally:
        if engine is not None:
            engine.stop()


class AppServer(uvicorn.Server):
    """A server of the app on a socket.

    proxied: what a proxy on this machine, or one that FORWARDED_ALLOW_IPS names, tells of its callers is believed.
    started: called once it answers.
    """

    def __init__(
        self,
        app: FastAPI,
        listening: socket.socket,
        *,
        proxied: bool = False,
        started: Callable[[], None] = lambda: None,
    ) -> None:
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            log_config=None if logs.is_json() else uvicorn.config.LOGGING_CONFIG,
            server_header=False,
            proxy_headers=proxied,
            forwarded_allow_ips=os.environ.get("FORWARDED_ALLOW_IPS") or "127.0.0.1,::1",
            timeout_graceful_shutdown=END_SECONDS,
            ws="none",
        )
        super().__init__(config)
        self._app, self._listening, self._when_started = app, listening, started

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to end."""
        super().run([self._listening])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self._when_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; streams of events first, which never would by themselves."""
        self._app.state.hub.close()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0: any free one. EpiscribeError where that can't be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        number = error.errno or 0  # below 0 where the host's name is not known
        reason = os.strerror(number) if number > 0 else error.strerror
        raise EpiscribeError(
            f"can't listen on {host}, port {port}: {reason}; see --host and --port"
        ) from None


def address_of(listening: socket.socket, host: str) -> str:
    """Where browsers of this machine or network reach a socket that listens on a host."""
    shown = f"[{host}]" if ":" in host else host.lower()
    port = listening.getsockname()[1]
    return f"http://{shown}" + ("" if port == DEFAULT_PORTS["http"] else f":{port}")


def invite(app: FastAPI) -> str:
    """An address that signs in once, as admin: what a browser is started with, all users of the machine can see."""
    code = new_token()
    app.state.codes.add(code)
    return f"{app.state.config.url}/?token={code}"


def new_token() -> str:
    """256 random bits for an address."""
    return secrets.token_urlsafe(32)


def checked_url(url: str) -> str:
    """A public address as browsers write it, without a slash at its end; InputError for what is none.

    >>> checked_url("HTTPS://Example.org:443/talks/")
    'https://example.org/talks'
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    path = parts.path.rstrip("/")
    odd = parts.username or parts.password or parts.query or parts.fragment or not PATH.fullmatch(path)
    if parts.scheme not in DEFAULT_PORTS or not re.fullmatch(r"[a-z0-9._:-]+", host) or odd:
        raise InputError(
            f"{url!r} is no address of an app: write https://example.org or https://example.org/path"
        )
    shown = f"[{host}]" if ":" in host else host
    return (
        f"{parts.scheme}://{shown}{'' if port in (None, DEFAULT_PORTS[parts.scheme]) else f':{port}'}{path}"
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_any(host: str) -> bool:
    """Whether a host stands for all addresses of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host
