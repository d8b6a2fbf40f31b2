"""Correcting a transcript: what each action of the edit page means, and how it is kept.

Every action becomes corrections at the end of the list in the folder; undoing takes the last ones off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from models.record.errors import InputError
from models.record.transcript import Segment, Transcript
from outputs.formats import html
from outputs.formats.registry import EPISODE, FORMATS
from outputs.library import corrections, files, read, write
from outputs.library.corrections import (
    JOIN,
    NAME,
    SPEAKER,
    SPLIT,
    Corrected,
    Correction,
    apply_corrections,
    fresh_label,
    word_changes,
)
from outputs.pages.speaking_time import speaking_times
from outputs.text.characters import one_line
from outputs.text.languages import language_tag
from outputs.text.times import whole_ms
from outputs.text.unsure import is_unsure

MAX_TEXT = 20_000  # characters of a segment
MAX_NAME = 200


class OutdatedError(InputError):
    """The action was meant for another state than there is: another page or another run changed it."""


class EditingSession:
    """The editing of one episode. `revision` grows with every change.

    Raises InputError and OutputError as `outputs.library.read` does.
    """

    def __init__(self, folder: Path) -> None:
        read.load_record(folder)  # says so where there is none
        self.folder = read.folder_of(folder)
        self.revision = 0
        self._hash = ""
        self._undone: list[tuple[Correction, ...]] = []
        self._load()

    @property
    def transcript(self) -> Transcript:
        """The transcript as it is corrected by now."""
        return self._corrected.transcript

    def state(self) -> dict[str, Any]:
        """What the edit page shows, as plain values."""
        colours = {talker.name: talker.colour for talker in speaking_times(self.transcript)}
        names = {s.label: one_line(s.name).strip() for s in self.transcript.speakers}
        return {
            "revision": self.revision,
            "corrections": len(self._list),
            "undo": str(self._list[-1]) if self._list else "",
            "redo": str(self._undone[-1][-1]) if self._undone else "",
            "drawing": self._drawing(),
            "waiting": [str(one) for one in self._corrected.waiting],
            "speakers": [
                {"label": label, "name": name, "colour": colours.get(name)} for label, name in names.items()
            ],
            "segments": [_segment(segment, self.transcript) for segment in self.transcript.segments],
        }

    def _drawing(self) -> dict[str, Any]:
        drawn = html.drawing(self.transcript)
        lanes = [
            {"name": lane.talker.name, "colour": lane.talker.colour, **asdict(lane), "talker": None}
            for lane in drawn.lanes
        ]
        return {"lanes": lanes, "width": drawn.width, "height": drawn.height}

    def act(self, action: Mapping[str, Any]) -> None:
        """Do what the page asks for and keep it. InputError for what makes no sense."""
        if self._files_hash() != self._hash:
            self._load()
            raise OutdatedError(
                "the episode was processed again or corrected elsewhere meanwhile: here it is, anew"
            )
        if action.get("revision") != self.revision:
            raise OutdatedError("another page changed the transcript meanwhile: here it is, anew")
        name = action.get("do")
        if name in ("undo", "redo"):
            self._step(name)
        else:
            done = self._changes(str(name), action)
            if not done:
                return
            edit = max((one.edit for one in self._list), default=0) + 1
            self._undone.clear()
            self._keep((*self._list, *(replace(one, edit=edit) for one in done)))

    def render(self) -> None:
        """Write the episode's files again with the corrections laid over the record.

        Where another program has written the record meanwhile, that is the one that counts.
        """
        if self._files_hash() != self._hash:
            self._load()
        there = [name for name, entry in FORMATS.items() if (self.folder / entry.file_name).exists()]
        write.publish(self._record, self.folder, there)
        self._hash = self._files_hash()

    # Actions.

    def _changes(self, name: str, action: Mapping[str, Any]) -> list[Correction]:
        kinds: dict[str, Callable[[Mapping[str, Any]], list[Correction]]] = {
            "text": self._text,
            "speaker": self._speaker,
            "rename": self._rename,
            "split": self._split,
            "join": self._join,
        }
        if name not in kinds:
            raise InputError(f"unknown action {name!r}; there are undo, redo, {', '.join(kinds)}")
        return kinds[name](action)

    def _text(self, action: Mapping[str, Any]) -> list[Correction]:
        return word_changes(self._at(action).words, _line(action, "text", MAX_TEXT))

    def _speaker(self, action: Mapping[str, Any]) -> list[Correction]:
        segment = self._at(action)
        label, named = _line(action, "speaker", MAX_NAME), list[Correction]()
        if not label:
            name = _line(action, "name", MAX_NAME)
            if not name:
                raise InputError("a new speaker needs a name")
            taken = {speaker.label for speaker in self.transcript.speakers}
            same = (s.label for s in self.transcript.speakers if s.name.casefold() == name.casefold())
            label = next(same, "")
            if not label:
                label = fresh_label(taken)
                named = [Correction(NAME, speaker=label, now=name)]
        elif label not in {speaker.label for speaker in self.transcript.speakers}:
            raise InputError(f"there is no speaker {label}")
        if segment.speaker == label and not is_unsure(segment):
            return []
        return [*named, replace(_about(segment, SPEAKER), speaker=label)]

    def _rename(self, action: Mapping[str, Any]) -> list[Correction]:
        label, name = _line(action, "speaker", MAX_NAME), _line(action, "name", MAX_NAME)
        if not name or label not in {speaker.label for speaker in self.transcript.speakers}:
            raise InputError("to rename somebody takes a speaker and a name")
        return [] if self.transcript.name_of(label) == name else [Correction(NAME, speaker=label, now=name)]

    def _split(self, action: Mapping[str, Any]) -> list[Correction]:
        words, at = self._at(action).words, _number(action, "word")
        if not 0 < at < len(words):
            raise InputError("a segment can be split before each of its words but the first")
        return [_seam(SPLIT, words[at - 1], words[at])]

    def _join(self, action: Mapping[str, Any]) -> list[Correction]:
        at = _number(action, "segment")
        if not 0 < at < len(self.transcript.segments):
            raise InputError("there is no segment before this one to join it with")
        before, here = self.transcript.segments[at - 1 : at + 1]
        return [_seam(JOIN, before.words[-1], here.words[0])]

    def _step(self, name: str) -> None:
        if name == "redo":
            if not self._undone:
                raise InputError("there is nothing to do again")
            self._keep((*self._list, *self._undone.pop()))
            return
        if not self._list:
            raise InputError("there is nothing to undo")
        last = self._list[-1].edit
        first = next(i for i, one in enumerate(self._list) if one.edit == last)
        self._undone.append(self._list[first:])
        self._keep(self._list[:first])

    # Keeping.

    def _at(self, action: Mapping[str, Any]) -> Segment:
        at = _number(action, "segment")
        if not 0 <= at < len(self.transcript.segments):
            raise InputError(f"there is no segment {at}")
        return self.transcript.segments[at]

    def _load(self) -> None:
        self._record = read.load_record(self.folder)
        self._hash = self._files_hash()
        self._list = corrections.load(self.folder)
        self._undone.clear()
        self._corrected: Corrected = apply_corrections(self._record, self._list)
        self.revision += 1

    def _keep(self, changed: tuple[Correction, ...]) -> None:
        text = corrections.render(changed)
        files.replace_files({self.folder / corrections.FILE_NAME: text.encode("utf-8", "backslashreplace")})
        self._hash = self._files_hash()
        self._list = changed
        self._corrected = apply_corrections(self._record, changed)
        self.revision += 1

    def _files_hash(self) -> str:
        """Changes when another program writes the record or the corrections."""
        found = hashlib.sha256()
        for file in (self.folder / EPISODE.file_name, self.folder / corrections.FILE_NAME):
            found.update(hashlib.sha256(file.read_bytes() if file.exists() else b"").digest())
        return found.hexdigest()


def _segment(segment: Segment, transcript: Transcript) -> dict[str, Any]:
    return {
        "speaker": segment.speaker,
        "language": language_tag(transcript.language_of(segment)) or html.UNDETERMINED,
        "unsure": is_unsure(segment),
        "start": whole_ms(segment.start),
        "words": [[whole_ms(word.start), one_line(word.text)] for word in segment.words],
    }


def _about(segment: Segment, kind: str) -> Correction:
    texts = tuple(word.text for word in segment.words)
    start, end = (f(t for word in segment.words for t in (word.start, word.end)) for f in (min, max))
    return Correction(kind, whole_ms(start), whole_ms(end), texts)


def _seam(kind: str, left: Any, right: Any) -> Correction:
    return Correction(kind, whole_ms(left.start), whole_ms(right.end), (left.text, right.text))


def _number(action: Mapping[str, Any], name: str) -> int:
    value = action.get(name)
    if type(value) is not int:
        raise InputError(f"{name} must be a whole number")
    return value


def _line(action: Mapping[str, Any], name: str, limit: int) -> str:
    value = action.get(name, "")
    if not isinstance(value, str) or len(value) > limit:
        raise InputError(f"{name} must be text of up to {limit} characters")
    return one_line(value).strip()
