"""The files of an episode, to download."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from flows.web.access import Caller, Reader
from flows.web.episodes import config_of, folder_of
from flows.web.paging import Page, Paging
from outputs.formats.registry import EPISODE, FORMATS, format_of
from outputs.library.read import load_episode
from outputs.text.slug import slug

router = APIRouter(tags=["files"])
# A transcript's page has a script of its own: whoever opens the file from here gets one that can't do anything.
POLICY = "sandbox; default-src 'none'"


class EpisodeFile(BaseModel):
    """A file of an episode."""

    name: str
    kind: str = Field(description="Its format, as `--formats` calls it.")
    language: str = Field(description="Of a translation; empty for what was said.")
    bytes: int


@router.get("/episodes/{show}/{name}/files")
def list_files(request: Request, caller: Reader, paging: Paging, show: str, name: str) -> Page[EpisodeFile]:
    """The files of an episode, in the order of the formats."""
    folder = folder_of(config_of(request), show, name)
    told = [one for file in folder.iterdir() if (one := _theirs(file, caller))]
    order = list(FORMATS)
    return paging.slice(sorted(told, key=lambda one: (one.language, order.index(one.kind))))


@router.get(
    "/episodes/{show}/{name}/files/{file}",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file."}},
)
def download_file(request: Request, caller: Reader, show: str, name: str, file: str) -> FileResponse:
    """A file of an episode, named after its title."""
    folder = folder_of(config_of(request), show, name)
    path = folder / file
    told = _theirs(path, caller)
    if told is None:
        raise HTTPException(404, f"there is no file {file} of {show}/{name}")
    called = f"{slug(load_episode(folder).title or name)}.{file}"
    headers = {
        "Content-Disposition": _attachment(called),
        "Content-Security-Policy": POLICY,
        "Cache-Control": "private, no-cache",
    }
    return FileResponse(path, media_type=FORMATS[told.kind].media_type, headers=headers)


def _theirs(file: Path, caller: Caller) -> EpisodeFile | None:
    """A file that the caller may have; None for others. The record tells where private feeds and the audio are."""
    found = format_of(file.name)
    if found is None or not file.is_file() or file.is_symlink():
        return None
    kind, language = found
    if kind is EPISODE and not caller.may("editor"):
        return None
    return EpisodeFile(name=file.name, kind=kind.name, language=language, bytes=file.stat().st_size)


def _attachment(name: str) -> str:
    """What makes browsers keep a file under this name (RFC 6266).

    >>> print(_attachment("talk.srt"))
    attachment; filename="talk.srt"
    >>> print(_attachment("東京.srt"))
    attachment; filename="__.srt"; filename*=UTF-8''%E6%9D%B1%E4%BA%AC.srt
    """
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else "_" for char in name)
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{extended}'
