"""`make demo`: a small podcast on loopback, and its newest episode from feed to transcript.

The episode is the 30 s telephone call that the pyannote.audio package ships as its sample.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from audio.media.clip import cut, encode
from flows.local.run import print_result, run_episode
from flows.options import RunOptions
from models.runtime.cache import cache_folder
from outputs.text.terminal import printable

PORT = 47_113  # always the same, so that a second demo finds the same episode
SAMPLE_SECONDS = 30
FEED = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0">
  <channel>
    <title>Strangers on the Line</title>
    <link>{url}</link>
    <description>Two people who have never met are put through to each other.</description>
    <language>en</language>
    <item>
      <title>Both from Chicago</title>
      <guid isPermaLink="false">strangers-2</guid>
      <pubDate>Mon, 16 Nov 2026 06:00:00 +0000</pubDate>
      <description>&lt;p&gt;Diane is in New Jersey, Sheila in Texas.&lt;/p&gt;</description>
      <enclosure url="{url}/both-from-chicago.mp3" length="{length}" type="audio/mpeg"/>
    </item>
    <item>
      <title>Wrong number</title>
      <guid isPermaLink="false">strangers-1</guid>
      <pubDate>Mon, 09 Nov 2026 06:00:00 +0000</pubDate>
      <description>An older episode, which the demo leaves alone.</description>
      <enclosure url="{url}/wrong-number.mp3" length="0" type="audio/mpeg"/>
    </item>
  </channel>
</rss>
"""


def main() -> None:
    """Serve the show, process its newest episode, print the transcript and where the files are."""
    folder = cache_folder() / "demo"
    with serve_show(folder) as url:
        print(f"A podcast feed is at {url}/feed.xml; its newest episode is processed now.\n")
        result = run_episode(f"{url}/feed.xml", RunOptions(allow_private=True, keep_audio=True))
    print()
    for line in (Path(result["folder"]) / "transcript.txt").read_text(encoding="utf-8").splitlines():
        print(printable(line))
    print()
    print_result(result)


@contextmanager
def serve_show(folder: Path) -> Iterator[str]:
    """The show at http://127.0.0.1:<port> from `folder`, made there first where it isn't; its address."""
    folder.mkdir(parents=True, exist_ok=True)
    episode = folder / "both-from-chicago.mp3"
    if not episode.exists():
        encode(cut(sample(), 0, SAMPLE_SECONDS), episode, tags={"title": "Both from Chicago"})
    with _server(folder) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        feed = FEED.format(url=url, length=episode.stat().st_size)
        (folder / "feed.xml").write_text(feed, encoding="utf-8")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield url
        finally:
            server.shutdown()


def _server(folder: Path) -> ThreadingHTTPServer:
    handler = partial(_Quiet, directory=str(folder))
    try:
        return ThreadingHTTPServer(("127.0.0.1", PORT), handler)
    except OSError:  # somebody else's port: any other will do
        return ThreadingHTTPServer(("127.0.0.1", 0), handler)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Requests of the demo to itself are no news."""


def sample() -> Path:
    """The sample recording inside the installed pyannote.audio package."""
    return Path(str(distribution("pyannote.audio").locate_file("pyannote/audio/sample/sample.wav")))


if __name__ == "__main__":
    from flows.cli.main import guarded

    guarded(main)
