"""Words that are said while two people talk: Whisper writes one voice there, or some of each.

So where two turns overlap, both voices are listened to by themselves: what lies beside the overlap in the same turn
as it is, the overlap with the other voice attenuated. What comes out tells two things. Words that were written before
and are heard in one of the voices alone are of that speaker. Words that the model is sure of, in a stretch for which
its speaker has none, were left out.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from models.asr.engine import Engine
from models.asr.seams import is_same_word
from models.asr.transcription import TranscriptionOptions, load
from models.asr.voice_separation import Shapes, learn_shapes, separate
from models.record.spans import Span, total, uncovered, union, who_speaks
from models.record.transcript import Turn, Word
from models.runtime.gpu_failures import cpu_when_gpu_fails
from models.runtime.memory import return_freed_memory
from models.runtime.samples import SAMPLE_RATE, Samples, as_float

LEAST_SECONDS = 0.4  # of overlap: less holds no word
LEAST_GAP = 0.7  # seconds of an overlap without words of one of the two in which more are looked for
CONTEXT = 2.0  # seconds of the same turn to both sides that are listened to with an overlap
LEARNT_SECONDS = 20.0  # of a voice alone that tell how it sounds ...
LEAST_LEARNT = 2.0  # ... and less of which don't
PAD = 0.15  # seconds around an overlap that are separated with it: spectra need both sides
PAUSE = 0.6  # seconds of silence between two pieces that are decoded in one chunk
CHUNK_SECONDS = 29.0
HEARD_AT_ONCE = 64  # overlaps whose pieces are in memory at a time: some 50 MB
SHARE_HEARD = 0.1  # of all speech that is listened to once more, the longest overlaps first ...
LEAST_HEARD = 60.0  # ... or this many seconds of a short recording
EDGE = 0.1  # seconds by which a word's middle may lie outside of the stretch it is looked for in
SAME_SECONDS = 1.0  # that a word may be off in another decoding
REACH = 3.0  # seconds around an overlap in which its words and those beside them begin
SURE = 0.6  # mean probability of a gap's words from which they are believed

Waveform = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SpokenWords:
    """Words with their speakers: those of the transcription, in its order, and `second` ones that it left out."""

    words: tuple[Word, ...]
    second: tuple[Word, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overlap:
    """A stretch in which two people talk, in alphabetical order; `heard` is what of the turn of each is listened to."""

    span: Span
    speakers: tuple[str, str]
    heard: tuple[Span, Span]

    @property
    def cost(self) -> float:
        """Seconds to listen to."""
        return total(self.heard)


@cpu_when_gpu_fails("hearing two who talk at once")
def resolve_overlaps(
    samples: Samples, options: TranscriptionOptions, words: Sequence[Word], turns: Sequence[Turn]
) -> SpokenWords:
    """See `hear_second_voices`; with the engine that `options` ask for. options: with the language that is spoken."""
    engine = load(options)
    if options.language is not None:
        engine = engine.with_language(options.language)
    found = hear_second_voices(engine, samples, words, turns)
    return_freed_memory()
    return found


def hear_second_voices(
    engine: Engine, samples: Samples, words: Sequence[Word], turns: Sequence[Turn]
) -> SpokenWords:
    """The words where two talk at once with the speaker who is heard to say each, and those that were left out.

    engine: with the language that is spoken. samples: (samples,) mono at 16 kHz. words: in order, with speakers.
    turns: those that may overlap.
    """
    overlaps = worth_hearing(find_overlaps(turns), turns)
    spoken, second = list(words), list[Word]()
    for overlap, heard in _heard_alone(engine, _Voices(samples, turns), overlaps):
        near = _around_in_time(spoken, overlap.span)
        spoken[near] = given_to_who_is_heard(spoken[near], overlap, heard)
        second += left_out(spoken[near], overlap, heard)
    return SpokenWords(tuple(spoken), tuple(sorted(second, key=lambda word: (word.start, word.end))))


def find_overlaps(turns: Sequence[Turn]) -> list[Overlap]:
    """Where two people talk, long enough for a word, in order."""
    together: dict[tuple[str, ...], list[Span]] = {}
    own: dict[str, list[Span]] = {}
    for span, speakers in who_speaks(turns):
        for speaker in speakers:
            own.setdefault(speaker, []).append(span)
        if len(speakers) == 2:
            together.setdefault(speakers, []).append(span)
    whole = {speaker: union(spans) for speaker, spans in own.items()}
    found = [
        Overlap(span, (one, other), (_around(span, whole[one]), _around(span, whole[other])))
        for (one, other), spans in together.items()
        for span in union(spans)
        if span.duration >= LEAST_SECONDS
    ]
    return sorted(found, key=lambda overlap: (overlap.span, overlap.speakers))


def _around(span: Span, turns: Sequence[Span]) -> Span:
    """What of the turn that holds a span is listened to with it, as much as fits into a chunk."""
    turn = next(turn for turn in turns if turn.end >= span.end)
    start = max(turn.start, span.start - CONTEXT)
    return Span(start, min(turn.end, span.end + CONTEXT, start + CHUNK_SECONDS - 2 * PAUSE))


def worth_hearing(overlaps: Sequence[Overlap], turns: Sequence[Turn]) -> list[Overlap]:
    """The longest overlaps that may be listened to without taking long, in order."""
    room = max(LEAST_HEARD, SHARE_HEARD * total(span for span, _ in who_speaks(turns)))
    chosen = []
    for overlap in sorted(overlaps, key=lambda overlap: -overlap.span.duration):
        room -= overlap.cost
        if room < 0.0:
            break
        chosen.append(overlap)
    return sorted(chosen, key=lambda overlap: (overlap.span, overlap.speakers))


def given_to_who_is_heard(
    words: Sequence[Word], overlap: Overlap, heard: Mapping[str, Sequence[Word]]
) -> list[Word]:
    """The words with those of an overlap given to the one of the two who is heard to say them, if only one is.

    heard: the words of each voice by itself. A single word needs words of that speaker beside it: one alone may be the
    other's, heard through the mask.
    """
    sayers = [_sayer(word, overlap, heard) for word in words]
    given = list(words)
    for speaker, run in groupby(
        range(len(words)), key=lambda i: sayers[i] if sayers[i] != words[i].speaker else None
    ):
        own = list(run)
        beside = {
            word.speaker for word in (*words[max(0, own[0] - 1) : own[0]], *words[own[-1] + 1 : own[-1] + 2])
        }
        if speaker is not None and (len(own) > 1 or speaker in beside):
            for i in own:
                given[i] = replace(words[i], speaker=speaker, speaker_probability=None)
    return given


def _sayer(word: Word, overlap: Overlap, heard: Mapping[str, Sequence[Word]]) -> str | None:
    """Who says a word: its speaker, unless that is one of the two and the other alone is heard to say it."""
    if word.speaker not in overlap.speakers or not _lies_in(word, overlap.span):
        return word.speaker
    saying = [speaker for speaker in overlap.speakers if _is_among(word, heard[speaker])]
    return saying[0] if len(saying) == 1 else word.speaker


def left_out(words: Sequence[Word], overlap: Overlap, heard: Mapping[str, Sequence[Word]]) -> list[Word]:
    """Words of an overlap that are heard in one voice alone, for stretches in which that has none.

    words: those that were written around it, with speakers. A word that was written, or is heard in the other voice
    too, is no new one: no voice is silenced altogether.
    """
    found = []
    for speaker, other in (overlap.speakers, overlap.speakers[::-1]):
        said = union(Span(word.start, word.end) for word in words if word.speaker == speaker)
        for gap in uncovered(overlap.span, said):
            new = [
                word
                for word in heard[speaker]
                if _lies_in(word, gap) and not _is_among(word, words) and not _is_among(word, heard[other])
            ]
            if gap.duration >= LEAST_GAP and new and np.mean([word.probability for word in new]) >= SURE:
                found += new
    return found


def _around_in_time(words: Sequence[Word], span: Span) -> slice:
    """Those of many words, in order, that may have to do with a span."""
    first = bisect_left(words, span.start - REACH, key=attrgetter("start"))
    return slice(first, bisect_right(words, span.end + REACH, key=attrgetter("start")))


def _lies_in(word: Word, span: Span) -> bool:
    return span.start - EDGE <= (word.start + word.end) / 2 <= span.end + EDGE


def _is_among(word: Word, others: Sequence[Word]) -> bool:
    """Whether the same word is there, or one that it is a half of, at about the same time."""
    middle = (word.start + word.end) / 2
    return any(
        is_same_word(other.text, word.text) and abs((other.start + other.end) / 2 - middle) <= SAME_SECONDS
        for other in others
    )


def _heard_alone(
    engine: Engine, voices: _Voices, overlaps: Sequence[Overlap]
) -> Iterator[tuple[Overlap, dict[str, list[Word]]]]:
    """The overlaps, each with the words of both of its voices by themselves; none where too little is known of one."""
    for first in range(0, len(overlaps), HEARD_AT_ONCE):
        block = overlaps[first : first + HEARD_AT_ONCE]
        pieces = [piece for overlap in block for piece in voices.pieces(overlap)]
        heard = {overlap: {speaker: list[Word]() for speaker in overlap.speakers} for overlap in block}
        for _, own in groupby(sorted(pieces, key=attrgetter("speaker")), key=attrgetter("speaker")):
            for piece, words in _decode(engine, list(own)):
                heard[piece.overlap][piece.speaker] = words
        yield from heard.items()


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """(samples,) of one of the voices of an overlap, the first of them at `start` seconds of the recording."""

    overlap: Overlap
    speaker: str
    start: float
    samples: Waveform

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / SAMPLE_RATE


class _Voices:
    """How the voices of a recording sound alone: each is learnt once, when it is first asked for."""

    def __init__(self, samples: Samples, turns: Sequence[Turn]) -> None:
        self._samples = samples
        self._alone: dict[str, list[Span]] = {}
        self._learnt: dict[str, Shapes | None] = {}
        for span, speakers in who_speaks(turns):
            if len(speakers) == 1:
                self._alone.setdefault(speakers[0], []).append(span)

    def pieces(self, overlap: Overlap) -> Iterator[_Piece]:
        """Both voices of an overlap, each by itself; nothing where one of them never talks alone."""
        one, other = (self._shapes(speaker) for speaker in overlap.speakers)
        if one is None or other is None:
            return
        padded = Span(max(0.0, overlap.span.start - PAD), overlap.span.end + PAD)
        mixed = self._cut(padded)
        for speaker, heard, shapes in zip(
            overlap.speakers, overlap.heard, ((one, other), (other, one)), strict=True
        ):
            samples = self._cut(heard).copy()
            voice = separate(mixed, *shapes)[_at(overlap.span.start - padded.start) :]
            first = _at(overlap.span.start - heard.start)
            length = min(_at(overlap.span.duration), len(voice), len(samples) - first)
            samples[first : first + length] = voice[:length]
            yield _Piece(overlap, speaker, heard.start, samples)

    def _shapes(self, speaker: str) -> Shapes | None:
        if speaker not in self._learnt:
            parts, room = list[Waveform](), LEARNT_SECONDS
            for span in sorted(self._alone.get(speaker, ()), key=lambda span: -span.duration):
                parts.append(self._cut(Span(span.start, min(span.end, span.start + room))))
                room -= span.duration
                if room <= 0.0:
                    break
            enough = sum(map(len, parts)) >= LEAST_LEARNT * SAMPLE_RATE
            self._learnt[speaker] = learn_shapes(np.concatenate(parts)) if enough else None
        return self._learnt[speaker]

    def _cut(self, span: Span) -> Waveform:
        return as_float(self._samples[_at(span.start) : _at(span.end)])


def _at(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def _decode(engine: Engine, pieces: Sequence[_Piece]) -> Iterator[tuple[_Piece, list[Word]]]:
    """The words of each piece in the time of the recording; as many pieces share a chunk as go into one."""
    silence = np.zeros(_at(PAUSE), dtype=np.float32)
    chunks: list[list[tuple[_Piece, float]]] = []
    parts, now = list[Waveform](), 0.0
    for piece in pieces:
        if not chunks or now + piece.duration + 2 * PAUSE - (chunks[-1][0][1] - PAUSE) > CHUNK_SECONDS:
            chunks.append([])
        chunks[-1].append((piece, now + PAUSE))
        parts += [silence, piece.samples]
        now += PAUSE + piece.duration
    track = np.concatenate([*parts, silence])
    spans = [Span(own[0][1] - PAUSE, own[-1][1] + own[-1][0].duration + PAUSE) for own in chunks]
    for own, hypothesis in zip(chunks, engine.with_samples(track).decode(spans), strict=True):
        for piece, start in own:
            shift = piece.start - start
            moved = (replace(w, start=w.start + shift, end=w.end + shift) for w in hypothesis.words)
            inside = [word for word in moved if _lies_in(word, piece.overlap.span)]
            yield piece, [replace(word, speaker=piece.speaker, overlap=True) for word in inside]
