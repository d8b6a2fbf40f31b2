"""Publishing: a show's feed, the site, files to S3; what will change is told by a dry run."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from flows.web.access import Admin, Caller, Editor
from flows.web.api.library import library_of
from flows.web.episodes import config_of
from flows.web.paging import Page, Paging
from flows.web.publishing import Publisher, Run, base_url, feed_order, files_url
from models.record.errors import EpiscribeError, InputError, OutputError
from outputs.publishing.feed import checked_base_url
from outputs.publishing.site import MARKER
from outputs.publishing.upload import without_login

router = APIRouter(tags=["publish"])
WAIT_SECONDS = 20.0  # for what is published at once; then its address is told


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")
    dry_run: bool = Field(False, description="Only tell what would change.")


class FeedOrder(_Order):
    """A show's feed, with links to its transcripts put in, into the folder of feeds."""

    show: str = Field(max_length=80, description="Its name in episcribe.toml.")


class SiteOrder(_Order):
    """The site of the whole library, into its folder."""


class FilesOrder(_Order):
    """Files for everybody, to the URL of the settings."""

    source: Literal["site", "library"] = Field(
        "site", description="The site as it was last built, or the public files of the library."
    )
    remove: bool = Field(False, description="Remove what was sent earlier and is not there any more.")


class Names(BaseModel):
    """Files, or items of a feed."""

    count: int
    names: list[str] = Field(description="The first thousand.")


class LinkedItem(BaseModel):
    """An item of a feed and its links to transcripts and chapters."""

    title: str
    links: list[str]


class PublishRun(BaseModel):
    """Publishing once, or a dry run: what it changed, or would change."""

    id: str
    what: Literal["feed", "site", "files"]
    dry_run: bool
    by: str
    started_at: datetime
    state: Literal["running", "done", "failed"]
    error: str = ""
    target: str = ""
    added: Names | None = None
    changed: Names | None = None
    removed: Names | None = None
    unchanged: int | None = None
    skipped: dict[str, str] = Field({}, description="Folders that can't be read, and why.")
    links: list[LinkedItem] = Field([], description="Of a feed: all its items that have links.")


class FeedTarget(BaseModel):
    """A show whose feed can be published."""

    show: str
    file: str
    published_at: datetime | None


class Targets(BaseModel):
    """Where is published to, as episcribe.toml says."""

    base_url: str = Field(description="Where the library, or its site, is served; empty where not set.")
    site: str = Field(description="Folder of the site.")
    site_built_at: datetime | None
    feeds: list[FeedTarget]
    files: str = Field(description="URL that files are sent to; empty where not set.")


@router.get("/publish")
def publish_targets(request: Request, caller: Editor) -> Targets:
    """What is set up for publishing."""
    settings = config_of(request).settings_now()
    site, feeds = Path(settings.publish.site), Path(settings.publish.feeds)
    return Targets(
        base_url=settings.base_url,
        site=str(site),
        site_built_at=_written(site / MARKER),
        feeds=[
            FeedTarget(show=name, file=str(file), published_at=_written(file))
            for name in settings.shows
            for file in [feeds / f"{name}.xml"]
        ],
        files=without_login(settings.publish.files),
    )


_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"model": PublishRun, "description": "It takes longer: ask for the run at Location."}
}


@router.post("/publish/feed", response_model=PublishRun, responses=_ANSWERS)
async def publish_feed(request: Request, response: Response, caller: Admin, order: FeedOrder) -> PublishRun:
    """Write a show's feed with links to its transcripts."""
    settings = config_of(request).settings_now()
    checked_base_url(base_url(settings))
    what = feed_order(settings, library_of(request), order.show)
    return await _begun(request, response, caller, "feed", order.dry_run, **what)


@router.post("/publish/site", response_model=PublishRun, responses=_ANSWERS)
async def publish_site(request: Request, response: Response, caller: Admin, order: SiteOrder) -> PublishRun:
    """Build the site of the library."""
    what = {"library": str(library_of(request)), "out": config_of(request).settings_now().publish.site}
    return await _begun(request, response, caller, "site", order.dry_run, **what)


@router.post("/publish/files", response_model=PublishRun, responses=_ANSWERS)
async def publish_files(request: Request, response: Response, caller: Admin, order: FilesOrder) -> PublishRun:
    """Send files to S3, or wherever the settings say: only those that differ."""
    settings = config_of(request).settings_now()
    what = {
        "library": str(library_of(request)),
        "site": settings.publish.site,
        "source": order.source,
        "url": files_url(settings),
        "remove": order.remove,
    }
    return await _begun(request, response, caller, "files", order.dry_run, **what)


@router.get("/publish/runs")
async def list_publish_runs(request: Request, caller: Editor, paging: Paging) -> Page[PublishRun]:
    """What was published since the app started, the last first."""
    publisher: Publisher = request.app.state.publisher
    return paging.slice([_told(run) for run in reversed(publisher.runs.values())])


@router.get("/publish/runs/{run}")
async def get_publish_run(request: Request, caller: Editor, run: str) -> PublishRun:
    """How far it is, and what came of it."""
    publisher: Publisher = request.app.state.publisher
    if run not in publisher.runs:
        raise HTTPException(404, f"there is no run {run}")
    return _told(publisher.runs[run])


async def _begun(
    request: Request, response: Response, caller: Caller, what: str, dry_run: bool, **order: Any
) -> PublishRun:
    publisher: Publisher = request.app.state.publisher
    run, task = publisher.begin(what, caller.name, dry_run=dry_run, **order)
    await asyncio.wait({task}, timeout=WAIT_SECONDS)
    if run.state == "running":
        response.status_code = 202
        response.headers["Location"] = f"{request.url.path.rpartition('/')[0]}/runs/{run.id}"
    elif run.state == "failed":
        error: type[EpiscribeError] = InputError if run.bad_input else OutputError
        raise error(run.error)
    return _told(run)


def _told(run: Run) -> PublishRun:
    return PublishRun.model_validate(
        {
            "id": run.id,
            "what": run.what,
            "dry_run": run.dry_run,
            "by": run.by,
            "started_at": datetime.fromtimestamp(run.started_at, UTC),
            "state": run.state,
            "error": run.error,
            **run.told,
        }
    )


def _written(file: Path) -> datetime | None:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC) if file.is_file() else None
