"""`episcribe chapters`: which there are, and what a person makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.options import SHOW, AsJson, EpisodeFolder, Library, ShowByDefault, location, print_json

if TYPE_CHECKING:
    from models.record.transcript import Chapter
    from outputs.library.corrections import Corrected

chapters_app = typer.Typer(
    cls=ShowByDefault,
    help="The chapters of an episode, to read and to correct: `episcribe chapters EPISODE_DIR`.",
    no_args_is_help=True,
)

Time = Annotated[str, typer.Argument(help="When it begins: 83.5, 1:23 or 1:02:03.", metavar="TIME")]


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(chapters_app, name="chapters")


@chapters_app.command(SHOW)
def show(folder: EpisodeFolder, json: AsJson = False) -> None:
    """Print the chapters, and who says so. (`show` can be left out.)"""
    from outputs.library import chapter_list, corrections, read

    corrected = read.load_corrected(folder)
    own = corrections.own_chapters(corrections.load(read.folder_of(folder))) or ()
    waiting = chapter_list.beyond(own, corrected.transcript.audio.seconds)
    if json:
        print_json(_told(corrected, waiting))
        return
    for line in _lines(corrected, waiting):
        typer.echo(line)


def _told(corrected: Corrected, waiting: tuple[Chapter, ...]) -> dict[str, Any]:
    """The chapters as JSON has them; times in seconds."""
    from dataclasses import asdict

    shown = corrected.transcript.chapters
    return {
        "episode": {name: getattr(corrected.transcript.episode, name) for name in ("id", "show", "title")},
        "source": shown.source,
        "engine": shown.engine,
        "chapters": [asdict(one) for one in shown.chapters],
        "beyond_the_end": [asdict(one) for one in waiting],
        "made_for": corrected.made_for,
    }


def _lines(corrected: Corrected, waiting: tuple[Chapter, ...]) -> Iterator[str]:
    from outputs.text.terminal import printable
    from outputs.text.times import clock

    shown = corrected.transcript.chapters
    for one in shown.chapters:
        mark = "" if one.listed else " (not in the table of contents)"
        by = f" (title by {one.by})" if one.by else ""
        yield f"{clock(one.start)}  {printable(one.title + by)}{mark}"
    for one in waiting:
        yield f"{clock(one.start)}  beyond the end, not shown: {printable(one.title)}"
    if shown.proposed and shown:
        yield printable(f"proposed by {shown.engine}: nobody has checked them")
    elif shown or shown.source == "user":
        from flows.chapters import CALLED

        own = shown.source == "user"
        who = "a person's" if own else f"told by {printable(CALLED.get(shown.source, shown.source))}"
        yield who if shown else f"no chapters: {who}"
    else:
        yield "no chapters"
    if corrected.made_for is not None:
        was, now = clock(corrected.made_for), clock(corrected.transcript.audio.seconds)
        yield f"made for audio of {was}, and this plays {now}: they may be early or late"


@chapters_app.command()
def add(
    folder: EpisodeFolder, start: Time, title: Annotated[str, typer.Argument(help="What it is called.")]
) -> None:
    """Put a chapter in."""
    from flows.library import chapters
    from outputs.text.times import parse_time

    chapters.edit(folder, {"do": "chapter", "now": {"start": parse_time(start), "title": title}})
    show(folder)


@chapters_app.command()
def change(
    folder: EpisodeFolder,
    start: Time,
    title: Annotated[str | None, typer.Option(help="What it is called.", show_default="as it is")] = None,
    to: Annotated[str | None, typer.Option(help="When it begins.", show_default="as it is")] = None,
) -> None:
    """Give the chapter that begins at a time another title, or another beginning."""
    from flows.library import chapters
    from outputs.text.times import parse_time

    chapters.change(folder, parse_time(start), None if to is None else parse_time(to), title)
    show(folder)


@chapters_app.command()
def remove(folder: EpisodeFolder, start: Time) -> None:
    """Take out the chapter that begins at a time."""
    from flows.library import chapters
    from outputs.text.times import parse_time

    chapters.remove(folder, parse_time(start))
    show(folder)


@chapters_app.command("set")
def set_list(
    folder: EpisodeFolder,
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON chapters, Podlove Simple Chapters, WebVTT, or lines like 12:30 Title; - for standard input.",
            metavar="FILE",
        ),
    ],
) -> None:
    """Have the chapters of a file, and no others."""
    import sys

    from flows.library import chapters
    from models.record.errors import InputError

    try:
        most = chapters.MAX_BYTES + 1
        if str(file) == "-":
            data = sys.stdin.buffer.read(most)
        else:
            with file.open("rb") as opened:
                data = opened.read(most)
        listed = chapters.listed_in(data)
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    chapters.set_list(folder, listed)
    show(folder)


@chapters_app.command()
def keep(folder: EpisodeFolder) -> None:
    """Take the chapters as they are, proposed ones or those made for other audio: only you change them from now on."""
    _do(folder, {"do": "keep_chapters"})


@chapters_app.command()
def clear(folder: EpisodeFolder) -> None:
    """Have no chapters."""
    _do(folder, {"do": "chapters", "chapters": []})


@chapters_app.command()
def reset(folder: EpisodeFolder) -> None:
    """Go back to the chapters that were told or proposed."""
    _do(folder, {"do": "chapters", "chapters": None})


def _do(folder: Path, what: dict[str, Any]) -> None:
    from flows.library import chapters

    chapters.edit(folder, what)
    show(folder)


@chapters_app.command()
def propose(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Episodes for which to propose afresh; without any, those of the library that have no chapters.",
            parser=location,
            metavar="FOLDER",
            show_default=False,
        ),
    ] = None,
    library: Library = None,
) -> None:
    """Propose chapters for finished episodes, from what is said in them."""
    from flows.library import chapters
    from flows.schedule.settings import library_location
    from models.record.errors import EpiscribeError
    from outputs.library import read
    from outputs.library.folders import library_episodes
    from outputs.text.terminal import printable

    failed = False
    for folder in folders or library_episodes(library_location(library)):
        try:
            if not folders and read.load(folder).chapters.source:
                continue
            found = chapters.propose(folder)
        except EpiscribeError as error:
            if folders and len(folders) == 1:
                raise
            typer.echo(f"warning: left out: {printable(str(error))}", err=True)
            failed = True
            continue
        count = len(found.chapters)
        what = f"{count or 'no'} chapter{'' if count == 1 else 's'} proposed"
        own = read.load(folder).chapters.source == "user"
        typer.echo(printable(f"{folder}: {what}{'; those of a person are shown' if own else ''}"))
    if failed:
        raise typer.Exit(1)
