"""Downloads against a server that cuts, lies, changes its mind and redirects."""

import errno
import hashlib
import os
import shutil
import threading
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from audio.transfer import download as module
from audio.transfer import network
from audio.transfer.access import Access
from audio.transfer.download import Limits, RemoteSource, StoredFile, download, local_file
from models.record.errors import DownloadError, InputError
from tests.audio.server import Reply, Server, ranged
from tests.audio.transfer.test_http import connect_home, dripping, resolve_to

BODY = b"ID3\x04" + bytes(range(256)) * 2000
OTHER = b"ID3\x04" + bytes(reversed(range(256))) * 1500


def fetch(url: str, folder: Path, **options: Any) -> StoredFile:
    chosen: dict[str, Any] = {"sleep": lambda seconds: None, "allow_private": True, **options}
    return download(url, folder, **chosen)


def check(stored: StoredFile, body: bytes) -> None:
    """The file holds `body`, is called by its hash, and nothing half done is left."""
    assert stored.path.read_bytes() == body
    assert stored.sha256 == hashlib.sha256(body).hexdigest()
    assert stored.path.name.startswith(stored.sha256)
    assert stored.size == len(body)
    assert not list(stored.path.parent.glob("*.part*"))


def finished(folder: Path) -> list[Path]:
    """Whole audio files in the folder."""
    return [path for path in folder.iterdir() if len(path.stem) == 64]


def ranges(server: Server) -> list[str | None]:
    return [headers.get("Range") for _, headers in server.requests]


def test_plain(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3?x=1"] = Reply(body=BODY, headers={"Content-Type": "audio/mpeg"})
    calls: list[tuple[int, int | None]] = []
    stored = fetch(
        server.url("/a.mp3?x=1"), tmp_path / "new", progress=lambda done, total: calls.append((done, total))
    )
    check(stored, BODY)
    assert (stored.path.suffix, stored.fresh) == (".mp3", True)
    assert calls[-1] == (len(BODY), len(BODY))


def test_cut_connection_is_resumed(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = [ranged(BODY, cut=200_000), ranged(BODY, cut=100_000), ranged(BODY)]
    check(fetch(server.url("/a.mp3"), tmp_path), BODY)
    assert ranges(server) == [None, "bytes=200000-", "bytes=300000-"]
    assert server.requests[1][1]["If-Range"] == '"v1"'


def test_resumed_by_date(server: Server, tmp_path: Path) -> None:
    date = "Mon, 01 Jan 2024 00:00:00 GMT"

    def first(headers: dict[str, str]) -> Reply:
        return Reply(body=BODY, headers={"Last-Modified": date, "ETag": 'W/"weak"'}, cut=5000)

    def second(headers: dict[str, str]) -> Reply:
        assert (headers["Range"], headers["If-Range"]) == ("bytes=5000-", date)
        return Reply(206, BODY[5000:], {"Content-Range": f"bytes 5000-{len(BODY) - 1}/{len(BODY)}"})

    server.routes["/a.mp3"] = [first, second]
    check(fetch(server.url("/a.mp3"), tmp_path), BODY)


def test_nothing_vouches_for_the_bytes_so_it_starts_again(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = [Reply(body=OTHER, cut=5000), Reply(body=BODY)]
    check(fetch(server.url("/a.mp3"), tmp_path), BODY)
    assert ranges(server) == [None, None]


def test_file_that_changed_between_tries(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = [ranged(OTHER, '"v1"', cut=300_000), ranged(BODY, '"v2"')]
    check(fetch(server.url("/a.mp3"), tmp_path), BODY)
    assert ranges(server) == [None, "bytes=300000-"]


def test_server_that_ignores_if_range(server: Server, tmp_path: Path) -> None:
    said = {"ETag": '"v2"', "Content-Range": f"bytes 300000-{len(BODY) - 1}/{len(BODY)}"}
    wrong = Reply(206, BODY[300_000:], said)
    server.routes["/a.mp3"] = [ranged(OTHER, '"v1"', cut=300_000), wrong, ranged(BODY, '"v2"')]
    check(fetch(server.url("/a.mp3"), tmp_path), BODY)


def test_server_that_sends_another_range(server: Server, tmp_path: Path) -> None:
    said = {"ETag": '"v1"', "Content-Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}"}
    server.routes["/a.mp3"] = [ranged(BODY, cut=300_000), Reply(206, BODY, said), ranged(BODY)]
    check(fetch(server.url("/a.mp3"), tmp_path), BODY)


def test_server_that_ignores_range(server: Server, tmp_path: Path) -> None:
    whole = Reply(body=BODY, headers={"ETag": '"v1"'})
    server.routes["/a.mp3"] = [ranged(BODY, cut=300_000), whole]
    check(fetch(server.url("/a.mp3"), tmp_path), BODY)


def test_range_past_the_end(server: Server, tmp_path: Path) -> None:
    def later(headers: dict[str, str]) -> Reply:
        return Reply(416) if "Range" in headers else Reply(body=BODY)

    server.routes["/a.mp3"] = [ranged(OTHER, cut=300_000), later, later]
    check(fetch(server.url("/a.mp3"), tmp_path), BODY)


def test_part_without_being_asked(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = Reply(206, BODY[5:], {"Content-Range": "bytes 5-9/10"})
    with pytest.raises(DownloadError, match="sent a part"):
        fetch(server.url("/a.mp3"), tmp_path)


def test_progress_counts_failures_anew(server: Server, tmp_path: Path) -> None:
    body = b"ID3\x04" + b"\x00" * 5_000_000
    server.routes["/a.mp3"] = [*[ranged(body, cut=1_200_000)] * 4, ranged(body)]
    check(fetch(server.url("/a.mp3"), tmp_path, limits=Limits(attempts=2)), body)


def test_connection_that_is_always_cut(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = Reply(body=BODY, cut=1000)
    with pytest.raises(DownloadError) as caught:
        fetch(server.url("/a.mp3"), tmp_path, limits=Limits(attempts=3))
    assert caught.value.transient
    assert len(server.requests) == 3
    assert finished(tmp_path) == []


def test_length_that_promises_too_much(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = Reply(body=BODY, length=len(BODY) + 10)
    with pytest.raises(DownloadError):
        fetch(server.url("/a.mp3"), tmp_path, limits=Limits(attempts=2))
    assert len(server.requests) == 2
    assert finished(tmp_path) == []


def test_404_is_asked_for_once(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="404"):
        fetch(server.url("/none.mp3"), tmp_path)
    assert len(server.requests) == 1


def test_500_then_fine(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = [Reply(500), Reply(body=BODY)]
    check(fetch(server.url("/a.mp3"), tmp_path), BODY)


def test_429_waits_as_asked(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = [Reply(429, headers={"Retry-After": "3"}), Reply(body=BODY)]
    pauses: list[float] = []
    check(fetch(server.url("/a.mp3"), tmp_path, sleep=pauses.append), BODY)
    assert pauses == [3.0]


@pytest.mark.parametrize(
    ("body", "what"),
    [(b"<!DOCTYPE html><html>Sorry", "a page"), (b"<rss/>", "a podcast feed"), (b" \n", "a page")],
)
def test_not_audio(server: Server, tmp_path: Path, body: bytes, what: str) -> None:
    server.routes["/a.mp3"] = Reply(body=body, headers={"Content-Type": "audio/mpeg"})
    with pytest.raises(InputError, match=f"is {what}.*not audio"):
        fetch(server.url("/a.mp3"), tmp_path)
    assert finished(tmp_path) == []
    assert not list(tmp_path.glob("*.part"))


def test_redirected(server: Server, tmp_path: Path) -> None:
    server.routes |= {"/t/a.mp3": Reply(301, headers={"Location": "../b"}), "/b": Reply(body=BODY)}
    check(fetch(server.url("/t/a.mp3"), tmp_path), BODY)


def test_private_address(server: Server, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a public address"):
        fetch(server.url("/a.mp3"), tmp_path, allow_private=False)


def test_redirect_to_this_machine_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    resolve_to(monkeypatch, outside=["127.0.0.2"])
    monkeypatch.setattr(network, "is_public", lambda address: address == "127.0.0.2")
    connect_home(monkeypatch, server)
    server.routes["/a.mp3"] = Reply(302, headers={"Location": server.url("/secret.mp3")})
    with pytest.raises(InputError, match="not a public address"):
        fetch("http://outside.example/a.mp3", tmp_path, allow_private=False)
    assert [path for path, _ in server.requests] == ["/a.mp3"]
    assert finished(tmp_path) == []


def test_a_server_that_drips_audio_is_given_up(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\nID3\x04"
    with dripping(head) as url, pytest.raises(DownloadError, match="took too long"):
        fetch(url, tmp_path, limits=Limits(seconds=1))
    assert finished(tmp_path) == []


def test_secret_headers_are_sent_and_not_kept(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = ranged(BODY)
    url = server.url("/a.mp3")
    fetch(url, tmp_path, access=Access({"Authorization": "Bearer hush"}, home=url))
    assert server.requests[0][1]["Authorization"] == "Bearer hush"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"hush" in path.read_bytes()]


def test_file_url(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="only http and https"):
        fetch("file:///etc/passwd", tmp_path)


def test_unchanged_file_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = ranged(BODY)
    first = fetch(server.url("/a.mp3"), tmp_path)
    second = fetch(server.url("/a.mp3"), tmp_path)
    check(second, BODY)
    assert (first.fresh, second.fresh) == (True, False)
    assert server.requests[1][1]["If-None-Match"] == '"v1"'


def test_changed_file_is_fetched_again(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = [ranged(OTHER, '"v1"'), ranged(BODY, '"v2"')]
    old = fetch(server.url("/a.mp3"), tmp_path)
    new = fetch(server.url("/a.mp3"), tmp_path)
    check(new, BODY)
    assert old.path.read_bytes() == OTHER


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"short")])
def test_lost_or_damaged_file_is_fetched_again(server: Server, tmp_path: Path, harm: Any) -> None:
    server.routes["/a.mp3"] = ranged(BODY)
    harm(fetch(server.url("/a.mp3"), tmp_path).path)
    check(fetch(server.url("/a.mp3"), tmp_path), BODY)
    assert "If-None-Match" not in server.requests[1][1]


def test_damaged_record_is_ignored(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = ranged(BODY)
    fetch(server.url("/a.mp3"), tmp_path)
    next(tmp_path.glob("*.json")).write_text("{half")
    check(fetch(server.url("/a.mp3"), tmp_path), BODY)


def test_records_hold_no_secrets(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3?token=secret"] = ranged(BODY)
    fetch(server.url("/a.mp3?token=secret").replace("//", "//me:secret@"), tmp_path)
    assert not [
        p for p in tmp_path.rglob("*") if "secret" in p.name or (p.is_file() and b"secret" in p.read_bytes())
    ]


def test_too_big_by_its_own_account(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = Reply(body=BODY)
    with pytest.raises(InputError, match="bigger than 1,000 bytes"):
        fetch(server.url("/a.mp3"), tmp_path, limits=Limits(bytes=1000))


def test_too_big_without_a_length(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module._Response, "total", None)
    server.routes["/a.mp3"] = Reply(body=BODY)
    with pytest.raises(InputError, match="bigger than 1,000 bytes"):
        fetch(server.url("/a.mp3"), tmp_path, limits=Limits(bytes=1000))
    assert not list(tmp_path.glob("*.part"))


def test_out_of_time(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = Reply(body=BODY)
    with pytest.raises(DownloadError, match="took too long"):
        fetch(server.url("/a.mp3"), tmp_path, limits=Limits(seconds=-1))


def test_no_room(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    free = module.SPARE_BYTES + len(BODY) - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(free, 0, free))
    server.routes["/a.mp3"] = Reply(body=BODY)
    with pytest.raises(DownloadError, match="no room for"):
        fetch(server.url("/a.mp3"), tmp_path)


def test_disk_gets_full(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    server.routes["/a.mp3"] = Reply(body=BODY)
    with pytest.raises(DownloadError, match="the disk is full"):
        fetch(server.url("/a.mp3"), tmp_path)
    assert finished(tmp_path) == []


def test_folder_that_is_a_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(DownloadError, match="can't write to"):
        fetch(server.url("/a.mp3"), tmp_path / "f")


def test_interrupted_and_taken_up_again(server: Server, tmp_path: Path) -> None:
    def interrupt(done: int, total: int | None) -> None:
        if done > 200_000:
            raise KeyboardInterrupt

    server.routes["/a.mp3"] = ranged(BODY)
    with pytest.raises(KeyboardInterrupt):
        fetch(server.url("/a.mp3"), tmp_path, progress=interrupt)
    assert finished(tmp_path) == []
    kept = next(tmp_path.glob("*.part")).stat().st_size
    assert kept > 200_000
    check(fetch(server.url("/a.mp3"), tmp_path), BODY)
    assert ranges(server) == [None, f"bytes={kept}-"]


def test_two_at_once_do_not_mix(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = ranged(BODY)
    results: list[StoredFile] = []
    threads = [
        threading.Thread(target=lambda: results.append(fetch(server.url("/a.mp3"), tmp_path)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(stored.fresh for stored in results) == [False, False, False, True]
    check(results[0], BODY)


@pytest.mark.parametrize(
    ("body", "kind"), [(b'<?xml version="1.0"?><rss/>', "feed"), (BODY, "audio"), (b"<html>", "page")]
)
def test_source_is_told_with_one_request(server: Server, tmp_path: Path, body: bytes, kind: str) -> None:
    server.routes["/x"] = Reply(body=body)
    with RemoteSource(server.url("/x"), tmp_path, allow_private=True) as source:
        assert source.kind == kind
        if kind == "audio":
            check(source.save(), body)
        else:
            assert source.read(1000).data == body
    assert len(server.requests) == 1


def test_source_that_is_a_big_feed(server: Server, tmp_path: Path) -> None:
    server.routes["/x"] = Reply(body=b"<rss>" + b" " * 100_000)
    with RemoteSource(server.url("/x"), tmp_path, allow_private=True) as source, pytest.raises(InputError):
        source.read(50_000)


def test_local_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(BODY)
    assert local_file(path) == StoredFile(path, hashlib.sha256(BODY).hexdigest(), len(BODY))


def test_local_file_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        local_file(tmp_path / "a.mp3")


def test_local_file_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        local_file(tmp_path)


def test_local_file_empty(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").touch()
    with pytest.raises(InputError, match="is empty"):
        local_file(tmp_path / "a.mp3")
