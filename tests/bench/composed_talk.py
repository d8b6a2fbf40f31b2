"""Conversations composed of read speech, in which every word, its time and its speaker are known.

Readers take turns with whole utterances of LibriSpeech. Back-channels and answers are cut from the same readers'
own short words, at dips in level, and laid into the other's turn or a pause in it; turns are broken off by who
speaks next, begun twice, and answered quickly. Word times are those of Whisper's alignment of the known text.
"""

from __future__ import annotations

import json
import random
import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.asr import whisper_models
from models.record.spans import Span, union
from models.record.transcript import Turn, Word
from models.runtime.samples import SAMPLE_RATE
from tests.models.conftest import SHARED, read_audio

Samples = NDArray[np.float32]

READ_SPEECH = SHARED / "read_speech" / "librispeech_test-other"
# What the readers say that could also be an answer or an interjection; about half of it is in models/languages.
SHORT = """
    perhaps / really / i really / why / good / so / they say / is it / in doubt / by allah / of a truth / then /
    truth / now / but now / what / thou also / surely / possibly / it seems probable / hold on / patience /
    perfectly natural / awful / some / you didn't
""".replace("\n", " ").split("/")
BACK_CHANNELS, INTERRUPTIONS, OVERLAPS, FALSE_STARTS, QUICK = 0.2, 0.1, 0.15, 0.1, 0.2  # shares of turns
QUICK_GAP = (-0.2, 0.4)  # seconds
GAP = (0.1, 0.9)
OVERLAP = (-1.0, -0.3)
BROKEN_OFF_GAP = (-0.3, 0.15)
DIP = 0.12  # seconds around the end of a word in which the least level is looked for
LEVEL = 0.05  # root mean square of an utterance
HOP = SAMPLE_RATE // 100
FADE = SAMPLE_RATE // 200
SILENCE = 10 ** (-35 / 20)  # of the loudest
MERGED_PAUSE = 0.3  # seconds
SHORTEST_WORD, LONGEST_WORD = 0.2, 0.9  # seconds; what is shorter or longer was cut in the wrong place
FEWEST_WORDS = 3  # of an utterance before and after a pause that waits for another's word
NOISE = 0.0002


@dataclass(frozen=True)
class Clip:
    """What a reader says: (samples,) at 16 kHz and its words, timed from its beginning."""

    samples: Samples
    words: tuple[Word, ...]

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True)
class Piece:
    """A clip in a conversation, `start` in seconds; those of one `sentence` belong together."""

    start: float
    clip: Clip
    reader: str
    sentence: int

    @property
    def end(self) -> float:
        """Seconds."""
        return self.start + self.clip.seconds


@dataclass(frozen=True)
class Spoken:
    """A word as it was said in truth, its speaker and its sentence."""

    start: float
    end: float
    text: str
    speaker: str
    sentence: int


@cache
def utterances(reader: str) -> tuple[tuple[Samples, str], ...]:
    """What a reader says, (samples,) at 16 kHz of one level, and its text."""
    rows = [line.split("\t") for line in (READ_SPEECH / "transcripts.tsv").read_text().splitlines()[1:]]
    return tuple(
        (levelled(read_audio(READ_SPEECH / reader / f"{name}.flac")), text)
        for name, who, _, _, text in rows
        if who == reader
    )


def levelled(samples: Samples) -> Samples:
    """The same with a root mean square of LEVEL."""
    return (samples * (LEVEL / max(1e-4, float(np.sqrt(np.mean(np.square(samples))))))).astype(np.float32)


@cache
def readings(reader: str) -> tuple[Clip, ...]:
    """The utterances of a reader, with the times of their words."""
    return tuple(Clip(samples, tuple(timed(samples, text))) for samples, text in utterances(reader))


@cache
def asides(reader: str) -> tuple[Clip, ...]:
    """The short words of a reader, cut out of the utterances."""
    wanted = [phrase.split() for phrase in SHORT]
    found = []
    for clip in readings(reader):
        texts = [word.text for word in clip.words]
        for phrase in wanted:
            for first in range(len(texts) - len(phrase) + 1):
                if texts[first : first + len(phrase)] == phrase:
                    found.append(_trimmed(cut(clip, first, first + len(phrase))))
    return tuple(c for c in found if SHORTEST_WORD <= c.seconds / len(c.words) <= LONGEST_WORD)


def _trimmed(clip: Clip) -> Clip:
    """A clip without the silence around its words, which share what is left evenly."""
    loud = heard(clip.samples)
    first, last = loud[0].start, loud[-1].end
    pace = (last - first) / len(clip.words)
    words = [replace(word, start=i * pace, end=(i + 1) * pace) for i, word in enumerate(clip.words)]
    return Clip(clip.samples[round(first * SAMPLE_RATE) : round(last * SAMPLE_RATE)], tuple(words))


def timed(samples: Samples, text: str, language: str = "en") -> Iterator[Word]:
    """The words of a known text with the times at which Whisper's attention finds them.

    Raises ValueError where its tokens don't make up the same words.
    """
    from faster_whisper.tokenizer import Tokenizer

    model = _whisper()
    tokenizer = Tokenizer(model.hf_tokenizer, True, task="transcribe", language=language)
    features = model.feature_extractor(samples, padding=0)
    frames = features.shape[-1]
    padded = np.pad(features, ((0, 0), (0, 3000 - frames)))
    tokens = tokenizer.encode(f" {text}")
    (found,) = model.find_alignment(tokenizer, [tokens], model.encode(padded), frames)
    words = [each for each in found if each["word"].strip()]
    if [each["word"].strip() for each in words] != text.split():
        raise ValueError(f"words of {text!r} were not told apart")
    for each in words:
        yield Word(float(each["start"]), float(each["end"]), each["word"].strip())


@cache
def _whisper() -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(whisper_models.resolve("base")[1], device="cpu", compute_type="int8")


def cut(clip: Clip, first: int, last: int) -> Clip:
    """The words from `first` up to `last` of a clip, cut where it is least loud around their edges."""
    start = _dip(clip, clip.words[first].start) if first else 0.0
    end = _dip(clip, clip.words[last - 1].end) if last < len(clip.words) else clip.seconds
    samples = clip.samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)].copy()
    samples[:FADE] *= np.linspace(0, 1, FADE, dtype=np.float32)
    samples[-FADE:] *= np.linspace(1, 0, FADE, dtype=np.float32)
    words = [
        replace(word, start=max(0.0, word.start - start), end=min(word.end, end) - start)
        for word in clip.words[first:last]
    ]
    return Clip(samples, tuple(words))


def _dip(clip: Clip, at: float) -> float:
    """The least loud moment around one."""
    level = _levels(clip.samples)
    first = max(0, round((at - DIP) * 100))
    near = level[first : round((at + DIP) * 100) + 1]
    return (first + int(np.argmin(near))) / 100 if len(near) else at


def _levels(samples: Samples) -> NDArray[np.float32]:
    """(hundredths of a second,) root mean squares."""
    whole = samples[: len(samples) // HOP * HOP].reshape(-1, HOP)
    levels: NDArray[np.float32] = np.sqrt(np.mean(np.square(whole), axis=1))
    return levels


class Composer:
    """Lays pieces one after another, as a conversation goes. The same seed gives the same conversation."""

    def __init__(self, readers: Sequence[str], seed: int) -> None:
        self.rng = random.Random(seed)
        self.readers = readers
        self.pieces: list[Piece] = []
        self._decks: dict[str, list[int]] = {reader: [] for reader in readers}
        self._sentence = 0
        self._end = 1.5  # of the last turn, seconds
        self._speaker = ""
        self._broken_off = False

    def compose(self, seconds: float) -> list[Piece]:
        """Turns until so many seconds are full."""
        while self._end < seconds:
            self._turn(self.rng.choice([each for each in self.readers if each != self._speaker]))
        return sorted(self.pieces, key=lambda piece: piece.start)

    def _turn(self, reader: str) -> None:
        quick = self.rng.random() < QUICK
        self._end += self.rng.uniform(*QUICK_GAP) if quick else self._gap()
        self._speaker = reader
        self._broken_off = False
        if quick:
            self._lay(self.rng.choice(asides(reader)))
            if self.rng.random() < 0.5:
                return
            self._end += self.rng.uniform(0.1, 0.5)
        for number in range(self.rng.choice((1, 1, 2))):
            if number:
                self._end += self.rng.uniform(0.15, 0.6)
            self._utterance(reader)

    def _gap(self) -> float:
        if self._broken_off:
            return self.rng.uniform(*BROKEN_OFF_GAP)
        return self.rng.uniform(*(OVERLAP if self.rng.random() < OVERLAPS else GAP))

    def _utterance(self, reader: str) -> None:
        clip = self._drawn(reader)
        if self.rng.random() < FALSE_STARTS and len(clip.words) > 6:
            self._lay(cut(clip, 0, self.rng.randint(1, 3)))
            self._end += self.rng.uniform(0.2, 0.6)
        if self.rng.random() < INTERRUPTIONS and len(clip.words) > 6:
            clip = cut(clip, 0, round(len(clip.words) * self.rng.uniform(0.4, 0.8)))
            self._broken_off = True
        if self.rng.random() < BACK_CHANNELS and len(clip.words) > 6:
            self._with_aside(clip)
        else:
            self._lay(clip)

    def _drawn(self, reader: str) -> Clip:
        deck = self._decks[reader]
        if not deck:
            deck += self.rng.sample(range(len(readings(reader))), len(readings(reader)))
        return readings(reader)[deck.pop()]

    def _with_aside(self, clip: Clip) -> None:
        """A clip into which another says a short word: over it, or in its longest pause, which waits for it."""
        listener = self.rng.choice([each for each in self.readers if each != self._speaker])
        aside = self.rng.choice(asides(listener))
        if self.rng.random() < 0.5:
            at = self._end + self.rng.uniform(0.2, 0.8) * clip.seconds
            self._lay(clip)
            self._place(at, aside, listener)
            return
        pauses = [after.start - before.end for before, after in pairwise(clip.words)]
        longest = FEWEST_WORDS + int(np.argmax(pauses[FEWEST_WORDS - 1 : 1 - FEWEST_WORDS]))
        sentence = self._lay(cut(clip, 0, longest))
        self._place(self._end + self.rng.uniform(0.0, 0.25), aside, listener)
        self._end += aside.seconds + self.rng.uniform(0.1, 0.5)
        self._lay(cut(clip, longest, len(clip.words)), sentence)

    def _lay(self, clip: Clip, sentence: int | None = None) -> int:
        """The speaker says it next; the number of the sentence."""
        number = self._place(self._end, clip, self._speaker, sentence)
        self._end += clip.seconds
        return number

    def _place(self, start: float, clip: Clip, reader: str, sentence: int | None = None) -> int:
        if sentence is None:
            self._sentence += 1
        number = self._sentence if sentence is None else sentence
        self.pieces.append(Piece(start, clip, reader, number))
        return number


def truth(pieces: Sequence[Piece]) -> list[Spoken]:
    """All words in order of time."""
    return sorted(
        (
            Spoken(piece.start + word.start, piece.start + word.end, word.text, piece.reader, piece.sentence)
            for piece in pieces
            for word in piece.clip.words
        ),
        key=lambda word: word.start,
    )


def turns(pieces: Sequence[Piece]) -> list[Turn]:
    """Where each reader is heard, in order."""
    found = []
    for reader in sorted({piece.reader for piece in pieces}):
        spans = [
            Span(piece.start + span.start, piece.start + span.end)
            for piece in pieces
            if piece.reader == reader
            for span in heard(piece.clip.samples)
        ]
        found += [Turn(span.start, span.end, reader) for span in union(spans, MERGED_PAUSE)]
    return sorted(found)


def heard(samples: Samples, floor: float = SILENCE) -> list[Span]:
    """Where a clean clip is louder than `floor` times its loudest, short pauses left out, in seconds."""
    level = _levels(samples)
    active = np.flatnonzero(level > level.max() * floor) / 100
    return union([Span(float(at), float(at) + 0.01) for at in active], MERGED_PAUSE)


def compose(path: Path, readers: Sequence[str], seconds: float, seed: int) -> Path:
    """A conversation as `path`, with `.rttm`, `.stm` and `.words.json` beside it; composed once."""
    if path.with_suffix(".words.json").exists():
        return path
    pieces = Composer(readers, seed).compose(seconds)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_sound(path, pieces, seed)
    words = truth(pieces)
    path.with_suffix(".rttm").write_text("".join(_rttm_lines(path.stem, turns(pieces))))
    path.with_suffix(".stm").write_text("".join(_stm_lines(path.stem, words)))
    rows = [[w.start, w.end, w.text, w.speaker, w.sentence] for w in words]
    path.with_suffix(".words.json").write_text(json.dumps(rows))
    return path


def load_truth(path: Path) -> list[Spoken]:
    """The words beside a conversation."""
    return [Spoken(*row) for row in json.loads(path.with_suffix(".words.json").read_text())]


def _write_sound(path: Path, pieces: Sequence[Piece], seed: int) -> None:
    rng = np.random.default_rng(seed)
    gains: Mapping[str, float] = {
        reader: rng.uniform(0.7, 1.2) for reader in sorted({piece.reader for piece in pieces})
    }
    length = round((max(piece.end for piece in pieces) + 0.5) * SAMPLE_RATE)
    mix = NOISE * rng.standard_normal(length).astype(np.float32)
    for piece in pieces:
        first = round(piece.start * SAMPLE_RATE)
        mix[first : first + len(piece.clip.samples)] += gains[piece.reader] * piece.clip.samples
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        out.writeframes((np.clip(mix, -1, 1) * 32767).astype("<i2").tobytes())


def _rttm_lines(name: str, found: Sequence[Turn]) -> Iterator[str]:
    for turn in found:
        yield f"SPEAKER {name} 1 {turn.start:.3f} {turn.duration:.3f} <NA> <NA> {turn.speaker} <NA> <NA>\n"


def _stm_lines(name: str, words: Sequence[Spoken]) -> Iterator[str]:
    """A line a run of words of one reader, so that their order is that of time, whoever speaks."""
    for reader, run in groupby(words, key=lambda word: word.speaker):
        said = list(run)
        text = " ".join(word.text for word in said)
        yield f"{name} 1 {reader} {said[0].start:.3f} {said[-1].end:.3f} {text}\n"
