"""Correcting and reviewing an episode: what each edit means, how it is kept, and what it changes of what is read.

What people see is paragraphs. A paragraph's id is a hash of all it holds, so an edit tells by it what it was made for:
it is refused only where that paragraph is not there any more. Every edit becomes corrections at the end of the list in
the folder, with the id (`op`) that its sender gave it, and is answered when they are safe there; the same one sent
again is answered again and not done again.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby, islice
from pathlib import Path
from threading import RLock
from typing import Any

import regex

from models.record.errors import InputError
from models.record.transcript import Chapter, Chapters, Segment, Transcript, Word
from outputs.formats import episode_json
from outputs.formats.html import UNDETERMINED
from outputs.formats.registry import EPISODE
from outputs.library import chapter_list, corrections, files, read, review
from outputs.library.chapter_list import MAX_SECONDS
from outputs.library.corrections import (
    BEGIN,
    CHAPTERS,
    CONFIRM,
    GO_ON,
    MAX_NAME,
    NAME,
    SPEAKER,
    UNDO,
    WORDS,
    Correction,
    about,
    changes,
    fresh_label,
    written,
)
from outputs.library.draft import Draft
from outputs.library.review import Doubt
from outputs.pages.speaking_time import COLOURS
from outputs.text.chapters import length_of, listed_chapters, summary_of
from outputs.text.characters import one_line
from outputs.text.direction import is_right_to_left
from outputs.text.document import title_of
from outputs.text.languages import language_tag
from outputs.text.paragraphs import Paragraph, Part, by_speaker, paragraphs
from outputs.text.times import clock, milliseconds, whole_ms
from outputs.text.unsure import is_unsure

MAX_TEXT = 20_000  # characters of a paragraph
MAX_OP = 100
MAX_REPLACED = 5000  # places that one edit changes
ANCHOR = 3  # words by which the beginning of a paragraph is known again
STEPS = 50  # corrections after which the draft is kept, to take back later ones quickly
TAKEN_BACK = 1000  # edits that are remembered as taken back
GONE = 20_000  # paragraphs that are remembered as having been there
AROUND = 1  # paragraphs on either side of where something was, told in a conflict
ONE_PARAGRAPH = ("text", "split", "join", "speaker")  # edits that leave all others as they are
DOABLE = 100  # edits that a user is told of to take back
IN_WORDS = r"[\p{L}\p{M}\p{N}_]"  # what whole words are made of; as in flows/web/assets/editor/text.js


class ConflictError(InputError):
    """What an edit was made for is not there any more.

    by: who changed it, None where that isn't known; at: the index of `paragraphs`, which are there now.
    """

    def __init__(self, told: str, by: str | None, at: int, paragraphs: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(told)
        self.by, self.at, self.paragraphs = by, at, paragraphs


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A paragraph as pages show it: `told` are plain values, `doubts` what is in doubt in it, `talk` who says it
    from when on and for how long, in seconds.
    """

    told: Mapping[str, Any]
    paragraph: Paragraph
    doubts: tuple[Doubt, ...]
    talk: tuple[str | None, float, float]

    @property
    def id(self) -> str:
        """Changes with all that it holds."""
        found: str = self.told["id"]
        return found

    @property
    def speaker(self) -> str | None:
        """The label of who says it."""
        return self.paragraph.speaker

    @property
    def language(self) -> str:
        """What it is in, as the record has it."""
        return self.paragraph.language

    @property
    def words(self) -> tuple[Word, ...]:
        """Its words as the record has them."""
        return tuple(word for part in self.paragraph.parts for word in part.words)

    @property
    def start(self) -> int:
        """Milliseconds."""
        starts: list[int] = self.told["starts"]
        return starts[0]


class EditingSession:
    """The editing of one episode, from any number of threads.

    What other programs do to the episode meanwhile is heeded before each edit, and by `refresh`.
    Raises InputError and OutputError as `outputs.library.read` does.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = read.record_file(folder).parent
        self.lock = RLock()  # whoever holds it has all to themselves
        self._turn = RLock()
        self._is_alone = False
        self._record: Transcript | None = None
        self._key = ""
        self._record_stamp: Hashable = None
        self._list_stamp: Hashable = None
        self._carved: dict[tuple[int, ...], tuple[tuple[Segment, ...], list[Shown]]] = {}
        self._gone: OrderedDict[str, tuple[int, str | None]] = OrderedDict()  # start and who changed it
        self._answers: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._shown: list[Shown] = []
        self._list: tuple[Correction, ...] = ()
        self._steps: list[tuple[int, Draft, list[bool]]] = []
        self._load()

    # What there is.

    @property
    def transcript(self) -> Transcript:
        """The transcript as it is corrected by now."""
        with self.lock:
            changed = any(self._placed) or self._draft.own_chapters is not None
            return self._draft.transcript() if changed else self.record

    @property
    def record(self) -> Transcript:
        """What the models heard."""
        assert self._record is not None
        return self._record

    @property
    def word_count(self) -> int:
        """How many words are shown: what an episode takes in memory goes by that."""
        return sum(len(shown.told["words"]) for shown in self._shown)

    @property
    def revision(self) -> str:
        """Changes with the record and with each correction, and not when a program starts anew."""
        with self.lock:
            return self._revision

    def page(self, by: str = "") -> dict[str, Any]:
        """All that the page shows, as plain values; `by` is who looks."""
        with self.lock:
            episode, transcript = self.record.episode, self.record
            return {
                "revision": self._revision,
                "title": title_of(transcript),
                "show": one_line(episode.show).strip(),
                "published": one_line(episode.published).strip(),
                "seconds": length_of(transcript),
                "language": language_tag(transcript.language) or UNDETERMINED,
                "languages": [
                    {"language": language_tag(one.language) or UNDETERMINED, "share": one.share}
                    for one in transcript.languages
                ],
                "warnings": [one_line(warning).strip() for warning in transcript.warnings],
                "speakers": self._speakers,
                "chapters": self._chapters_told(),
                "summary": transcript.summary
                and {
                    "engine": one_line(transcript.summary.engine).strip(),
                    "sentences": [
                        {"text": one.text, "start": whole_ms(one.start)} for one in summary_of(transcript)
                    ],
                },
                "paragraphs": [shown.told for shown in self._shown],
                "undo": self.undoable(by),
                "doubts": self._doubts,
            }

    def undoable(self, by: str) -> list[dict[str, str]]:
        """The edits of a user that can be asked to be taken back, the newest last."""
        with self.lock:
            own = (one for one in reversed(self._list) if one.by == by and one.kind != UNDO)
            ops = islice((op for op, _ in groupby(map(_op, own))), DOABLE)
            return [{"op": op} for op in ops][::-1]

    def review(self) -> list[dict[str, Any]]:
        """All that is in doubt, the most doubtful first, as plain values."""
        with self.lock:
            items = self._items()
        return [_item_told(id, doubt, shown) for id, doubt, shown in items]

    @property
    def speakers(self) -> list[dict[str, Any]]:
        """The speakers as the page shows them."""
        with self.lock:
            return self._speakers

    @property
    def doubts(self) -> dict[str, int]:
        """How many words, speakers and names are in doubt, and how many of all have been reviewed."""
        with self.lock:
            return self._doubts

    @property
    def seen(self) -> tuple[Hashable, Hashable]:
        """The `stamps` of the files as they are known here."""
        with self.lock:
            return self._record_stamp, self._list_stamp

    @property
    def is_behind(self) -> bool:
        """Whether the episode's files were written before its last correction."""
        made, written = (
            file.stat().st_mtime if file.exists() else 0.0
            for file in (self.folder / corrections.FILE_NAME, self.folder / EPISODE.file_name)
        )
        return made > written

    @property
    def given_names(self) -> dict[str, str]:
        """What people call speakers, by label."""
        with self.lock:
            return {label: one.name for label, one in self._draft.names.items() if one.source == "user"}

    def around(self, start: int) -> tuple[int, list[Mapping[str, Any]]]:
        """The paragraphs there are now around a time in milliseconds, and the index of the first."""
        with self.lock:
            nearest = min(
                range(len(self._shown)), key=lambda at: abs(self._shown[at].start - start), default=0
            )
            first = max(0, nearest - AROUND)
            return first, [shown.told for shown in self._shown[first : nearest + AROUND + 1]]

    @property
    def chapters(self) -> Chapters:
        """The chapters that are shown."""
        with self.lock:
            return self._draft.chapters

    @property
    def waiting_chapters(self) -> tuple[Chapter, ...]:
        """A person's chapters that begin when the audio is over."""
        with self.lock:
            return chapter_list.beyond(self._draft.own_chapters or (), self.record.audio.seconds)

    @property
    def chapters_made_for(self) -> float | None:
        """Seconds of the audio for which a person made the chapters, None where this plays as long."""
        with self.lock:
            return self._draft.made_for

    @property
    def chapters_tag(self) -> str:
        """Changes with the chapters that are shown, those that wait beyond the end, and whether they were made for
        other audio, and with nothing else."""
        with self.lock:
            shown = self.chapters
            every = [chapter_list.encoded(one) for one in (shown.chapters, self.waiting_chapters)]
            return _hash(json.dumps([shown.source, shown.engine, *every, self.chapters_made_for]))

    def _chapters_told(self) -> dict[str, Any]:
        """The chapters as the page shows them."""
        shown = self._draft.chapters
        return {
            "source": shown.source,
            "told": self.record.chapters.source if self._draft.own_chapters is not None else "",
            "made_for": self._draft.made_for,
            "list": [
                {"start": whole_ms(one.start), "title": chapter_list.shown_title(one.title), "by": one.by}
                for one in shown.chapters
                if one.listed and chapter_list.shown_title(one.title)
            ],
        }

    # Edits.

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within, nobody else changes the episode, nor another program; who reads waits for neither.

        Raises as `outputs.library.files.locked`.
        """
        with self._turn:
            if self._is_alone:
                yield
                return
            with corrections.locked(self.folder), self.lock:
                self._is_alone = True
                try:
                    yield
                finally:
                    self._is_alone = False

    def edit(self, op: str, by: str, do: Mapping[str, Any]) -> dict[str, Any]:
        """Do what is asked for, once for each `op`, and keep it; what it changed, as plain values.

        ConflictError where what it is for is not there any more, InputError for what makes no sense.
        """
        if not op or len(op) > MAX_OP:
            raise InputError(f"an edit needs an op of 1 to {MAX_OP} characters, which its sender makes up")
        with self.alone():
            self.refresh()
            if self._is_done(op):
                return self._again(op, by)
            before = self._revision
            name = do.get("do")
            if name == "undo":
                changed, draft, placed = self._undone(op, by, do)
            else:
                changed, draft, placed = self._added(op, by, do, self._changes(str(name), do))
            if len(changed) == len(self._list) and name != "undo":
                return self._answer(op, by, before, [])
            data = corrections.render(changed)
            files.replace_files({self.folder / corrections.FILE_NAME: data})
            self._list_stamp = files.stamp(self.folder / corrections.FILE_NAME)
            old, speakers, chapters = self._shown, self._speakers, self._chapters_told()
            self._take(changed, draft, placed, data, by)
            return self._answer(op, by, before, _splices(old, self._shown), speakers, chapters)

    def refresh(self) -> bool:
        """Heed what other programs did to the episode; whether there was anything that changes what is shown."""
        with self.lock:
            before = self._revision
            if stamps(self.folder) != self.seen:
                self._load()
            return self._revision != before

    def _added(
        self, op: str, by: str, do: Mapping[str, Any], made: Sequence[Correction]
    ) -> tuple[tuple[Correction, ...], Draft, list[bool]]:
        draft = self._draft.copy()
        if not all(corrections.apply(draft, one) or one.kind == CHAPTERS for one in made):
            raise InputError("this can't be changed here: there are no letters to know the place by")
        if made and do["do"] in ONE_PARAGRAPH:
            made = [*made, *(one for one in self._neighbours(do) if corrections.apply(draft, one))]
            made = [*made, *(one for one in self._grown(do, draft) if corrections.apply(draft, one))]
        edit = max((one.edit for one in self._list), default=0) + 1
        made = [replace(one, edit=edit, op=op, by=by) for one in made]
        return (*self._list, *made), draft, [*self._placed, *(True for _ in made)]

    def _neighbours(self, do: Mapping[str, Any]) -> Iterator[Correction]:
        """Has paragraphs begin where they do, whatever becomes of the length or the speaker of one beside them."""
        at, moves = self._at(do), do["do"] in ("join", "speaker")
        for index in (at - 1, at + 1) if do["do"] == "join" else (at, at + 1):
            if 0 < index < len(self._shown):
                before, shown = self._shown[index - 1 : index + 1]
                if _begins_by_itself(shown) and (moves or before.speaker == shown.speaker):
                    yield _beginning(BEGIN, shown, 0)

    def _grown(self, do: Mapping[str, Any], draft: Draft) -> Iterator[Correction]:
        """Has a paragraph that became long stay one, as the user left it."""
        for splice in _splices(self._shown, self._carve(draft)):
            at, pieces = splice["at"], len(splice["paragraphs"])
            found = self._carve(draft)[at : at + pieces]
            if pieces > 1 + (do["do"] == "split") and len({shown.speaker for shown in found}) == 1:
                yield from (_beginning(GO_ON, shown, 0) for shown in found[1:] if _begins_by_itself(shown))

    def _undone(
        self, op: str, by: str, do: Mapping[str, Any]
    ) -> tuple[tuple[Correction, ...], Draft, list[bool]]:
        edit = _line(do, "edit", MAX_OP)
        own = [index for index, one in enumerate(self._list) if one.kind != UNDO and _op(one) == edit]
        if not own:
            raise self._conflict("this edit is not there any more")
        if any(self._list[index].by != by for index in own):
            raise InputError("this edit is not yours to take back")
        first, start = own[0], milliseconds(self._list[own[0]].start)
        draft, placed = self._until(first)
        kept = list(zip(self._list, placed, strict=False))
        for index, one in enumerate(self._list[first:], first):
            if index in own:
                continue
            kept.append((one, corrections.apply(draft, one)))
            if (self._placed[index] and not kept[-1][1]) or self._builds_on(one, own):
                raise self._conflict("later edits build on this one", start, by=one.by)
        kept.append((Correction(UNDO, now=edit, op=op, by=by), True))
        forgotten = [one for one, _ in kept if one.kind == UNDO][:-TAKEN_BACK]
        kept = [(one, placed) for one, placed in kept if one not in forgotten]
        return tuple(one for one, _ in kept), draft, [placed for _, placed in kept]

    def _builds_on(self, later: Correction, own: Iterable[int]) -> bool:
        """Whether a correction would mean something else without those at these indices of the list."""
        found = {speaker.label for speaker in self.record.speakers}
        for one in (self._list[index] for index in own):
            if (
                one.kind == NAME
                and later.speaker == one.speaker
                and (later.kind == NAME or one.speaker not in found)
            ):
                return True
            if one.kind == later.kind == WORDS and one.start < later.end and later.start < one.end:
                return True
            if one.kind == later.kind == CHAPTERS:
                return True
        return False

    def _is_done(self, op: str) -> bool:
        return any(op == _op(one) or (one.kind == UNDO and op == one.now) for one in self._list)

    def _again(self, op: str, by: str) -> dict[str, Any]:
        """The answer to an edit that was done before, also by a program that was ended since."""
        if op in self._answers:
            return {**self._answers[op], "undo": self.undoable(by), "doubts": self._doubts}
        own = [index for index, one in enumerate(self._list) if _op(one) == op]
        if not own or self._list[own[0]].kind == UNDO:
            return self._answer(op, by, self._revision, [])
        return self._answer(op, by, *self._what_changed(own[0], own[-1] + 1))

    def _what_changed(self, first: int, last: int) -> tuple[str, list[dict[str, Any]]]:
        """The revision before some corrections of the list, and what they changed then."""
        drafts = [self._until(count)[0] for count in (first, last)]
        old, new = (self._carve(draft) for draft in drafts)
        data = corrections.render(self._list[:first]) if first else b""
        return self._revision_of(data), _splices(old, new)

    def _answer(
        self,
        op: str,
        by: str,
        before: str,
        splices: list[dict[str, Any]],
        speakers: list[dict[str, Any]] | None = None,
        chapters: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        told = self._chapters_told()
        patch = {
            "event": "patch",
            "from": before,
            "to": self._revision,
            "op": op,
            "by": by,
            "splices": splices,
            "speakers": None if speakers == self._speakers else self._speakers,
            "chapters": None if chapters == told else told,
            "doubts": self._doubts,
        }
        if before != self._revision:
            self._answers[op] = patch
            while len(self._answers) > DOABLE:
                self._answers.popitem(last=False)
        return {**patch, "undo": self.undoable(by)}

    # What edits mean.

    def _changes(self, name: str, do: Mapping[str, Any]) -> list[Correction]:
        kinds: dict[str, Callable[[Mapping[str, Any]], list[Correction]]] = {
            "text": self._text,
            "split": self._split,
            "join": self._join,
            "speaker": self._speaker,
            "rename": self._rename,
            "confirm": self._confirm,
            "replace": self._replace,
            "chapter": self._chapter,
            "chapters": self._chapters,
            "keep_chapters": self._keep_chapters,
        }
        if name not in kinds:
            raise InputError(f"unknown edit {name[:40]!r}; there are undo, {', '.join(kinds)}")
        return kinds[name](do)

    def _text(self, do: Mapping[str, Any]) -> list[Correction]:
        shown = self._shown[self._at(do)]
        text = _line(do, "text", MAX_TEXT)
        return [
            one
            for change in changes(shown.words, text)
            for one in self._placed_apart(shown, change.first, change.last, change.now)
        ]

    def _split(self, do: Mapping[str, Any]) -> list[Correction]:
        shown, at = self._shown[self._at(do)], _number(do, "word")
        if not 0 < at < len(shown.words):
            raise InputError("a paragraph can be split before each of its words but the first")
        return [_beginning(BEGIN, shown, at)]

    def _join(self, do: Mapping[str, Any]) -> list[Correction]:
        at = self._at(do)
        if at == 0:
            raise InputError("there is no paragraph before this one to join it with")
        before, here = self._shown[at - 1 : at + 1]
        found = [_beginning(GO_ON, here, 0)]
        if (before.speaker, before.language) != (here.speaker, here.language):
            tongue = before.language if before.language != here.language else ""
            found = [*self._said_by(here, before.speaker, tongue), *found]
        return found

    def _speaker(self, do: Mapping[str, Any]) -> list[Correction]:
        shown = self._shown[self._at(do)]
        label, named = _line(do, "speaker", MAX_NAME), list[Correction]()
        if not label:
            name = _line(do, "name", MAX_NAME)
            if not name:
                raise InputError("a new speaker needs a name")
            same = (s.label for s in self._draft.names.values() if s.name.casefold() == name.casefold())
            label = next(same, "")
            if not label:
                label = fresh_label(self._draft.names)
                named = [Correction(NAME, speaker=label, now=name)]
        elif label not in self._draft.names:
            raise InputError("there is no such speaker")
        unsure = any(is_unsure(word) for word in shown.words)
        if shown.speaker == label and not unsure:
            return []
        return [*named, *self._said_by(shown, label)]

    def _rename(self, do: Mapping[str, Any]) -> list[Correction]:
        label, name = _line(do, "speaker", MAX_NAME), _line(do, "name", MAX_NAME)
        if not name or label not in self._draft.names:
            raise InputError("to rename somebody takes a speaker and a name")
        now = self._draft.names[label]
        if "was" in do and _line(do, "was", MAX_NAME) != one_line(now.name).strip():
            by = next(
                (one.by for one in reversed(self._list) if one.kind == NAME and one.speaker == label), None
            )
            raise self._conflict("somebody else has given this speaker another name", by=by)
        return [] if (now.name, now.source) == (name, "user") else [Correction(NAME, speaker=label, now=name)]

    def _confirm(self, do: Mapping[str, Any]) -> list[Correction]:
        wanted = _line(do, "item", MAX_OP)
        found = next(((doubt, shown) for id, doubt, shown in self._items() if id == wanted), None)
        if found is None:
            raise self._conflict("this is in doubt no more, or was changed")
        doubt, shown = found
        if shown is None or doubt.kind == review.NAME:
            if not doubt.is_confirmable:
                raise InputError(f"{doubt.text} is nobody's name: give them one")
            name = self._draft.names[str(doubt.label)].name
            return [Correction(NAME, speaker=str(doubt.label), now=name)]
        if doubt.kind == review.SPEAKER:
            return self._said_by(shown, shown.speaker)
        return [about(CONFIRM, words) for words in self._runs(shown, doubt.first, doubt.last)]

    def _replace(self, do: Mapping[str, Any]) -> list[Correction]:
        find, put = _text(do, "find", MAX_NAME), _text(do, "replace", MAX_NAME)
        if not find.strip():
            raise InputError("to replace something takes what to find")
        pattern = sought(find, same_case=bool(do.get("case")), whole_words=bool(do.get("words")))
        made = [one for shown in self._shown for one in self._replaced(shown, pattern, put)]
        if len(made) > MAX_REPLACED:
            raise InputError(f"that is in more than {MAX_REPLACED} places: find something longer")
        return made

    def _chapter(self, do: Mapping[str, Any]) -> list[Correction]:
        """A chapter is put in, where there is only `now`, taken out, where there is only `was`, or changed."""
        was, now = (_chapter_in(do, name) for name in ("was", "now"))
        every = self._own_chapters
        at = chapter_list.index_of(every, *was) if was else None
        if was and at is None:
            raise self._chapters_conflict("this chapter has changed meanwhile", was[0])
        others = [one for index, one in enumerate(every) if index != at]
        made_for = self._draft.chapters_seconds or self.record.audio.seconds  # as the others still are
        if now is None:
            return [] if was is None else self._chapters_become(others, made_for)
        end = self.record.audio.seconds
        made = chapter_list.retold(Chapter(0.0, "") if at is None else every[at], *now)
        if chapter_list.beyond([made], end):
            raise InputError(f"no chapter can begin at {clock(now[0])}: the episode ends at {clock(end)}")
        return self._chapters_become(chapter_list.checked([*others, made]), made_for)

    def _chapters(self, do: Mapping[str, Any]) -> list[Correction]:
        """The episode has these chapters and no others; None: those that were told or proposed again."""
        if "was" in do and _line(do, "was", MAX_OP) != self.chapters_tag:
            raise self._chapters_conflict("the chapters have changed meanwhile")
        told = do.get("chapters")
        if told is None:
            return [] if self._draft.own_chapters is None else [Correction(CHAPTERS)]
        return self._chapters_become(
            chapter_list.checked(chapter_list.decoded(told)), self.record.audio.seconds
        )

    def _keep_chapters(self, do: Mapping[str, Any]) -> list[Correction]:
        kept = (replace(one, by="") for one in self._own_chapters)
        return self._chapters_become(kept, self.record.audio.seconds)

    @property
    def _own_chapters(self) -> tuple[Chapter, ...]:
        """The person's chapters, those beyond the end among them, or what is there for them to begin with."""
        kept = self._draft.own_chapters
        return chapter_list.own(self.record.chapters.chapters) if kept is None else kept

    def _chapters_become(self, chapters: Iterable[Chapter], made_for: float) -> list[Correction]:
        now = chapter_list.in_order(chapters)
        made = Correction(CHAPTERS, end=whole_ms(made_for) if now else 0.0, chapters=now)
        is_there = (now, made.end) == (self._draft.own_chapters, self._draft.chapters_seconds)
        return [] if is_there else [made]

    def _chapters_conflict(self, told: str, start: float | None = None) -> ConflictError:
        by = next((one.by for one in reversed(self._list) if one.kind == CHAPTERS), None)
        return self._conflict(told, None if start is None else milliseconds(start), by)

    def _replaced(self, shown: Shown, pattern: regex.Pattern[str], put: str) -> Iterator[Correction]:
        """Where something is found in a paragraph, the words that hold it with something else in its place."""
        texts = [str(text) for text in shown.told["words"]]
        running = "".join(texts)
        if not pattern.search(running):
            return
        edges = [0]
        for text in texts:
            edges.append(edges[-1] + len(text))
        spans = [(match.start(), match.end()) for match in pattern.finditer(running) if match[0]]
        at = 0
        while at < len(spans):
            first = _word_at(edges, spans[at][0])
            last = _word_at(edges, spans[at][1] - 1) + 1
            here = [spans[at]]
            while at + 1 < len(spans) and spans[at + 1][0] < edges[last]:
                at += 1
                here.append(spans[at])
                last = max(last, _word_at(edges, spans[at][1] - 1) + 1)
            at += 1
            text, done = "", edges[first]
            for begin, end in here:
                text, done = text + running[done:begin] + put, end
            text += running[done : edges[last]]
            if text != running[edges[first] : edges[last]]:
                yield from self._placed_apart(shown, first, last, text)

    def _placed_apart(self, shown: Shown, first: int, last: int, now: str) -> Iterator[Correction]:
        """Words of a paragraph that become a text; where others were thrown in between, the first of them become it."""
        for words in self._runs(shown, first, last):
            yield written(words, now)
            now = ""

    def _said_by(self, shown: Shown, label: str | None, language: str = "") -> list[Correction]:
        runs = self._runs(shown, 0, len(shown.words))
        return [replace(about(SPEAKER, words), speaker=label or "", language=language) for words in runs]

    def _runs(self, shown: Shown, first: int, last: int) -> Iterator[tuple[Word, ...]]:
        """Words of a paragraph, those together that follow each other in the record."""
        places = self._places
        run, before = list[Word](), None
        passed = 0
        for part in shown.paragraph.parts:
            words = part.words[max(0, first - passed) : max(0, last - passed)]
            passed += part.last - part.first
            if not words:
                continue
            at = places[id(part.segment)]
            if run and not (before is not None and _follows(before, part, at - places[id(before.segment)])):
                yield tuple(run)
                run = []
            run += words
            before = part
        if run:
            yield tuple(run)

    # Where.

    def _at(self, do: Mapping[str, Any]) -> int:
        """The index of the paragraph that an edit is for; of some that are all the same the nearest to its `start`."""
        wanted, start = _line(do, "paragraph", MAX_OP), do.get("start")
        if start is not None and type(start) is not int:
            raise InputError("start must be whole milliseconds")
        found = [at for at, shown in enumerate(self._shown) if shown.id == wanted]
        if not found:
            was, by = self._gone.get(wanted, (start, None))
            raise self._conflict("this paragraph has changed meanwhile", was if start is None else start, by)
        return min(found, key=lambda at: abs(self._shown[at].start - (start or 0)))

    def _conflict(self, told: str, start: int | None = None, by: str | None = None) -> ConflictError:
        """With what there is now around a time in milliseconds, if one is known; `by` changed it."""
        at, there = self.around(start) if start is not None else (0, [])
        return ConflictError(told, by, at, there)

    def _items(self) -> list[tuple[str, Doubt, Shown | None]]:
        """All that is in doubt, with ids that last as long as it is the same; the most doubtful first."""
        found: list[tuple[str, Doubt, Shown | None]] = []
        seen = Counter[str]()
        first = {shown.speaker: shown for shown in reversed(self._shown)}
        about = [(doubt, shown) for shown in self._shown for doubt in shown.doubts]
        for doubt, shown in (*about, *((doubt, first.get(doubt.label)) for doubt in self._names_in_doubt)):
            what = f"{doubt.kind} {doubt.start} {doubt.end} {doubt.label} {doubt.text}"
            found.append((_hash(f"{what} {seen[what]}"), doubt, shown))
            seen[what] += 1
        found.sort(key=lambda one: (-one[1].doubt, one[1].start))
        return found

    # Keeping.

    def _load(self) -> None:
        record_stamp, list_stamp = stamps(self.folder)
        anew = record_stamp != self._record_stamp and self._load_record()
        made = corrections.load(self.folder) if list_stamp != self._list_stamp else self._list
        self._record_stamp, self._list_stamp = record_stamp, list_stamp
        if anew:
            self._list, self._steps = (), [(0, Draft(self.record), [])]
        if anew or made != self._list:
            self._drop_steps(made)
            self._list = made
            self._take(made, *self._until(len(made)), corrections.render(made))

    def _load_record(self) -> bool:
        """Read the record; whether it tells something else than the one there was."""
        file = self.folder / EPISODE.file_name
        data = read.record_bytes(file)
        key = _hash(episode_json.heard(data))
        found = read.decoded(data, file) if key != self._key else self.record
        if self._key and replace(found, review=None) == replace(self.record, review=None):
            return False
        self._record, self._key = found, key
        self._repairs = review.Repairs(found.repairs)
        self._carved.clear()
        base = self._carve(Draft(found))
        doubts = [doubt for shown in base for doubt in shown.doubts]
        talk = review.talk_of(shown.talk for shown in base)
        self._progress = review.Progress([*doubts, *review.of_names(found.speakers, found.evidence, talk)])
        return True

    def _until(self, count: int) -> tuple[Draft, list[bool]]:
        """The draft with so many corrections of the list, and which of them found their places."""
        done, draft, placed = next(step for step in reversed(self._steps) if step[0] <= count)
        draft, placed = draft.copy(), placed.copy()
        for number, one in enumerate(self._list[done:count], done + 1):
            placed.append(corrections.apply(draft, one))
            if number % STEPS == 0 and number > self._steps[-1][0]:
                self._steps.append((number, draft.copy(), placed.copy()))
        return draft, placed

    def _drop_steps(self, made: Sequence[Correction]) -> None:
        """Keep the drafts that come before what is otherwise than in the list there was."""
        same = _alike(made, self._list)
        self._steps = [step for step in self._steps if step[0] <= same]

    def _take(
        self,
        made: tuple[Correction, ...],
        draft: Draft,
        placed: list[bool],
        data: bytes,
        by: str | None = None,
    ) -> None:
        """Have this be what there is. data: the list as it is kept; by: who makes it so, None where nobody knows."""
        self._drop_steps(made)
        if len(made) >= self._steps[-1][0] + STEPS:
            self._steps.append((len(made), draft.copy(), placed.copy()))
        self._list, self._draft, self._placed = made, draft, placed
        self._places = {id(segment): at for at, segment in enumerate(draft.segments)}
        self._revision = self._revision_of(data if made else b"")
        before, self._shown = self._shown, self._carve(draft)
        there = {shown.id for shown in self._shown}
        for shown in before:
            if shown.id not in there:
                self._gone[shown.id] = shown.start, by
        while len(self._gone) > GONE:
            self._gone.popitem(last=False)
        self._talk = review.talk_of(shown.talk for shown in self._shown)
        self._names_in_doubt = review.of_names(draft.names.values(), self.record.evidence, self._talk)
        self._speakers = self._who()
        self._doubts = self._counted()

    def _revision_of(self, data: bytes) -> str:
        """data: the list as it is kept, b"" for none."""
        return _hash(f"{self._key} ".encode() + data if data else self._key.encode())

    def _carve(self, draft: Draft) -> list[Shown]:
        """The paragraphs of a draft; those of passages that were seen before are the same objects."""
        found, kept = list[Shown](), {}
        known = {shown.id: shown for shown in self._shown}
        # Those that were told or proposed: what people edit meanwhile would take paragraphs away that others edit.
        chapters = [one.start for one in listed_chapters(self.record)]
        for passage in by_speaker(draft.segments):
            key = tuple(map(id, passage))
            if key not in self._carved:
                made = [self._show(one, known) for one in paragraphs(passage, self.record.language, chapters)]
                self._carved[key] = passage, made  # the passage is held, so that no other object gets its ids
            kept[key] = self._carved[key]
            found += self._carved[key][1]
        if len(self._carved) > 2 * len(kept) + 1000:
            self._carved = kept
        return found

    def _show(self, paragraph: Paragraph, known: Mapping[str, Shown]) -> Shown:
        doubts = review.in_paragraph(paragraph, self._repairs)
        told: Mapping[str, Any] = _paragraph_told(paragraph, doubts)
        same = known.get(told["id"])
        if same is not None and [part.segment for part in same.paragraph.parts] == [
            p.segment for p in paragraph.parts
        ]:
            told = same.told
        talk = paragraph.speaker, paragraph.words[0].start, paragraph.seconds
        return Shown(told, paragraph, doubts, talk)

    def _who(self) -> list[dict[str, Any]]:
        """The speakers as the page shows them."""
        names = {label: one_line(speaker.name).strip() for label, speaker in self._draft.names.items()}
        seconds = dict[str, float]()  # by name, in order of first words: labels of one name are one speaker
        for label, (_, own) in self._talk.items():
            seconds[names.get(label, label)] = seconds.get(names.get(label, label), 0.0) + own
        order = {name: number for number, name in enumerate(dict.fromkeys((*seconds, *names.values())))}
        total = sum(seconds.values()) or 1.0
        return [
            {
                "label": label,
                "name": names[label],
                "colour": order[names[label]] % COLOURS,
                "source": speaker.source,
                "confidence": speaker.confidence,
                "share": round(seconds.get(names[label], 0.0) / total, 4),
            }
            for label, speaker in self._draft.names.items()
        ]

    def _counted(self) -> dict[str, int]:
        left = [doubt for shown in self._shown for doubt in shown.doubts] + self._names_in_doubt
        kinds = Counter(doubt.kind for doubt in left)
        progress = self._progress.review(left)
        return {
            "words": kinds[review.WORD],
            "speakers": kinds[review.SPEAKER],
            "names": kinds[review.NAME],
            "reviewed": progress.reviewed,
            "total": progress.doubts,
        }


def stamps(folder: Path) -> tuple[Hashable, Hashable]:
    """Those of the record and of the corrections: when one changes, the episode may have."""
    return files.stamp(folder / EPISODE.file_name), files.stamp(folder / corrections.FILE_NAME)


def _op(one: Correction) -> str:
    """By what a correction's edit is known; those of before edits had ids are numbered."""
    return one.op or f"edit-{one.edit}"


def _alike(one: Sequence[object], other: Sequence[object]) -> int:
    """How many things two lists have in common at their beginnings."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a is not b and a != b), min(len(one), len(other)))


def _hash(data: str | bytes) -> str:
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return hashlib.blake2b(raw, digest_size=12).hexdigest()


def _paragraph_told(paragraph: Paragraph, doubts: Sequence[Doubt]) -> dict[str, Any]:
    words = paragraph.words
    texts = [one_line(word.text) for word in words]
    texts[0] = texts[0].lstrip()
    told: dict[str, Any] = {
        "speaker": paragraph.speaker,
        "language": language_tag(paragraph.language) or UNDETERMINED,
        "direction": "rtl" if is_right_to_left("".join(texts), paragraph.language) else "ltr",
        "starts": [milliseconds(word.start) for word in words],
        "ends": [milliseconds(word.end) for word in words],
        "words": texts,
        "doubt": [at for one in doubts if one.kind == review.WORD for at in range(one.first, one.last)],
        "unsure": any(one.kind == review.SPEAKER for one in doubts),
        "overlap": [at for at, word in enumerate(words) if word.overlap],
    }
    return {"id": _hash(json.dumps(told)), **told}


def _item_told(id: str, doubt: Doubt, shown: Shown | None) -> dict[str, Any]:
    return {
        "id": id,
        "kind": doubt.kind,
        "doubt": doubt.doubt,
        "why": doubt.why,
        "value": doubt.value,
        "paragraph": shown.id if shown else None,
        "from": doubt.first,
        "to": doubt.last,
        "start": doubt.start,
        "end": doubt.end,
        "text": doubt.text,
        "suggestion": doubt.suggestion,
        "speaker": doubt.label,
        "confirmable": doubt.is_confirmable,
    }


def _splices(old: Sequence[Shown], new: Sequence[Shown]) -> list[dict[str, Any]]:
    """What makes one list of paragraphs the other: splices in order, each against the result of those before."""
    first = next(
        (at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a.id != b.id), min(len(old), len(new))
    )
    tail = next(
        (
            at
            for at, (a, b) in enumerate(zip(reversed(old[first:]), reversed(new[first:]), strict=False))
            if a.id != b.id
        ),
        min(len(old), len(new)) - first,
    )
    before = [shown.id for shown in old[first : len(old) - tail]]
    after = [shown.id for shown in new[first : len(new) - tail]]
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return [
        {
            "at": first + c,
            "removed": b - a,
            "paragraphs": [shown.told for shown in new[first + c : first + d]],
        }
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    ]


def _beginning(kind: str, shown: Shown, at: int) -> Correction:
    """A correction about the word at an index, known by it and some that follow it."""
    passed = 0
    for part in shown.paragraph.parts:
        if at < passed + part.last - part.first:
            words = part.words[at - passed :][:ANCHOR]
            return replace(about(kind, words), start=whole_ms(words[0].start))
        passed += part.last - part.first
    raise InputError("there is no such word")


def _begins_by_itself(shown: Shown) -> bool:
    """Whether nobody has said that a paragraph begins there."""
    first = shown.paragraph.parts[0]
    return first.first > 0 or first.segment.paragraph is None


def _follows(before: Part, part: Part, steps: int) -> bool:
    """Whether a part goes on, in the record, where one before ends. steps: from that one's segment to its."""
    if steps == 0:
        return before.last == part.first
    return steps == 1 and before.last == len(before.segment.words) and part.first == 0


def _word_at(edges: Sequence[int], place: int) -> int:
    """The index of the word that has a letter. edges: where each begins in the running text."""
    return bisect_right(edges, place) - 1


def _chapter_in(do: Mapping[str, Any], name: str) -> tuple[float, str] | None:
    """When a chapter that an edit names begins, in seconds, and its title; None where it names none."""
    told = do.get(name)
    if told is None:
        return None
    start = told.get("start") if isinstance(told, Mapping) else None
    if isinstance(start, bool) or not isinstance(start, int | float) or not 0 <= start <= MAX_SECONDS:
        raise InputError(f"{name} must be a chapter: its start, in seconds, and its title")
    return whole_ms(start), _line(told, "title", MAX_TEXT)


def _number(do: Mapping[str, Any], name: str) -> int:
    value = do.get(name)
    if type(value) is not int:
        raise InputError(f"{name} must be a whole number")
    return value


def _line(do: Mapping[str, Any], name: str, limit: int) -> str:
    return _text(do, name, limit).strip()


def _text(do: Mapping[str, Any], name: str, limit: int) -> str:
    """On one line, with the white space around it."""
    value = do.get(name, "")
    if not isinstance(value, str) or len(value) > limit:
        raise InputError(f"{name} must be text of up to {limit} characters")
    return one_line(value)


def sought(find: str, *, same_case: bool, whole_words: bool) -> regex.Pattern[str]:
    """What find and replace looks for, literally; the page finds the same."""
    literal = r"\s+".join(map(regex.escape, regex.split(r"\s+", find)))
    if not same_case:  # else these would be those of Turkish, too
        literal = regex.sub("[iIİ]", lambda i: f"(?-i:{'İ' if i[0] == 'İ' else '[iI]'})", literal)
    pattern = rf"(?<!{IN_WORDS}){literal}(?!{IN_WORDS})" if whole_words else literal
    return regex.compile(pattern, 0 if same_case else regex.IGNORECASE)
