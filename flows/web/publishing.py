"""Publishing from the app: each time in a process of its own, one at a time, for it may take minutes.

Where to is said by the settings alone: see `flows.schedule.settings.Publishing`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from flows.schedule.settings import Settings, Show
from models.record.errors import EpiscribeError, InputError
from models.runtime.children import child_command, child_environment

KEPT = 50  # runs that are remembered
NICENESS = 5
SHOWN = 1000  # names of each kind that are told


@dataclass(slots=True)
class Run:
    """Publishing once: `state` is running, done or failed. `told` is what it changed, or would change."""

    id: str
    what: str
    dry_run: bool
    by: str
    started_at: float
    state: str = "running"
    error: str = ""
    bad_input: bool = False
    told: dict[str, Any] = field(default_factory=dict)


class Publisher:
    """Publishes for the app; used in its event loop only."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, what: str, by: str, *, dry_run: bool, **order: Any) -> tuple[Run, asyncio.Task[None]]:
        """Have something published as soon as what was begun before is done."""
        run = Run(uuid4().hex, what, dry_run, by, time.time())
        self.runs[run.id] = run
        for old in [one for one in self.runs.values() if one.state != "running"][:-KEPT]:
            del self.runs[old.id]
        task = asyncio.create_task(self._go(run, {"what": what, "dry_run": dry_run, **order}))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run, task

    async def close(self) -> None:
        """Cut short what is going on; nothing is half written by that."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _go(self, run: Run, order: Mapping[str, Any]) -> None:
        try:
            async with self._turn:
                told = await in_a_process(order)
        except (OSError, ValueError) as error:
            told = {"error": f"publishing ended: {error}"}
        run.error, run.bad_input = told.pop("error", ""), told.pop("bad_input", False)
        run.told, run.state = told, "failed" if run.error else "done"


async def in_a_process(order: Mapping[str, Any]) -> dict[str, Any]:
    """As `publish`, without holding up whoever calls; ValueError where the process doesn't say what came of it."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *child_command(__name__), env=child_environment(), stdin=pipe, stdout=pipe
    )
    try:
        answer, _ = await process.communicate(json.dumps(order).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ValueError(f"exit code {process.returncode}")
    told: dict[str, Any] = json.loads(answer)
    return told


def feed_order(settings: Settings, library: Path, name: str) -> dict[str, Any]:
    """What to publish a show's feed takes. InputError where it isn't followed, or the base URL is not set."""
    show = settings.show(name)
    return {
        "library": str(library),
        "show": show.model_dump(mode="json"),
        "proxy": settings.proxy,
        "allow_private": settings.allow_private,
        "base_url": base_url(settings),
        "out": str(Path(settings.publish.feeds) / f"{name}.xml"),
        "proposed_chapters": settings.publish.proposed_chapters,
    }


def base_url(settings: Settings) -> str:
    """Where the library, or its site, is served; InputError where the settings don't say it."""
    if not settings.base_url:
        raise InputError("base_url is not set in episcribe.toml: say there where the transcripts are served")
    return settings.base_url


def files_url(settings: Settings) -> str:
    """Where files are sent to; InputError where the settings don't say it."""
    if not settings.publish.files:
        raise InputError(
            "publish.files is not set in episcribe.toml: give the URL to send files to, such as s3://bucket/folder"
        )
    return settings.publish.files


def publish(order: Mapping[str, Any]) -> dict[str, Any]:
    """Do what is ordered; what came of it, as JSON can hold it."""
    publishers = {"feed": _publish_feed, "site": _publish_site, "files": _publish_files}
    try:
        told = publishers[order["what"]](order)
    except EpiscribeError as error:
        return {"error": str(error), "bad_input": isinstance(error, InputError)}
    for name in ("added", "changed", "removed"):
        told[name] = {"count": len(told[name]), "names": list(told[name][:SHOWN])}
    return told


def _publish_feed(order: Mapping[str, Any]) -> dict[str, Any]:
    from audio.transfer.addresses import redacted
    from flows.library.publishing import feed_changes, publish_feed, read_feed
    from outputs.library.files import replace_files

    show, out = Show.model_validate(order["show"]), Path(order["out"])
    data = read_feed(show.url, show.access(order["proxy"]), allow_private=order["allow_private"])
    published, skipped = publish_feed(
        data,
        Path(order["library"]),
        order["base_url"],
        redacted(show.url),
        show.url,
        proposed_chapters=order["proposed_chapters"],
    )
    before = out.read_bytes() if out.is_file() else b""
    changes, linked = feed_changes(before, published.data, show.url)
    if not order["dry_run"]:
        out.parent.mkdir(parents=True, exist_ok=True)
        replace_files({out: published.data})
    links = [asdict(item) for item in linked[:SHOWN]]
    return {**asdict(changes), "skipped": skipped, "links": links, "target": str(out)}


def _publish_site(order: Mapping[str, Any]) -> dict[str, Any]:
    from outputs.publishing.site import build_site

    built = build_site(Path(order["library"]), Path(order["out"]), dry_run=order["dry_run"])
    return {**asdict(built.changes), "skipped": built.skipped, "target": order["out"]}


def _publish_files(order: Mapping[str, Any]) -> dict[str, Any]:
    from outputs.publishing.site import site_files
    from outputs.publishing.upload import public_files, upload, without_login

    site, skipped = Path(order["site"]), dict[str, str]()
    if order["source"] == "library":
        files, skipped = public_files(Path(order["library"]))
    else:
        files = {name: site / name for name in site_files(site)}
        if not files:
            raise InputError("there is no site yet: publish it first")
    changes = upload(files, order["url"], dry_run=order["dry_run"], remove=order["remove"])
    return {**asdict(changes), "skipped": skipped, "target": without_login(order["url"])}


if __name__ == "__main__":
    os.nice(NICENESS)
    print(json.dumps(publish(json.load(sys.stdin))))
