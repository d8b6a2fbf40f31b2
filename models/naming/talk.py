"""A talk as naming reads it: whole sentences, who speaks around them, and where in them names stand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from models.languages.notation import Pattern
from models.naming.person_names import is_doubtful, read_name
from models.record.punctuation import ends_sentence
from models.record.transcript import Evidence, Segment

MAX_PAUSE = 3.0  # seconds that a sentence may pause
NEIGHBOUR_SECONDS = 45.0  # a speaker further away is not the one who is spoken to
LEAST_OF_TWO, ALL_BUT_JINGLES = 0.1, 0.95  # of all words, said by the lesser and by both of two
MIN_NAME = 2  # letters
DOUBTFUL = 0.4  # of the weight, for a word that may be no name at all


class Talk:
    """The segments of an episode, a sentence that only pauses in one piece, and who speaks before and after each."""

    def __init__(self, segments: Iterable[Segment]) -> None:
        self.segments: Sequence[Segment] = [*_joined(segments)]
        self.two = carried_by_two(self.segments)

    def neighbours(self, i: int) -> tuple[str | None, str | None]:
        """Who spoke last before the speaker of segment `i`, and who speaks next.

        Where nobody is near, it is the other one of a talk of two, else None.
        """
        before, after = self.turn_before(i), self.turn_after(i)
        speaker = self.segments[i].speaker
        other = next(iter(self.two - {speaker}), None) if speaker in self.two else None
        return (
            self.segments[before].speaker if before is not None else other,
            self.segments[after].speaker if after is not None else other,
        )

    def turn_before(self, i: int) -> int | None:
        """The last segment of whoever spoke before the speaker of segment `i`; None for nobody near."""
        here = self.segments[i]
        return self._nearest(range(i - 1, -1, -1), here, lambda other: here.start - other.end)

    def turn_after(self, i: int) -> int | None:
        """The first segment of whoever speaks after the speaker of segment `i`; None for nobody near."""
        here = self.segments[i]
        return self._nearest(range(i + 1, len(self.segments)), here, lambda other: other.start - here.end)

    def _nearest(self, order: range, here: Segment, gap: Callable[[Segment], float]) -> int | None:
        for j in order:
            other = self.segments[j]
            if gap(other) > NEIGHBOUR_SECONDS:
                return None
            if other.speaker is not None and other.speaker != here.speaker:
                return j
        return None

    def newcomers(self, i: int) -> Iterator[str]:
        """Those who speak for the first time after segment `i`, in order."""
        heard = {segment.speaker for segment in self.segments[: i + 1]}
        for segment in self.segments[i + 1 :]:
            if segment.speaker is not None and segment.speaker not in heard:
                heard.add(segment.speaker)
                yield segment.speaker


def carried_by_two(segments: Iterable[Segment]) -> frozenset[str]:
    """The two labels that say nearly all that is said; none where it is one, or more."""
    words: Counter[str] = Counter()
    for segment in segments:
        if segment.speaker is not None:
            words[segment.speaker] += len(segment.words)
    most = words.most_common(2)
    two = len(most) == 2 and most[1][1] >= LEAST_OF_TWO * words.total()
    nearly_all = sum(count for _, count in most) >= ALL_BUT_JINGLES * words.total()
    return frozenset(label for label, _ in most) if two and nearly_all else frozenset()


def _joined(segments: Iterable[Segment]) -> Iterator[Segment]:
    """The segments, those made one in which a sentence only pauses."""
    held: Segment | None = None
    for segment in segments:
        if held is not None and _goes_on(held, segment):
            held = replace(held, end=segment.end, words=held.words + segment.words)
            continue
        if held is not None:
            yield held
        held = segment
    if held is not None:
        yield held


def _goes_on(before: Segment, segment: Segment) -> bool:
    """Whether a segment goes on with the sentence of the one before."""
    same = (before.speaker, before.language) == (segment.speaker, segment.language)
    one = before.speaker is not None and same
    unfinished = bool(before.words) and not ends_sentence(before.words[-1])
    return one and unfinished and segment.start - before.end <= MAX_PAUSE


def named_after(phrases: Sequence[Pattern], text: str) -> list[tuple[re.Match[str], str, int]]:
    """Each match of a phrase that a name follows, the name, and where it ends; of each name the longest, in order."""
    found: dict[int, tuple[re.Match[str], str, int]] = {}
    for match in (match for phrase in phrases for match in phrase.finditer(text)):
        name = read_name(text, match.end())
        longer = match.end() not in found or match.start() < found[match.end()][0].start()
        if name and len(name[0]) >= MIN_NAME and longer:
            found[match.end()] = (match, *name)
    return [found[position] for position in sorted(found)]


def evidence_in(
    segment: Segment, label: str, name: str, kind: str, weight: float, span: tuple[int, int]
) -> Evidence:
    """Evidence from the words in `span` of a segment's text; a doubtful name weighs less."""
    if weight > 0 and is_doubtful(name, segment.language):
        weight *= DOUBTFUL
    words = segment.text[slice(*span)].lstrip(" ,.;!?")
    return Evidence(label, name, kind, round(weight, 2), _time_of(segment, span[1] - len(words)), words)


def _time_of(segment: Segment, position: int) -> float:
    """When the word is said that has the character at `position` of the segment's text."""
    offset = -len(segment.words[0].text) + len(segment.words[0].text.lstrip()) if segment.words else 0
    for word in segment.words:
        offset += len(word.text)
        if offset > position:
            return round(word.start, 3)
    return round(segment.start, 3)
