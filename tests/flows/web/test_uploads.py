"""Files that come in pieces: tus 1.0, with lines that are cut and senders that mean harm."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import socket
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from filelock import FileLock, Timeout
from sqlalchemy import update

from audio.transfer.download import SPARE_BYTES
from flows.schedule import uploads as files
from flows.schedule.settings import Limits
from flows.schedule.tables import uploads as table
from flows.schedule.uploads import Uploads, tidy_name
from models.record.errors import InputError
from tests.flows.shows import clip
from tests.flows.web.conftest import Running
from tests.waiting import wait_until

MOST = 3_000_000
PATH = "/api/v1/uploads"


@pytest.fixture(scope="module")
def app(app_server: Callable[..., Running], tmp_path_factory: pytest.TempPathFactory) -> Running:
    folder = tmp_path_factory.mktemp("app")
    return app_server(
        folder / "library", {"uploads": str(folder / "uploads"), "limits": Limits(audio_bytes=MOST)}
    )


def kept(app: Running) -> Uploads:
    return Uploads(app.config.settings, app.store)


def create(app: Running, size: object, name: str = "Talk.wav", client: Any = None, **headers: str) -> Any:
    told = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(size),
        "Upload-Metadata": f"filename {base64.b64encode(name.encode()).decode()},filetype YXVkaW8=",
    }
    return (client or app.client).post(PATH, headers=told | headers)


def send(app: Running, where: str, at: int, data: Any, client: Any = None, **headers: str) -> Any:
    told = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": str(at),
        "Content-Type": "application/offset+octet-stream",
    }
    return (client or app.client).patch(where, content=data, headers=told | headers)


def offset(app: Running, where: str) -> int:
    answer = app.client.head(where, headers={"Tus-Resumable": "1.0.0"})
    assert answer.status_code == 200
    return int(answer.headers["Upload-Offset"])


def checksum(data: bytes, algorithm: str = "sha256") -> dict[str, str]:
    digest = hashlib.new(algorithm, data).digest()
    return {"Upload-Checksum": f"{algorithm} {base64.b64encode(digest).decode()}"}


def begun(app: Running, size: int, name: str = "Talk.wav") -> str:
    answer = create(app, size, name)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


def sent(app: Running, data: bytes, name: str = "Talk.wav") -> tuple[str, Any]:
    """The id of a file that was sent whole, and the last answer."""
    where = begun(app, len(data), name)
    return where.rpartition("/")[2], send(app, where, 0, data)


def test_a_file_comes_in_pieces_and_is_whole(app: Running) -> None:
    told = app.client.options(PATH).headers
    assert (told["Tus-Version"], told["Tus-Max-Size"]) == ("1.0.0", str(MOST))
    assert told["Tus-Extension"] == "creation,checksum,termination,expiration"
    data = clip(1)
    where = begun(app, len(data), "Talk 1.wav")
    assert offset(app, where) == 0
    for at, algorithm in ((0, "sha256"), (40_000, "sha1")):
        piece = data[at : at + 40_000] if at == 0 else data[at:]
        answer = send(app, where, at, piece, **checksum(piece, algorithm))
        assert answer.status_code == 204, answer.text
        assert int(answer.headers["Upload-Offset"]) == at + len(piece) == offset(app, where)
        assert "GMT" in answer.headers["Upload-Expires"]
    upload = kept(app).get(where.rpartition("/")[2])
    assert upload.sha256 == hashlib.sha256(data).hexdigest()
    with kept(app).at_hand(upload) as path:
        assert path.read_bytes() == data
        assert path.name == f"{upload.id}.wav"
    listed = app.client.get(PATH).json()["items"]
    assert [(one["name"], one["whole"]) for one in listed if one["id"] == upload.id] == [("Talk 1.wav", True)]
    assert app.client.delete(where, headers={"Tus-Resumable": "1.0.0"}).status_code == 204
    assert not path.exists()
    assert app.client.head(where, headers={"Tus-Resumable": "1.0.0"}).status_code == 410


def test_a_piece_that_begins_elsewhere_or_was_changed_is_not_kept(app: Running) -> None:
    data = clip(1)
    where = begun(app, len(data))
    assert send(app, where, 0, data[:1000]).status_code == 204
    wrong = send(app, where, 500, data[500:])
    assert (wrong.status_code, wrong.json()["offset"]) == (409, 1000)
    changed = send(app, where, 1000, data[1000:3000], **checksum(data[1000:2999]))
    assert changed.status_code == 460
    assert offset(app, where) == 1000
    assert send(app, where, 1000, data[1000:2000], **{"Upload-Checksum": "md5 AAAA"}).status_code == 400
    assert send(app, where, 1000, data[1000:]).status_code == 204


def test_more_than_was_promised_is_refused_told_or_not(app: Running) -> None:
    where = begun(app, 1000)
    assert send(app, where, 0, b"x" * 1001).status_code == 413
    assert offset(app, where) == 0
    untold = send(app, where, 0, iter([b"x" * 900, b"x" * 900]))  # chunked
    assert untold.status_code == 413
    assert offset(app, where) == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": "10000000000"}, 413),
        ({"Upload-Length": "0"}, 400),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "9" * 30}, 400),
        ({"Upload-Length": "\u00b2"}, 400),
        ({"Upload-Metadata": "filename !!"}, 400),
        ({"Upload-Metadata": "filename " + "A" * 9000}, 400),
        ({"Tus-Resumable": "0.2.2"}, 412),
    ],
)
def test_what_can_not_be_is_refused_before_a_byte_comes(
    app: Running, headers: dict[str, str], status: int
) -> None:
    before = app.client.get(PATH).json()["items"]
    told = {name: value.encode("utf-8") for name, value in headers.items()}
    answer = create(app, 1000, **told)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert "\n" not in answer.json()["detail"]
    assert app.client.get(PATH).json()["items"] == before


def test_what_came_before_the_line_was_cut_stays_but_for_a_piece_with_a_checksum(app: Running) -> None:
    for told, stays in (({}, True), (checksum(b"x" * 5000), False)):
        where = begun(app, 10_000)
        cut_off(app, where, b"x" * 2000, 5000, told)
        wait_until(partial(free, app, where), "the end of the piece")
        assert offset(app, where) == (2000 if stays else 0)


def cut_off(app: Running, where: str, data: bytes, length: int, told: dict[str, str]) -> None:
    """Send the beginning of a piece, see that the app has begun to read it, and hang up."""
    host, _, port = app.url.removeprefix("http://").partition(":")
    cookies = "; ".join(f"{name}={value}" for name, value in app.client.cookies.items())
    lines = {
        "Host": f"{host}:{port}",
        "Cookie": cookies,
        "X-CSRF-Token": app.client.headers["X-CSRF-Token"],
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(length),
        **told,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection((host, int(port))) as line:
        line.sendall(f"PATCH {where} HTTP/1.1\r\n{head}\r\n".encode() + data)
        wait_until(lambda: not free(app, where), "the piece")
        second = send(app, where, 0, b"y")
        assert second.status_code == 423  # two can't write at once


def free(app: Running, where: str) -> bool:
    """Whether nobody writes a file."""
    try:
        with FileLock(kept(app).lock(kept(app).get(where.rpartition("/")[2])), blocking=False):
            return True
    except Timeout:
        return False


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../x.wav", "x.wav"),
        ("..\\..\\x.wav", "x.wav"),
        ("/etc/passwd", "passwd"),
        ("a\0b.wav", "ab.wav"),
        ("n" * 300 + ".wav", "n" * 196 + ".wav"),
        ("\x1b[2Jbell\x07.wav", "[2Jbell.wav"),
        ("..", ".."),
        ("", "file"),
        ("<script>.wav", "<script>.wav"),
        ("\u202egpj.wav", "gpj.wav"),
    ],
)
def test_names_are_shown_and_never_paths(app: Running, name: str, shown: str) -> None:
    assert tidy_name(name) == shown
    where = begun(app, 10, name)
    upload = kept(app).get(where.rpartition("/")[2])
    assert upload.name == shown
    assert kept(app).part(upload).parent == Path(app.config.settings.uploads)
    assert Path(upload.file_name).name == upload.file_name
    assert upload.file_name.startswith(upload.id)
    kept(app).remove(upload)


def zipped(*names: str, data: bytes = b"", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name in names:
            file.writestr(name, data)
    return out.getvalue()


def test_only_what_can_be_heard_is_kept(app: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = bytearray(zipped("anne.wav", "bo.wav", data=bytes(1_000_000)))
    declared = (0xFFFF_FFF0).to_bytes(4, "little")  # "unpacks to 4 GB"
    for at in (i for i in range(len(bomb)) if bomb[i : i + 4] == b"PK\x01\x02"):
        bomb[at + 24 : at + 28] = declared
    monkeypatch.setattr("audio.tracks.archive.MAX_BYTES", 2**32)
    for data, name, why in (
        (b"<html>hello", "talk.mp3", "talk.mp3 is neither audio nor video, but"),
        (b"#!/bin/sh\n", "run.wav", 'plain text ("#!/bin/sh")'),
        (b"ID3" + b"\0" * 500, "cut.mp3", "cut.mp3"),
        (zipped("notes.txt", data=b"x"), "tracks.zip", "tracks.zip is a zip without audio files"),
        (zipped("a.wav", data=clip(1)), "tracks.zip", "a zip with one audio file"),
        (zipped(*(f"{i}.wav" for i in range(40))), "tracks.zip", "tracks.zip"),
        (bytes(bomb), "bomb.zip", "bomb.zip unpacks to over"),
        (b"PK\x03\x04" + b"\0" * 100, "broken.zip", "broken.zip is a damaged zip"),
    ):
        found, answer = sent(app, data, name)
        assert answer.status_code == 415, (name, answer.status_code)
        assert why in answer.json()["detail"]
        assert str(kept(app).folder) not in answer.json()["detail"]
        assert app.client.head(f"{PATH}/{found}", headers={"Tus-Resumable": "1.0.0"}).status_code == 410
    _, answer = sent(app, zipped("anne.wav", "../bo.wav", data=clip(1)), "tracks.zip")
    assert answer.status_code == 204


def test_a_file_is_its_senders_alone(app: Running) -> None:
    where = begun(app, 1000)
    other = app.program("editor")
    version = {"Tus-Resumable": "1.0.0"}
    assert other.head(where, headers=version).status_code == 404
    assert send(app, where, 0, b"x", client=other).status_code == 404
    assert other.delete(where, headers=version).status_code == 404
    assert where.rpartition("/")[2] not in other.get(PATH).text
    assert create(app, 1000, client=app.program("reader")).status_code == 403
    assert create(app, 1000, client=app.stranger()).status_code in (401, 403)
    assert send(app, f"{PATH}/../queue", 0, b"x").status_code in (404, 405)
    assert app.client.head(f"{PATH}/..%2f..%2fx", headers=version).status_code in (404, 410)


def test_a_full_disk_and_too_many_files_are_told(app: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        little = SimpleNamespace(free=SPARE_BYTES + 500)
        patched.setattr("flows.schedule.uploads.shutil.disk_usage", lambda folder: little)
        assert create(app, 1000).status_code == 507
    one, _ = sent(app, clip(1))
    with monkeypatch.context() as patched:
        patched.setattr(files, "MAX_UNUSED", len(kept(app).of_user("owner")))
        assert create(app, 1000).status_code == 429
        assert app.client.delete(f"{PATH}/{one}", headers={"Tus-Resumable": "1.0.0"}).status_code == 204
        assert create(app, 1000).status_code == 201


def test_what_one_is_promised_no_other_gets(app: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    promised = sum(one.size - kept(app).offset(one) for one in kept(app).of_user("owner") if not one.whole)
    little = SimpleNamespace(free=SPARE_BYTES + promised + 1500)
    monkeypatch.setattr("flows.schedule.uploads.shutil.disk_usage", lambda folder: little)
    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(lambda _: create(app, 1000).status_code, range(4)))
    assert answers == [201, 507, 507, 507]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk here that is full")
def test_a_disk_that_gets_full_while_a_piece_comes_is_told(app: Running) -> None:
    where = begun(app, MOST)
    part = kept(app).part(kept(app).get(where.rpartition("/")[2]))
    part.unlink()
    part.symlink_to("/dev/full")
    for size in (1000, 2_500_000):
        answer = send(app, where, 0, b"x" * size)
        assert (answer.status_code, answer.json()["type"]) == (507, "urn:episcribe:problem:no-room")
    part.unlink()
    assert send(app, where, 0, b"x").status_code == 204


def test_who_sends_to_a_file_that_is_removed_meanwhile_leaves_nothing(app: Running) -> None:
    version = {"Tus-Resumable": "1.0.0"}
    where = begun(app, 10_000)
    upload = kept(app).get(where.rpartition("/")[2])
    found = Uploads.get

    def removed_after(self: Uploads, upload_id: str) -> Any:
        was = found(self, upload_id)
        kept(app).remove(was)
        return was

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Uploads, "get", removed_after)
        assert send(app, where, 0, b"x" * 100).status_code == 410
    assert not kept(app).part(upload).exists()
    assert app.client.delete(where, headers=version).status_code == 410


def test_what_nobody_uses_is_swept(app: Running) -> None:
    used, _ = sent(app, clip(1))
    unused, _ = sent(app, clip(2))
    half = begun(app, 1000).rpartition("/")[2]
    assert app.client.post("/api/v1/queue", json={"uploads": [used]}).status_code == 202
    with app.store.begin() as connection:
        connection.execute(update(table).values(changed_at=0.0))
    orphans = [kept(app).parts / f"{'0' * 32}.{ending}" for ending in ("part", "lock")]
    for orphan in orphans:
        orphan.touch()
    kept(app).sweep()
    assert all(orphan.exists() for orphan in orphans)  # they may be just begun
    for path in kept(app).parts.iterdir():
        os.utime(path, (0.0, 0.0))
    kept(app).sweep()
    assert kept(app).get(used).whole
    for gone in (unused, half):
        with pytest.raises(InputError, match="there is no upload"):
            kept(app).get(gone)
    left = {path.name.partition(".")[0] for path in kept(app).folder.glob("[!.]*")}
    assert left == {used}


def test_what_is_used_again_just_after_its_episode_was_done_stays(app: Running) -> None:
    upload, _ = sent(app, clip(4))
    (item,) = app.client.post("/api/v1/queue", json={"uploads": [upload]}).json()["items"]
    for again in (True, False):
        app.store.lease(item["id"], "run", 60)
        with app.store.finishing(item["id"], "run"):
            pass
        if again:
            assert app.client.post("/api/v1/queue", json={"uploads": [upload]}).status_code == 202
        kept(app).remove_unwanted([upload])  # as the run does
        assert [path.exists() for path in kept(app).folder.glob(f"{upload}.wav")] == [True] * again


def test_what_was_cut_off_at_its_very_end_is_finished_when_it_is_used(app: Running) -> None:
    for moved in (False, True):
        where = begun(app, len(clip(3)))
        upload = kept(app).get(where.rpartition("/")[2])
        place = kept(app).folder / upload.file_name if moved else kept(app).part(upload)
        place.write_bytes(clip(3))  # all came, and the app was killed before it could say so
        assert offset(app, where) == upload.size
        assert app.client.post("/api/v1/queue", json={"uploads": [upload.id]}).status_code == 202
        assert kept(app).get(upload.id).whole
        assert not kept(app).remove(upload)  # it is of an episode by now
        assert kept(app).remove(kept(app).get(upload.id))


def test_files_in_a_store_with_a_url_are_fetched_for_the_run(app: Running, tmp_path: Path) -> None:
    elsewhere = app.config.settings.model_copy(update={"uploads": f"memory://{tmp_path.name}"})
    there = Uploads(elsewhere, app.store)
    upload = there.create("ann", "Talk.wav", len(clip(1)))
    there.part(upload).write_bytes(clip(1))
    upload = there.finish(upload)
    with there.at_hand(upload) as path:
        assert path.read_bytes() == clip(1)
    assert not path.exists()
    there.remove(upload)
    with pytest.raises(InputError, match="send it again"), there.at_hand(upload):
        pass
