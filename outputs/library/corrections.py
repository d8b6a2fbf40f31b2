"""What people correct in a transcript: a list kept beside episode.json, laid over it whenever it is read.

The record stays what the models heard. A correction names the words it is about (`was`) and when they
are said, so that it finds its place again in the record of another model. Where those words are not
there any more it stays in the list, waits, and is reported. Words are compared by their letters: case
and punctuation may differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import SequenceMatcher
from itertools import count, groupby
from pathlib import Path
from typing import Any

from models.naming.label_matching import matching_label
from models.record.errors import OutputError
from models.record.graphemes import graphemes
from models.record.transcript import Segment, Speaker, Transcript, Word
from outputs.library.sayers import with_sayers
from outputs.text.characters import is_spaceless
from outputs.text.times import whole_ms

FILE_NAME = "corrections.json"
VERSION = 1
MAX_SHIFT = 1.5  # seconds by which another model may time the same word differently
ALIKE = 0.6  # share of its words by which a passage is known again
WORDS, SPEAKER, NAME, SPLIT, JOIN = KINDS = ("words", "speaker", "name", "split", "join")
MIN_WORD = 0.08  # seconds of silence that a word put in needs
WORD_SECONDS, LETTER_SECONDS = 0.1, 0.06  # how long words put in take where there is silence enough
_NOT_LETTERS = re.compile(r"[\W_]+")
_CHUNKS = re.compile(r"\s*\S+")


@dataclass(frozen=True, slots=True)
class Correction:
    """One change. `kind` says what it does to the words `was`, said from `start` to `end` seconds.

    words: they become the text `now` ("" removes them). speaker: the label `speaker` says them.
    name: the label is called `now`. split: a segment ends between the two words. join: the segments that
    meet between the two words become one. What was done at once shares an `edit` number.
    """

    kind: str
    start: float = 0.0
    end: float = 0.0
    was: tuple[str, ...] = ()
    now: str = ""
    speaker: str = ""
    edit: int = 0

    def __str__(self) -> str:
        was, now = " ".join(word.strip() for word in self.was), self.now.strip()
        told = {
            WORDS: f"“{was}” → “{now}”" if now else f"“{was}” removed",
            SPEAKER: f"{self.speaker} says “{was}”",
            NAME: f"{self.speaker} is “{now}”",
            SPLIT: f"new segment within “{was}”",
            JOIN: f"one segment with “{was}”",
        }
        return told[self.kind]


@dataclass(frozen=True, slots=True)
class Corrected:
    """A transcript with corrections laid over it, and those that found no place in it."""

    transcript: Transcript
    waiting: tuple[Correction, ...] = ()


def load(folder: Path) -> tuple[Correction, ...]:
    """The corrections kept in an episode's folder; none where nobody made any. OutputError if damaged."""
    file = folder / FILE_NAME
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        return _decoded(record)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise OutputError(f"cannot read {file}: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise OutputError(
            f"{file}: damaged or not a list of corrections ({error}); mend or remove it"
        ) from error


def render(corrections: Iterable[Correction]) -> str:
    """The list as the text of its file."""
    kept = [
        {name: value for name, value in asdict(one).items() if value != _DEFAULTS.get(name)}
        for one in corrections
    ]
    return json.dumps({"version": VERSION, "corrections": kept}, ensure_ascii=False, indent=1) + "\n"


def apply_corrections(transcript: Transcript, corrections: Iterable[Correction]) -> Corrected:
    """Lay corrections over a transcript, in order; each sees what those before it made."""
    draft, waiting, placed = _Draft(transcript), list[Correction](), list[Correction]()
    for correction in corrections:
        (placed if draft.apply(correction) else waiting).append(correction)
    if not placed:
        return Corrected(transcript, tuple(waiting))
    # Somebody corrected a word twice and the record has it right by now: the first step is not missed.
    later = {(one.start, _letters("".join(one.was))) for one in placed if one.kind == WORDS}
    missed = (one for one in waiting if one.kind != WORDS or (one.start, _letters(one.now)) not in later)
    return Corrected(draft.transcript(), tuple(missed))


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


def word_changes(words: Sequence[Word], text: str, edit: int = 0) -> list[Correction]:
    """The corrections that make consecutive words read `text`, each for as few words as possible."""
    old = [(unit.strip(), index) for index, word in enumerate(words) for unit in word_units(word.text)]
    new = word_units(" ".join(text.split()))
    matcher = SequenceMatcher(None, [unit for unit, _ in old], [unit.strip() for unit in new], autojunk=False)
    found = []
    for first, last, start, stop in _whole_words(matcher.get_opcodes(), [index for _, index in old]):
        touched = words[old[first][1] : old[last - 1][1] + 1]
        found.append(
            Correction(
                WORDS,
                whole_ms(touched[0].start),
                whole_ms(max(word.end for word in touched)),
                tuple(word.text for word in touched),
                _spaced_like(touched[0].text, "".join(new[start:stop])),
                edit=edit,
            )
        )
    return found


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


def word_units(text: str) -> list[str]:
    """The words of a text, each with the white space before it; in scripts without spaces each letter.

    >>> word_units("Go to 東京, now"), word_units("กำที่")
    (['Go', ' to', ' 東', '京,', ' now'], ['กำ', 'ที่'])
    """
    found = list[str]()
    for chunk in _CHUNKS.findall(text):
        piece = ""
        for letter in graphemes(chunk):
            last, char = piece.strip()[-1:], letter[0]
            if last and char.isalnum() and (is_spaceless(char) or (last.isalnum() and is_spaceless(last))):
                found.append(piece)
                piece = ""
            piece += letter
        found.append(piece)
    return found


def _spaced_like(first: str, text: str) -> str:
    """The text with the white space before it that the first of the old words has; "" for nothing."""
    bare = text.strip()
    return f"{first[: len(first) - len(first.lstrip())]}{bare}" if bare else ""


_DEFAULTS = {entry.name: entry.default for entry in fields(Correction) if entry.name != "kind"}


def _decoded(record: Mapping[str, Any]) -> tuple[Correction, ...]:
    if record["version"] != VERSION:
        raise ValueError(f"version {record['version']!r}, this Episcribe reads {VERSION}")
    found = tuple(Correction(**{**one, "was": tuple(one.get("was", ()))}) for one in record["corrections"])
    for one in found:
        texts = (one.now, one.speaker, *one.was)
        if one.kind not in KINDS or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"an unknown kind of correction: {one.kind!r}")
        float(one.start), float(one.end), int(one.edit)
    return found


@dataclass(slots=True)
class _Draft:
    """A transcript that is being corrected: its words in a row, and the number of the segment of each."""

    base: Transcript
    words: list[Word] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    speakers: dict[int, str | None] = field(default_factory=dict)
    names: dict[str, Speaker] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = {speaker.label: speaker for speaker in self.base.speakers}
        for number, segment in enumerate(self.base.segments):
            self.speakers[number] = segment.speaker
            self.words += segment.words
            self.owners += [number] * len(segment.words)

    def apply(self, correction: Correction) -> bool:
        """Whether the correction found its place, or the record has it right already."""
        actions = {
            WORDS: self._write,
            SPEAKER: self._assign,
            NAME: self._name,
            SPLIT: self._split,
            JOIN: self._join,
        }
        return actions[correction.kind](correction)

    def transcript(self) -> Transcript:
        """The corrected transcript."""
        rows = zip(self.owners, self.words, strict=True)
        segments = (
            self._segment(owner, tuple(word for _, word in group))
            for owner, group in groupby(rows, key=lambda row: row[0])
        )
        found = replace(self.base, segments=tuple(segments), speakers=tuple(self.names.values()))
        translations = tuple(with_sayers(one, self.base, found) for one in self.base.translations)
        return replace(found, translations=translations)

    def _segment(self, owner: int, words: tuple[Word, ...]) -> Segment:
        if owner < len(self.base.segments) and self.base.segments[owner].words == words:
            return self.base.segments[owner]
        speaker, language = self.speakers[owner], words[0].language
        spoken = tuple(
            word
            if (word.speaker, word.language) == (speaker, language)
            else replace(word, speaker=speaker, language=language)
            for word in words
        )
        end = max(word.end for word in words)
        return Segment(words[0].start, end, speaker, spoken, language=language)

    def _write(self, correction: Correction) -> bool:
        new = word_units(correction.now)
        place = self._find(correction.start, correction.was, _bare)
        if place is None and self._find(correction.start, new, _bare) is not None:
            return True  # this model heard it right
        place = place or self._find(correction.start, correction.was, _letters)
        if place is None:
            return False
        first, last = place
        written = self._timed(first, last, new)
        self.owners[first:last] = [self.owners[first]] * len(written)
        self.words[first:last] = written
        return True

    def _assign(self, correction: Correction) -> bool:
        inside, label = self._inside(correction), correction.speaker
        for index in inside:
            self.words[index] = replace(self.words[index], speaker_probability=1.0)  # a person says so
        if inside and label not in self.names:
            self.names[label] = Speaker(label, self._numbered())
        for owner, group in groupby(inside, key=lambda index: self.owners[index]):
            if self.speakers[owner] != label:
                number = self._new_segment(label)
                for index in group:
                    self.owners[index] = number
        return bool(inside)

    def _numbered(self) -> str:
        """What to call somebody of whom no name is known."""
        taken = {speaker.name for speaker in self.names.values()}
        return next(name for number in count(1) if (name := f"Speaker {number}") not in taken)

    def _name(self, correction: Correction) -> bool:
        self.names[correction.speaker] = Speaker(correction.speaker, correction.now, "user", 1.0)
        return True

    def _split(self, correction: Correction) -> bool:
        at = self._seam(correction)
        if at is not None and self.owners[at - 1] == self.owners[at]:
            self._give(at, self._new_segment(self.speakers[self.owners[at]]))
        return at is not None

    def _join(self, correction: Correction) -> bool:
        at = self._seam(correction)
        if at is not None and self.owners[at - 1] != self.owners[at]:
            self._give(at, self.owners[at - 1])
        return at is not None

    def _give(self, at: int, new: int) -> None:
        """Give the words from `at` on, to the end of their segment, to segment `new`."""
        old = self.owners[at]
        while at < len(self.owners) and self.owners[at] == old:
            self.owners[at] = new
            at += 1

    def _new_segment(self, speaker: str | None) -> int:
        number = max(self.speakers, default=-1) + 1
        self.speakers[number] = speaker
        return number

    def _find(self, start: float, was: Sequence[str], key: Callable[[str], str]) -> tuple[int, int] | None:
        """Where words that read so begin and end, those nearest to `start`; None where there are none.

        It is the text that counts, not how it is cut into words.
        """
        wanted = "".join(map(key, was))
        near = (index for index, word in enumerate(self.words) if abs(word.start - start) <= MAX_SHIFT)
        for first in sorted(near, key=lambda index: abs(self.words[index].start - start)) if wanted else ():
            text, last = "", first
            while len(text) < len(wanted) and last < len(self.words):
                text += key(self.words[last].text)
                last += 1
            if text == wanted and key(self.words[first].text):
                return first, last
        return None

    def _seam(self, correction: Correction) -> int | None:
        """The index of the second of the two words between which a segment ends or goes on."""
        place = self._find(correction.start, correction.was, _letters)
        return place[0] + 1 if place and place[1] - place[0] == 2 else None

    def _inside(self, correction: Correction) -> list[int]:
        """The words of a passage, known again by its time and by most of its words."""
        inside = [
            index
            for index, word in enumerate(self.words)
            if correction.start <= (word.start + word.end) / 2 <= correction.end
        ]
        found = [_letters(self.words[index].text) for index in inside]
        wanted = [_letters(text) for text in correction.was]
        matching = SequenceMatcher(None, found, wanted, autojunk=False).get_matching_blocks()
        if not wanted or sum(block.size for block in matching) < ALIKE * len(wanted):
            return []
        # Ends that do not match were heard otherwise if they are as many words as before; else they belong to
        # people who talk at the same time, whose words come before or after these in the record.
        first, last = matching[0].a, matching[-2].a + matching[-2].size
        lead, tail = matching[0].b, len(wanted) - matching[-2].b - matching[-2].size
        same_length = first == lead and len(inside) - last == tail
        return inside if same_length else inside[first:last]

    def _timed(self, at: int, until: int, new: Sequence[str]) -> list[Word]:
        """Words that read `new` in place of those from `at` to `until`; unchanged ones keep their times.

        Others share the time of what they replace by their length. Where they replace nothing they fill
        the silence before the next word, or share the time of the word before.
        """
        old = self.words[at:until]
        matcher = SequenceMatcher(None, [_bare(w.text) for w in old], list(map(_bare, new)), autojunk=False)
        result: list[Word] = []
        for tag, first, last, start, stop in matcher.get_opcodes():
            if tag == "equal":
                result += (replace(old[first + i], text=new[start + i]) for i in range(last - first))
            elif tag == "replace":
                end = max(word.end for word in old[first:last])
                result += _shared(new[start:stop], old[first].start, end, old[first])
            elif tag == "insert":
                ahead = self.words[at + first : at + first + 1]
                limit = ahead[0].start if ahead else max(self.base.audio.seconds, old[-1].end)
                result += _inserted(new[start:stop], result, limit, old[0])
        return result


def _inserted(parts: Sequence[str], before: list[Word], limit: float, like: Word) -> list[Word]:
    """Words said after those `before` and until `limit` seconds; takes time from the last one if it must."""
    since = before[-1].end if before else max(0.0, limit - WORD_SECONDS * len(parts))
    wished = sum(WORD_SECONDS + LETTER_SECONDS * len(part.strip()) for part in parts)
    if before and limit - since < MIN_WORD * len(parts):
        last = before.pop()
        return _shared([last.text, *parts], last.start, last.end, last)
    return _shared(parts, since, max(since, min(limit, since + wished)), like)


def _shared(parts: Sequence[str], start: float, end: float, like: Word) -> list[Word]:
    """Words that divide a span of time by their letters; certain, since a person wrote them."""
    lengths = [max(1, len(part.strip())) for part in parts]
    total, passed = sum(lengths), 0
    words = []
    for part, length in zip(parts, lengths, strict=True):
        first, last = (start + (end - start) * done / total for done in (passed, passed + length))
        words.append(replace(like, start=whole_ms(first), end=whole_ms(last), text=part, probability=1.0))
        passed += length
    return words


def _bare(text: str) -> str:
    return text.strip()


def _letters(text: str) -> str:
    """What is compared of a word: its letters and digits; its marks where it has nothing else."""
    return _NOT_LETTERS.sub("", text.casefold()) or text.strip()
