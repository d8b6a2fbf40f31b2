"""How well words get their speakers in composed conversations: `python -m tests.bench.conversations`.

Conversations are composed of readers' utterances and short words (`tests/bench/composed_talk.py`), diarised and
transcribed once, and then joined: as Episcribe does, as its other version in `--before CHECKOUT` did, as whisperX does
(`--whisperx PATH/whisperx/diarize.py`, one file, which is run alone), and by Episcribe with the true turns, which tells
what is the diariser's fault. Constants were chosen on the readers DEVELOPMENT; the tables are of READERS, on whom
nothing was. Real recordings with RTTM and STM beside them may be given, too: `--recording PATH.wav`.

Prints the tables as Markdown and writes them to docs/benchmarks.md with `--write`.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from audio.media.recording import Recording
from audio.transfer.download import local_file
from flows import steps
from models.alignment.align import align
from models.asr.transcription import TranscriptionOptions
from models.diarisation.diariser import DiariserOptions
from models.record.spans import speech_of
from models.record.transcript import AudioFile, Diarisation, Episode, Segment, Transcript, Turn, Word
from outputs.formats import episode_json
from outputs.scoring.score import WordError, score
from tests.bench.composed_talk import Spoken, compose, load_truth

DEVELOPMENT = ("1688", "1998", "2033")
READERS = ("2414", "2609", "3005")
SEEDS: dict[tuple[str, ...], tuple[int, ...]] = {DEVELOPMENT: (1, 2, 3), READERS: (101, 102, 103)}
SECONDS = 300.0  # of a conversation
FARTHEST = 2.0  # seconds between a word as it was said and as it was heard
UNPAIRED, OTHER_TEXT = 0.7, 1.0  # costs of matching words
ISLAND_WORDS = 3
BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


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
            track = recording.decode().track
            turns = steps.diarise(recording, track, DiariserOptions())
            found = steps.transcribe(recording, track, TranscriptionOptions(), speech_of(turns.turns) or None)
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
