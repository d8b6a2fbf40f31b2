"""How well voices are told apart between recordings: `python -m tests.bench.voices`.

Composes short conversations with changing microphones, diarises them, and compares every voice with those of the
other conversations. A reader of LibriSpeech says one half of his utterances in even and the other half in odd
conversations, and only voices with different halves count as one person's. Printed for the readers that the
constants in `models/naming/voices.py` were chosen on and for those that they were not, as Markdown.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.diarisation.diariser import DiariserOptions, diarise
from models.naming.voices import SURE, cosine, log_odds
from models.record.transcript import Voice
from tests.bench.names import CHANNELS, HELD_OUT
from tests.flows.composed_shows import Samples, compose, level, through
from tests.models.conftest import SHARED, read_audio

CHOSEN_ON = ("1688", "1998", "3005")
LANGUAGES = {"chosen on": ("de", "fr", "pt"), "held out": ("es",)}  # of FLEURS, whose readers have no names
NAMING = 2.1  # log-odds that name a speaker by themselves
MIN_PURITY = 0.9  # of a voice, to be somebody's


@dataclass(frozen=True)
class Heard:
    """A voice of one conversation: whose it is, and which half of his utterances it said."""

    session: int
    person: str
    half: int
    voice: Voice


def people(names: Sequence[str], languages: Sequence[str]) -> dict[str, list[Samples]]:
    """The utterances of each reader; a reader of FLEURS has one."""
    folder = SHARED / "read_speech" / "librispeech_test-other"
    found = {n: [level(read_audio(path)) for path in sorted((folder / n).glob("*.flac"))] for n in names}
    for language in languages:
        for path in sorted((SHARED / "non_english" / "fleurs").glob(f"fleurs-{language}-*.ogg")):
            found[path.stem] = [level(read_audio(path))]
    return found


def sessions(readers: Mapping[str, Sequence[Samples]], count: int, seed: int) -> Iterator[Heard]:
    """The voices that `count` conversations of two or three readers have."""
    rng = random.Random(seed)
    many = sorted(name for name, speech in readers.items() if len(speech) > 1)
    single = sorted(readers.keys() - set(many))
    with tempfile.TemporaryDirectory() as work:
        for n in range(count):
            some = rng.sample(many, 2) + rng.sample(single, rng.choice((0, 1)))
            talkers = {
                name: [through(rng.choice(CHANNELS), speech) for speech in _half(readers[name], n % 2)]
                for name in some
            }
            composed = compose(Path(work) / f"{n}.wav", talkers, rng.choice((25, 50, 100)), seed + n)
            found = diarise(read_audio(composed.path), DiariserOptions(model="offline", device="cpu"))
            for voice in found.voices:
                spoken = {
                    name: sum(
                        max(0.0, min(a.end, b.end) - max(a.start, b.start))
                        for a in composed.turns
                        for b in found.exclusive
                        if (a.speaker, b.speaker) == (name, voice.speaker)
                    )
                    for name in some
                }
                person = max(spoken, key=lambda name: spoken[name])
                if spoken[person] >= MIN_PURITY * sum(spoken.values()):
                    yield Heard(n, person, n % 2, voice)


def _half(speech: Sequence[Samples], which: int) -> Sequence[Samples]:
    middle = len(speech) // 2
    return speech if len(speech) == 1 else speech[:middle] if which == 0 else speech[middle:]


def pairs(heard: Sequence[Heard]) -> Iterator[tuple[bool, float, float]]:
    """Whether two voices are one person's, their cosine, and their log-odds."""
    for a, b in itertools.combinations(heard, 2):
        same = a.person == b.person
        unknown = a.person.startswith("fleurs") and b.person[:9] == a.person[:9]  # perhaps one reader
        if a.session != b.session and not unknown and not (same and a.half == b.half):
            yield same, cosine(a.voice.embedding, b.voice.embedding), log_odds(a.voice, b.voice)


def row(who: str, same: bool, found: Sequence[tuple[bool, float, float]]) -> str:
    """How many pairs of one kind there are, their cosines, and how they would be judged."""
    cosines = np.array([value for one, value, _ in found if one is same])
    odds = np.array([value for one, _, value in found if one is same])
    quantiles = " | ".join(f"{value:.2f}" for value in np.quantile(cosines, (0, 0.05, 0.5, 0.95, 1)))
    judged = " | ".join(f"{100 * (odds >= limit).mean():.1f} %" for limit in (0.0, NAMING, SURE))
    return f"| {who} | {'one person' if same else 'two people'} | {len(odds)} | {quantiles} | {judged} |"


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=40)
    parser.add_argument("--seed", type=int, default=9)
    options = parser.parse_args()
    print(
        "| readers | voices of | pairs | lowest cosine | 5 % | median | 95 % | highest | log-odds > 0 | names | sure |"
    )
    print("|" + "-|" * 11)
    for who, names in (("chosen on", CHOSEN_ON), ("held out", HELD_OUT)):
        heard = list(sessions(people(names, LANGUAGES[who]), options.sessions, options.seed))
        found = list(pairs(heard))
        for same in (True, False):
            print(row(who, same, found), flush=True)


if __name__ == "__main__":
    main()
