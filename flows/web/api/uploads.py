"""Files come in pieces that may be sent again: tus 1.0, https://tus.io/protocols/resumable-upload.

Core, and the extensions creation, checksum, termination and expiration. How much has come is told by the file that
grows on the disk, so it is true however the last piece, or the app, ended.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import errno
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from io import RawIOBase
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from filelock import FileLock, Timeout
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from flows.schedule.uploads import NoRoomError, TooLargeError, TooManyError, Upload, Uploads
from flows.web.access import Caller, Editor
from flows.web.config import API
from flows.web.episodes import config_of
from flows.web.problems import ProblemError
from models.record.errors import InputError

VERSION = "1.0.0"
EXTENSIONS = "creation,checksum,termination,expiration"
CHECKSUMS = ("sha256", "sha1")
MEDIA_TYPE = "application/offset+octet-stream"
WRITE_BYTES = 1 << 20  # that are written at a time
IDLE_SECONDS = 60.0  # without a byte, after which a piece is over
MAX_METADATA_CHARS = 8000
RESPONSES: dict[int | str, dict[str, Any]] = {
    409: {"description": "Upload-Offset is not where the file ends."},
    410: {"description": "It expired, or was used."},
    412: {"description": f"Tus-Resumable is not {VERSION}."},
    413: {"description": "More bytes than a file may have, or than were promised."},
    415: {"description": "Nothing that can be heard."},
    423: {"description": "Another request sends this file right now."},
    460: {"description": "The piece is not what Upload-Checksum says; it was not kept."},
    507: {"description": "No room on the disk."},
}


class Sent(BaseModel):
    """A file that is sent, or was. `expires_at`: seconds since 1970."""

    id: str
    name: str
    bytes: int
    offset: int
    whole: bool
    expires_at: float


class Files(BaseModel):
    """The caller's, of which no episode was made yet."""

    items: list[Sent]


def _checked_version(request: Request) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        told = f"this takes the header Tus-Resumable: {VERSION}"
        raise ProblemError(412, "tus-version", told, {"Tus-Version": VERSION})


router = APIRouter(tags=["uploads"], responses=RESPONSES)
tus = APIRouter(tags=["uploads"], responses=RESPONSES, dependencies=[Depends(_checked_version)])


def uploads_of(request: Request) -> Uploads:
    """Those of the app."""
    config = config_of(request)
    return Uploads(config.settings, config.store)


@router.options("/uploads")
def capabilities(request: Request) -> Response:
    """What of tus there is, and how large a file may be."""
    told = {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(uploads_of(request).max_bytes),
        "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
    }
    return _answer(204, told)


@router.get("/uploads")
def list_uploads(request: Request, caller: Editor) -> Files:
    """Files that you began to send or have sent, and made no episode of."""
    kept = uploads_of(request)
    return Files(items=[_sent(kept, one) for one in kept.of_user(caller.name)])


@tus.post("/uploads", status_code=201)
def create(request: Request, caller: Editor) -> Response:
    """Begin a file: Upload-Length, and Upload-Metadata with its filename."""
    size = _number(request, "upload-length")
    kept = uploads_of(request)
    try:
        upload = kept.create(caller.name, _filename(request), size)
    except TooLargeError as error:
        raise ProblemError(413, "too-large", str(error), limit=kept.max_bytes) from None
    except TooManyError as error:
        raise ProblemError(429, "too-many", str(error)) from None
    except NoRoomError as error:
        raise ProblemError(507, "no-room", str(error)) from None
    where = f"{config_of(request).base}{API}/uploads/{upload.id}"
    return _answer(201, {"Location": where, **_expiry(upload)})


@tus.head("/uploads/{upload_id}")
def look(request: Request, caller: Editor, upload_id: str) -> Response:
    """How much of a file has come."""
    kept = uploads_of(request)
    upload = _mine(kept, caller, upload_id)
    told = {"Upload-Offset": str(kept.offset(upload)), "Upload-Length": str(upload.size)}
    return _answer(200, {**told, **({} if upload.whole else _expiry(upload)), "Cache-Control": "no-store"})


@tus.delete("/uploads/{upload_id}", status_code=204)
def remove(request: Request, caller: Editor, upload_id: str) -> Response:
    """Forget a file."""
    kept = uploads_of(request)
    with _alone(kept, _mine(kept, caller, upload_id)):
        upload = _mine(kept, caller, upload_id)  # as it is now that nobody else is at it
        if upload.episode or not kept.remove(upload):
            raise ProblemError(409, "in-use", f"{upload.name} is in the queue: cancel it there")
    return _answer(204)


@tus.patch("/uploads/{upload_id}", status_code=204)
async def send(request: Request, caller: Editor, upload_id: str) -> Response:
    """Send the next piece, from Upload-Offset on. The last one is answered once the file was found to be sound."""
    if request.headers.get("content-type") != MEDIA_TYPE:
        raise ProblemError(415, "media-type", f"a piece is sent as {MEDIA_TYPE}")
    kept = uploads_of(request)
    upload = await run_in_threadpool(_mine, kept, caller, upload_id)
    checksum = _checksum(request)
    begin = _number(request, "upload-offset")
    with _alone(kept, upload):
        upload = await run_in_threadpool(_mine, kept, caller, upload_id)  # which may have gone meanwhile
        offset = kept.offset(upload)
        if begin != offset:
            told = f"{upload.name} has {offset:,} bytes, and this piece begins at {begin:,}"
            raise ProblemError(409, "offset", told, {"Upload-Offset": str(offset)}, offset=offset)
        left = upload.size - offset
        if int(request.headers.get("content-length", "0")) > left:
            raise _too_much(upload)
        if left:
            offset += await _received(request, kept, upload, left, checksum)
        upload = await run_in_threadpool(kept.touch, upload)
        if offset == upload.size and not upload.whole:
            try:
                upload = await run_in_threadpool(kept.finish, upload)
            except InputError as error:
                raise ProblemError(415, "unsound", str(error)) from None
    return _answer(204, {"Upload-Offset": str(offset), **_expiry(upload)})


async def _received(
    request: Request, kept: Uploads, upload: Upload, left: int, checksum: tuple[str, bytes] | None
) -> int:
    """Put what comes to the end of the file; how many bytes that was.

    Where the line is cut, what has come stays, but for a piece with a checksum: that is whole or nothing.
    """
    digest = hashlib.new(checksum[0]) if checksum else None
    came, waiting, whole = 0, bytearray(), False
    with _room(upload), await run_in_threadpool(open, kept.part(upload), "ab", 0) as file:
        start = file.tell()
        try:
            async for piece in _pieces(request):
                came += len(piece)
                if came > left:
                    raise _too_much(upload)
                if digest:
                    digest.update(piece)
                waiting += piece
                if len(waiting) >= WRITE_BYTES:
                    written, waiting = waiting, bytearray()
                    await run_in_threadpool(_write, file, written)
            whole = digest is None or (checksum is not None and digest.digest() == checksum[1])
            if not whole:
                raise HTTPException(460, "the piece is not what Upload-Checksum says: send it again")
        except BaseException as error:
            whole = digest is None and not isinstance(error, ProblemError)
            raise
        finally:
            # Not in a thread: what has come is to stay also where the app is told to end.
            if whole:
                _write(file, waiting)
            else:
                file.truncate(start)
    return came


def _write(file: RawIOBase, data: bytearray) -> None:
    """All of it; on a disk that gets full, as much as there is room for."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) or 0 :]


@contextmanager
def _room(upload: Upload) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        told = f"the disk is full: go on with {upload.name} once there is room"
        raise ProblemError(507, "no-room", told) from None


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                piece = await anext(stream, None)
        except TimeoutError:
            raise HTTPException(408, "nothing came for a minute: go on from Upload-Offset") from None
        if piece is None:
            return
        yield piece


@contextmanager
def _alone(kept: Uploads, upload: Upload) -> Iterator[None]:
    """Nobody else writes the file meanwhile; the lock goes with the process that has it."""
    lock = FileLock(kept.lock(upload), thread_local=False, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise ProblemError(423, "locked", f"{upload.name} is being sent by another request") from None
    try:
        yield
    finally:
        lock.release()


def _mine(kept: Uploads, caller: Caller, upload_id: str) -> Upload:
    try:
        upload = kept.get(upload_id)
    except InputError as error:
        raise ProblemError(410, "gone", str(error)) from None
    if upload.user != caller.name:
        raise ProblemError(404, "", "this upload is somebody else's")
    return upload


def _sent(kept: Uploads, upload: Upload) -> Sent:
    return Sent(
        id=upload.id,
        name=upload.name,
        bytes=upload.size,
        offset=kept.offset(upload),
        whole=upload.whole,
        expires_at=upload.expires_at,
    )


def _number(request: Request, header: str) -> int:
    told = request.headers.get(header, "")
    if not re.fullmatch(r"[0-9]{1,18}", told):
        raise InputError(f"{header.title()} is missing, or no number of bytes")
    return int(told)


def _filename(request: Request) -> str:
    """What Upload-Metadata calls the file."""
    told = request.headers.get("upload-metadata", "")
    if len(told) > MAX_METADATA_CHARS:
        raise InputError(f"Upload-Metadata has more than {MAX_METADATA_CHARS} characters")
    values = dict[str, str]()
    for pair in told.split(","):
        key, _, value = pair.strip().partition(" ")
        values[key] = value.strip()
    try:
        given = base64.b64decode(values.get("filename", ""), validate=True)
    except (binascii.Error, ValueError):
        raise InputError("the filename in Upload-Metadata is not in base64") from None
    return given.decode("utf-8", "replace")


def _checksum(request: Request) -> tuple[str, bytes] | None:
    told = request.headers.get("upload-checksum")
    if told is None:
        return None
    algorithm, _, given = told.partition(" ")
    if algorithm not in CHECKSUMS:
        raise InputError(f"Upload-Checksum is by {' or '.join(CHECKSUMS)}")
    try:
        return algorithm, base64.b64decode(given.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise InputError("Upload-Checksum is not in base64") from None


def _too_much(upload: Upload) -> ProblemError:
    return ProblemError(413, "too-large", f"{upload.name} was to have {upload.size:,} bytes: this is more")


def _expiry(upload: Upload) -> dict[str, str]:
    return {"Upload-Expires": formatdate(upload.expires_at, usegmt=True)}


def _answer(status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(status_code=status, headers={"Tus-Resumable": VERSION, **(headers or {})})


router.include_router(tus)
