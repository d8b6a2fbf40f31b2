"""What people correct in a transcript: a list kept beside episode.json, laid over it whenever it is read.

The record stays what the models heard. A correction names the words it is about (`was`) and when they
are said, so that it finds its place again in the record of another model. Where those words are not
there any more it stays in the list, waits, and is reported. Words are compared by their letters: case
and punctuation may differ.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from models.naming.label_matching import matching_label
from models.record.errors import InputError, OutputError
from models.record.transcript import Chapter, Transcript, Word
from outputs.library import chapter_list, files
from outputs.library.draft import Draft, word_units
from outputs.library.retiming import letters
from outputs.text.times import clock, whole_ms

FILE_NAME = "corrections.json"
MAX_NAME = 200  # characters of a speaker's name
LISTED = 3  # chapters that a line tells
LOCK_NAME = ".corrections.lock"
VERSION = 3
READ_VERSIONS = (1, 2, 3)  # 1 had the first five kinds, and nobody's name; 2 all but chapters
WORDS, SPEAKER, NAME, SPLIT, JOIN = "words", "speaker", "name", "split", "join"
BEGIN, GO_ON, CONFIRM, UNDO, CHAPTERS = "begin", "go on", "confirm", "undo", "chapters"
KINDS = (WORDS, SPEAKER, NAME, SPLIT, JOIN, BEGIN, GO_ON, CONFIRM, UNDO, CHAPTERS)


@dataclass(frozen=True, slots=True)
class Correction:
    """One change. `kind` says what it does to the words `was`, said from `start` to `end` seconds.

    words: they become the text `now` ("" removes them). speaker: the label `speaker` says them ("" nobody who is
    known), in `language` where that is given. name: the label is called `now`. split: a segment ends between the
    two words. join: the segments that meet between the two words become one. begin: a paragraph begins with them.
    go on: the paragraph before goes on with them. confirm: they were heard right. undo: what `now` had done was
    taken back. chapters: the episode has these `chapters` and no others, whatever the record tells, made for audio
    of `end` seconds (0: not known); None: it has those of the record again. The last of them holds. What was done
    at once shares an `edit` number and `op`, by which whoever asked for it knows it; `by` is the user, "" on the
    command line.
    """

    kind: str
    start: float = 0.0
    end: float = 0.0
    was: tuple[str, ...] = ()
    now: str = ""
    speaker: str = ""
    edit: int = 0
    op: str = ""
    by: str = ""
    language: str = ""
    chapters: tuple[Chapter, ...] | None = None

    def __str__(self) -> str:
        was, now = " ".join(word.strip() for word in self.was), self.now.strip()
        told = {
            WORDS: f"“{was}” → “{now}”" if now else f"“{was}” removed",
            SPEAKER: f"{self.speaker or 'nobody'} says “{was}”",
            NAME: f"{self.speaker} is “{now}”",
            SPLIT: f"new segment within “{was}”",
            JOIN: f"one segment with “{was}”",
            BEGIN: f"new paragraph before “{was}”",
            GO_ON: f"no new paragraph before “{was}”",
            CONFIRM: f"“{was}” is right",
            UNDO: "taken back",
            CHAPTERS: _listed(self.chapters),
        }
        return told[self.kind]


@dataclass(frozen=True, slots=True)
class Corrected:
    """A transcript with corrections laid over it, and those that found no place in it.

    `made_for` is how long the audio was for which a person made the chapters, in seconds, None where this is as long.
    """

    transcript: Transcript
    waiting: tuple[Correction, ...] = ()
    made_for: float | None = None


def load(folder: Path) -> tuple[Correction, ...]:
    """The corrections kept in an episode's folder; none where nobody made any. OutputError if damaged."""
    file = folder / FILE_NAME
    try:
        return decoded(file.read_bytes(), file)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise OutputError(f"cannot read {file}: {error.strerror or error}") from error


def decoded(data: bytes, file: Path) -> tuple[Correction, ...]:
    """The corrections in what `render` wrote. OutputError, which names the file, for anything else."""
    try:
        return _decoded(json.loads(data))
    except OutputError as error:
        raise OutputError(f"{file}: {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InputError) as error:
        raise OutputError(
            f"{file}: damaged or not a list of corrections ({error}); mend or remove it"
        ) from error


def locked(folder: Path) -> AbstractContextManager[None]:
    """Within, no other program changes the episode in a folder or its corrections, if it asks for this lock too.

    Whoever writes what hangs on what was read takes it around both. Raises as `outputs.library.files.locked`.
    """
    return files.locked(folder / FILE_NAME, LOCK_NAME)


def render(corrections: Sequence[Correction]) -> bytes:
    """The list as its file has it: UTF-8, one correction a line, in the oldest version that has their kinds."""
    lines = ",\n".join(map(_line, corrections))
    version = VERSION if any(one.kind == CHAPTERS for one in corrections) else VERSION - 1
    # Words may hold lone surrogates, of file names that are not UTF-8; JSON reads their escapes back.
    return f'{{"version": {version}, "corrections": [\n{lines}\n]}}\n'.encode("utf-8", "backslashreplace")


@lru_cache(maxsize=20_000)
def _line(one: Correction) -> str:
    kept = {entry: value for entry in _NAMES if (value := getattr(one, entry)) != _DEFAULTS.get(entry)}
    if one.chapters is not None:
        kept["chapters"] = chapter_list.encoded(one.chapters)
    return json.dumps(kept, ensure_ascii=False)


def apply(draft: Draft, correction: Correction) -> bool:
    """Make one correction; whether it found its place, or the record has it right already."""
    actions: Mapping[str, Callable[[Correction], bool]] = {
        WORDS: draft.write,
        SPEAKER: draft.assign,
        NAME: draft.name,
        SPLIT: draft.split,
        JOIN: draft.join,
        BEGIN: draft.begin,
        GO_ON: draft.go_on,
        CONFIRM: draft.confirm,
        UNDO: lambda _: True,
        CHAPTERS: draft.set_chapters,
    }
    return actions[correction.kind](correction)


def apply_corrections(transcript: Transcript, corrections: Iterable[Correction]) -> Corrected:
    """Lay corrections over a transcript, in order; each sees what those before it made."""
    draft, waiting, placed = Draft(transcript), list[Correction](), list[Correction]()
    for correction in corrections:
        (placed if apply(draft, correction) else waiting).append(correction)
    if not placed and draft.own_chapters is None:
        return Corrected(transcript, tuple(waiting))
    missing = tuple(missed(waiting, placed, draft.own_chapters))
    return Corrected(draft.transcript(), missing, draft.made_for)


def missed(
    waiting: Iterable[Correction], placed: Iterable[Correction], chapters: tuple[Chapter, ...] | None = None
) -> Iterator[Correction]:
    """Those that wait in earnest: a word that was corrected twice is right where only the second correction fits.

    chapters: a person's list that holds by now; of those before it nothing is missed.
    """
    later = {(one.start, letters("".join(one.was))) for one in placed if one.kind == WORDS}
    for one in waiting:
        if one.kind == CHAPTERS:
            yield from [one] if one.chapters is chapters else []
        elif one.kind != WORDS or (one.start, letters(one.now)) not in later:
            yield one


def own_chapters(corrections: Sequence[Correction]) -> tuple[Chapter, ...] | None:
    """The chapters that a person has given an episode, those beyond its end as well; None where the record's hold."""
    return next((one.chapters for one in reversed(corrections) if one.kind == CHAPTERS), None)


def carry_over(
    corrections: Sequence[Correction], before: Transcript, now: Transcript
) -> tuple[Correction, ...]:
    """The corrections of `before` for `now`, a new transcript of the same episode, whose labels may differ.

    A label becomes that of the same person; one that nobody matches gets a label of its own, with its name.
    """
    used = {one.speaker for one in corrections} | {speaker.label for speaker in now.speakers}
    renamed = {one.speaker for one in corrections if one.kind == NAME}
    labels: dict[str, str] = {}
    names: list[Correction] = []
    for speaker in (speaker for speaker in before.speakers if speaker.label in used):
        label = matching_label(now, speaker.label, before)
        if label is None:
            label = fresh_label({*used, *labels.values()})
            if speaker.source != "order" and speaker.label not in renamed:
                names.append(Correction(NAME, speaker=label, now=speaker.name))
        labels[speaker.label] = label
    return (*names, *(replace(one, speaker=labels.get(one.speaker, one.speaker)) for one in corrections))


def fresh_label(taken: Container[str]) -> str:
    """A label for a speaker that no model found, other than those that are taken."""
    return next(label for number in count(1) if (label := f"ADDED_{number:02}") not in taken)


class Change(NamedTuple):
    """Words from index `first` up to `last` that become the text `now`."""

    first: int
    last: int
    now: str


def changes(words: Sequence[Word], text: str) -> list[Change]:
    """What makes words read `text`, each change for as few of them as possible."""
    old = [(unit.strip(), index) for index, word in enumerate(words) for unit in word_units(word.text)]
    new = word_units(" ".join(text.split()))
    matcher = SequenceMatcher(None, [unit for unit, _ in old], [unit.strip() for unit in new], autojunk=False)
    return [
        Change(old[first][1], old[last - 1][1] + 1, "".join(new[start:stop]))
        for first, last, start, stop in _whole_words(matcher.get_opcodes(), [index for _, index in old])
    ]


def written(words: Sequence[Word], text: str) -> Correction:
    """The correction that makes consecutive words read `text`; "" removes them."""
    return replace(about(WORDS, words), now=_spaced_like(words[0].text, text))


def about(kind: str, words: Sequence[Word]) -> Correction:
    """A correction of consecutive words."""
    start, end = (f(time for word in words for time in (word.start, word.end)) for f in (min, max))
    return Correction(kind, whole_ms(start), whole_ms(end), tuple(word.text for word in words))


def _whole_words(
    opcodes: Iterable[tuple[str, int, int, int, int]], owners: Sequence[int]
) -> list[tuple[int, int, int, int]]:
    """Changed ranges of old and new units, widened to whole old words; owners: the word of each old unit.

    Where nothing is replaced the unit beside it is taken along, to tell where it belongs.
    """
    ranges: list[tuple[int, int, int, int]] = []
    for tag, *changed in opcodes:
        if tag == "equal" or not owners:
            continue
        first, last, start, stop = changed
        if first == last and first:
            first, start = first - 1, start - 1
        elif first == last:
            last, stop = last + 1, stop + 1
        while first > 0 and owners[first - 1] == owners[first]:
            first, start = first - 1, start - 1
        while last < len(owners) and owners[last] == owners[last - 1]:
            last, stop = last + 1, stop + 1
        if ranges and first < ranges[-1][1]:
            before = ranges.pop()
            first, start = min(first, before[0]), min(start, before[2])
            last, stop = max(last, before[1]), max(stop, before[3])
        ranges.append((first, last, start, stop))
    return ranges


def _spaced_like(first: str, text: str) -> str:
    """The text with the white space before it that the first of the old words has; "" for nothing."""
    bare = text.strip()
    return f"{first[: len(first) - len(first.lstrip())]}{bare}" if bare else ""


_DEFAULTS = {entry.name: entry.default for entry in fields(Correction) if entry.name != "kind"}
_NAMES = tuple(entry.name for entry in fields(Correction))


def _decoded(record: Mapping[str, Any]) -> tuple[Correction, ...]:
    if type(record["version"]) is int and record["version"] > VERSION:
        raise OutputError(
            f"written by a newer Episcribe (version {record['version']}; this one reads {VERSION}), update it"
        )
    if record["version"] not in READ_VERSIONS:
        raise ValueError(f"version {record['version']!r}, this Episcribe reads {VERSION}")
    found = tuple(map(_decoded_one, record["corrections"]))
    for one in found:
        texts = (one.now, one.speaker, one.op, one.by, one.language, *one.was)
        if one.kind not in KINDS or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"an unknown kind of correction: {one.kind!r}")
        float(one.start), float(one.end), int(one.edit)
        if one.kind == CHAPTERS and not chapter_list.is_seconds(one.end):
            raise ValueError(f"no audio is {one.end} s long")
    return found


def _decoded_one(told: Mapping[str, Any]) -> Correction:
    chapters = chapter_list.decoded(told["chapters"]) if "chapters" in told else None
    return Correction(**{**told, "was": tuple(told.get("was", ())), "chapters": chapters})


def _listed(chapters: tuple[Chapter, ...] | None) -> str:
    """A person's chapters in a line."""
    if chapters is None:
        return "the chapters that were told or proposed"
    told = [f"{clock(one.start)} “{chapter_list.shown_title(one.title)}”" for one in chapters]
    more = f" and {len(told) - LISTED} more" if len(told) > LISTED else ""
    return f"chapters {', '.join(told[:LISTED])}{more}" if told else "no chapters"
