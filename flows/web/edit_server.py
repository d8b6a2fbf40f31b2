"""The edit page of an episode, served to the browser of this machine and to nobody else.

It listens on loopback only. Its address holds a token that other programs and users can't guess, and
requests that name another host or come from another site's page are refused, so that no page on the
web can read or change anything.
"""

from __future__ import annotations

import hmac
import json
import mimetypes
import re
import secrets
import threading
import webbrowser
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from flows.library.audio import find_audio
from models.record.errors import EpiscribeError, InputError, OutputError
from outputs.formats import html
from outputs.library import corrections, read
from outputs.library.editing import EditingSession, OutdatedError
from outputs.pages import templates
from outputs.text.times import clock

HOST = "127.0.0.1"
MAX_BODY = 1_000_000
RENDER_SECONDS = 1.5  # of quiet after an edit before all files are written again
CHUNK = 1 << 16
STYLES = ("tokens.css", "page.css", "edit.css")
SCRIPTS = ("player.js", "edit.js")
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def serve(folder: Path, audio: Path | None, port: int, *, open_browser: bool) -> None:
    """Serve the edit page until Ctrl-C. Raises InputError and OutputError."""
    with EditServer(folder, audio, port) as server, suppress(KeyboardInterrupt):
        print(f"Edit the transcript at {server.url}\nCtrl-C ends; every change is saved at once.", flush=True)
        if open_browser:
            webbrowser.open(server.url)
        server.wait()
    print(f"The files in {folder} are up to date.")


def list_corrections(folder: Path) -> list[str]:
    """The corrections of an episode in words, those that wait for their words marked."""
    found = read.load_corrected(folder)
    every = corrections.load(read.folder_of(folder))
    lines = []
    for one in every:
        waits = "no longer fits: " if one in found.waiting else ""
        lines.append(f"{clock(one.start)}  {waits}{one}" if one.was else f"       {waits}{one}")
    return lines or ["no corrections"]


class EditServer:
    """A server that is running; a context manager, at whose end the episode's files are up to date."""

    def __init__(self, folder: Path, audio: Path | None = None, port: int = 0) -> None:
        self.session = EditingSession(folder)
        self.audio = _audio(folder, self.session, audio)
        self.token = secrets.token_urlsafe(24)
        self.lock = threading.Lock()
        self._changed, self._ended = threading.Event(), threading.Event()
        try:
            self._http = ThreadingHTTPServer((HOST, port), partial(_Handler, self))
        except OSError as error:
            raise OutputError(f"cannot listen on port {port}: {error.strerror or error}") from error
        self.origin = f"http://{HOST}:{self._http.server_address[1]}"
        self.url = f"{self.origin}/{self.token}/"
        self._threads = [
            threading.Thread(target=self._http.serve_forever, args=(0.1,), daemon=True),
            threading.Thread(target=self._keep_rendered, daemon=True),
        ]

    def __enter__(self) -> EditServer:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._changed.set()
        self._http.shutdown()
        self._http.server_close()
        self._threads[1].join()

    def wait(self) -> None:
        """Return when the server has ended."""
        self._ended.wait()

    def page(self) -> bytes:
        """The edit page."""
        transcript = self.session.transcript
        style, script = templates.asset(*STYLES), templates.asset(*SCRIPTS)
        policy = templates.content_security_policy(
            style, script, media_src="'self' blob:", connect_src="'self'", frame_ancestors="'none'"
        )
        sources = ["audio"] if self.audio else []
        values = {
            **html.head(transcript),
            "sources": sources,
            "captions": "",
            "style": style,
            "script": script,
        }
        # frame-ancestors counts in a header only.
        inside = policy.replace("; frame-ancestors 'none'", "")
        return templates.render_template("edit.html", policy=inside, **values).encode("utf-8", "replace")

    def state(self) -> bytes:
        """What the page shows, as JSON."""
        with self.lock:
            return json.dumps(self.session.state()).encode()

    def act(self, action: Any) -> None:
        """Do what the page asks for; all files follow a moment later."""
        if not isinstance(action, dict):
            raise InputError("an action is a JSON object")
        with self.lock:
            self.session.act(action)
        self._changed.set()

    def _keep_rendered(self) -> None:
        """Write the episode's files after edits, when a moment passes without another one."""
        while True:
            self._changed.wait()
            while not self._ended.is_set() and self._changed.is_set():
                self._changed.clear()
                self._ended.wait(RENDER_SECONDS)
            self._changed.clear()
            with (
                self.lock,
                suppress(EpiscribeError),
            ):  # the corrections are kept; `episcribe render` tells why
                self.session.render()
            if self._ended.is_set():
                return


def _audio(folder: Path, session: EditingSession, given: Path | None) -> Path | None:
    """The audio to edit by; without it the page asks for the file."""
    if given is not None and not given.is_file():
        raise InputError(f"{given}: no such file")
    with suppress(InputError):
        return find_audio(read.folder_of(folder), session.transcript, given)
    return None


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    server_version = "Episcribe"
    sys_version = ""

    def __init__(self, edit: EditServer, *arguments: Any) -> None:
        self._edit = edit
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """The page, what it shows, the audio."""
        what = self._allowed()
        if what == "":
            self._send(HTTPStatus.OK, self._edit.page(), "text/html; charset=utf-8")
        elif what == "state":
            self._send(HTTPStatus.OK, self._edit.state(), "application/json")
        elif what == "audio" and self._edit.audio:
            self._send_audio(self._edit.audio)
        elif what is not None:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """An action."""
        what = self._allowed()
        if what is None:
            return
        length = self.headers.get("Content-Length", "")
        if what != "edits" or self.headers.get("Origin") != self._edit.origin:
            self._refuse(HTTPStatus.FORBIDDEN)
        elif self.headers.get_content_type() != "application/json":
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        elif not length.isdecimal() or int(length) > MAX_BODY:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            self._act(self.rfile.read(int(length)))

    def log_message(self, format: str, *args: Any) -> None:
        """Requests of the page to its own server are no news."""

    def _act(self, body: bytes) -> None:
        status, said = HTTPStatus.OK, ""
        try:
            self._edit.act(json.loads(body))
        except OutdatedError as error:
            status, said = HTTPStatus.CONFLICT, str(error)
        except (ValueError, RecursionError) as error:
            status, said = HTTPStatus.BAD_REQUEST, f"not an action: {error}"
        except EpiscribeError as error:
            status, said = HTTPStatus.BAD_REQUEST, str(error)
        answer = json.dumps({"error": said}).encode() if said else self._edit.state()
        self._send(status, answer, "application/json")

    def _allowed(self) -> str | None:
        """What is asked for, below the token; None where the request was refused."""
        host = self.headers.get("Host", "")
        site = self.headers.get("Sec-Fetch-Site", "none")
        token, slash, what = self.path.partition("?")[0].removeprefix("/").partition("/")
        known = hmac.compare_digest(token.encode("utf-8", "replace"), self._edit.token.encode())
        if (
            f"http://{host}" != self._edit.origin
            or site not in ("none", "same-origin")
            or not (known and slash)
        ):
            self._refuse(HTTPStatus.FORBIDDEN)
            return None
        return what

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True  # there may be a body that nobody reads
        self._send(status, f"{status.phrase}\n".encode(), "text/plain")

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self._head(status, kind, len(body))
        with suppress(ConnectionError):
            self.wfile.write(body)

    def _head(self, status: HTTPStatus, kind: str, length: int, **more: str) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, **{key.replace("_", "-"): text for key, text in more.items()}}.items():
            self.send_header(name, value)
        self.send_header("Content-Security-Policy", "frame-ancestors 'none'")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _send_audio(self, path: Path) -> None:
        """The audio or the part of it that is asked for: players seek by ranges."""
        size = path.stat().st_size
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first = int(asked[1]) if asked else 0
        last = min(int(asked[2]), size - 1) if asked and asked[2] else size - 1
        if first > last:
            self._head(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "text/plain", 0, Content_Range=f"bytes */{size}"
            )
            return
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        status = HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK
        part = {"Content_Range": f"bytes {first}-{last}/{size}"} if asked else {}
        self._head(status, kind, last - first + 1, Accept_Ranges="bytes", **part)
        with path.open("rb") as file, suppress(ConnectionError):
            file.seek(first)
            left = last - first + 1
            while left and (piece := file.read(min(CHUNK, left))):
                self.wfile.write(piece)
                left -= len(piece)
