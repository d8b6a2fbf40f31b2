"""A web server on this machine that can misbehave in the ways that podcast hosts do."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NO_LENGTH = -1  # the end of the connection is that of the body


@dataclass
class Reply:
    """What to answer: `length` may lie or be NO_LENGTH, `cut` closes the connection after that many bytes."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    cut: int | None = None


Answer = Callable[[dict[str, str]], Reply]


class Server:
    """Answers each path with what `routes` holds: one reply, or a list used up one by one."""

    def __init__(self) -> None:
        self.routes: dict[str, Reply | Answer | list[Reply | Answer]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.posted: list[tuple[dict[str, str], bytes]] = []  # headers by lower-case names, and bodies
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._http.server_port}{path}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, path: str, headers: dict[str, str]) -> Reply:
        self.requests.append((path, headers))
        route = self.routes.get(path, Reply(404))
        if isinstance(route, list):
            route = route.pop(0)
        return route(headers) if callable(route) else route

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                reply = server.answer(self.path, dict(self.headers))
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                length = len(reply.body) if reply.length is None else reply.length
                if length != NO_LENGTH:
                    self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(reply.body[: reply.cut])
                self.close_connection = reply.cut is not None or length != len(reply.body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.posted.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.do_GET()

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        return Handler


def ranged(body: bytes, etag: str = '"v1"', *, cut: int | None = None) -> Answer:
    """Serves `body` as a good server does, by Range and If-Range, cut after `cut` bytes."""

    def answer(headers: dict[str, str]) -> Reply:
        said = {"ETag": etag, "Content-Type": "audio/mpeg"}
        if "Range" in headers and headers.get("If-Range") == etag:
            start = int(headers["Range"].removeprefix("bytes=").removesuffix("-"))
            said["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            return Reply(206, body[start:], said, cut=cut)
        if headers.get("If-None-Match") == etag:
            return Reply(304, b"", said)
        return Reply(200, body, said, cut=cut)

    return answer
