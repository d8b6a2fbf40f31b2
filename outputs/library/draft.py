"""A transcript that is being corrected: segments in the record's order, which each correction changes in one place.

A correction finds its place by the words that it is about and by when they are said; nothing here looks at all words,
so a change of a long episode takes no longer than one of a short one.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from itertools import count, groupby
from typing import TYPE_CHECKING, Any

from models.record.graphemes import graphemes
from models.record.transcript import Chapter, Chapters, Segment, Speaker, Transcript, Word
from outputs.library import chapter_list
from outputs.library.retiming import letters, retimed
from outputs.library.sayers import with_sayers
from outputs.text.characters import is_spaceless

if TYPE_CHECKING:
    from outputs.library.corrections import Correction

MAX_SHIFT = 1.5  # seconds by which another model may time the same word differently
ALIKE = 0.6  # share of its words by which a passage is known again
_CHUNKS = re.compile(r"\s*\S+")
LEAST_WORD = 0.02  # seconds that every word needs; who types more takes time of the words around

Place = tuple[int, int]  # of a word: the index of its segment, and its own in that
Key = Callable[[str], str]


@dataclass(slots=True)
class Draft:
    """What has become of `base` by now. `names` are the speakers by their labels.

    `own_chapters` are those of a person, also where they begin after the end; None where those of `base` hold.
    `chapters_seconds` is how long the audio was for which they were made, 0 where that isn't known.
    """

    base: Transcript
    segments: list[Segment] = field(default_factory=list)
    names: dict[str, Speaker] = field(default_factory=dict)
    own_chapters: tuple[Chapter, ...] | None = None
    chapters_seconds: float = 0.0
    _since: list[float] = field(
        default_factory=list
    )  # no word of a segment or a later one starts before this
    _until: list[float] = field(default_factory=list)  # ... and none of it or an earlier one after this

    def __post_init__(self) -> None:
        self.names = {speaker.label: speaker for speaker in self.base.speakers}
        self._put(0, 0, self.base.segments)

    def copy(self) -> Draft:
        """Another one, which changes by itself."""
        twin = Draft(replace(self.base, segments=()))
        twin.base, twin.segments, twin.names = self.base, self.segments.copy(), self.names.copy()
        twin.own_chapters, twin.chapters_seconds = self.own_chapters, self.chapters_seconds
        twin._since, twin._until = self._since.copy(), self._until.copy()
        return twin

    def transcript(self) -> Transcript:
        """The corrected transcript."""
        found = replace(
            self.base,
            segments=tuple(self.segments),
            speakers=tuple(self.names.values()),
            chapters=self.chapters,
        )
        translations = tuple(with_sayers(one, self.base, found) for one in self.base.translations)
        return replace(found, translations=translations)

    @property
    def chapters(self) -> Chapters:
        """The chapters that are shown."""
        if self.own_chapters is None:
            return self.base.chapters
        return chapter_list.laid_over(self.own_chapters, self.base.audio.seconds)

    @property
    def made_for(self) -> float | None:
        """Seconds of the audio for which a person made the chapters, None where this plays as long."""
        is_other = chapter_list.is_other(self.chapters_seconds, self.base.audio.seconds)
        return self.chapters_seconds if is_other else None

    # What corrections do; each tells whether it found its place, or the record has it right already.

    def write(self, correction: Correction) -> bool:
        """Have words read otherwise."""
        new = word_units(correction.now)
        place = self._find(correction.start, correction.was, str.strip)
        if place is None and self._find(correction.start, new, str.strip) is not None:
            return True  # this model heard it right
        place = place or self._find(correction.start, correction.was, letters)
        if place is not None:
            self._write(*place, new)
        return place is not None

    def confirm(self, correction: Correction) -> bool:
        """Have words be as sure as somebody who heard them."""
        place = self._find(correction.start, correction.was, str.strip)
        for at, first, last in self._runs(self._between(*place)) if place else ():
            self._change(at, first, last, probability=1.0)
        return place is not None

    def assign(self, correction: Correction) -> bool:
        """Have a speaker say a passage; "" is nobody who is known."""
        inside = self._inside(correction)
        self._assign(inside, correction.speaker or None, correction.language)
        return bool(inside)

    def name(self, correction: Correction) -> bool:
        """Call a label something else."""
        self.names[correction.speaker] = Speaker(correction.speaker, correction.now, "user", 1.0)
        return True

    def split(self, correction: Correction) -> bool:
        """Have a segment end between two words."""
        seam = self._seam(correction)
        if seam is not None:
            self._cut(*seam)
        return seam is not None

    def join(self, correction: Correction) -> bool:
        """Have the segments that meet between two words be one."""
        seam = self._seam(correction)
        if seam is not None and seam[0] and not seam[1]:
            at = seam[0]
            before, here = self.segments[at - 1 : at + 1]
            self._put(at - 1, at + 1, [_said(before, (*before.words, *here.words))])
        return seam is not None

    def begin(self, correction: Correction) -> bool:
        """Have a paragraph begin with the first of the words, and a segment if none does."""
        return self._mark(self._find(correction.start, correction.was, letters), begins=True)

    def go_on(self, correction: Correction) -> bool:
        """Have the paragraph before go on with the first of the words."""
        return self._mark(self._find(correction.start, correction.was, letters), begins=False)

    def set_chapters(self, correction: Correction) -> bool:
        """Have a person's chapters, or those of the record again; whether none of them begins after the end."""
        self.own_chapters, self.chapters_seconds = correction.chapters, correction.end
        return not chapter_list.beyond(correction.chapters or (), self.base.audio.seconds)

    # How.

    def _write(self, first: Place, last: Place, new: Sequence[str]) -> None:
        """Put words in place of those from `first` to `last`, which is one of them."""
        first, last, new = self._with_room(first, last, new)
        (at, begin), (until, end) = first, last
        head, tail = self.segments[at], self.segments[until]
        written: tuple[Word, ...] = ()
        if new:
            old = [self.segments[s].words[w] for s, w in self._between(first, last)]
            written = tuple(retimed(old, new, self._time_before(first), self._time_after(last)))
        if at == until:
            parts = [_said(head, (*head.words[:begin], *written, *head.words[end + 1 :]))]
        else:
            rest = replace(tail, paragraph=None, continues=False) if end + 1 < len(tail.words) else tail
            parts = [_said(head, (*head.words[:begin], *written)), _said(rest, tail.words[end + 1 :])]
        self._put(at, until + 1, [part for part in parts if part.words])
        if not parts[0].words and head.paragraph is not None:
            self._inherit(at, head)

    def _with_room(self, first: Place, last: Place, new: Sequence[str]) -> tuple[Place, Place, Sequence[str]]:
        """The words to write anew and what they become: with those around them where the time is too short."""
        new = list(new)
        (at, begin), (until, end) = first, last
        head, tail = self.segments[at].words, self.segments[until].words
        while new and self._time_after((until, end)) - self._time_before((at, begin)) < LEAST_WORD * len(new):
            if begin:
                begin -= 1
                new.insert(0, head[begin].text)
            elif end + 1 < len(tail):
                end += 1
                new.append(tail[end].text)
            else:
                break
        return (at, begin), (until, end), new

    def _inherit(self, at: int, gone: Segment) -> None:
        """Have the segment at an index begin or go on with a paragraph where one did that is gone."""
        after = self.segments[at] if at < len(self.segments) else None
        if after and after.paragraph is None and after.speaker == gone.speaker:
            self._put(at, at + 1, [replace(after, paragraph=gone.paragraph)])

    def _time_before(self, place: Place) -> float:
        """When the word before one ends: seconds, at most when that begins."""
        at, index = place
        start = self.segments[at].words[index].start
        while index == 0 and at > 0:
            at -= 1
            index = len(self.segments[at].words)
        return min(start, self.segments[at].words[index - 1].end) if index else 0.0

    def _time_after(self, place: Place) -> float:
        """When the word after one begins: seconds, at least when that ends."""
        at, index = place
        end = self.segments[at].words[index].end
        index += 1
        while at < len(self.segments) and index >= len(self.segments[at].words):
            at, index = at + 1, 0
        if at == len(self.segments):
            return max(end, self.base.audio.seconds)
        return max(end, self.segments[at].words[index].start)

    def _assign(self, inside: Iterable[Place], label: str | None, language: str = "") -> None:
        """Have words be said by a label, and be of a language where one is given; a person says so."""
        runs = list(self._runs(inside))
        if runs and label is not None and label not in self.names:
            self.names[label] = Speaker(label, self._numbered())
        for at, first, last in reversed(runs):
            if self.segments[at].speaker == label and not language:
                self._change(at, first, last, speaker_probability=1.0)
                continue
            own = self._cut_out(at, first, last)
            segment = self.segments[own]
            segment = replace(segment, speaker=label, language=language or segment.language)
            words = (replace(word, speaker_probability=1.0) for word in segment.words)
            self._put(own, own + 1, [_said(segment, tuple(words))])

    def _numbered(self) -> str:
        """What to call somebody of whom no name is known."""
        taken = {speaker.name for speaker in self.names.values()}
        return next(name for number in count(1) if (name := f"Speaker {number}") not in taken)

    def _mark(self, place: tuple[Place, Place] | None, *, begins: bool) -> bool:
        if place is not None:
            at = self._cut(*place[0])
            self._put(at, at + 1, [replace(self.segments[at], paragraph=begins)])
        return place is not None

    def _cut_out(self, at: int, first: int, last: int) -> int:
        """Have the words of a segment from `first` to `last` be one of their own; returns its index."""
        self._cut(at, last + 1)
        return self._cut(at, first)

    def _cut(self, at: int, index: int) -> int:
        """Have a segment begin with the word at an index of segment `at`; returns its index."""
        segment = self.segments[at]
        if not 0 < index < len(segment.words):
            return at if index <= 0 else at + 1
        after = replace(segment, continues=False, paragraph=None)
        parts = segment.with_words(segment.words[:index]), after.with_words(segment.words[index:])
        self._put(at, at + 1, parts)
        return at + 1

    def _change(self, at: int, first: int, last: int, **values: Any) -> None:
        """Change fields of the words of a segment from `first` to `last`."""
        segment = self.segments[at]
        changed = (replace(word, **values) for word in segment.words[first : last + 1])
        words = (*segment.words[:first], *changed, *segment.words[last + 1 :])
        self._put(at, at + 1, [replace(segment, words=words)])

    def _put(self, first: int, last: int, segments: Sequence[Segment]) -> None:
        """Put segments in place of those from `first` up to `last`."""
        self.segments[first:last] = segments
        starts = [[word.start for word in segment.words] for segment in segments]
        self._since[first:last] = [min(found, default=float("inf")) for found in starts]
        self._until[first:last] = [max(found, default=float("-inf")) for found in starts]
        end = first + len(segments)
        for at in range(first, len(self._until)):
            least = self._until[at - 1] if at else float("-inf")
            if at >= end and least <= self._until[at]:
                break
            self._until[at] = max(self._until[at], least)
        for at in range(end - 1, -1, -1):
            most = self._since[at + 1] if at + 1 < len(self._since) else float("inf")
            if at < first and most >= self._since[at]:
                break
            self._since[at] = min(self._since[at], most)

    # Where.

    def _near(self, start: float, end: float) -> range:
        """The indices of segments outside of which no word starts between two times."""
        return range(bisect_left(self._until, start), bisect_right(self._since, end))

    def _find(self, start: float, was: Sequence[str], key: Key) -> tuple[Place, Place] | None:
        """Where words that read so begin and end, those nearest to `start`; None where there are none.

        It is the text that counts, not how it is cut into words.
        """
        wanted = "".join(map(key, was))
        near = sorted(
            (abs(word.start - start), at, index)
            for at in (self._near(start - MAX_SHIFT, start + MAX_SHIFT) if wanted else ())
            for index, word in enumerate(self.segments[at].words)
            if abs(word.start - start) <= MAX_SHIFT
        )
        for _, at, index in near:
            last = self._reads((at, index), wanted, key)
            if last is not None:
                return (at, index), last
        return None

    def _reads(self, first: Place, wanted: str, key: Key) -> Place | None:
        """The last of the words from `first` on that read so; None where they don't."""
        text, last = "", first
        for last in self._from(first):
            text += key(self.segments[last[0]].words[last[1]].text)
            if not text or len(text) >= len(wanted):
                break
        return last if text == wanted else None

    def _from(self, first: Place) -> Iterator[Place]:
        at, index = first
        while at < len(self.segments):
            for place in range(index, len(self.segments[at].words)):
                yield at, place
            at, index = at + 1, 0

    def _between(self, first: Place, last: Place) -> Iterator[Place]:
        for place in self._from(first):
            yield place
            if place == last:
                return

    def _runs(self, places: Iterable[Place]) -> Iterator[tuple[int, int, int]]:
        """Words that follow each other in a segment: its index, and those of the first and last of them."""
        numbered = enumerate(places)
        for _, group in groupby(numbered, key=lambda one: (one[1][0], one[1][1] - one[0])):
            run = [place for _, place in group]
            yield run[0][0], run[0][1], run[-1][1]

    def _seam(self, correction: Correction) -> Place | None:
        """The second of the two words between which a segment ends or goes on."""
        place = self._find(correction.start, correction.was, letters)
        found = list(self._between(*place)) if place else []
        return found[1] if len(found) == 2 else None

    def _inside(self, correction: Correction) -> list[Place]:
        """The words of a passage, known again by its time and by most of its words."""
        inside = [
            (at, index)
            for at in self._near(correction.start - MAX_SHIFT, correction.end)
            for index, word in enumerate(self.segments[at].words)
            if correction.start <= (word.start + word.end) / 2 <= correction.end
        ]
        found = [letters(self.segments[at].words[index].text) for at, index in inside]
        wanted = list(map(letters, correction.was))
        matching = SequenceMatcher(None, found, wanted, autojunk=False).get_matching_blocks()
        if not wanted or sum(block.size for block in matching) < ALIKE * len(wanted):
            return []
        # Ends that do not match were heard otherwise if they are as many words as before; else they belong to
        # people who talk at the same time, whose words come before or after these in the record.
        first, last = matching[0].a, matching[-2].a + matching[-2].size
        lead, tail = matching[0].b, len(wanted) - matching[-2].b - matching[-2].size
        same_length = first == lead and len(inside) - last == tail
        return inside if same_length else inside[first:last]


def _said(segment: Segment, words: tuple[Word, ...]) -> Segment:
    """The segment of other words, which its speaker says in its language."""
    own = tuple(
        word
        if (word.speaker, word.language) == (segment.speaker, segment.language)
        else replace(word, speaker=segment.speaker, language=segment.language)
        for word in words
    )
    return segment.with_words(own) if own else replace(segment, words=())


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
