"""How far two transcripts of one episode differ, ours and somebody else's, neither of which is the truth.

Words are compared without case and punctuation, in the order in which they are said: times don't matter, so neither do
ads that only one of the recordings had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import groupby

from models.record.matching import Block, are_related, comparable_words, match_words, sure_pairs
from models.record.transcript import Transcript
from models.record.utterances import PublishedTranscript

LONG_STRETCH = 10  # words in a row that only one has
LOPSIDED = 3  # times as many words as the other has in the same place, to be only in one
LONGEST_PHRASE = 4  # words of one disagreement; longer ones are whole sentences said otherwise
SMALL_SHARE = 0.05  # of a speaker's words, that may well be those around changes of speakers
SHOWN_CHARS = 80  # of a stretch


@dataclass(frozen=True, slots=True)
class SharedSpeech:
    """Words that both have, which we give to `label` and they to `speaker`, as shares of all that each of them has."""

    label: str
    speaker: str
    words: int
    of_label: float
    of_speaker: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words in a row that only one has: at `start` of our recording, and how they begin."""

    ours: bool
    start: float
    words: int
    text: str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What we write where they write something else, so many times. `name`: one of the two seems to be a name."""

    ours: str
    theirs: str
    times: int
    name: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Words of both transcripts: the same, others in the same place, and in one only; and where, and whose."""

    ours: int
    theirs: int
    same: int
    others: int
    only_ours: int
    only_theirs: int
    related: bool
    speakers: tuple[SharedSpeech, ...]
    stretches: tuple[Stretch, ...]
    disagreements: tuple[Disagreement, ...]

    @property
    def differences(self) -> int:
        """What a word error rate counts, by whichever of the two it is told."""
        return self.others + self.only_ours + self.only_theirs


@dataclass(frozen=True, slots=True)
class _Word:
    """A word as it is compared and as it is written, who says it and from when on."""

    key: str
    text: str
    speaker: str
    start: float


def compare(ours: Transcript, theirs: PublishedTranscript) -> Comparison:
    """Compare our transcript of an episode with somebody else's."""
    mine = [
        word
        for segment in ours.segments
        for each in segment.words
        for word in _words(each.text, segment.speaker or "", each.start)
    ]
    others = [word for one in theirs.utterances for word in _words(one.text, one.speaker, one.start)]
    blocks = match_words([word.key for word in mine], [word.key for word in others])
    different = [block for block in blocks if not block.equal]
    sizes = [(block.end - block.start, block.their_end - block.their_start) for block in different]
    pairs = [(mine[i].speaker, others[j].speaker) for i, j in sure_pairs(blocks)]
    return Comparison(
        ours=len(mine),
        theirs=len(others),
        same=sum(block.end - block.start for block in blocks if block.equal),
        others=sum(min(size) for size in sizes),
        only_ours=sum(max(0, own - their) for own, their in sizes),
        only_theirs=sum(max(0, their - own) for own, their in sizes),
        related=are_related(blocks),
        speakers=tuple(_speakers(pairs)),
        stretches=tuple(_stretches(blocks, mine, others)),
        disagreements=tuple(_disagreements(different, mine, others)),
    )


def _words(text: str, speaker: str, start: float) -> Iterator[_Word]:
    for written in text.split():
        keys = comparable_words(written)
        for key in keys:
            yield _Word(
                key, written.strip("\"“”„«»‘’'.,;:!?…()[]") if len(keys) == 1 else key, speaker, start
            )


def _speakers(pairs: Sequence[tuple[str, str]]) -> Iterator[SharedSpeech]:
    """Who is whom, by the words that both have; the most talkative of ours first."""
    shared = Counter(pairs)
    mine, others = Counter(label for label, _ in pairs), Counter(speaker for _, speaker in pairs)
    for (label, speaker), words in sorted(
        shared.items(), key=lambda one: (-mine[one[0][0]], -one[1], one[0])
    ):
        found = SharedSpeech(label, speaker, words, words / mine[label], words / others[speaker])
        if label and speaker and max(found.of_label, found.of_speaker) >= SMALL_SHARE:
            yield found


def _stretches(blocks: Sequence[Block], mine: Sequence[_Word], others: Sequence[_Word]) -> list[Stretch]:
    """Where one has many words and the other none or few, the longest first."""
    found = list[Stretch]()
    for sure, run in groupby(blocks, key=lambda block: block.sure):
        group = list(run)
        start, end = group[0].start, group[-1].end
        their_start, their_end = group[0].their_start, group[-1].their_end
        own, their = end - start, their_end - their_start
        if sure or max(own, their) < LONG_STRETCH or max(own, their) < LOPSIDED * min(own, their):
            continue
        at = mine[min(start, len(mine) - 1)].start if mine else 0.0
        said = mine[start:end] if own > their else others[their_start:their_end]
        found.append(Stretch(own > their, at, len(said), _beginning(said)))
    return sorted(found, key=lambda stretch: (-stretch.words, stretch.start))


def _beginning(words: Iterable[_Word]) -> str:
    text = " ".join(word.text for word in words)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS].rstrip()} …"


def _disagreements(
    different: Sequence[Block], mine: Sequence[_Word], others: Sequence[_Word]
) -> list[Disagreement]:
    """What each writes in place of the other, the most frequent first."""
    plain = {word.key for word in (*mine, *others) if word.text[:1].islower()}
    counted = Counter[tuple[str, str]]()
    written: dict[tuple[str, str], tuple[list[_Word], list[_Word]]] = {}
    for block in different:
        own, their = list(mine[block.start : block.end]), list(others[block.their_start : block.their_end])
        if 0 < len(own) <= LONGEST_PHRASE and 0 < len(their) <= LONGEST_PHRASE:
            key = " ".join(word.key for word in own), " ".join(word.key for word in their)
            counted[key] += 1
            written.setdefault(key, (own, their))
    return [_disagreement(*written[key], times, plain) for key, times in counted.most_common()]


def _disagreement(own: Sequence[_Word], their: Sequence[_Word], times: int, plain: Set[str]) -> Disagreement:
    ours, theirs = (" ".join(word.text for word in side) for side in (own, their))
    name = any(word.text[:1].isupper() and word.key not in plain for word in (*own, *their))
    return Disagreement(ours, theirs, times, name)
