"""The process that asks yt-dlp about one page: `python -m audio.transfer.extracting`, for `audio.transfer.extraction`.

yt-dlp knows some thousand sites, and is a program of others that reads what strangers wrote: it is asked only about
addresses that people gave themselves. All of its requests go by `audio.transfer.network`, as our own do: to public
addresses only, by the same proxies, until the deadline, and no more bytes than a download may have. It reads no
configuration, no plugins and no cookies, keeps no cache, writes one file, and starts no other program, but for Deno
where that is installed, in which it runs scripts of YouTube (https://github.com/yt-dlp/yt-dlp/wiki/EJS). So what it
would leave to rtmpdump, ffmpeg and PhantomJS can't be had: these make requests of their own.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from typing import Any

import httpx2

from audio.transfer.access import Access
from audio.transfer.addresses import checked_url, redacted, without_login
from audio.transfer.extraction import Extracted
from audio.transfer.http import MAX_REDIRECTS, announced_length
from audio.transfer.network import open_client
from models.record.errors import DownloadError, EpiscribeError, InputError, NotAudioError

SOCKET_SECONDS = 30.0
MAX_MEMORY = 4_000_000_000  # bytes
MORE_SECONDS = 60  # of CPU than there are until the deadline; it's for a process whose parent is no more
MAX_ERROR_BYTES = 1_000_000
MAX_TEXT_BYTES = 20_000_000  # of a page, or what else is read as a whole
MAX_PIECES = 100_000  # of the streams of a page that are listed: 27 hours at a second each
MAX_LEADS = 5  # from page to page
PROTOCOLS = (
    "http",
    "https",
    "m3u8_native",
    "http_dash_segments",
)  # as yt-dlp calls those that it can do by itself
_BY_PHANTOMJS = ("douyu.*", "iqiyi.*", "pornhub.*")
MAX_TITLE = 300  # characters
MAX_NOTES = 20_000
_answers = sys.stdout
_OF_ANY_PAGE = ("Generic", "HTML5MediaEmbed")  # what yt-dlp calls its readers of pages that it doesn't know
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_PREFIX = re.compile(r"^(?:ERROR:\s*)?(?:\[[^\]]{1,60}\]\s*)?(?:[\w-]{1,80}:\s+)?")
_ADVICE = re.compile(
    r"[;.] (please report this issue|See  ?https|Use --|Confirm you are on the latest).*", re.DOTALL
)


def extract(
    url: str, *, max_bytes: int, seconds: float, allow_private: bool, access: Access, file: str | None
) -> None:
    """Tell what is behind a page, and once that is answered write its audio to `file`."""
    with _opened(url, max_bytes, seconds, allow_private, access) as engine:
        _tell(ready=True)
        info = _one(engine, url)
        told = _told(info)
        name = f"yt-dlp {info.get('extractor_key')} {info.get('id')} {told.page} {info.get('format_id')}"
        _tell(found={"told": asdict(told), "name": name, "ext": str(info.get("ext"))})
        if file and sys.stdin.readline():
            engine.params["outtmpl"]["default"] = file
            engine.process_info(info)
            _tell(ended=True)


def _tell(**told: Any) -> None:
    print(json.dumps(told), file=_answers, flush=True)


def _one(engine: Any, url: str) -> dict[str, Any]:
    """yt-dlp's account of the one recording at an address."""
    address = url
    for _ in range(MAX_LEADS):
        info = engine.extract_info(address, download=False)
        if info.get("_type", "video") != "video":
            info = _only(url, list(info.get("entries") or ()))
        if info.get("_type", "video") == "video":
            if info.get("is_live") or info.get("live_status") in ("is_live", "is_upcoming"):
                raise InputError(f"{redacted(url)} is live: it can be had when it is over")
            return dict(info)
        address = str(info.get("url"))
        checked_url(address)  # yt-dlp knows words that are none, such as those that have it search
    raise DownloadError(f"{redacted(url)} leads from page to page, and nowhere")


def _only(url: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The entry of a list of one."""
    if len(entries) == 1:
        return entries[0]
    such = (one["url"] for one in entries if str(one.get("url")).startswith("http"))
    told = next((f", such as {without_login(address)}" for address in such), "")
    what = "is a list of several recordings" if entries else "has no recording"
    raise NotAudioError(f"{redacted(url)} {what}: give the address of one{told}")


def _told(info: Mapping[str, Any]) -> Extracted:
    page = without_login(_text(info, "webpage_url") or _text(info, "original_url"))
    moment = info.get("timestamp") or info.get("release_timestamp")
    return Extracted(
        page=page,
        title=_title(info),
        show=(_text(info, "series") or _text(info, "channel") or _text(info, "uploader"))[:MAX_TITLE],
        published=_moment(moment) or _day(_text(info, "release_date") or _text(info, "upload_date")),
        duration=float(info.get("duration") or 0),
        notes=_text(info, "description")[:MAX_NOTES],
        people=tuple(dict.fromkeys(filter(None, [_text(info, "uploader"), *_texts(info, "creators")]))),
    )


def _title(info: Mapping[str, Any]) -> str:
    """What it is called; where that is made of the page's title, without the number of the player."""
    title = _text(info, "title")[:MAX_TITLE]
    return title.removesuffix(" (1)") if info.get("extractor_key") in _OF_ANY_PAGE else title


def _text(info: Mapping[str, Any], name: str) -> str:
    value = info.get(name)
    return value.strip() if isinstance(value, str) else ""


def _texts(info: Mapping[str, Any], name: str) -> list[str]:
    values = info.get(name)
    return [value.strip() for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _moment(seconds: Any) -> str:
    if not isinstance(seconds, int | float):
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return ""


def _day(written: str) -> str:
    try:
        return datetime.strptime(written, "%Y%m%d").replace(tzinfo=UTC).isoformat(timespec="seconds")
    except ValueError:
        return ""


@contextmanager
def _opened(url: str, max_bytes: int, seconds: float, allow_private: bool, access: Access) -> Iterator[Any]:
    """A yt-dlp of our own settings, which asks nobody but by our own client; its errors become ours."""
    deadline = time.monotonic() + seconds
    refused: list[InputError] = []
    with open_client(allow_private=allow_private, deadline=deadline, proxy=access.proxy) as client:
        director = _Director(client, access, max_bytes, refused)
        with _translated(url, refused), _engine_class()(_settings(max_bytes), director) as engine:
            yield engine


@dataclass(frozen=True)
class _Director:
    """What requests of yt-dlp are made with, and who is told of what we refuse."""

    client: httpx2.Client
    access: Access
    max_bytes: int
    refused: list[InputError]


def _watch(status: Mapping[str, Any]) -> None:
    if status.get("status") == "downloading":
        total = status.get("total_bytes") or status.get("total_bytes_estimate")
        _tell(done=int(status.get("downloaded_bytes") or 0), total=int(total) if total else None)


def _settings(max_bytes: int) -> dict[str, Any]:
    return {
        "format": "/".join(
            f"{best}[protocol~='^({'|'.join(PROTOCOLS)})$']" for best in ("bestaudio", "best")
        ),
        "allowed_extractors": ["default", *(f"-{name}" for name in _BY_PHANTOMJS)],
        "js_runtimes": {"deno": {}},
        "logger": _Silent(),
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "color": {"stdout": "never", "stderr": "never"},
        "noplaylist": True,
        "extract_flat": "in_playlist",
        "playlist_items": "1:2",
        "lazy_playlist": True,
        "outtmpl": {"default": "media.%(ext)s"},
        "cachedir": False,
        "cookiefile": None,
        "usenetrc": False,
        "enable_file_urls": False,
        "external_downloader": {"default": "native"},
        "ffmpeg_location": "/dev/null/none",  # no program that asks others by itself
        "hls_prefer_native": True,
        "fixup": "never",
        "postprocessors": [],
        "writethumbnail": False,
        "check_formats": False,
        "updatetime": False,
        "max_filesize": max_bytes,
        "socket_timeout": SOCKET_SECONDS,
        "retries": 3,
        "fragment_retries": 3,
        "skip_unavailable_fragments": False,
        "extractor_retries": 1,
        "progress_hooks": [_watch],
        "remote_components": (),
    }


class _Silent:
    """What yt-dlp says is told by its errors."""

    def debug(self, message: str) -> None:
        """Progress and the like."""

    info = warning = error = debug


@cache
def _engine_class() -> Callable[[dict[str, Any], _Director], Any]:
    """yt-dlp's class with our network in place of its own, and without plugins."""
    from yt_dlp import YoutubeDL
    from yt_dlp import globals as state
    from yt_dlp.extractor import common
    from yt_dlp.networking.common import RequestHandler, Response
    from yt_dlp.networking.exceptions import HTTPError, RequestError, TransportError
    from yt_dlp.postprocessor.ffmpeg import FFmpegPostProcessor
    from yt_dlp.utils import YoutubeDLError

    pieces = ContextVar("pieces", default=0)

    def counted(*bounds: int) -> range:
        """Of `range`, by which manifests say in a few bytes that a stream has a thousand million pieces."""
        numbers = range(*bounds)
        pieces.set(pieces.get() + len(numbers))
        if pieces.get() > MAX_PIECES:
            raise YoutubeDLError(f"over {MAX_PIECES:,} pieces")
        return numbers

    common.range = counted
    state.plugin_dirs.value = []
    state.all_plugins_loaded.value = True

    class Body(Response):  # type: ignore[misc]
        def __init__(self, raw: httpx2.Response, spent: Callable[[int, bool], None]) -> None:
            self._raw, self._pieces, self._rest, self._spent = raw, raw.iter_bytes(), b"", spent
            super().__init__(BytesIO(), str(raw.url), dict(raw.headers), raw.status_code, raw.reason_phrase)

        def readable(self) -> bool:
            return True

        def read(self, amt: int | None = None) -> bytes:
            wanted = -1 if amt is None else amt
            parts = [self._rest]
            size = len(self._rest)
            try:
                while wanted < 0 or size < wanted:
                    piece = next(self._pieces, b"")
                    if not piece:
                        break
                    parts.append(piece)
                    size += len(piece)
                    self._spent(len(piece), wanted < 0 and size > MAX_TEXT_BYTES)
            except (httpx2.TransportError, httpx2.DecodingError) as error:
                raise TransportError(cause=error) from error
            if self._raw.num_bytes_downloaded == announced_length(self._raw):
                self._raw.close()  # else the connection would wait for somebody to ask for more
            data = b"".join(parts)
            self._rest = data[wanted:] if wanted >= 0 else b""
            return data[:wanted] if wanted >= 0 else data

        def close(self) -> None:
            self._raw.close()

    class EpiscribeRH(RequestHandler):  # type: ignore[misc]
        _SUPPORTED_URL_SCHEMES = ("http", "https")
        _SUPPORTED_PROXY_SCHEMES = None

        def __init__(self, director: _Director, **told: Any) -> None:
            super().__init__(**told)
            self._director, self._left = director, director.max_bytes
            director.client.cookies = self.cookiejar

        def _check_extensions(self, extensions: dict[str, Any]) -> None:
            for name in ("cookiejar", "timeout", "legacy_ssl", "keep_header_casing", "impersonate"):
                extensions.pop(name, None)

        def _check_proxies(self, proxies: Any) -> None:
            """By which way to ask is up to our client."""

        def _spend(self, size: int, too_big: bool) -> None:
            self._left -= size
            if self._left < 0 or too_big:
                most = MAX_TEXT_BYTES if too_big else self._director.max_bytes
                self._refuse(InputError(f"over {most:,} bytes: that is too big"))

        def _refuse(self, error: InputError) -> None:
            self._director.refused.append(error)
            raise RequestError(cause=error)

        def _send(self, request: Any) -> Any:
            try:
                raw = self._asked(request)
            except InputError as error:
                self._refuse(error)
            except (httpx2.TransportError, httpx2.TooManyRedirects) as error:
                raise TransportError(cause=error) from error
            except (httpx2.InvalidURL, ValueError) as error:
                raise RequestError(cause=error) from error
            body = Body(raw, self._spend)
            if raw.status_code < 400:
                return body
            said = body.read(MAX_ERROR_BYTES)
            raw.close()  # nobody else does, and connections are few
            raise HTTPError(Response(BytesIO(said), body.url, dict(raw.headers), raw.status_code))

        def _asked(self, request: Any) -> httpx2.Response:
            """The answer after redirects; what only some hosts may see goes to no others."""
            client, access = self._director.client, self._director.access
            headers = {"Accept-Encoding": "gzip, deflate", **self._get_headers(request)}
            asked = client.build_request(
                request.method,
                checked_url(request.url),
                headers=headers,
                content=request.data,
                timeout=self._calculate_timeout(request),
            )
            for _ in range(MAX_REDIRECTS + 1):
                asked.headers.update(access.headers_for(asked.url))
                raw = client.send(asked, stream=True)
                if raw.next_request is None:
                    return raw
                raw.close()
                asked = raw.next_request
                checked_url(str(asked.url))
                for name in set(access.headers_for(raw.url)) - set(headers):
                    asked.headers.pop(name, None)
            raise httpx2.TooManyRedirects(f"over {MAX_REDIRECTS} redirects", request=asked)

    class Engine(YoutubeDL):  # type: ignore[misc]
        def __init__(self, settings: dict[str, Any], director: _Director) -> None:
            self._director = director
            pieces.set(0)
            FFmpegPostProcessor._ffmpeg_location.set(
                settings["ffmpeg_location"]
            )  # else it looks for one in PATH
            super().__init__(settings, auto_init="no_verbose_header")

        def dl(self, name: str, info: dict[str, Any], subtitle: bool = False, test: bool = False) -> Any:
            if subtitle or test or info.get("protocol") not in PROTOCOLS:
                refused = InputError(f"{info.get('protocol')} takes another program than yt-dlp")
                self._director.refused.append(refused)
                raise YoutubeDLError(str(refused))
            return super().dl(name, info)

        def build_request_director(self, handlers: Any, preferences: Any = None) -> Any:
            ours = EpiscribeRH

            class Bound(ours):  # type: ignore[misc, valid-type]
                RH_NAME = RH_KEY = "Episcribe"

                def __init__(inner, **told: Any) -> None:  # noqa: N805
                    super().__init__(self._director, **told)

            return super().build_request_director([Bound], None)

    return Engine


@contextmanager
def _translated(url: str, refused: list[InputError]) -> Iterator[None]:
    """What yt-dlp raises as errors of ours, in one line and without its advice to its own users."""
    from yt_dlp.networking.exceptions import HTTPError, RequestError
    from yt_dlp.utils import DownloadError as Failed
    from yt_dlp.utils import ExtractorError, UnsupportedError

    try:
        yield
    except EpiscribeError:
        raise
    except Exception as error:  # of a program that reads what it trusts too much
        if refused:
            raise InputError(f"{redacted(url)}: {refused[0]}") from error
        cause = (error.exc_info or (None, None))[1] or error if isinstance(error, Failed) else error
        if isinstance(cause, MemoryError):
            raise InputError(f"{redacted(url)} takes over {MAX_MEMORY:,} bytes of memory") from error
        if isinstance(cause, UnsupportedError):
            raise NotAudioError(
                f"{redacted(url)} is a page in which yt-dlp finds no audio, either"
            ) from error
        said = _ADVICE.sub("", _PREFIX.sub("", " ".join(_COLOURS.sub("", str(cause)).split())))[:300]
        message = f"{redacted(url)}: {said.rstrip('.')}"
        reason = cause.cause if isinstance(cause, ExtractorError) else cause
        if isinstance(reason, HTTPError):
            raise DownloadError(message, transient=reason.status >= 500 or reason.status == 429) from error
        if isinstance(reason, RequestError):
            raise DownloadError(message, transient=True) from error
        if isinstance(cause, ExtractorError) and cause.expected:
            raise InputError(message) from error
        raise DownloadError(f"{message} (yt-dlp may be out of date)") from error


def _bound(seconds: float) -> None:
    """Bound memory and CPU time where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        # Not RLIMIT_AS, which counts what is only set apart: Deno sets apart more than any machine has.
        for what, most in (
            (resource.RLIMIT_DATA, MAX_MEMORY),
            (resource.RLIMIT_CPU, int(seconds) + MORE_SECONDS),
        ):
            hard = resource.getrlimit(what)[1]
            resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _main() -> None:
    request = json.loads(sys.stdin.readline())
    sys.stdout = sys.stderr  # whatever else is said here is no answer
    _bound(request["seconds"])
    try:
        extract(**{**request, "access": Access(**request["access"])})
    except EpiscribeError as error:
        _tell(error=type(error).__name__, message=str(error), transient=getattr(error, "transient", False))


if __name__ == "__main__":
    _main()
