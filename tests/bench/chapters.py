"""Where chapters are proposed, beside NLTK's TextTiling and equal lengths: `python -m tests.bench.chapters FOLDER`.

A folder holds talks as JSON files. Composed ones have `language` and `sections`, each with `turns` of `speaker` and
`sentences`; they are given times here: pauses are drawn from one distribution all over, so that only the text tells
where sections begin, and in a second pass some sections follow on a jingle. Real episodes have `language`, `chapters`
with `start` in seconds, and `turns` with `start`, `speaker` and `sentences`, over which the time is spread.

Printed for each system: Pk and WindowDiff (nltk.metrics.segmentation; the window is half the mean length of the
reference's chapters) over sentences and over seconds, how many chapters there are too many, and F1, a beginning being
right within 30 s. Then how far the proposal moves under changes that should do nothing.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from nltk.metrics.segmentation import pk, windowdiff
from nltk.tokenize.texttiling import TextTilingTokenizer

from models.languages.registry import language_of
from models.record.transcript import AudioFile, Episode, Segment, Transcript, Word
from models.topics.boundaries import topic_starts
from models.topics.embedding import load_embedder
from tests.bench.polling import host

MEAN_LENGTH = 330.0  # seconds of a section of the talks by which the constants were chosen
TOLERANCE = 30.0  # seconds
JINGLE = (4.0, 12.0)  # seconds
CHANGED = 0.1  # share of words misheard
MOVED = 0.5  # seconds
OTHERWISE = (
    0.2  # share of sentences that are split otherwise, said by another, or followed by an interjection
)

Starts = Sequence[float]
Change = Callable[[Segment, Segment, random.Random], list[Segment]]


@dataclass(frozen=True)
class Talk:
    """What is said, and where its chapters begin, but the first, in seconds."""

    name: str
    transcript: Transcript
    starts: tuple[float, ...]

    @property
    def seconds(self) -> float:
        return self.transcript.audio.seconds


def read(path: Path, *, jingles: bool = False) -> Talk:
    """The talk of a file; a composed one is given times, the same ones each time."""
    told, chance = json.loads(path.read_text(encoding="utf-8")), random.Random(path.stem)
    segments, starts = _real(told) if "chapters" in told else _composed(told, chance, jingles)
    end = segments[-1].end
    transcript = Transcript(Episode(path.stem), AudioFile("", "", end + 1), told["language"], tuple(segments))
    return Talk(path.stem, transcript, tuple(start for start in starts if TOLERANCE < start < end))


def _composed(
    told: Mapping[str, Any], chance: random.Random, jingles: bool
) -> tuple[list[Segment], list[float]]:
    segments: list[Segment] = []
    starts = []
    now = 0.0
    for section in told["sections"]:
        begins = True
        for turn in section["turns"]:
            for sentence in turn["sentences"]:
                now += chance.lognormvariate(-0.9, 0.7)
                now += chance.uniform(*JINGLE) if jingles and begins and chance.random() < 0.5 else 0
                segments.append(_spoken(sentence, turn["speaker"], now, chance.uniform(0.055, 0.08)))
                starts += [segments[-1].start] if begins else []
                begins, now = False, segments[-1].end
    return segments, starts


def _real(told: Mapping[str, Any]) -> tuple[list[Segment], list[float]]:
    segments = []
    for turn, after in pairwise([*told["turns"], None]):
        now, letters = turn["start"], sum(len(sentence) for sentence in turn["sentences"])
        room = after["start"] - now if after else letters
        for sentence in turn["sentences"]:
            segments.append(_spoken(sentence, turn["speaker"], now, min(0.1, max(room, 1.0) / letters)))
            now = segments[-1].end
    return sorted(segments, key=lambda one: one.start), [one["start"] for one in told["chapters"]]


def _spoken(sentence: str, speaker: str, start: float, each: float) -> Segment:
    """A sentence whose letters take so many seconds each."""
    words = []
    for text in sentence.split():
        words.append(Word(start, start + each * len(text), f" {text}", speaker=speaker))
        start = words[-1].end + each
    return Segment(words[0].start, start, speaker, tuple(words))


def proposed(talk: Talk) -> Starts:
    """Ours."""
    return topic_starts(talk.transcript, load_embedder())[1:]


def texttiling(talk: Talk) -> Starts:
    """NLTK's, as it comes, each sentence a paragraph; words of our lists are its stop words."""
    language = language_of(talk.transcript.language)
    stop = (
        language.captions.leaning | language.captions.opening | language.talk.asides | language.titles.vague
    )
    segments = talk.transcript.segments
    text = "\n\n".join(segment.text for segment in segments)
    tiles = TextTilingTokenizer(stopwords=sorted(stop)).tokenize(f"\n\n{text}\n\n")
    count, starts = 0, []
    for tile in tiles[:-1]:
        count += len([one for one in tile.split("\n\n") if one.strip()])
        starts.append(segments[min(count, len(segments) - 1)].start)
    return starts


def equal(talk: Talk) -> Starts:
    """As many as there are, of one length."""
    parts = len(talk.starts) + 1
    return [talk.seconds * part / parts for part in range(1, parts)]


def of_mean_length(talk: Talk) -> Starts:
    """As many as there are in other talks of this length, of one length."""
    parts = max(1, round(talk.seconds / MEAN_LENGTH))
    return [talk.seconds * part / parts for part in range(1, parts)]


def none(_: Talk) -> Starts:
    """Nothing."""
    return ()


SYSTEMS: Mapping[str, Callable[[Talk], Starts]] = {
    "Episcribe": proposed,
    "TextTiling, NLTK": texttiling,
    "equal lengths, number known": equal,
    "equal lengths of 5.5 min": of_mean_length,
    "no boundaries": none,
}


def measured(talk: Talk, found: Starts) -> list[float]:
    """Pk and WindowDiff over sentences, the same over seconds, chapters too many, F1."""
    begins = [segment.start for segment in talk.transcript.segments]
    whole = range(int(talk.seconds) + 1)
    rates = []
    for places in (begins, [float(second) for second in whole]):
        true, guessed = _marks(places, talk.starts), _marks(places, found)
        window = max(2, round(len(places) / (2 * (len(talk.starts) + 1))))
        rates += [100 * pk(true, guessed, window), 100 * windowdiff(true, guessed, window)]
    return [*rates, len(found) - len(talk.starts), 100 * f1(talk.starts, found)]


def _marks(places: Starts, starts: Starts) -> str:
    """A 1 for each place that is the nearest one to a beginning, 0 for others."""
    marks = ["0"] * len(places)
    for start in starts:
        marks[min(range(len(places)), key=lambda at: abs(places[at] - start))] = "1"
    return "".join(marks)


def f1(true: Starts, found: Starts) -> float:
    """Of beginnings, each found one taken once; 1 where there are none in either."""
    left, right = sorted(found), 0
    for start in true:
        near = [one for one in left if abs(one - start) <= TOLERANCE]
        if near:
            left.remove(min(near, key=lambda one: abs(one - start)))
            right += 1
    return 2 * right / (len(true) + len(found)) if true or found else 1.0


def misheard(one: Segment, other: Segment, chance: random.Random) -> list[Segment]:
    """One word in ten is a word of another sentence."""
    words = tuple(
        replace(word, text=chance.choice(other.words).text) if chance.random() < CHANGED else word
        for word in one.words
    )
    return [one.with_words(words)]


def moved(one: Segment, _: Segment, chance: random.Random) -> list[Segment]:
    """Times are wrong by up to half a second."""
    by = chance.uniform(-MOVED, MOVED)
    words = (
        replace(word, start=max(0.0, word.start + by), end=max(0.0, word.end + by)) for word in one.words
    )
    return [one.with_words(tuple(words))]


def split_otherwise(one: Segment, _: Segment, chance: random.Random) -> list[Segment]:
    """One sentence in five is two."""
    if len(one.words) < 2 or chance.random() > OTHERWISE:
        return [one]
    at = chance.randrange(1, len(one.words))
    return [one.with_words(one.words[:at]), one.with_words(one.words[at:])]


def mixed_up(one: Segment, other: Segment, chance: random.Random) -> list[Segment]:
    """One sentence in five is taken for somebody else's."""
    return [replace(one, speaker=other.speaker) if chance.random() < OTHERWISE else one]


def interrupted(one: Segment, other: Segment, chance: random.Random) -> list[Segment]:
    """After one sentence in five somebody says "mhm"."""
    if chance.random() > OTHERWISE:
        return [one]
    return [one, Segment(one.end, one.end + 0.3, other.speaker, (Word(one.end, one.end + 0.3, " Mhm."),))]


def joined(transcript: Transcript) -> Transcript:
    """One sentence in five goes on with the next of the same speaker."""
    chance, segments = random.Random(1), list(transcript.segments[:1])
    for segment in transcript.segments[1:]:
        if segment.speaker == segments[-1].speaker and chance.random() < OTHERWISE:
            segments[-1] = segments[-1].with_words(segments[-1].words + segment.words)
        else:
            segments.append(segment)
    return replace(transcript, segments=tuple(segments))


def _each(change: Change) -> Callable[[Transcript], Transcript]:
    def changed(transcript: Transcript) -> Transcript:
        chance = random.Random(1)
        return replace(
            transcript,
            segments=tuple(
                new
                for one in transcript.segments
                for new in change(one, chance.choice(transcript.segments), chance)
            ),
        )

    return changed


CHANGES: Mapping[str, Callable[[Transcript], Transcript]] = {
    "one word in ten misheard": _each(misheard),
    "times off by up to 0.5 s": _each(moved),
    "one sentence in five cut in two": _each(split_otherwise),
    "one sentence in five joined to the next": joined,
    "one sentence in five another's": _each(mixed_up),
    "an interjection after one in five": _each(interrupted),
}


def compared(talks: Sequence[Talk], systems: Mapping[str, Callable[[Talk], Starts]]) -> Iterator[str]:
    """Rows of a table."""
    for name, system in systems.items():
        means = [
            statistics.mean(column)
            for column in zip(*(measured(one, system(one)) for one in talks), strict=True)
        ]
        yield (
            f"| {name} | "
            + " | ".join(f"{mean:+.1f}" if at == 4 else f"{mean:.1f}" for at, mean in enumerate(means))
            + " |"
        )


def steadiness(talks: Sequence[Talk]) -> Iterator[str]:
    """Rows of a table: how much of the proposal stays, and what it is worth then."""
    before = [proposed(talk) for talk in talks]
    for name, change in CHANGES.items():
        after = [proposed(replace(talk, transcript=change(talk.transcript))) for talk in talks]
        same = statistics.mean(f1(*pair) for pair in zip(before, after, strict=True))
        rate = statistics.mean(measured(*pair)[2] for pair in zip(talks, after, strict=True))
        yield f"| {name} | {100 * same:.0f} | {rate:.1f} |"


def main() -> None:
    """Read the folders and print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--changes", action="store_true", help="also how steady the proposals are")
    options = parser.parse_args()
    print(host())
    for folder in options.folders:
        paths = sorted(folder.glob("*.json"))
        talks = [read(path) for path in paths]
        started = time.process_time()
        print(f"{folder}: {len(talks)} talks, {sum(talk.seconds for talk in talks) / 3600:.1f} h\n")
        print("| | Pk, sentences | WindowDiff | Pk, seconds | WindowDiff | too many | F1 |\n|-|-|-|-|-|-|-|")
        print(*compared(talks, SYSTEMS), sep="\n")
        with_jingles = [read(path, jingles=True) for path in paths]
        if with_jingles != talks:
            print(*compared(with_jingles, {"Episcribe, half of the sections after a jingle": proposed}))
        if options.changes:
            print("\n| changed | still found | Pk, seconds |\n|-|-|-|", *steadiness(talks), sep="\n")
        print(f"\n{time.process_time() - started:.0f} s of CPU\n", flush=True)


if __name__ == "__main__":
    main()
