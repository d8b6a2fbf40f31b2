"""Shows for the tests: a feed and short spoken clips on a web server, and an episcribe.toml that follows them."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterable
from pathlib import Path

from flows.local.demo import sample
from tests.audio.server import Answer, Server, ranged

CLIP_SECONDS = 2


def clip(number: int, seconds: float = CLIP_SECONDS) -> bytes:
    """Some seconds of the telephone call as a WAV, other ones for each number."""
    out = io.BytesIO()
    with wave.open(str(sample())) as call, wave.open(out, "wb") as file:
        rate = call.getframerate()
        file.setparams(call.getparams())
        call.setpos(int(rate * (7 + 0.3 * number)))
        file.writeframes(call.readframes(int(rate * seconds)))
    return out.getvalue()


def feed(server: Server, numbers: Iterable[int], *, title: str = "Short Show", extra: str = "") -> bytes:
    """An RSS feed of the clips with these numbers, on the server under /<number>.wav."""
    items = "".join(
        f"<item><title>Clip {n}</title><guid>g{n}</guid>"
        f"<pubDate>Mon, 16 Nov 2026 06:{n:02d}:00 +0000</pubDate>"
        f'<enclosure url="{server.url(f"/{n}.wav")}" type="audio/wav" length="1"/></item>'
        for n in numbers
    )
    return f'<rss version="2.0"><channel><title>{title}</title>{extra}{items}</channel></rss>'.encode()


def serve_show(
    server: Server, numbers: Iterable[int], path: str = "/feed.xml", seconds: float = CLIP_SECONDS
) -> str:
    """Serve a feed of these clips, and the clips; the feed's address."""
    numbers = list(numbers)
    for number in numbers:
        server.routes[f"/{number}.wav"] = ranged(clip(number, seconds), f'"clip-{number}"')
    server.routes[path] = _with_etag(feed(server, numbers))
    return server.url(path)


def _with_etag(body: bytes) -> Answer:
    return ranged(body, f'"{hash(body)}"')


def write_config(folder: Path, shows: str, *, limits: str = "", head: str = "") -> Path:
    """An episcribe.toml for quick runs in a folder; `shows` are its tables."""
    path = folder / "episcribe.toml"
    path.write_text(f"allow_private = true\n{head}\n[limits]\n{limits}\n{shows}\n", encoding="utf-8")
    return path


def show_table(name: str, url: str, more: str = "back_fill = 20") -> str:
    """A show in the words of episcribe.toml, transcribed by the fastest model and without speakers."""
    quick = 'model = "tiny.en"\nlanguage = "en"\ndiariser = "none"'
    return f'[shows.{name}]\nurl = "{url}"\n{quick}\n{more}\n'
