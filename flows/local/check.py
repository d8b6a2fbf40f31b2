"""`episcribe check` and `episcribe models list`: what is here and what is missing."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, get_args

from models.record.errors import EpiscribeError
from models.runtime import offline_models

if TYPE_CHECKING:
    from rich.console import Console

PLAIN_WIDTH = 200  # characters


@dataclass(frozen=True)
class Finding:
    """One line of the report; `good` is None for what is optional and absent."""

    what: str
    good: bool | None
    detail: str


def console() -> Console:
    """A console as wide as the terminal; where there is none, wide enough for every line."""
    from rich.console import Console

    terminal = Console(emoji=False)
    return terminal if terminal.is_terminal else Console(width=PLAIN_WIDTH, emoji=False)


def print_report(findings: Iterable[Finding]) -> None:
    """Print findings as a table."""
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 1))
    marks = {True: "[green]ok[/]", False: "[red]missing[/]", None: "[dim]-[/]"}
    for finding in findings:
        table.add_row(marks[finding.good], finding.what, finding.detail)
    console().print(table)


def print_models() -> None:
    """Print the offline models with licence, size, purpose and whether they are here."""
    from rich.table import Table

    table = Table("model", "licence", "size", "here", "for", "source", box=None, padding=(0, 1))
    for model in offline_models.OFFLINE_SET:
        here = "yes" if model.present else "no"
        table.add_row(
            model.name, model.licence, f"{model.size / 1e6:.0f} MB", here, model.purpose, model.source
        )
    console().print(table)
    if not all(model.present for model in offline_models.OFFLINE_SET):
        print(f"fetch what is missing with `{offline_models.PULL_COMMAND}`")


def python() -> list[Finding]:
    """The Python that runs this."""
    good = (3, 11) <= sys.version_info < (3, 15)
    return [Finding("Python", good, f"{platform.python_version()} (3.11 to 3.14 are supported)")]


def torch_pair() -> list[Finding]:
    """torch and torchaudio must be the same release; builds may differ in what follows the "+"."""
    found = {}
    for package in ("torch", "torchaudio"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            return [Finding("torch", False, f"{package} is not installed")]
    releases = {text.split("+")[0] for text in found.values()}
    detail = ", ".join(f"{package} {text}" for package, text in found.items())
    return [Finding("torch", len(releases) == 1, detail)]


def ffmpeg() -> list[Finding]:
    """The ffmpeg that decodes."""
    from audio.media import ffmpeg as program

    try:
        return [Finding("ffmpeg", True, f"{program.version()} at {program.executable()}")]
    except EpiscribeError as error:
        return [Finding("ffmpeg", False, str(error))]


def offline_set() -> list[Finding]:
    """Each model of the offline set."""
    return [
        Finding(
            f"model {model.name}",
            model.present,
            f"{model.licence}, {model.size / 1e6:.0f} MB"
            + ("" if model.present else f": run `{offline_models.PULL_COMMAND}`"),
        )
        for model in offline_models.OFFLINE_SET
    ]


def gpu() -> list[Finding]:
    """The GPU, if any, and whether it can be used."""
    from models.runtime.gpu import find_gpu

    found = find_gpu()
    return [Finding("GPU", True if found.name else None, str(found))]


def qualities() -> list[Finding]:
    """What each `--quality` comes to on this machine."""
    from flows.options import Quality
    from flows.quality import choose
    from models.asr.whisper_models import hub_has, is_here

    try:
        chosen = {
            each: choose(each, "auto", can_be_had=lambda m: is_here(m) or hub_has(m))
            for each in get_args(Quality)
        }
    except EpiscribeError as error:
        return [Finding("quality", False, str(error))]
    return [
        Finding(
            f"quality {each}",
            True,
            f"Whisper {found.model}{'' if is_here(found.model) else ' (from the hub, on first use)'}, "
            f"beam {found.beam_size}",
        )
        for each, found in chosen.items()
    ]


def hub_token() -> list[Finding]:
    """A token for the gated models, if any."""
    from models.diarisation.diariser import hub_token

    if hub_token() is None:
        return [Finding("hub token", None, "none: not needed for the offline models")]
    return [Finding("hub token", True, "found: community-1 can be used")]


def prefect_server() -> list[Finding]:
    """The configured Prefect server, and whether it answers."""
    from prefect.settings import PREFECT_API_URL

    from flows.local.prefect_session import has_server

    if not has_server():
        return [Finding("Prefect server", None, "none configured: local runs start a temporary one")]
    import httpx2

    url = PREFECT_API_URL.value()
    try:
        httpx2.get(f"{url}/health", timeout=5).raise_for_status()
    except httpx2.HTTPError as error:
        return [Finding("Prefect server", False, f"{url} does not answer: {error}")]
    return [Finding("Prefect server", True, url)]


LOOKS: tuple[Callable[[], list[Finding]], ...] = (
    python,
    torch_pair,
    ffmpeg,
    offline_set,
    gpu,
    qualities,
    hub_token,
    prefect_server,
)
