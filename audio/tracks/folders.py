"""Whether the files of a folder are the tracks of one recording, or recordings of their own.

Tracks are called by people, or by numbers of microphones, and play for the same time; beside them there may be a mix.
Episodes are called by titles, dates and numbers. Names that could be either are settled by lengths, which cost a look
into each file, so they are asked for last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from audio.tracks.file_names import is_mix, naming_of, people_in
from audio.tracks.sources import MAX_TRACKS

MAX_NAME_WORDS = 4  # of a person; more are a title
ALIKE = 0.01  # of the longest track's length, that another may differ from it and have been recorded with it
ALIKE_SECONDS = 2.0

_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d[-_. ]?[01]\d[-_. ]?[0-3]\d(?!\d)")
_EPISODE = re.compile(
    r"(?<![^\W\d_])(?:s\d+[ ._-]?e|episode|epis?|ep|folge|e|no|nr|#)[ ._-]?(\d+)", re.IGNORECASE
)
_MICROPHONE = re.compile(
    r"(?:^|[\W_])(?:tr|trk|track|mic|ch|channel|spk|speaker|guest|host|input|spur|piste|kanal)[ ._-]?"
    r"(?:\d+|lr|mic)?(?=[\W_]|$)",
    re.IGNORECASE,
)
SESSION_SERVICES = ("Zoom meetings", "Riverside", "Daily")  # whose names are given to nothing but tracks


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether files are the tracks of one recording, and why, where that could be taken otherwise."""

    session: bool
    why: str = ""


Seconds = Callable[[], Sequence[float | None]]


def verdict(files: Sequence[PurePath], seconds: Seconds) -> Verdict:
    """What files with sound in one folder are, by their names, and where need be by their lengths.

    files: with the folders within it in which they lie; seconds: the lengths of all of them, None where unknown.

    >>> verdict([PurePath("anne.wav"), PurePath("bo.wav")], lambda: [1800.0, 1801.5]).session
    True
    >>> verdict([PurePath("12 The sea.mp3"), PurePath("13 The sky.mp3")], lambda: [1800.0, 2401.5]).session
    False
    """
    if not 2 <= len(files) <= MAX_TRACKS:
        return Verdict(False)
    names = [file.stem for file in files]
    if _scattered(files) or _numbered_apart(_DATE, names) or _numbered_apart(_EPISODE, names):
        return Verdict(False)
    tracks = [file for file in files if not is_mix(file.name)]
    services = {naming_of(file.name) for file in tracks}
    if tracks and services <= set(SESSION_SERVICES):
        return Verdict(True, "their names are those of tracks")
    people = _people(tracks)
    if any(len(person.split()) > MAX_NAME_WORDS for person in people):
        return Verdict(False)
    called = all(person or _MICROPHONE.search(file.stem) for person, file in zip(people, tracks, strict=True))
    told = [person.casefold() for person in people if person]
    called = called and len(set(told)) == len(told) and not any(map(_counted, told))
    if called and tracks and len(files) - len(tracks) == 1:
        return Verdict(True, "they are called by people, and one of them is a mix")
    lengths = seconds()
    alike = _alike([length for file, length in zip(files, lengths, strict=True) if file in tracks])
    if called and alike:
        return Verdict(True, "they are called by people and play equally long")
    if called:
        return Verdict(False, "they may be called by people, but don't play equally long")
    return Verdict(False, "they play equally long, but are not called by people" if alike else "")


def _people(tracks: Sequence[PurePath]) -> list[str]:
    """Whose they are by the names of files, or else of the folders in which each of them lies."""
    people, folders = people_in([file.name for file in tracks]), [file.parent.name for file in tracks]
    if len(set(people)) < len(people) and len(set(folders)) == len(folders):
        return people_in(folders)
    return people


def _counted(person: str) -> bool:
    return any(letter.isdigit() for letter in person)


def _scattered(files: Sequence[PurePath]) -> bool:
    """Whether they lie in folders as those of one recording don't: all in one, one in each, or some in one within."""
    folders = [file.parent for file in files]
    within = set(folders) - {PurePath()}
    return len(within) > 1 and len(set(folders)) < len(files)


def _numbered_apart(pattern: re.Pattern[str], names: Sequence[str]) -> bool:
    """Whether most names have such a number, and not all the same."""
    found = [match[0].casefold() for name in names if (match := pattern.search(name))]
    return len(found) > len(names) / 2 and len(set(found)) > 1


def _alike(lengths: Sequence[float | None]) -> bool:
    """Whether most of them play as long as the longest one."""
    known = [length for length in lengths if length is not None]
    longest = max(known, default=0.0)
    near = [length for length in known if longest - length <= max(ALIKE_SECONDS, ALIKE * longest)]
    return len(near) > 1 and 2 * len(near) > len(lengths)
