"""How well speakers are named on composed shows: `python -m tests.bench.names`.

Episodes are composed of LibriSpeech (`tests/flows/composed_shows.py`) and processed step by step as a run does.
Measured are shows of six episodes with two recurring hosts and a new guest each time, the hosts confirmed after the
first; the same with another microphone for everybody in every episode; and single episodes whose title, notes,
people tags and known people name people who do not speak. Prints Markdown.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.library import speakers
from flows.options import RunOptions
from models.record.transcript import Episode, Person, Transcript
from models.runtime.offline_models import models_folder
from tests.flows.composed_shows import (
    Composed,
    Samples,
    compose,
    is_number,
    label_of,
    level,
    named_time,
    process,
    through,
)
from tests.models.conftest import SHARED, read_audio

HELD_OUT = ("2033", "2414", "2609")  # the voice threshold was chosen on the other three and on FLEURS
CHANNELS = ("", "phone", "noise", "room")
EPISODES = 6
NAMES = (
    "Anne Currie",
    "Gaël Duez",
    "Zoe Roth",
    "Tim Pritlove",
    "Ida Wells",
    "Bob Moss",
    "Inés García",
    "Uwe Kern",
)
HEAD = """\
| hosts | microphones | hosts found | host time named right | no name | a wrong name | guests called a host |
|-|-|-|-|-|-|-|"""

People = Mapping[str, Sequence[Samples]]


@dataclass(frozen=True)
class Bench:
    """Where and how episodes are made and processed."""

    library: Path
    seconds: float
    seed: int
    model: str

    def options(self, known_people: tuple[str, ...] = ()) -> RunOptions:
        """As a user would have them."""
        return RunOptions(
            library=str(self.library),
            model=self.model,
            language="en",
            diariser="offline",
            known_people=known_people,
        )

    def compose(self, title: str, n: int, talkers: People) -> Composed:
        """The recording of episode `n`."""
        return compose(self.library / "audio" / title / f"{n}.wav", talkers, self.seconds, self.seed + n)


def readers() -> People:
    """Read speech of six people in English, several utterances each, and of two in Spanish, one each."""
    folders = sorted((SHARED / "read_speech" / "librispeech_test-other").glob("*/"))
    people = {f.name: [level(read_audio(path)) for path in sorted(f.glob("*.flac"))] for f in folders}
    spanish = sorted((SHARED / "non_english" / "fleurs").glob("fleurs-es-*.ogg"))[:2]
    return people | {path.stem: [level(read_audio(path))] for path in spanish}


def show(
    bench: Bench, people: People, hosts: Sequence[str], *, channels: bool
) -> list[tuple[Composed, Transcript]]:
    """The six episodes of a show; the hosts are confirmed after the first, and speak other sentences later."""
    guests = [name for name in people if name not in hosts]
    title = f"{' '.join(hosts)} {'changing' if channels else 'one'}"
    made = []
    for n in range(EPISODES):
        half = slice(0, 4) if n == 0 else slice(4, None)
        talkers = {host: people[host][half] for host in hosts} | {guests[n]: people[guests[n]]}
        if channels:
            talkers = {
                name: [through(CHANNELS[(n + i) % len(CHANNELS)], speech) for speech in spoken]
                for i, (name, spoken) in enumerate(talkers.items())
            }
        composed = bench.compose(title, n, talkers)
        episode = Episode(f"{title} {n}", title, str(n), f"Episode {n}")
        folder, transcript = process(composed.path, episode, bench.options())
        for host in hosts if n == 0 else ():
            speakers.rename(folder, label_of(host, composed, transcript), f"Host {host}")
        made.append((composed, transcript))
    return made


def misleading(bench: Bench, people: People, episodes: int) -> Iterator[Transcript]:
    """Episodes of two or three people whose notes, tags and settings name others."""
    for n in range(episodes):
        rng = random.Random(bench.seed + n)
        talkers = {name: people[name] for name in rng.sample(sorted(people), rng.choice((2, 3)))}
        composed = bench.compose("misleading", n, talkers)
        one, two, host, guest = rng.sample(NAMES, 4)
        notes = f"{one} and {two} discussed it. Hosted by {host}. Guest: {guest}."
        tags = (Person(host), Person(guest, "guest"))
        episode = Episode(
            f"misleading {n}", "Misleading", str(n), f"{n}: a talk with {one}", notes=notes, people=tags
        )
        yield process(composed.path, episode, bench.options((host, two)))[1]


def row(found: Sequence[tuple[Composed, Transcript]], hosts: Sequence[str]) -> str:
    """What became of the hosts' speech, and how many guests were called a host."""
    milliseconds: Counter[str] = Counter()
    right = guests = 0
    for composed, transcript in found:
        for person, names in named_time(composed, transcript).items():
            called = transcript.name_of(label_of(person, composed, transcript))
            guests += person not in hosts and called.startswith("Host ")
            right += person in hosts and called == f"Host {person}"
            for name, spent in names.items() if person in hosts else ():
                none = is_number(name) or name.startswith("SPEAKER_")
                kind = "none" if none else "right" if name == f"Host {person}" else "wrong"
                milliseconds[kind] += round(1000 * spent)
    share = 100 * milliseconds["right"] / milliseconds.total()
    rest = f"{milliseconds['none'] / 1000:.1f} s | {milliseconds['wrong'] / 1000:.1f} s"
    return f"{right} of {len(found) * len(hosts)} | {share:.1f} % | {rest} | {guests} of {len(found)} |"


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=90, help="length of an episode")
    parser.add_argument("--misleading", type=int, default=20, help="episodes with misleading notes")
    parser.add_argument("--seed", type=int, default=600)
    parser.add_argument("--model", default="tiny.en")
    options = parser.parse_args()
    people = readers()
    with tempfile.TemporaryDirectory() as work:
        cache = Path(work) / "cache"
        cache.mkdir()
        (cache / "models").symlink_to(models_folder())
        os.environ["EPISCRIBE_CACHE"] = str(cache)
        bench = Bench(Path(work) / "library", options.seconds, options.seed, options.model)
        print(HEAD)
        for hosts, channels in itertools.product(itertools.combinations(HELD_OUT, 2), (False, True)):
            found = show(bench, people, hosts, channels=channels)
            how = "changing" if channels else "the same"
            print(f"| {' and '.join(hosts)} | {how} | {row(found[1:], hosts)}", flush=True)
        found_names = [
            speaker.name
            for transcript in misleading(bench, people, options.misleading)
            for speaker in transcript.speakers
            if not is_number(speaker.name)
        ]
        print(
            f"{options.misleading} episodes with misleading notes: {len(found_names)} names given {found_names}"
        )


if __name__ == "__main__":
    main()
