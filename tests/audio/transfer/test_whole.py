"""All the audio, or an error: servers that send less than the whole, more than they announce, or nothing at all."""

import gzip
import hashlib
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audio.transfer.download import Limits, RemoteSource, StoredFile, download
from audio.transfer.http import fetch_bytes
from models.record.errors import DownloadError
from tests.audio.server import Answer, Reply, Server, ranged
from tests.audio.transfer.test_download import finished, ranges

BODY = b"ID3\x04" + np.random.default_rng(1).bytes(400_000)  # noise: no piece of it is like another
OTHER = b"ID3\x04" + np.random.default_rng(2).bytes(300_000)


def fetch(url: str, folder: Path, **options: Any) -> StoredFile:
    chosen: dict[str, Any] = {"sleep": lambda seconds: None, "allow_private": True, **options}
    return download(url, folder, **chosen)


def check(stored: StoredFile, body: bytes = BODY) -> None:
    """The file is `body`, and nothing half done is left."""
    assert hashlib.sha256(stored.path.read_bytes()).hexdigest() == hashlib.sha256(body).hexdigest()
    assert (stored.size, stored.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert not list(stored.path.parent.glob("*.part*"))


def span(
    start: int, end: int, total: int | str, body: bytes = BODY, said: dict[str, str] | None = None
) -> Reply:
    """An honest 206 with the bytes from `start` to before `end`."""
    return Reply(206, body[start:end], {"Content-Range": f"bytes {start}-{end - 1}/{total}", **(said or {})})


def sliced(body: bytes, most: int, *, total: str = "", said: dict[str, str] | None = None) -> Answer:
    """A server that sends at most `most` bytes at once, whatever is asked for, and says so."""

    def answer(headers: dict[str, str]) -> Reply:
        start = int(headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if start >= len(body):
            return Reply(416, headers={"Content-Range": f"bytes */{len(body)}"})
        return span(start, min(start + most, len(body)), total or len(body), body, said)

    return answer


# Parts


@pytest.mark.parametrize("said", [{}, {"ETag": '"v1"'}, {"ETag": 'W/"v1"'}], ids=["bare", "etag", "weak"])
def test_a_part_of_the_file_is_continued(server: Server, tmp_path: Path, said: dict[str, str]) -> None:
    server.routes["/a.mp3"] = sliced(BODY, 150_000, said=said)
    check(fetch(server.url("/a.mp3"), tmp_path, limits=Limits(attempts=1)))
    assert ranges(server) == [None, "bytes=150000-", "bytes=300000-"]


def test_a_part_of_a_file_of_unknown_length_is_continued_to_its_end(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = sliced(BODY, 150_000, total="*")
    check(fetch(server.url("/a.mp3"), tmp_path, limits=Limits(attempts=1)))
    assert ranges(server)[-1] == f"bytes={len(BODY)}-"


@pytest.mark.parametrize(
    "rest",
    [
        lambda headers: span(0, 100_000, len(BODY)),
        lambda headers: Reply(200, BODY[:100_000]),
        lambda headers: Reply(416),
        lambda headers: span(50_000, 150_000, len(BODY)),
        lambda headers: Reply(206, BODY[100_000:]),
        lambda headers: Reply(403),
    ],
    ids=["the same again", "the same as a whole", "416", "another part", "no Content-Range", "403"],
)
def test_a_part_that_cannot_be_continued_is_an_error(server: Server, tmp_path: Path, rest: Answer) -> None:
    def answer(headers: dict[str, str]) -> Reply:
        return rest(headers) if "Range" in headers else span(0, 100_000, len(BODY))

    server.routes["/a.mp3"] = answer
    with pytest.raises(DownloadError) as caught:
        fetch(server.url("/a.mp3"), tmp_path)
    assert "\n" not in str(caught.value)
    assert "does not go on" in str(caught.value) or "403" in str(caught.value)
    assert finished(tmp_path) == []
    assert len(server.requests) <= 4


@pytest.mark.parametrize("said", [{}, {"ETag": '"v1"'}, {"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}])
def test_a_part_that_is_the_whole_is_fine(server: Server, tmp_path: Path, said: dict[str, str]) -> None:
    server.routes["/a.mp3"] = span(0, len(BODY), len(BODY), said=said)
    check(fetch(server.url("/a.mp3"), tmp_path))
    assert len(server.requests) == 1


def test_a_part_under_the_status_of_a_whole_is_continued(server: Server, tmp_path: Path) -> None:
    def answer(headers: dict[str, str]) -> Reply:
        reply = sliced(BODY, 250_000)(headers)
        return Reply(200 if "Range" not in headers else 206, reply.body, reply.headers)

    server.routes["/a.mp3"] = answer
    check(fetch(server.url("/a.mp3"), tmp_path))


def test_a_part_of_another_version_is_thrown_away(server: Server, tmp_path: Path) -> None:
    changed: list[Reply | Answer] = [
        ranged(OTHER, '"v1"', cut=100_000),
        span(100_000, len(BODY), len(BODY), said={"ETag": '"v2"'}),
        ranged(BODY, '"v2"'),
    ]
    server.routes["/a.mp3"] = changed
    check(fetch(server.url("/a.mp3"), tmp_path))


def test_a_part_of_another_length_is_of_another_version(server: Server, tmp_path: Path) -> None:
    date = {"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
    server.routes["/a.mp3"] = [
        Reply(body=OTHER, headers=date, cut=100_000),
        span(100_000, len(BODY), len(BODY)),
        Reply(body=BODY, headers=date),
    ]
    check(fetch(server.url("/a.mp3"), tmp_path))


@pytest.mark.parametrize("status", [400, 412, 501])
def test_a_range_that_a_server_stumbles_over(server: Server, tmp_path: Path, status: int) -> None:
    """madiele/vod2pod-rss 375: status 400 for a range."""

    def later(headers: dict[str, str]) -> Reply:
        return Reply(status) if "Range" in headers else Reply(body=BODY)

    server.routes["/a.mp3"] = [ranged(BODY, cut=100_000), later, later]
    check(fetch(server.url("/a.mp3"), tmp_path))
    assert ranges(server) == [None, "bytes=100000-", None]


def test_a_part_that_is_complete_already_is_taken(server: Server, tmp_path: Path) -> None:
    """The process was killed between the last byte and the file's last name."""

    def interrupt(done: int, total: int | None) -> None:
        if done == len(BODY):
            raise KeyboardInterrupt

    server.routes["/a.mp3"] = sliced(BODY, len(BODY), said={"ETag": '"v1"'})
    with pytest.raises(KeyboardInterrupt):
        fetch(server.url("/a.mp3"), tmp_path, progress=interrupt)
    check(fetch(server.url("/a.mp3"), tmp_path))
    assert ranges(server) == [None, f"bytes={len(BODY)}-"]


def test_a_feed_that_comes_in_part_is_no_feed(server: Server) -> None:
    server.routes["/f"] = span(0, 1000, len(BODY))
    with pytest.raises(DownloadError, match="sent a part"):
        fetch_bytes(server.url("/f"), 10_000, allow_private=True, attempts=1)


# Lengths


def test_a_length_that_is_too_small_is_seen_through(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = Reply(body=BODY[:30_000], length=20_000)
    with pytest.raises(DownloadError, match="more than the length that it announced") as caught:
        fetch(server.url("/a.mp3"), tmp_path, limits=Limits(attempts=2))
    assert caught.value.transient
    assert len(server.requests) == 2
    assert finished(tmp_path) == []


def test_a_length_that_is_too_small_is_continued_by_range(server: Server, tmp_path: Path) -> None:
    body = BODY[:30_000]
    server.routes["/a.mp3"] = [Reply(body=body, headers={"ETag": '"v1"'}, length=20_000), ranged(body)]
    check(fetch(server.url("/a.mp3"), tmp_path), body)
    assert ranges(server) == [None, "bytes=20000-"]


def test_a_length_that_is_too_big_is_continued_by_range(server: Server, tmp_path: Path) -> None:
    early = Reply(body=BODY[:200_000], headers={"ETag": '"v1"'}, length=len(BODY))
    server.routes["/a.mp3"] = [early, ranged(BODY)]
    check(fetch(server.url("/a.mp3"), tmp_path))
    assert ranges(server) == [None, "bytes=200000-"]


def test_no_accept_ranges_and_no_length(tmp_path: Path) -> None:
    """A stream that ends with its connection: there is nothing to compare, and the end is the end."""
    with answering(b"HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n" + BODY) as url:
        check(fetch(url, tmp_path))


def test_chunks_that_break_off_are_no_end(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with answering(head + b"%x\r\n" % 1000 + BODY[:500]) as url, pytest.raises(DownloadError) as caught:
        fetch(url, tmp_path, limits=Limits(attempts=2))
    assert caught.value.transient
    assert finished(tmp_path) == []


def test_chunks_go_before_a_length_that_contradicts_them(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    with answering(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)) as url:
        check(fetch(url, tmp_path))


def test_a_line_end_after_the_body_is_no_surplus(tmp_path: Path) -> None:
    body = BODY[:3000]
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + body + b"\r\n") as url:
        check(fetch(url, tmp_path), body)


@contextmanager
def answering(raw: bytes) -> Iterator[str]:
    """A server that answers every request with these very bytes, and closes."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(raw)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as tcp:
        threading.Thread(target=tcp.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{tcp.server_address[1]}/a.mp3"
        finally:
            tcp.shutdown()


# Statuses, and nothing at all


def test_203_is_as_good_as_200(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = Reply(203, BODY)
    check(fetch(server.url("/a.mp3"), tmp_path))


@pytest.mark.parametrize("nothing", [Reply(200), Reply(202), Reply(204)], ids=["200", "202", "204"])
def test_nothing_yet_is_tried_again(server: Server, tmp_path: Path, nothing: Reply) -> None:
    server.routes["/a.mp3"] = [nothing, nothing, Reply(body=BODY)]
    check(fetch(server.url("/a.mp3"), tmp_path))


def test_0_bytes_are_told_as_such(server: Server, tmp_path: Path) -> None:
    server.routes["/a.mp3"] = Reply(headers={"Content-Type": "audio/mpeg"})
    with pytest.raises(DownloadError, match="the server sent 0 bytes") as caught:
        fetch(server.url("/a.mp3"), tmp_path, limits=Limits(attempts=3))
    assert caught.value.transient
    assert len(server.requests) == 3
    assert list(tmp_path.glob("*.part")) == []


# Shapes of public reports


def test_a_resumed_file_is_that_of_one_download(server: Server, tmp_path: Path) -> None:
    """mlj/castget 22, AntennaPod 1627: resumed downloads came out shorter, or with a stretch twice."""
    cut = [ranged(BODY, cut=length) for length in (100_001, 77_777, 1, 150_000)]
    server.routes["/a.mp3"] = [*cut, ranged(BODY)]
    check(fetch(server.url("/a.mp3"), tmp_path))


def test_an_unstable_connection_costs_no_byte_twice(server: Server, tmp_path: Path) -> None:
    """bherrmann7/Car-Cast 48, AntennaPod 187 and 8291: truncated, taken for whole, or begun anew each time."""
    server.routes["/a.mp3"] = [*[ranged(BODY, cut=90_000)] * 4, ranged(BODY)]
    check(fetch(server.url("/a.mp3"), tmp_path))
    assert ranges(server) == [None, *(f"bytes={90_000 * n}-" for n in range(1, 5))]


def test_no_accept_ranges_is_no_reason_to_refuse(server: Server, tmp_path: Path) -> None:
    """rmcrackan/Libation 158: hung for want of the header; without ranges the second try begins anew."""
    server.routes["/a.mp3"] = [Reply(body=BODY, cut=100_000), Reply(body=BODY)]
    check(fetch(server.url("/a.mp3"), tmp_path))


def test_a_failed_download_leaves_nothing_that_looks_whole(server: Server, tmp_path: Path) -> None:
    """freshe/poddl 3: partial files lay there like whole ones."""
    server.routes["/a.mp3"] = [ranged(BODY, cut=100_000)] * 2
    with pytest.raises(DownloadError):
        fetch(server.url("/a.mp3"), tmp_path, limits=Limits(attempts=1))
    assert finished(tmp_path) == []
    server.routes["/a.mp3"] = ranged(BODY)
    check(fetch(server.url("/a.mp3"), tmp_path))


def test_packed_audio_is_unpacked_and_never_joined_in_pieces(server: Server, tmp_path: Path) -> None:
    """AntennaPod 1627: a server packs what it was asked not to, and ranges count packed bytes."""
    packed = gzip.compress(BODY)
    said = {"Content-Encoding": "gzip", "ETag": '"v1"'}
    server.routes["/a.mp3"] = [
        Reply(body=packed, headers=said, cut=100_000),
        Reply(body=packed, headers=said),
    ]
    check(fetch(server.url("/a.mp3"), tmp_path))
    assert ranges(server) == [None, None]
    assert server.requests[0][1]["Accept-Encoding"] == "identity"


def test_other_ads_at_the_second_try_are_another_file(server: Server, tmp_path: Path) -> None:
    """AntennaPod 8441 and 8491: the host makes a file for each request, and its parts don't fit together."""
    server.routes["/a.mp3"] = [ranged(OTHER, '"ads-1"', cut=200_000), ranged(BODY, '"ads-2"')]
    check(fetch(server.url("/a.mp3"), tmp_path))


def test_what_a_redirect_says_is_no_part_of_the_file(server: Server, tmp_path: Path) -> None:
    """clementine-player/Clementine 3000: the page of the redirect stood before the audio."""
    page = b"<HTML><HEAD><TITLE>Moved Permanently</TITLE></HEAD></HTML>"
    server.routes |= {"/old.mp3": Reply(301, page, {"Location": "/a.mp3"}), "/a.mp3": ranged(BODY)}
    check(fetch(server.url("/old.mp3"), tmp_path))


def test_an_address_in_an_address_is_asked_for_as_written(server: Server, tmp_path: Path) -> None:
    """airsonic-advanced 502: a tidied path lost a slash, and the host answered with a page."""
    path = "/play/13414326/https%3A%2F%2Fcdn.example.org%2F2020-10-10%2Fa.m4a"
    plain = "/play/13414326/https://cdn.example.org//a.m4a"
    server.routes |= {path: Reply(body=BODY), plain: Reply(body=BODY)}
    for address in (path, plain):
        check(fetch(server.url(address), tmp_path))
    assert [asked for asked, _ in server.requests] == [path, plain]


def test_the_extension_is_not_that_of_a_wrong_type(server: Server, tmp_path: Path) -> None:
    """lightpohl/podcast-dl 126: a Content-Type of text made a .txt of an MP3."""
    server.routes["/a.mp3"] = Reply(body=BODY, headers={"Content-Type": "text/plain; charset=utf-8"})
    assert fetch(server.url("/a.mp3"), tmp_path).path.suffix == ".mp3"


def test_any_type_will_do_for_audio(server: Server, tmp_path: Path) -> None:
    """AntennaPod 1956: a type such as application/force-download was refused."""
    server.routes["/get.php?id=1"] = Reply(body=BODY, headers={"Content-Type": "application/force-download"})
    check(fetch(server.url("/get.php?id=1"), tmp_path))


def test_a_416_is_not_asked_for_again_and_again(server: Server, tmp_path: Path) -> None:
    """owncloud/client 2280, novoda/download-manager 442: a wrong range was asked for without end."""
    server.routes["/a.mp3"] = [
        ranged(OTHER, '"v1"', cut=200_000),
        Reply(416, headers={"Content-Range": "bytes */90000"}),
        Reply(body=BODY[:90_000]),
    ]
    check(fetch(server.url("/a.mp3"), tmp_path), BODY[:90_000])


def test_a_page_of_an_error_is_told_and_not_kept(server: Server, tmp_path: Path) -> None:
    """akhilrex/podgrab 113: "error code: 1020" with status 403 was saved as an MP3."""
    server.routes["/a.mp3"] = Reply(403, b"error code: 1020", {"Content-Type": "audio/mpeg"})
    with pytest.raises(DownloadError, match="answered 403"):
        fetch(server.url("/a.mp3"), tmp_path)
    assert finished(tmp_path) == []


def test_a_cut_connection_before_the_first_byte_is_no_empty_file(server: Server, tmp_path: Path) -> None:
    """lightpohl/podcast-dl 18: a file of 0 bytes was left."""
    server.routes["/a.mp3"] = [Reply(body=BODY, cut=0), Reply(body=BODY)]
    check(fetch(server.url("/a.mp3"), tmp_path))


def test_the_source_of_nothing_is_neither_page_nor_audio(server: Server, tmp_path: Path) -> None:
    server.routes["/x"] = Reply()
    source = RemoteSource(
        server.url("/x"), tmp_path, allow_private=True, limits=Limits(attempts=1), sleep=lambda seconds: None
    )
    with pytest.raises(DownloadError, match="0 bytes"), source:
        pass
