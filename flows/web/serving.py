"""The app served: by itself, or beside the schedule, which then runs as a process of its own."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from models.record.errors import EpiscribeError

END_SECONDS = 5  # for requests that go on when the app ends


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0: any free one. EpiscribeError where that can't be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise EpiscribeError(
            f"can't listen on {host}, port {port}: {error.strerror}: try another --port"
        ) from None


class AppServer(uvicorn.Server):
    """A server of the app on a socket; `proxied`: what a proxy on this machine tells of its callers is believed."""

    def __init__(self, app: FastAPI, listening: socket.socket, *, proxied: bool = False) -> None:
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=proxied,
            timeout_graceful_shutdown=END_SECONDS,
            ws="none",
        )
        super().__init__(config)
        self._app, self._listening = app, listening

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to end."""
        super().run([self._listening])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; streams of events first, which never would by themselves."""
        self._app.state.hub.close()
        await super().shutdown(sockets)
