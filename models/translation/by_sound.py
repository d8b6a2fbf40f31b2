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

from models.asr.chunking import MARGIN
from models.asr.engine import UNSURE_LOGPROB, Engine, Hypothesis
from models.asr.repair import SHORTEST_WORD, foreign_script, is_hallucination
from models.asr.transcription import TranscriptionOptions, load
from models.asr.vocabulary import hotwords
from models.asr.word_times import lasting, spread
from models.record.progress import Progress, Report, no_report, silent
from models.record.spans import Span, total
from models.record.transcript import Segment, Word
from models.runtime.gpu_failures import cpu_when_gpu_fails
from models.runtime.memory import return_freed_memory
from models.runtime.samples import SAMPLE_RATE, Samples
from models.translation.faults import is_copy, is_loop
from models.translation.pieces import Piece, Translated, halved, packed, put_back, sentences

TARGET = "en"
PIECE_SECONDS = 28.0  # Whisper hears 30 s at once, margins included
SHORT_SECONDS = 6.0  # a shorter piece is not cut in halves: of less Whisper makes less sense
LEAST_PER_SECOND = 0.8  # words a second of speech: of less, some was left out ...
LEAST_SPEECH = 4.0  # ... if it is so many seconds
LEAST_LISTENED = 2.0  # seconds of a faulty piece that are worth the sequential decoder
POOR = "turbo"  # in the names of models that were not trained to translate: they write what was said
POOR_WARNING = "{} was not trained to translate: --model large-v3 or small do it better"
CRAMMED = 0.3  # share of words that are too short to be said, from which their times are not to be believed


@cpu_when_gpu_fails("translation")
def translate(
    samples: Samples,
    options: TranscriptionOptions,
    segments: Sequence[Segment],
    language: str,
    progress: Progress = silent,
    *,
    target: str = TARGET,
    apart: bool = False,
) -> Translated:
    """The segments in English; those that are in it stay as they are.

    samples: (samples,) mono at 16 kHz, what the segments were heard in. options: which model hears; the names in its
    `vocabulary`, where they are spelled right in the segments, are to be so in the translation. language: of segments
    that don't tell theirs. target: what the result calls English, such as "en-GB". apart: whether nobody speaks at the
    same time in the samples, whatever the words tell of the mix. Raises ModelError when the model isn't there,
    InputError where it knows English only.
    """
    engine = load(options).translating().with_samples(samples)
    foreign = [
        piece for piece in packed(sentences(segments, language), PIECE_SECONDS) if piece.language != TARGET
    ]
    listener = _Listener(engine, _Edges.of(segments, samples), options.vocabulary, apart)
    heard = listener.heard(foreign, lambda done, total: progress("translate", done, total))
    found, warning = put_back(segments, language, target, heard)
    return_freed_memory()
    poor = (POOR_WARNING.format(engine.name),) if POOR in engine.name else ()
    return Translated(found, f"Whisper {engine.name}", (*poor, *([warning] if warning else [])))


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
    """An engine that translates, where words are in its recording, the names to expect, whether voices are apart."""

    engine: Engine
    edges: _Edges
    terms: Sequence[str]
    apart: bool

    def heard(
        self, pieces: Sequence[Piece], report: Report = no_report
    ) -> Iterator[tuple[Piece, tuple[Word, ...] | None]]:
        """The pieces, or halves of them, in order, each with its words in English; None where that failed."""
        drowned = [not self.apart and is_drowned(piece) for piece in pieces]
        clear = [piece for piece, under in zip(pieces, drowned, strict=True) if not under]
        decoded = iter(self._decoded(clear, report))
        for piece, under in zip(pieces, drowned, strict=True):
            if under:
                yield piece, None
                continue
            hypothesis = next(decoded)
            if is_faulty(hypothesis, piece) and piece.span.duration >= LEAST_LISTENED:
                hypothesis = self.engine.decode_sequentially(hypothesis.chunk, piece.language)
            if not is_faulty(hypothesis, piece):
                yield piece, timed(hypothesis.words, piece)
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
        chunks = [self.edges.chunk(piece) for piece in pieces]
        languages = [piece.language for piece in pieces]
        return self.engine.with_report(report).decode(chunks, hint, languages=languages)

    def _lacking(self, hypothesis: Hypothesis, piece: Piece) -> list[str]:
        return [term for term in self.terms if term in piece.text and term not in hypothesis.text]


def is_drowned(piece: Piece) -> bool:
    """Whether another speaks all the while: then it may be that voice which would be translated."""
    return all(word.overlap for word in piece.words)


def is_faulty(hypothesis: Hypothesis, piece: Piece) -> bool:
    """Whether what was written is no translation of a piece: nothing, a guess, a loop, a part, or its own language."""
    words = hypothesis.words
    brief = all(segment.brief for segment in piece.segments)
    return (
        is_hallucination(hypothesis)
        or (brief and hypothesis.confidence < UNSURE_LOGPROB)
        or is_loop(words, piece.words)
        or foreign_script(hypothesis.text, TARGET)
        or is_copy(words, piece.words)
        or (total(piece.speech) >= LEAST_SPEECH and len(words) < LEAST_PER_SECOND * total(piece.speech))
        or not words
    )


def timed(words: Sequence[Word], piece: Piece) -> tuple[Word, ...]:
    """The words with the speaker of a piece and times in it: as they were heard, or where that was lost, spread."""
    said = [replace(word, speaker=piece.speaker) for word in words]
    crammed = sum(word.end - word.start < SHORTEST_WORD for word in said)
    if crammed >= CRAMMED * len(said):
        return spread(said, piece.speech)
    return lasting(said, piece.span)
