"""Audio of pages that have no feed and tell of none, such as those of YouTube, by yt-dlp (the extra `links`).

yt-dlp knows some thousand sites, and is a program of others that reads what strangers wrote: it is asked only about
addresses that people gave themselves. All of its requests go by `audio.transfer.network`, as our own do: to public
addresses only, by the same proxies, until the deadline, and no more bytes than a download may have. It reads no
configuration, no plugins and no cookies, keeps no cache, writes one file, and starts no other program, but for Deno
where that is installed, in which it runs scripts of YouTube (https://github.com/yt-dlp/yt-dlp/wiki/EJS). So what it
would leave to rtmpdump, ffmpeg and PhantomJS can't be had: these make requests of their own.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2

from audio.transfer.access import Access
from audio.transfer.addresses import checked_url, redacted, without_login
from audio.transfer.download import Limits, Progress, StoredFile, keep, kept
from audio.transfer.http import MAX_REDIRECTS, announced_length
from audio.transfer.network import open_client
from audio.transfer.sniff import file_extension
from models.record.errors import DownloadError, EpiscribeError, InputError, NotAudioError

SOCKET_SECONDS = 30.0
LOOK_SECONDS = 120.0  # to find out what there is
LOOK_BYTES = 100_000_000
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
MISSING = "pip install -e '.[links]' has yt-dlp look for audio in pages like this"
_OF_ANY_PAGE = ("Generic", "HTML5MediaEmbed")  # what yt-dlp calls its readers of pages that it doesn't know
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_PREFIX = re.compile(r"^(?:ERROR:\s*)?(?:\[[^\]]{1,60}\]\s*)?(?:[\w-]{1,80}:\s+)?")
_ADVICE = re.compile(
    r"[;.] (please report this issue|See  ?https|Use --|Confirm you are on the latest).*", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Extracted:
    """What yt-dlp knows of the one recording behind a page.

    `page` is its address, without a login; `published` is ISO 8601, `duration` in seconds; unknown is "" or 0.
    `people` are those who are named as its authors.
    """

    page: str
    title: str = ""
    show: str = ""
    published: str = ""
    duration: float = 0.0
    notes: str = ""
    people: tuple[str, ...] = ()


def is_available() -> bool:
    """Whether yt-dlp is installed."""
    from importlib.util import find_spec

    return find_spec("yt_dlp") is not None


def look(url: str, *, allow_private: bool = False, access: Access | None = None) -> Extracted:
    """What is behind a page, without its audio. Raises as `extract` does."""
    limits = Limits(bytes=LOOK_BYTES, seconds=LOOK_SECONDS)
    with _opened(url, limits, allow_private, access or Access()) as engine:
        return _told(_one(engine, url))


def extract(
    url: str,
    folder: Path,
    *,
    limits: Limits | None = None,
    allow_private: bool = False,
    access: Access | None = None,
    progress: Progress | None = None,
) -> StoredFile:
    """The best audio behind a page as a file in `folder`, called by its content as those of `RemoteSource` are.

    What is there already is not fetched again. InputError: no such page, several recordings, one that goes on, too big,
    yt-dlp is not installed. DownloadError: gone, unreachable, out of time.
    """
    limits = limits or Limits()
    with _opened(url, limits, allow_private, access or Access(), progress) as engine:
        info = _one(engine, url)
        name = (
            f"yt-dlp {info.get('extractor_key')} {info.get('id')} {_told(info).page} {info.get('format_id')}"
        )
        if stored := kept(name, folder):
            return stored
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="extract-", dir=folder) as place:
            file = Path(place) / "media"
            engine.params["outtmpl"]["default"] = str(file)
            engine.process_info(info)
            if not file.is_file():
                raise InputError(f"{redacted(url)} is bigger than {limits.bytes:,} bytes, or empty")
            return keep(file, name, folder, file_extension(f"media.{info.get('ext')}", ""))


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
def _opened(
    url: str, limits: Limits, allow_private: bool, access: Access, progress: Progress | None = None
) -> Iterator[Any]:
    """A yt-dlp of our own settings, which asks nobody but by our own client; its errors become ours."""
    checked_url(url)
    if not is_available():
        raise InputError(f"{redacted(url)}: {MISSING}")
    deadline = time.monotonic() + limits.seconds
    refused: list[Exception] = []
    with open_client(allow_private=allow_private, deadline=deadline, proxy=access.proxy) as client:
        director = _Director(client, access, limits.bytes, refused)
        with (
            _translated(url, refused),
            _engine_class()(_settings(limits, progress, refused), director) as engine,
        ):
            yield engine


@dataclass(frozen=True)
class _Director:
    """What requests of yt-dlp are made with, and who is told of what we refuse."""

    client: httpx2.Client
    access: Access
    max_bytes: int
    refused: list[Exception]


def _settings(limits: Limits, progress: Progress | None, refused: list[Exception]) -> dict[str, Any]:
    def watch(status: Mapping[str, Any]) -> None:
        if progress is not None and status.get("status") == "downloading":
            total = status.get("total_bytes") or status.get("total_bytes_estimate")
            try:
                progress(int(status.get("downloaded_bytes") or 0), int(total) if total else None)
            except Exception as error:
                refused.append(error)
                raise

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
        "max_filesize": limits.bytes,
        "socket_timeout": SOCKET_SECONDS,
        "retries": 3,
        "fragment_retries": 3,
        "skip_unavailable_fragments": False,
        "extractor_retries": 1,
        "progress_hooks": [watch],
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
def _translated(url: str, refused: list[Exception]) -> Iterator[None]:
    """What yt-dlp raises as errors of ours, in one line and without its advice to its own users."""
    from yt_dlp.networking.exceptions import HTTPError, RequestError
    from yt_dlp.utils import DownloadError as Failed
    from yt_dlp.utils import ExtractorError, UnsupportedError

    try:
        yield
    except EpiscribeError:
        raise
    except Exception as error:  # of a program that reads what it trusts too much
        if refused and not isinstance(refused[0], InputError):
            raise refused[0] from None
        if refused:
            raise InputError(f"{redacted(url)}: {refused[0]}") from error
        cause = (error.exc_info or (None, None))[1] or error if isinstance(error, Failed) else error
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
