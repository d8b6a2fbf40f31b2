"""The files of an episode, to download."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field

from flows.library.exporting import Choices, file_name
from flows.web.access import Caller, Reader
from flows.web.episodes import config_of, folder_of
from flows.web.etags import HEADERS, etag, not_modified
from flows.web.paging import Page, Paging
from flows.web.rendering import rendered
from outputs.captions.profiles import PROFILES
from outputs.formats.format import Times
from outputs.formats.registry import EPISODE, FORMATS, format_of
from outputs.library.editing import stamps
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


@router.get(
    "/episodes/{show}/{name}/export",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {}}, "description": "The file."},
        503: {"description": "The app makes many files; Retry-After says when to come back."},
    },
)
def export_file(
    request: Request,
    caller: Reader,
    show: str,
    name: str,
    format: Annotated[str, Query(json_schema_extra={"enum": list(FORMATS)})],
    names: Annotated[bool | None, Query(description="Of texts: whether they say who speaks.")] = None,
    times: Annotated[Times | None, Query(description="Of texts: where they say when.")] = None,
    profile: Annotated[
        str, Query(description="Of captions: how they are cut.", json_schema_extra={"enum": list(PROFILES)})
    ] = "",
    language: Annotated[str, Query(description="Of a translation; empty for what was said.")] = "",
) -> Response:
    """An episode in a format, made for this request, with its corrections."""
    folder = folder_of(config_of(request), show, name)
    choices = Choices(format, names, times, profile or None, language)
    if choices.entry is EPISODE and not caller.may("editor"):
        raise HTTPException(403, "the record of an episode takes the role editor")
    choices.check()
    tag = etag(json.dumps([stamps(folder), asdict(choices), version("episcribe")]))
    if (known := not_modified(request, tag)) is not None:
        return known
    called = file_name(load_episode(folder), choices)
    headers = {
        **HEADERS,
        "ETag": tag,
        "Content-Disposition": _attachment(called),
        "Content-Security-Policy": POLICY,
    }
    return Response(rendered(folder, choices), headers=headers, media_type=choices.entry.content_type)


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
