"""yt-dlp itself, by its generic extractor, against pages of a server on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from audio.transfer import extraction
from audio.transfer.access import Access
from audio.transfer.download import Limits, StoredFile
from audio.transfer.extraction import Extracted
from models.record.errors import DownloadError, InputError, NotAudioError
from models.runtime.cache import last_used
from tests.audio.server import Reply, Server, ranged
from tests.flows.shows import clip

pytest.importorskip("yt_dlp")
HTML = {"Content-Type": "text/html"}
SOUND = clip(1)
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:3,\n/1.ts\n#EXTINF:3,\n/2.ts\n#EXT-X-ENDLIST\n"


def page(body: str, title: str = "A talk") -> Reply:
    return Reply(200, f"<html><title>{title}</title><body>{body}</body></html>".encode(), HTML)


@pytest.fixture
def site(server: Server) -> Server:
    server.routes |= {
        "/hls": page('<video><source src="/a.m3u8" type="application/x-mpegURL"></video>'),
        "/a.m3u8": Reply(200, PLAYLIST, {"Content-Type": "application/vnd.apple.mpegurl"}),
        "/1.ts": Reply(200, SOUND[:30_000]),
        "/2.ts": Reply(200, SOUND[30_000:]),
        "/several": page('<video src="/a.mp4"></video><video src="/b.mp4"></video>'),
        "/none": page("Nothing here"),
        "/one": page('<video src="/a.mp4"></video>'),
        "/a.mp4": ranged(SOUND),
        "/b.mp4": ranged(SOUND),
        "/endless": page("<video " * 500_000),  # keeps yt-dlp computing
        "/moved": Reply(302, b"", {"Location": "/one"}),
    }
    return server


def extract(site: Server, path: str, folder: Path, **told: object) -> StoredFile:
    return extraction.extract(site.url(path), folder, allow_private=True, **told)  # type: ignore[arg-type]


def test_a_stream_in_pieces_becomes_a_file_called_by_its_content(site: Server, tmp_path: Path) -> None:
    seen = list[tuple[int, int | None]]()
    found = extraction.look(site.url("/hls"), allow_private=True)
    assert found == Extracted(site.url("/hls"), title="A talk")
    assert "/1.ts" not in [path for path, _ in site.requests]
    stored = extract(site, "/hls", tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert stored.path.read_bytes() == SOUND
    assert (stored.path.stem, stored.size, stored.fresh) == (stored.sha256, len(SOUND), True)
    assert seen[-1][0] == len(SOUND)
    before = len(site.requests)
    again = extract(site, "/hls", tmp_path)
    assert (again.path, again.fresh) == (stored.path, False)
    assert "/1.ts" not in [path for path, _ in site.requests[before:]]
    assert {file.suffix for file in tmp_path.iterdir() if file.is_file()} == {".json", stored.path.suffix}
    assert stored.sha256 in last_used(tmp_path)  # so nobody removes it while a run hears it


def test_requests_go_by_our_own_client(site: Server, tmp_path: Path) -> None:
    access = Access({"X-Secret": "s"}, home=site.url("/"), user_agent="Player/1")
    assert extract(site, "/moved", tmp_path, access=access).size == len(SOUND)
    assert {headers.get("X-Secret") for _, headers in site.requests} == {"s"}


def test_exceptions_from_proxies_are_up_to_our_own_client(
    site: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # as it is within every run
    monkeypatch.setenv("ALL_PROXY", "socks5://10.0.0.1")
    assert extraction.look(site.url("/one"), allow_private=True).title == "A talk"


def test_no_other_host_sees_what_one_is_asked_with(site: Server, tmp_path: Path) -> None:
    other = Server()
    other.routes["/one"] = site.routes["/one"]
    site.routes["/away"] = Reply(302, b"", {"Location": other.url("/one")})
    with pytest.raises(DownloadError, match="404"):
        extract(site, "/away", tmp_path, access=Access({"X-Secret": "s"}, home=site.url("/")))
    assert [headers.get("X-Secret") for _, headers in site.requests] == ["s"]
    assert {headers.get("X-Secret") for _, headers in other.requests} == {None}
    other.close()


PLAYER = '<video><source src="/list" type="application/x-mpegURL"></video>'


@pytest.mark.parametrize(
    ("body", "playlist"),
    [
        ('<video src="rtmp://10.0.0.1/app"></video>', ""),
        ('<video src="file:///etc/passwd"></video>', ""),
        (PLAYER, '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="/k"\n#EXTINF:3,\nhttp://10.0.0.1/1.ts\n'),
        (PLAYER, '#EXT-X-KEY:METHOD=AES-128,URI="file:///etc/passwd"\n#EXTINF:3,\n/1.ts\n'),
        (PLAYER, "#EXTINF:3,\nfile:///etc/passwd\n"),
    ],
    ids=["rtmp", "file", "ffmpeg", "file as a key", "file in a list"],
)
def test_a_page_starts_no_program_and_reads_no_file(
    site: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, playlist: str
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("rtmpdump", "ffmpeg", "ffprobe", "phantomjs"):
        (programs / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    site.routes |= {
        "/hostile": page(body),
        "/list": Reply(200, f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n{playlist}#EXT-X-ENDLIST\n".encode()),
    }
    with pytest.raises((InputError, DownloadError)) as caught:
        extract(site, "/hostile", tmp_path / "downloads")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ran").exists()
    left = tmp_path / "downloads"
    assert not left.exists() or list(left.iterdir()) == []


@pytest.mark.parametrize(
    "segments",
    ['<SegmentTimeline><S t="0" d="1" r="300000000"/></SegmentTimeline>', ""],
    ids=["repeated", "short"],
)
def test_a_manifest_that_tells_of_endless_pieces(site: Server, segments: str) -> None:
    stream = f'<SegmentTemplate duration="1" timescale="1" media="$Number$.m4s">{segments}</SegmentTemplate>'
    manifest = (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period duration="PT300000000S">'
        f'<AdaptationSet mimeType="audio/mp4"><Representation id="a" bandwidth="1">{stream}</Representation>'
        "</AdaptationSet></Period></MPD>"
    )
    site.routes |= {
        "/dash": page('<video><source src="/a.mpd" type="application/dash+xml"></video>'),
        "/a.mpd": Reply(200, manifest.encode(), {"Content-Type": "application/dash+xml"}),
    }
    with pytest.raises(DownloadError, match="over 100,000 pieces"):
        extraction.look(site.url("/dash"), allow_private=True)


@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        ("/none", NotAudioError, "yt-dlp finds no audio"),
        ("/several", NotAudioError, "a list of several recordings.*such as http.*/a.mp4"),
        ("/gone", DownloadError, "404"),
    ],
)
def test_pages_without_the_one_recording(
    site: Server, tmp_path: Path, path: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        extract(site, path, tmp_path)
    assert "\n" not in str(caught.value)
    assert "http://127.0.0.1" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_private_addresses_are_refused_before_anything_is_asked(site: Server, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a public address"):
        extraction.extract(site.url("/one"), tmp_path)
    assert site.requests == []
    with pytest.raises(InputError, match="only http and https"):
        extraction.extract("file:///etc/passwd", tmp_path)


def test_bounds(site: Server, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="bigger than 1,000 bytes"):
        extract(site, "/one", tmp_path, limits=Limits(bytes=1000))
    with pytest.raises(InputError, match="over 40,000 bytes"):
        extract(site, "/hls", tmp_path, limits=Limits(bytes=40_000))
    with pytest.raises(DownloadError):
        extract(site, "/one", tmp_path, limits=Limits(seconds=0))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that are started."""
    processes = list[subprocess.Popen[bytes]]()

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **told: Any) -> None:
            super().__init__(*arguments, **told)
            processes.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    return processes


@pytest.mark.parametrize("path", ["/one", "/endless"])
def test_what_stops_a_run_kills_the_download(
    site: Server, tmp_path: Path, started: list[subprocess.Popen[bytes]], path: str
) -> None:
    def stop(done: int, total: int | None) -> None:
        raise InputError("stopped")

    with pytest.raises(InputError, match=r"^stopped$"):
        extract(site, path, tmp_path, progress=stop)
    assert [process.returncode for process in started] == [-signal.SIGKILL]
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_keeps_yt_dlp_computing_ends_at_the_deadline(
    site: Server, tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    with pytest.raises(DownloadError, match="took too long and was given up"):
        extract(site, "/endless", tmp_path, limits=Limits(seconds=2))
    assert [path for path, _ in site.requests] == ["/endless"]
    assert [process.returncode for process in started] == [-signal.SIGKILL]
    assert list(tmp_path.iterdir()) == []


def test_secrets_are_in_no_list_of_processes(site: Server, started: list[subprocess.Popen[bytes]]) -> None:
    access = Access({"X-Secret": "secret-header"}, home=site.url("/"))
    address = site.url("/one").replace("//", "//me:secret-login@", 1)
    assert extraction.look(address, allow_private=True, access=access).page == site.url("/one")
    (process,) = started
    assert "secret" not in str(process.args)


def test_without_yt_dlp_the_extra_is_named(
    site: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install -e '\.\[links\]'"):
        extract(site, "/one", tmp_path)


def test_no_settings_of_the_machine_are_read(
    site: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = tmp_path / "config/yt-dlp/plugins/mine/yt_dlp_plugins/extractor"
    plugins.mkdir(parents=True)
    (plugins / "mine.py").write_text("raise RuntimeError('a plugin was read')")
    (tmp_path / "config/yt-dlp/config").write_text("--exec 'touch ran'\n--write-info-json\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    extract(site, "/one", tmp_path / "downloads")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config", "downloads"]
