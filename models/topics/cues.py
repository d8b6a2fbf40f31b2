"""What in the way people talk speaks for a topic to begin: who speaks, what they announce or ask, and pauses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from models.languages.registry import language_of
from models.record.transcript import Segment, Transcript, Word
from models.topics.questions import host_of, is_question

MOST_WORDS = 40  # of a sentence: more are none, but speech without full stops
LONGEST = 30.0  # seconds of a sentence that count: more are silence
# Log-odds of a topic to begin.
TURN = 0.4  # another speaks
LEAD = 0.4  # another speaks more, from there on, than before
QUESTION = 0.3  # the host begins to speak, and asks
ANNOUNCED = 1.0  # it is said: "next up", "let's move on"
MOST_PAUSE = 2.0  # nobody speaks: the logarithm of how many times PAUSE that takes, up to this
CUT = -2.0  # it would begin within a sentence

PAUSE = 3.0  # seconds between sentences that tell nothing
LEAD_SECONDS = 45.0  # before and after
ASKED_WITHIN = 4  # sentences of a turn
ANNOUNCED_WITHIN = 14  # words of a sentence


@dataclass(frozen=True, slots=True)
class Sentence:
    """A segment, or a piece of a long one; `first`: whether the segment begins with it."""

    words: tuple[Word, ...]
    segment: Segment
    first: bool

    @property
    def start(self) -> float:
        """Seconds."""
        return self.words[0].start

    @property
    def end(self) -> float:
        """Seconds."""
        return self.words[-1].end

    @property
    def seconds(self) -> float:
        """How long it takes, as far as that counts."""
        return min(max(self.end - self.start, 0.1), LONGEST)

    @property
    def text(self) -> str:
        """Its words."""
        return "".join(word.text for word in self.words).strip()


def sentences_of(segments: Sequence[Segment]) -> list[Sentence]:
    """Segments in order of time, but for what listeners throw in; long ones in pieces."""
    return sorted(_sentences(segments), key=lambda one: one.start)


def _sentences(segments: Sequence[Segment]) -> Iterator[Sentence]:
    for segment in segments:
        if segment.text and not segment.brief:
            for at in range(0, len(segment.words), MOST_WORDS):
                yield Sentence(segment.words[at : at + MOST_WORDS], segment, first=at == 0)


def odds_of_beginning(said: Sequence[Sentence], transcript: Transcript) -> NDArray[np.float64]:
    """(sentences,): log-odds of a topic to begin with each, 0 for one of which nothing is known. said: one or more."""
    host = host_of(transcript.segments)
    odds = LEAD * _lead_changes(said)
    ended = said[0].start
    for index, one in enumerate(said):
        segment = one.segment
        if index and one.first and segment.speaker != said[index - 1].segment.speaker:
            asked = segment.speaker == host and _asks(said[index : index + ASKED_WITHIN], host)
            odds[index] += TURN + QUESTION * asked
        if _announces(one, transcript.language_of(segment)):
            odds[index] += ANNOUNCED
        if not one.first or segment.continues:
            odds[index] += CUT
        odds[index] += min(MOST_PAUSE, log(max(1.0, (one.start - ended) / PAUSE)))
        ended = max(ended, one.end)
    return odds


def _announces(sentence: Sentence, code: str) -> bool:
    language = language_of(code)
    opening = "".join(word.text for word in sentence.words[:ANNOUNCED_WITHIN]).strip()
    return bool(language.talk.moves.search(opening) or language.titles.announce.search(opening))


def _asks(said: Sequence[Sentence], host: str | None) -> bool:
    """Whether a question is among these sentences, up to where another than the host speaks."""
    for one in said:
        if one.segment.speaker != host:
            return False
        if is_question(one.text):
            return True
    return False


def _lead_changes(said: Sequence[Sentence]) -> NDArray[np.float64]:
    """(sentences,): 1 where who speaks most from there on is another than before, 0 elsewhere."""
    labels, numbers = np.unique([one.segment.speaker or "" for one in said], return_inverse=True)
    here = np.arange(len(said))
    spoken = np.zeros((len(said) + 1, len(labels)))
    spoken[here + 1, numbers] = [one.seconds for one in said]
    spoken = spoken.cumsum(axis=0)
    starts = np.array([one.start for one in said])
    before = spoken[here] - spoken[np.searchsorted(starts, starts - LEAD_SECONDS)]
    after = spoken[np.searchsorted(starts, starts + LEAD_SECONDS)] - spoken[here]
    changes: NDArray[np.float64] = (before.argmax(axis=1) != after.argmax(axis=1)).astype(np.float64)
    return changes
