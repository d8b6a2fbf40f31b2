"""Finished episodes in any format, with what can be chosen: `python -m flows.library.exporting` for the app.

The app has a process of its own do this, for to render a long episode takes seconds.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import chain, count
from pathlib import Path
from typing import get_args

from models.record.errors import EpiscribeError, InputError, OutputError
from models.record.transcript import Episode, Transcript
from outputs.captions.profiles import Profile, profile_named
from outputs.formats.format import NAMES_AND_TIMES, Format, TextStyle, Times
from outputs.formats.registry import EPISODE, FORMATS
from outputs.library import read
from outputs.library.files import is_local, replace_files
from outputs.library.placement import ID_CHARS
from outputs.text.slug import slug
from outputs.text.translations import translated, translations_of

NICENESS = 5


@dataclass(frozen=True, slots=True)
class Choices:
    """What to export an episode as. None is what the format does by itself; `language` that of a translation, or ""."""

    format: str
    names: bool | None = None
    times: Times | None = None
    profile: str | None = None
    language: str = ""

    @property
    def entry(self) -> Format:
        """The format; InputError where there is none of this name."""
        if self.format not in FORMATS:
            raise InputError(f"unknown format {self.format!r}; there are {', '.join(FORMATS)}")
        return FORMATS[self.format]

    @property
    def style(self) -> TextStyle | None:
        """Names and times, where one of them is chosen; InputError for a choice of times that there isn't."""
        if self.times not in (None, *get_args(Times)):
            raise InputError(f"no --times {self.times!r}: use {', '.join(get_args(Times))}")
        if self.names is None and self.times is None:
            return None
        return TextStyle(self.names is not False, self.times or NAMES_AND_TIMES.times)

    @property
    def limits(self) -> Profile | None:
        """The profile of captions, where one is chosen; InputError where there is none of this name."""
        return None if self.profile is None else profile_named(self.profile)

    def check(self) -> None:
        """InputError for a choice that there isn't, or that the format doesn't have."""
        self.entry.check(profile=self.limits, style=self.style)


def exported(path: Path, choices: Choices) -> bytes:
    """An episode, corrections laid over it, in a format.

    Raises as `read.load`; InputError for what can't be chosen, and where the episode lacks what the format needs.
    """
    choices.check()
    transcript = _in_language(read.load(path), choices)
    data = choices.entry.render(transcript, profile=choices.limits, style=choices.style)
    if choices.entry.needs and not data:
        raise InputError(f"{path} has no {choices.entry.needs}")
    return data


def _in_language(transcript: Transcript, choices: Choices) -> Transcript:
    language = choices.language
    if not language or language == transcript.language:
        return transcript
    if choices.entry is EPISODE:
        raise InputError("the record holds all languages: export it without one")
    found = translations_of(transcript)
    if language not in found:
        there = ", ".join(filter(None, (transcript.language, *found)))
        raise InputError(f"there is no translation into {language!r}; there is {there or 'none'}")
    return translated(transcript, found[language])


def file_name(episode: Episode, choices: Choices, mark: str = "") -> str:
    """What a file is called that is kept by itself: "2026-01-01-pilot.docx", "2026-01-01-pilot.en.srt"."""
    entry = choices.entry
    kind = entry.translated_name(choices.language) if choices.language else entry.file_name
    parts = (slug(episode.published[:10]) if episode.published else "", slug(episode.title), mark)
    return f"{'-'.join(filter(None, parts))}.{kind.removeprefix('transcript.')}"


def export_files(
    paths: Sequence[Path], choices: Choices, out: Path | None = None, *, force: bool = False
) -> Iterator[Path | EpiscribeError]:
    """Write episodes, each to a file that is whole or as it was; gives the file, or what was wrong with the episode.

    They go to the folder `out`, here for None; a single one may name its file by it. InputError before any is written
    where a choice can't be made or, but for `force`, where a file is there already.
    """
    choices.check()
    known, seen = list[tuple[Path, Episode]](), set[str]()
    for path in paths:
        try:
            file = read.record_file(path)
            place = os.path.realpath(file) if is_local(file) else str(file)
            if place not in seen:  # by its folder and by its record
                seen.add(place)
                known.append((path, _about(file)))
        except EpiscribeError as error:
            yield error
    named = out if out is not None and len(paths) == 1 and not out.is_dir() else None
    files = [named] if named is not None else [(out or Path()) / name for name in _names(known, choices)]
    for file in files:
        _check_free(file, force)
    for (path, _), file in zip(known, files, strict=False):
        try:
            _export_file(path, file, choices)
        except EpiscribeError as error:
            yield error
        else:
            yield file


def _about(file: Path) -> Episode:
    """What the record of an episode says of it. Raises as `read.load`."""
    return (
        read.load_episode(file.parent) if file.name == EPISODE.file_name else read.load_record(file).episode
    )


def _names(episodes: Sequence[tuple[Path, Episode]], choices: Choices) -> list[str]:
    """What each is called; those that would have one name get a piece of their id, and then a number."""
    names = [file_name(one, choices) for _, one in episodes]
    often = Counter(name.casefold() for name in names)
    taken = {name for name, number in often.items() if number == 1}
    return [
        name if often[name.casefold()] == 1 else _free_name(one, choices, taken)
        for name, (_, one) in zip(names, episodes, strict=True)
    ]


def _free_name(episode: Episode, choices: Choices, taken: set[str]) -> str:
    """A name with a piece of the id that isn't taken, whatever its letters' case, and is then."""
    mark = slug(episode.id)[:ID_CHARS]
    marks = chain([mark], (f"{mark}-{number}" for number in count(2)))
    name = next(name for mark in marks if (name := file_name(episode, choices, mark)).casefold() not in taken)
    taken.add(name.casefold())
    return name


def _check_free(file: Path, force: bool) -> None:
    if file.is_dir():
        raise InputError(f"{file} is a folder")
    if not force and (file.exists() or file.is_symlink()):
        raise InputError(f"{file} is there already: --force replaces it")


def _export_file(path: Path, file: Path, choices: Choices) -> None:
    data = exported(path, choices)
    try:
        if is_local(file):
            file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {file}: {error.strerror or error}") from error
    replace_files({file: data})


def order(path: Path, choices: Choices) -> str:
    """What to tell a process that runs this module."""
    return json.dumps({"path": str(path), **asdict(choices)})


def main() -> int:
    """Do what the order on standard input says, and yield to everything else; the exit code."""
    with suppress(OSError, AttributeError):
        os.nice(NICENESS)
    told = json.load(sys.stdin)
    try:
        sys.stdout.buffer.write(exported(Path(told.pop("path")), Choices(**told)))
    except EpiscribeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
