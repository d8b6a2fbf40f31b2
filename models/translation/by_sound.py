"""English by Whisper's own translate task: the speech is heard once more, and written in English.

It has the failures of its transcription, and two more: it leaves speech in its own language, and of a long stretch it
may tell the beginning only. Each piece that shows one is decoded with more care, then in halves; of what is left the
words stay as they were said.

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), section 2.3: any language to
English, the only direction that it was trained for.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from models.asr.chunking import MARGIN
from models.asr.engine import LOOP_COMPRESSION_RATIO, UNSURE_LOGPROB, Engine, Hypothesis
from models.asr.repair import SHORTEST_WORD, bare_word, foreign_script, is_hallucination, without_repeats
from models.asr.vocabulary import hotwords
from models.asr.word_times import lasting, spread
from models.record.progress import Report, no_report
from models.record.spans import Span, total
from models.record.transcript import Segment, Word
from models.runtime.samples import SAMPLE_RATE, Samples
from models.translation.pieces import Piece, halved, packed, placed, sentences, shared_out

TARGET = "en"
PIECE_SECONDS = 28.0  # Whisper hears 30 s at once, margins included
SHORT_SECONDS = 6.0  # a shorter piece is not cut in halves: of less Whisper makes less sense
SAME = 0.5  # share of the words, in order, that are the source's: then it was written down, not translated ...
LEAST_WORDS = 3  # ... if they are so many: "Okay, Anna." is the same in many languages
LEAST_PER_SECOND = 0.8  # words a second of speech: of less, some was left out ...
LEAST_SPEECH = 4.0  # ... if it is so many seconds
CRAMMED = 0.3  # share of words that are too short to be said, from which their times are not to be believed


@dataclass(frozen=True, slots=True)
class Translated:
    """The segments in another language. Those that could not be translated, `kept` pieces of all, tell their own."""

    segments: tuple[Segment, ...]
    pieces: int
    kept: int


def translate(
    engine: Engine,
    samples: Samples,
    segments: Sequence[Segment],
    language: str,
    terms: Sequence[str] = (),
    report: Report = no_report,
) -> Translated:
    """The segments in English; those that are in it stay as they are.

    samples: (samples,) mono at 16 kHz, what the segments were heard in. language: of segments that don't tell theirs.
    terms: names that are spelled right in the segments, to be so in the translation. Raises InputError where the model
    knows English only.
    """
    listener = _Listener(engine.translating().with_samples(samples), _Edges.of(segments, samples), terms)
    pieces = packed(sentences(segments, language), PIECE_SECONDS)
    foreign = [piece for piece in pieces if piece.language != TARGET]
    said: dict[int, list[Word]] = {}
    for number, segment in enumerate(segments):
        if (segment.language or language) == TARGET:
            said[number] = [replace(word, language="") for word in segment.words]
    kept = 0
    for piece, words in listener.heard(foreign, report):
        if words is None:
            kept += 1
            words = tuple(replace(word, language=piece.language) for word in piece.words)
        for number, some in shared_out(piece, words):
            said.setdefault(number, []).extend(some)
    return Translated(placed(said, TARGET), len(foreign), kept)


@dataclass(frozen=True, slots=True)
class _Edges:
    """Where words begin and end, each in order of time, and where the recording ends, in seconds."""

    starts: tuple[float, ...]
    ends: tuple[float, ...]
    seconds: float

    @classmethod
    def of(cls, segments: Sequence[Segment], samples: Samples) -> _Edges:
        words = [word for segment in segments for word in segment.words]
        starts, ends = sorted(word.start for word in words), sorted(word.end for word in words)
        return cls(tuple(starts), tuple(ends), len(samples) / SAMPLE_RATE)

    def chunk(self, piece: Piece) -> Span:
        """The piece with some of the pauses around it."""
        start, end = piece.span.start, piece.span.end
        before, after = bisect_right(self.ends, start), bisect_left(self.starts, end)
        since = self.ends[before - 1] if before else 0.0
        until = self.starts[after] if after < len(self.starts) else self.seconds
        return Span(max(start - MARGIN, (since + start) / 2), min(end + MARGIN, (end + until) / 2))


@dataclass(frozen=True, slots=True)
class _Listener:
    """An engine that translates, where words are in its recording, and the names to expect."""

    engine: Engine
    edges: _Edges
    terms: Sequence[str]

    def heard(
        self, pieces: Sequence[Piece], report: Report = no_report
    ) -> Iterator[tuple[Piece, tuple[Word, ...] | None]]:
        """The pieces, or halves of them, in order, each with its words in English; None where that failed."""
        for piece, hypothesis in zip(pieces, self._decoded(pieces, report), strict=True):
            best = hypothesis
            if is_faulty(hypothesis, piece) or hypothesis.confidence < UNSURE_LOGPROB:
                again = self.engine.decode_sequentially(hypothesis.chunk, piece.language)
                best = max(hypothesis, again, key=lambda each: (not is_faulty(each, piece), each.confidence))
            if not is_faulty(best, piece):
                yield piece, timed(best.words, piece)
            elif piece.span.duration > SHORT_SECONDS and len(piece.words) > 1:
                yield from self.heard(halved(piece))
            else:
                yield piece, None

    def _decoded(self, pieces: Sequence[Piece], report: Report) -> list[Hypothesis]:
        """The first hypothesis of each piece, or one with the names that it lacks, where that is as sound."""
        found = self._first(pieces, None, report)
        lacking = {number: self._lacking(found[number], piece) for number, piece in enumerate(pieces)}
        lacking = {number: terms for number, terms in lacking.items() if terms}
        hint = hotwords(term for terms in lacking.values() for term in terms)
        again = self._first([pieces[number] for number in lacking], hint, no_report)
        for (number, terms), hypothesis in zip(lacking.items(), again, strict=True):
            better = len(self._lacking(hypothesis, pieces[number])) < len(terms)
            if better and not is_faulty(hypothesis, pieces[number]):
                found[number] = hypothesis
        return found

    def _first(self, pieces: Sequence[Piece], hint: str | None, report: Report) -> list[Hypothesis]:
        found: dict[Piece, Hypothesis] = {}
        engine = self.engine.with_report(lambda done, _: report(len(found) + done, len(pieces)))
        for language in dict.fromkeys(piece.language for piece in pieces):
            some = [piece for piece in pieces if piece.language == language]
            chunks = [self.edges.chunk(piece) for piece in some]
            found |= zip(some, engine.with_language(language).decode(chunks, hint), strict=True)
        return [found[piece] for piece in pieces]

    def _lacking(self, hypothesis: Hypothesis, piece: Piece) -> list[str]:
        return [term for term in self.terms if term in piece.text and term not in hypothesis.text]


def is_faulty(hypothesis: Hypothesis, piece: Piece) -> bool:
    """Whether what was written is no translation of a piece: nothing, a guess, a loop, a part, or its own language."""
    words = hypothesis.words
    return (
        is_hallucination(hypothesis)
        or _is_loop(hypothesis, piece)
        or foreign_script(hypothesis.text, TARGET)
        or is_copy(words, piece.words)
        or (
            total(piece.speech) >= LEAST_SPEECH
            and len(words) < LEAST_PER_SECOND * total(piece.speech)
        )
        or not words
    )


def _is_loop(hypothesis: Hypothesis, piece: Piece) -> bool:
    """Whether it repeats itself as what was said doesn't."""
    words = hypothesis.words
    repeats = hypothesis.compression_ratio > LOOP_COMPRESSION_RATIO or len(without_repeats(words)) < len(words)
    return repeats and len(without_repeats(piece.words)) == len(piece.words)


def is_copy(words: Sequence[Word], source: Sequence[Word]) -> bool:
    """Whether a text is the source written once more.

    >>> said = [Word(i, i + 1, text) for i, text in enumerate((" Das", " ist", " gut,", " Anna."))]
    >>> english = [Word(i, i + 1, text) for i, text in enumerate((" This", " is", " good,", " Anna."))]
    >>> is_copy(said, said), is_copy(english, said)
    (True, False)
    """
    written, said = ([bare_word(word.text) for word in each] for each in (words, source))
    matching = SequenceMatcher(None, written, said, autojunk=False).get_matching_blocks()
    same = sum(block.size for block in matching)
    return len(written) >= LEAST_WORDS and same >= SAME * len(written)


def timed(words: Sequence[Word], piece: Piece) -> tuple[Word, ...]:
    """The words with the speaker of a piece and times in it: as they were heard, or where that was lost spread evenly."""
    said = [replace(word, speaker=piece.speaker) for word in words]
    crammed = sum(word.end - word.start < SHORTEST_WORD for word in said)
    if crammed >= CRAMMED * len(said):
        return spread(said, piece.speech)
    return lasting(said, piece.span)
