"""How well words get their speakers in composed conversations: `python -m tests.bench.conversations`.

Conversations are composed of readers' utterances and short words (`tests/bench/composed_talk.py`), diarised and
transcribed once, and then joined: as Episcribe does, as another version of it in `--before CHECKOUT` does, and as
whisperX does (`--whisperx PATH/whisperx/diarize.py`, one file, which is run alone); all of them with the true turns
too, which tells what is the diariser's fault. Constants were chosen on the readers DEVELOPMENT, the tables are of
READERS. Real recordings with RTTM and STM beside them may be given instead: `--recording PATH.wav`.

Prints the tables as Markdown: they are in docs/transcription.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
from scipy.optimize import linear_sum_assignment

from audio.tracks.recording import Recording
from audio.transfer.download import local_file
from flows import steps
from models.alignment.align import align
from models.asr.transcription import TranscriptionOptions
from models.diarisation.diariser import DiariserOptions
from models.record.spans import exclusive_turns, speech_of
from models.record.transcript import AudioFile, Diarisation, Episode, Segment, Transcript, Turn, Word
from outputs.formats import episode_json
from outputs.scoring.score import WordError, score
from tests.bench.__main__ import WORK
from tests.bench.composed_talk import Spoken, compose, load_truth
from tests.bench.transcription import percent
from tests.models.conftest import read_rttm

DEVELOPMENT = ("1688", "1998", "2033")
READERS = ("2414", "2609", "3005")
SEEDS: dict[tuple[str, ...], tuple[int, ...]] = {DEVELOPMENT: (1, 2), READERS: (101, 102)}
SECONDS = 300.0  # of a conversation
FARTHEST = 1.0  # seconds between a word as it was said and as it was heard
UNPAIRED, OTHER_TEXT = 0.7, 1.0  # costs of matching words
ISLAND_WORDS = 3
BINS = (0.0, 0.6, 0.7, 0.8, 0.9, 0.98, 1.01)


@dataclass(frozen=True)
class Heard:
    """What the recogniser wrote."""

    words: tuple[Word, ...]
    language: str


Join = Callable[[Heard, Diarisation], Sequence[Segment]]


@dataclass(frozen=True)
class Conversation:
    """A recording, what was heard in it, and (for composed ones) the truth and the pairs of both."""

    path: Path
    turns: Diarisation
    heard: Heard
    truth: tuple[Spoken, ...]
    pairs: tuple[tuple[int, int], ...]

    @property
    def minutes(self) -> float:
        """Up to the last word."""
        return self.heard.words[-1].end / 60


@dataclass(frozen=True)
class Judged:
    """What a join is worth on one conversation, as counts.

    words: those heard right; right: of them, those of the right speaker; torn: sentences of which a part is
    another's; islands: runs of up to three words between two of one other speaker, and how many are right.
    `probabilities` are those of each word's speaker with whether it is right, where the join tells.
    """

    minutes: float
    wer: WordError
    cpwer: WordError
    words: int = 0
    right: int = 0
    torn: int = 0
    islands: int = 0
    islands_right: int = 0
    probabilities: tuple[tuple[float, bool], ...] = ()


def conversations(readers: Sequence[str], folder: Path) -> Iterator[Conversation]:
    """Those of each pair of readers and of all of them, composed and heard once."""
    first, second, third = readers
    for seed in SEEDS[tuple(readers)]:
        for talkers in ((first, second), (first, third), (second, third), (first, second, third)):
            path = folder / f"{'-'.join(talkers)}-{seed}.wav"
            yield conversation(compose(path, talkers, SECONDS, seed))


def conversation(path: Path) -> Conversation:
    """A recording and what was heard in it, which is kept beside it."""
    turns, heard = hear(path)
    truth = tuple(load_truth(path)) if path.with_suffix(".words.json").exists() else ()
    return Conversation(path, turns, heard, truth, tuple(pairs(heard.words, truth)))


def hear(path: Path) -> tuple[Diarisation, Heard]:
    """Turns and words, as a run finds them."""
    kept = path.with_suffix(".heard.json")
    if not kept.exists():
        stored = local_file(str(path))
        with Recording(str(stored.path), stored.sha256) as recording:
            decoded = recording.decode()
            turns = steps.diarise(recording, decoded, DiariserOptions())
            found = steps.transcribe(
                recording,
                decoded,
                TranscriptionOptions(),
                speech_of(turns.turns) or None,
                turns=turns.exclusive,
            )
        values = {
            "turns": list(map(asdict, turns.turns)),
            "exclusive": list(map(asdict, turns.exclusive)),
            "words": list(map(asdict, found.words)),
            "language": found.language,
        }
        kept.write_text(json.dumps(values), encoding="utf-8")
    told = json.loads(kept.read_text(encoding="utf-8"))
    own, alone = (tuple(Turn(**turn) for turn in told[name]) for name in ("turns", "exclusive"))
    return Diarisation(own, alone), Heard(tuple(Word(**word) for word in told["words"]), told["language"])


def pairs(heard: Sequence[Word], truth: Sequence[Spoken]) -> Iterator[tuple[int, int]]:
    """Indices of words that were heard right and of what was said, by the cheapest match in order of time."""
    here, there = [_bare(word.text) for word in heard], [_bare(word.text) for word in truth]
    costs = np.zeros((len(here) + 1, len(there) + 1))
    costs[0, :] = UNPAIRED * np.arange(len(there) + 1)
    costs[:, 0] = UNPAIRED * np.arange(len(here) + 1)
    times = np.array([word.start for word in truth])
    for i, text in enumerate(here):
        distance = np.abs(times - heard[i].start)
        same = np.array([each == text for each in there], dtype=bool) & (distance <= FARTHEST)
        diagonal = costs[i, :-1] + np.where(same, 0.01 * distance, OTHER_TEXT)
        best = np.minimum(diagonal, costs[i, 1:] + UNPAIRED)
        for j, cost in enumerate(best, start=1):
            costs[i + 1, j] = min(cost, costs[i + 1, j - 1] + UNPAIRED)
    i, j = len(here), len(there)
    found = []
    while i and j:
        if np.isclose(costs[i, j], costs[i - 1, j] + UNPAIRED):
            i -= 1
        elif np.isclose(costs[i, j], costs[i, j - 1] + UNPAIRED):
            j -= 1
        else:
            i, j = i - 1, j - 1
            if here[i] == there[j]:
                found.append((i, j))
    return reversed(found)


def _bare(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def judge(talk: Conversation, segments: Sequence[Segment]) -> Judged:
    """What a join is worth."""
    wer, cpwer = errors(talk, segments)
    words = [word for segment in segments for word in segment.words]
    if not talk.truth:
        return Judged(talk.minutes, wer, cpwer)
    people = _people([(words[i].speaker, talk.truth[j].speaker) for i, j in talk.pairs])
    right = {i: people.get(words[i].speaker) == talk.truth[j].speaker for i, j in talk.pairs}
    islands = [run for run in _islands(words) if any(i in right for i in run)]
    return Judged(
        talk.minutes,
        wer,
        cpwer,
        len(right),
        sum(right.values()),
        len(torn(talk, words)),
        len(islands),
        sum(all(right.get(i, True) for i in run) for run in islands),
        tuple((float(words[i].speaker_probability or 1.0), well) for i, well in right.items()),
    )


def torn(talk: Conversation, words: Sequence[Word]) -> list[int]:
    """Sentences of the truth of which words that were heard have two speakers or more."""
    labels: dict[int, set[str | None]] = {}
    for i, j in talk.pairs:
        labels.setdefault(talk.truth[j].sentence, set()).add(words[i].speaker)
    return [sentence for sentence, own in labels.items() if len(own) > 1]


def _people(pairs: Sequence[tuple[str | None, str]]) -> dict[str | None, str]:
    """Which reader each label is: one each, so that most words are right."""
    counts = Counter(pairs)
    labels, readers = (list(dict.fromkeys(pair[side] for pair in pairs)) for side in (0, 1))
    table = np.array([[counts[label, reader] for reader in readers] for label in labels])  # type: ignore[index]
    rows, columns = linear_sum_assignment(-table)
    return {labels[row]: str(readers[column]) for row, column in zip(rows, columns, strict=True)}


def _islands(words: Sequence[Word]) -> Iterator[list[int]]:
    runs = [list(run) for _, run in groupby(range(len(words)), key=lambda i: words[i].speaker)]
    for before, run, after in zip(runs, runs[1:], runs[2:], strict=False):
        if len(run) <= ISLAND_WORDS and words[before[-1]].speaker == words[after[0]].speaker:
            yield run


def errors(talk: Conversation, segments: Sequence[Segment]) -> tuple[WordError, WordError]:
    """WER and cpWER against the STM file beside the recording."""
    audio = AudioFile(talk.path.name, "", 0.0)
    record = Transcript(Episode("bench"), audio, talk.heard.language, tuple(segments))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "episode.json"
        path.write_text(episode_json.render(record), encoding="utf-8")
        found = score(path, stm=talk.path.with_suffix(".stm"))
    if found.wer is None or found.cpwer is None:
        raise ValueError(f"{talk.path}: nothing to compare with")
    return found.wer, found.cpwer


def ours(heard: Heard, turns: Diarisation) -> Sequence[Segment]:
    """Episcribe's join."""
    return align(heard.words, turns.exclusive, heard.language, turns.turns)


def of_checkout(folder: Path) -> Join:
    """The join of the Episcribe in another folder, run in a process of its own."""

    def join(heard: Heard, turns: Diarisation) -> Sequence[Segment]:
        exclusive, every = (
            [(t.start, t.end, t.speaker) for t in own] for own in (turns.exclusive, turns.turns)
        )
        words = [(w.start, w.end, w.text, w.probability) for w in heard.words]
        told = json.dumps(
            {"words": words, "language": heard.language, "exclusive": exclusive, "turns": every}
        )
        command = [sys.executable, str(Path(__file__).with_name("join.py"))]
        path = {**os.environ, "PYTHONPATH": str(folder)}
        result = subprocess.run(command, input=told, text=True, stdout=subprocess.PIPE, check=True, env=path)
        return [
            Segment(start, end, who, tuple(Word(a, b, text, 1.0, who) for a, b, text in words))
            for start, end, who, words in json.loads(result.stdout)
        ]

    return join


def of_whisperx(file: Path) -> Join:
    """whisperX's assignment of speakers to words, from its file alone; words beside all turns get the nearest."""
    import pandas  # type: ignore[import-untyped]

    for name in ("whisperx", "whisperx.audio", "whisperx.schema", "whisperx.log_utils"):
        sys.modules.setdefault(name, MagicMock())  # what the file imports and this doesn't need
    spec = importlib.util.spec_from_file_location("whisperx_diarize", file)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{file}: no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def join(heard: Heard, turns: Diarisation) -> Sequence[Segment]:
        table = pandas.DataFrame(
            [{"start": t.start, "end": t.end, "speaker": t.speaker} for t in turns.turns]
        )
        words: list[dict[str, Any]] = [{"word": w.text, "start": w.start, "end": w.end} for w in heard.words]
        segment = {"start": words[0]["start"], "end": words[-1]["end"], "words": words}
        module.assign_word_speakers(table, {"segments": [segment]}, fill_nearest=True)
        labelled = [replace(w, speaker=told["speaker"]) for w, told in zip(heard.words, words, strict=True)]
        return _by_speaker(labelled)

    return join


def true_turns(talk: Conversation) -> Conversation:
    """The same with the turns of the RTTM file beside it."""
    turns = tuple(sorted(Turn(*row) for row in read_rttm(talk.path.with_suffix(".rttm"))))
    return replace(talk, turns=Diarisation(turns, exclusive_turns(turns)))


def told_the_truth(talk: Conversation, segments: Sequence[Segment]) -> Sequence[Segment]:
    """A join in which each word that was heard right has its true speaker: what no join could better."""
    words = [word for segment in segments for word in segment.words]
    people = _people([(words[i].speaker, talk.truth[j].speaker) for i, j in talk.pairs])
    labels = {person: label for label, person in people.items()}
    for i, j in talk.pairs:
        words[i] = replace(words[i], speaker=labels.get(talk.truth[j].speaker))
    return _by_speaker(words)


def _by_speaker(words: Sequence[Word]) -> list[Segment]:
    runs = [list(run) for _, run in groupby(words, key=lambda word: word.speaker)]
    return [Segment(run[0].start, run[-1].end, run[0].speaker, tuple(run)) for run in runs]


HEAD = """\
| join | WER % | cpWER % | cpWER - WER | words with the right speaker % | torn sentences in 20 min | islands right |
|-|-|-|-|-|-|-|"""


def row(name: str, found: Sequence[Judged]) -> str:
    """A line of the table, all conversations pooled."""
    wer, cpwer = (percent(getattr(each, kind) for each in found) for kind in ("wer", "cpwer"))
    errors_only = f"| {name} | {wer:.1f} | {cpwer:.1f} | {cpwer - wer:+.2f} |"
    words, minutes = sum(each.words for each in found), sum(each.minutes for each in found)
    if not words:
        return f"{errors_only} - | - | - |"
    right, torn_ones = sum(each.right for each in found), sum(each.torn for each in found)
    islands = f"{sum(each.islands_right for each in found)} of {sum(each.islands for each in found)}"
    return f"{errors_only} {100 * right / words:.2f} | {20 * torn_ones / minutes:.1f} | {islands} |"


def reliability(found: Sequence[Judged]) -> Iterator[str]:
    """How many words have the right speaker, by how sure that is said to be."""
    told = np.array([pair for each in found for pair in each.probabilities])
    yield "| told | words | in the mean | right |"
    yield "|-|-|-|-|"
    for low, high in pairwise(BINS):
        inside = told[(told[:, 0] >= low) & (told[:, 0] < high)]
        if len(inside):
            mean, right = inside.mean(axis=0)
            yield f"| {low:.2f} to {high:.2f} | {len(inside)} | {mean:.2f} | {right:.2f} |"


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=WORK / "conversations")
    parser.add_argument(
        "--development", action="store_true", help="of the readers that constants are chosen on"
    )
    parser.add_argument(
        "--recording", type=Path, nargs="*", default=[], help="WAV with RTTM and STM beside it"
    )
    parser.add_argument("--before", type=Path, metavar="CHECKOUT")
    parser.add_argument("--whisperx", type=Path, metavar="diarize.py")
    chosen = parser.parse_args()
    readers = DEVELOPMENT if chosen.development else READERS
    talks = list(map(conversation, chosen.recording)) or list(conversations(readers, chosen.work))
    joins: dict[str, Join] = {"Episcribe": ours}
    if chosen.before:
        joins["Episcribe before"] = of_checkout(chosen.before)
    if chosen.whisperx:
        joins["whisperX"] = of_whisperx(chosen.whisperx)
    print(f"{len(talks)} recordings, {sum(talk.minutes for talk in talks):.0f} min\n\n{HEAD}")
    for turns, own in (("", talks), (", true turns", list(map(true_turns, talks)))):
        for name, join in joins.items():
            print(row(name + turns, [judge(each, join(each.heard, each.turns)) for each in own]), flush=True)
    if all(talk.truth for talk in talks):
        joined = [ours(talk.heard, talk.turns) for talk in talks]
        judged = [judge(t, told_the_truth(t, found)) for t, found in zip(talks, joined, strict=True)]
        print(row("true speakers of all words heard right", judged), "", sep="\n")
        print(*reliability([judge(t, found) for t, found in zip(talks, joined, strict=True)]), sep="\n")


if __name__ == "__main__":
    main()
