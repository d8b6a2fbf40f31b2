"""What is said while two people talk, by turns alone and with both heard: `python -m tests.bench.overlap`.

Composes talks in which half of the utterances begin before the last one ends, by 0.4 to 3 s. The words to be found
are those that the same Whisper model hears of each utterance alone. Writes its table to docs/transcription.md, of the
talks with the given numbers, or all.
"""

from __future__ import annotations

import argparse
import random
import time
import wave
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from models.alignment.align import attributed, sentence_segments
from models.asr.repair import bare_word
from models.asr.second_voice import SpokenWords, find_overlaps, hear_second_voices
from models.asr.transcription import load, transcribe
from models.diarisation.diariser import diarise
from models.record.spans import Span, speech_of
from models.record.transcript import Word
from models.runtime.samples import SAMPLE_RATE
from outputs.scoring.score import WordError
from tests.bench.__main__ import WORK
from tests.bench.report import publish
from tests.bench.transcription import BASE, OFFLINE, READ_SPEECH, errors, percent
from tests.models.conftest import read_audio

TALKS = 6
PEOPLE = 3
SECONDS = 75.0  # that a talk lasts at least
OVERLAPPING = 0.5  # share of utterances that begin before the last one ends ...
BEFORE = (0.4, 3.0)  # ... by so many seconds
LEVEL = 0.05  # RMS of every reader

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Utterance:
    """One reader's, laid into a talk at `start`, and the words that are heard of it alone, in the talk's time."""

    reader: str
    start: float
    end: float
    words: tuple[Word, ...]


def compose(readers: Sequence[Path], seed: int) -> tuple[Path, list[Utterance]]:
    """A talk of some readers, each a folder of FLAC files, and what is said in it."""
    dice = random.Random(seed)
    engine = load(BASE).with_language("en")
    decks = {reader: sorted(reader.glob("*.flac")) for reader in readers}
    for deck in decks.values():
        dice.shuffle(deck)
    mix, said, last = np.zeros(0, np.float32), list[Utterance](), 0.0
    while last < SECONDS:
        reader = dice.choice([each for each in readers if not said or said[-1].reader != each.name])
        samples = read_audio(decks[reader].pop())[: 25 * SAMPLE_RATE]
        samples *= LEVEL / np.sqrt(np.square(samples).mean())
        length = len(samples) / SAMPLE_RATE
        early = dice.uniform(*BEFORE) if said and dice.random() < OVERLAPPING else -dice.uniform(0.1, 0.7)
        start = max(0.0, last - early)
        alone = engine.with_samples(samples).decode([Span(0, length)])[0].words
        words = tuple(Word(w.start + start, w.end + start, w.text, speaker=reader.name) for w in alone)
        said.append(Utterance(reader.name, start, start + length, words))
        first = round(start * SAMPLE_RATE)
        mix = np.pad(mix, (0, max(0, first + len(samples) - len(mix))))
        mix[first : first + len(samples)] += samples
        last = start + length
    path = WORK / "audio" / f"overlap-{'-'.join(reader.name for reader in readers)}-{seed}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((np.clip(mix, -1, 1) * 32767).astype("<i2").tobytes())
    lines = (
        f"{path.stem} 1 {u.reader} {u.start:.3f} {u.end:.3f} {''.join(w.text for w in u.words).strip()}\n"
        for u in said
    )
    path.with_suffix(".stm").write_text("".join(lines))
    return path, said


def found(said: Sequence[Utterance], words: Iterable[Word]) -> NDArray[np.int64]:
    """Words under another voice, those of them that were found of the right speaker; the same of all other words."""
    truth: dict[str, list[Word]] = {}
    for utterance in said:
        truth.setdefault(utterance.reader, []).extend(utterance.words)
    heard: dict[str | None, list[Word]] = {}
    for word in sorted(words, key=lambda word: word.start):
        heard.setdefault(word.speaker, []).append(word)
    hits = [[list(_common(own, other)) for other in heard.values()] for own in truth.values()]
    rows, columns = linear_sum_assignment([[-len(hit) for hit in row] for row in hits])
    right = {id(word) for row, column in zip(rows, columns, strict=True) for word in hits[row][column]}
    every = [(word, _is_under(word, said)) for own in truth.values() for word in own]
    return np.array(
        [
            sum(under for _, under in every),
            sum(under and id(word) in right for word, under in every),
            sum(not under for _, under in every),
            sum(not under and id(word) in right for word, under in every),
        ]
    )


def _common(own: Sequence[Word], other: Sequence[Word]) -> Iterator[Word]:
    mine, theirs = ([bare_word(word.text) for word in words] for words in (own, other))
    for block in SequenceMatcher(None, mine, theirs, autojunk=False).get_matching_blocks():
        yield from own[block.a : block.a + block.size]


def _is_under(word: Word, said: Sequence[Utterance]) -> bool:
    middle = (word.start + word.end) / 2
    return any(
        u.reader != word.speaker and u.words and u.words[0].start < middle < u.words[-1].end for u in said
    )


def table(seeds: Iterable[int]) -> str:
    """Words under another voice before and after, and what it costs."""
    names = ("by turns", "both heard")
    counts = {name: np.zeros(4, np.int64) for name in names}
    scored: dict[str, list[tuple[WordError, WordError]]] = {name: [] for name in names}
    spent, first, second, moved, lasting = 0.0, 0.0, 0, 0, 0.0
    seeds = list(seeds)
    folders = sorted(path for path in READ_SPEECH.iterdir() if path.is_dir())
    for seed in seeds:
        path, said = compose(random.Random(seed).sample(folders, PEOPLE), seed)
        samples = read_audio(path)
        start = time.process_time()
        turns = diarise(samples, OFFLINE)
        words = transcribe(samples, BASE, speech=speech_of(turns.turns)).words
        first += time.process_time() - start
        by_turns = SpokenWords(tuple(attributed(words, turns.exclusive, "en", turns.turns)))
        start = time.process_time()
        both = hear_second_voices(load(BASE).with_language("en"), samples, by_turns.words, turns.turns)
        spent += time.process_time() - start
        second += len(both.second)
        moved += sum(a.speaker != b.speaker for a, b in zip(by_turns.words, both.words, strict=True))
        lasting += sum(overlap.span.duration for overlap in find_overlaps(turns.turns))
        for name, spoken in zip(names, (by_turns, both), strict=True):
            counts[name] += found(said, (*spoken.words, *spoken.second))
            scored[name].append(errors(path, sentence_segments(spoken.words, "en", spoken.second)))
        print(path.stem, [counts[name].tolist() for name in names], flush=True)
    rows = [
        "| | words under another voice | found, of the right speaker | other words | found | WER % | cpWER % |"
    ]
    rows.append("|-|-|-|-|-|-|-|")
    for name in names:
        under, hit, other, kept = counts[name]
        wer, cpwer = (percent(each[i] for each in scored[name]) for i in (0, 1))
        rows.append(
            f"| {name} | {under} | {hit} ({hit / under:.0%}) | {other} | {kept} ({kept / other:.1%}) "
            f"| {wer:.1f} | {cpwer:.1f} |"
        )
    return "\n".join(rows) + (
        f"\n\n{len(seeds)} talks, {lasting:.0f} s found to overlap; {moved} words went to the other speaker, "
        f"{second} were added. CPU time beside that of diarisation and transcription: {spent / first:.0%} more."
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, nargs="*", default=range(TALKS))
    result = table(parser.parse_args().seeds)
    publish("transcription.md", "overlap", result)
    print(result)
