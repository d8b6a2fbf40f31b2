"""What in a transcript is worth a look, the most doubtful first: words, speakers, names.

A doubt is the expected share of error, 0 to 1, so that those of all kinds compare. What a person wrote or confirmed has
a probability of 1 and is in doubt no more.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from models.naming.assignment import Candidate, candidates
from models.naming.speakers import is_numbered
from models.record.transcript import Evidence, Repair, Review, Speaker, Transcript, Word
from outputs.text.characters import one_line
from outputs.text.paragraphs import Paragraph, by_speaker, paragraphs
from outputs.text.unsure import is_unsure

WORD, SPEAKER, NAME = KINDS = ("word", "speaker", "name")
DOUBTFUL = 0.5  # below this probability every second word is wrong; above, one in eight
# How many words of a probability are wrong, as measured: docs/web.md. A straight line lies between two of these.
WRONG = ((0.0, 0.85), (0.15, 0.64), (0.45, 0.48), (0.55, 0.36), (0.75, 0.23), (0.98, 0.05), (1.0, 0.0))
REPAIRED = {
    "unsure": 0.4,
    "loop": 0.3,
    "lost": 0.25,
    "language": 0.25,
    "vocabulary": 0.25,
}  # of words above DOUBTFUL
OVERLAPPED = 0.25
SURE_NAME = 0.9  # the confidence of a name that needs no look
UNNAMED = 1.0  # "Speaker 1" is nobody's name
LEAST_TALK = 10.0  # seconds; who says less need not have a name


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something worth a look; `doubt` is the expected share of error, `why` and `value` tell where that comes from.

    first, last: the indices of words of their paragraph, the last not among them; 0 for names. why: "probability" (of
    the words), "repair" (they were decoded again), "overlap" (two talk at once), "voice" (the speaker's probability),
    "name" (its confidence). start and end in seconds; suggestion: a name.
    """

    kind: str
    doubt: float
    why: str
    value: float
    start: float
    end: float
    text: str
    label: str | None
    first: int = 0
    last: int = 0
    suggestion: str | None = None

    @property
    def is_confirmable(self) -> bool:
        """Whether it can be right as it is: "Speaker 1" is nobody's name."""
        return self.kind != NAME or not is_numbered(self.text)


class Repairs:
    """The repairs of a transcript that leave words in doubt, found by time."""

    def __init__(self, repairs: Iterable[Repair]) -> None:
        self._all = sorted(
            (one for one in repairs if one.reason in REPAIRED), key=lambda one: (one.end, one.start)
        )
        self._ends = [one.end for one in self._all]

    def doubt(self, start: float, end: float) -> float:
        """How doubtful it makes what is said within a time, in seconds, that it was decoded again; else 0."""
        at = bisect_left(self._ends, start)
        if at == len(self._all) or self._all[at].start > end:
            return 0.0
        return REPAIRED[self._all[at].reason]


def in_paragraph(paragraph: Paragraph, repairs: Repairs) -> tuple[Doubt, ...]:
    """The doubtful words of a paragraph, those in a row together, and its speaker."""
    words = tuple(word for part in paragraph.parts for word in part.words)
    found = list[Doubt]()
    repaired = repairs.doubt(min(word.start for word in words), max(word.end for word in words)) > 0
    doubtful = {
        at: reason
        for at, word in enumerate(words)
        if (repaired or word.probability < DOUBTFUL or word.overlap) and (reason := word_doubt(word, repairs))
    }
    for _, group in groupby(enumerate(doubtful), key=lambda one: one[1] - one[0]):
        run = [at for _, at in group]
        found.append(_doubt(WORD, words, run[0], run[-1] + 1, *max(doubtful[at] for at in run)))
    label = paragraph.speaker
    if label is not None and any(is_unsure(part.segment) for part in paragraph.parts):
        sure = [word.speaker_probability for word in words if word.speaker_probability is not None]
        mean = sum(sure) / len(sure)
        found.append(_doubt(SPEAKER, words, 0, len(words), 1 - mean, "voice", mean))
    return tuple(found)


def word_doubt(word: Word, repairs: Repairs) -> tuple[float, str, float] | None:
    """How doubtful a word is, why, and the figure that says so; None for one that is not."""
    if word.probability == 1.0 or not one_line(word.text).strip():
        return None
    middle = (word.start + word.end) / 2
    most = max(
        (
            wrong_share(word.probability) if word.probability < DOUBTFUL else 0.0,
            "probability",
            word.probability,
        ),
        (repairs.doubt(middle, middle), "repair", word.probability),
        (OVERLAPPED if word.overlap else 0.0, "overlap", word.probability),
    )
    return most if most[0] > 0 else None


def wrong_share(probability: float) -> float:
    """How many words of a probability are wrong, 0 to 1.

    >>> round(wrong_share(0.3), 3), wrong_share(2.0)
    (0.56, 0.0)
    """
    for (left, more), (right, less) in pairwise(WRONG):
        if probability <= right:
            return more - (more - less) * max(0.0, probability - left) / (right - left)
    return 0.0


def _doubt(
    kind: str, words: Sequence[Word], first: int, last: int, doubt: float, why: str, value: float
) -> Doubt:
    said = words[first:last]
    text = one_line("".join(word.text for word in said)).strip()
    start, end = min(word.start for word in said), max(word.end for word in said)
    return Doubt(kind, round(doubt, 3), why, round(value, 3), start, end, text, words[0].speaker, first, last)


def of_names(
    speakers: Iterable[Speaker], evidence: Sequence[Evidence], talk: Mapping[str, tuple[float, float]]
) -> list[Doubt]:
    """The names that are in doubt. talk: when each label begins to speak, and for how long in all, in seconds."""
    speakers = tuple(speakers)
    given = {one.label: one.name for one in speakers if one.source == "user"}
    ads = {one.label for one in evidence if one.kind == "repeated"}
    doubtful = [
        one
        for one in speakers
        if one.source != "user"
        and one.label not in ads
        and talk.get(one.label, (0.0, 0.0))[1] >= LEAST_TALK
        and (one.source == "order" or one.confidence < SURE_NAME)
    ]
    considered = candidates(evidence, given) if doubtful else []
    return [_name_doubt(one, considered, talk[one.label][0]) for one in doubtful]


def _name_doubt(speaker: Speaker, considered: Iterable[Candidate], start: float) -> Doubt:
    label, name = speaker.label, one_line(speaker.name).strip()
    doubt = UNNAMED if speaker.source == "order" else 1 - speaker.confidence
    others = (one for one in considered if one.label == label and one.name != speaker.name and one.score > 0)
    other = next((one.name for one in others), None)
    value = round(speaker.confidence, 3)
    return Doubt(NAME, round(doubt, 3), "name", value, start, start, name, label, suggestion=other)


def doubts_of(transcript: Transcript) -> list[Doubt]:
    """All that is in doubt in a transcript, in no order."""
    repairs = Repairs(transcript.repairs)
    made = [
        one for group in by_speaker(transcript.segments) for one in paragraphs(group, transcript.language)
    ]
    found = [doubt for paragraph in made for doubt in in_paragraph(paragraph, repairs)]
    talk = talk_of((one.speaker, one.words[0].start, one.seconds) for one in made)
    return [*found, *of_names(transcript.speakers, transcript.evidence, talk)]


def doubtful(transcript: Transcript) -> tuple[float, float]:
    """The shares of the words, and of the time of talk by its speaker, that are in doubt: 0 to 1 each."""
    repairs = Repairs(transcript.repairs)
    words = [word for segment in transcript.segments for word in segment.words]
    talk = [(segment.end - segment.start, is_unsure(segment)) for segment in transcript.segments]
    seconds = sum(one for one, _ in talk)
    return (
        sum(word_doubt(word, repairs) is not None for word in words) / len(words) if words else 0.0,
        sum(one for one, unsure in talk if unsure) / seconds if seconds > 0 else 0.0,
    )


def reviewed(record: Transcript, corrected: Transcript) -> Review:
    """How far people have come with the doubts of a record."""
    return Progress(doubts_of(record)).review(doubts_of(corrected))


def talk_of(said: Iterable[tuple[str | None, float, float]]) -> dict[str, tuple[float, float]]:
    """When each label begins to speak, and for how long in all. said: the same of each paragraph; in seconds."""
    found: dict[str, tuple[float, float]] = {}
    for label, start, seconds in said:
        if label is not None:
            first, before = found.get(label, (start, 0.0))
            found[label] = first, before + seconds
    return found


class Progress:
    """How many of the doubts that a record had are none any more."""

    def __init__(self, doubts: Iterable[Doubt]) -> None:
        self._doubts = tuple(doubts)

    def review(self, left: Iterable[Doubt]) -> Review:
        """How far people have come, by what is in doubt now: nothing any more of a doubt that was reviewed."""
        spans = {kind: _Spans() for kind in KINDS}
        labels = set()
        for one in left:
            spans[one.kind].add(one)
            labels.add(one.label if one.kind == NAME else None)
        open_ = sum(
            one.label in labels if one.kind == NAME else spans[one.kind].touch(one) for one in self._doubts
        )
        return Review(len(self._doubts), len(self._doubts) - open_)


class _Spans:
    """Stretches of time, to be asked whether any touches another."""

    def __init__(self) -> None:
        self._cells: dict[int, list[tuple[float, float]]] = {}

    def add(self, one: Doubt) -> None:
        for cell in range(int(one.start), int(one.end) + 1):
            self._cells.setdefault(cell, []).append((one.start, one.end))

    def touch(self, one: Doubt) -> bool:
        near = (
            span for cell in range(int(one.start), int(one.end) + 1) for span in self._cells.get(cell, ())
        )
        return any(start < one.end and one.start < end for start, end in near)
