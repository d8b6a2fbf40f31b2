"""The Prefect server behind a local run or `episcribe serve`, as a process of its own.

Prefect can start such a server by itself, but imports the whole server into the client to do so. Here
it starts while the client still imports its own part, and it ends when the client ends, however
that happens: it watches its standard input, which only the client holds open.

It has no login, so nothing but programs of this machine may use it: pages of other sites that are open in a browser
here are refused, whether they call it by its own address or by a name of theirs.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from models.record.errors import EpiscribeError
from models.runtime.memory import collect_garbage_seldom

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
START_SECONDS = 120  # a first start also creates the database
POLL_SECONDS = 0.05
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy can't reach this machine


class TemporaryServer:
    """A server that is starting; `wait` for it before use.

    environment: variables for its process, such as its database. port: where it listens, 0 for any that is
    free.
    """

    def __init__(self, environment: Mapping[str, str], port: int = 0) -> None:
        port = port or _free_port()
        self.api_url = f"http://{HOST}:{port}/api"
        self._process = subprocess.Popen(
            # -P: modules of the folder we are in are not ours
            [sys.executable, "-P", "-m", "flows.local.prefect_server", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={
                **os.environ,
                **_own_origins(port),
                **environment,
                "PYTHONPATH": str(Path(__file__).parents[2]),
            },
            start_new_session=True,  # Ctrl-C is for the client, which still has something to report
        )

    def __enter__(self) -> TemporaryServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()  # it has nothing to save: each request was committed when answered
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def wait(self) -> None:
        """Return once the server answers; EpiscribeError where it doesn't come up."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with DIRECT.open(f"{self.api_url}/health", timeout=5):
                    return
            except OSError:
                time.sleep(POLL_SECONDS)
        raise EpiscribeError(
            "the Prefect server did not start: `python -m flows.local.prefect_server 4200` shows why"
        )


def _own_origins(port: int) -> dict[str, str]:
    return {"PREFECT_SERVER_CORS_ALLOWED_ORIGINS": ",".join(f"http://{name}:{port}" for name in NAMES)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def main(port: int) -> None:
    """Serve until the process that holds our standard input is gone; signals to all processes don't count."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_serve, args=(port,), daemon=True).start()
    sys.stdin.buffer.read()
    os._exit(0)


def _serve(port: int) -> None:
    collect_garbage_seldom()
    try:
        import uvicorn

        uvicorn.run(_app, factory=True, host=HOST, port=port, log_level="error")
    finally:
        os._exit(1)  # it could not start


def _app() -> ASGIApp:
    from prefect.server.api.server import create_app
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    return TrustedHostMiddleware(create_app(), allowed_hosts=list(NAMES))


if __name__ == "__main__":
    main(int(sys.argv[1]))
