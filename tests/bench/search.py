"""How fast a big library is searched: `python -m tests.bench.search 1000` makes as many hours up and measures.

Words are drawn so that the n-th most frequent of 150,000 comes up about 1/n as often as the first, as in speech.
"""

from __future__ import annotations

import itertools
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from outputs.library.index import FILE_NAME
from outputs.library.listing import SORTS, Wanted, list_episodes
from outputs.library.search import search, update

WORDS_PER_HOUR = 9000
SHOWS, SPEAKERS = 20, 3
SYLLABLES = [a + b for a in "bcdfghjklmnprstvwz" for b in "aeiou"]
QUERIES = ("ba", "ba be", "ba be ka", "babe*", "zuzuzu", "kaba zona", '"ba be"', "ka zi moma", "bab*")
FILTERS = (("", ""), ("Person 3", ""), ("", "Show 7"), ("Person 3", "Show 7"))  # speaker, show
REPEATS = 5


def vocabulary() -> tuple[list[str], list[float]]:
    """Made-up words, the short ones most frequent, and their cumulative weights."""
    chance = random.Random(1)
    words = {"".join(chance.choices(SYLLABLES, k=chance.randint(1, 5))) for _ in range(200_000)}
    ordered = sorted(words, key=lambda word: (len(word), word))
    return ordered, list(itertools.accumulate(1 / (rank + 2.7) for rank in range(len(ordered))))


def record(number: int, words: list[str], weights: list[float]) -> dict[str, Any]:
    """The record of an hour."""
    chance, time_now, segments = random.Random(number), 0.0, []
    spoken = iter(chance.choices(words, cum_weights=weights, k=WORDS_PER_HOUR))
    while sentence := list(itertools.islice(spoken, chance.randint(4, 24))):
        label = f"SPEAKER_{chance.randrange(SPEAKERS):02}"
        said = []
        for word in sentence:
            end = round(time_now + 0.2 + chance.random() * 0.3, 3)
            said.append(
                {"start": time_now, "end": end, "text": f" {word}", "probability": 0.9, "speaker": label}
            )
            time_now = round(end + 0.05, 3)
        segments.append({"start": said[0]["start"], "end": time_now, "speaker": label, "words": said})
    date = f"2026-{1 + number % 12:02}-{1 + number % 28:02}T06:00:00+00:00"
    about = {
        "id": str(number),
        "show": f"Show {number % SHOWS}",
        "guid": str(number),
        "title": f"Episode {number}",
        "published": date,
        "audio_url": "",
        "notes": "",
        "people": [],
    }
    names = [
        {
            "label": f"SPEAKER_{n:02}",
            "name": f"Person {(n + number) % 50}",
            "source": "talk",
            "confidence": 0.9,
        }
        for n in range(SPEAKERS)
    ]
    rest = {"turns": [], "exclusive": [], "engine": {}, "warnings": [], "language": "en"}
    audio = {"path": "", "sha256": "", "seconds": time_now}
    return {"schema": 1, "episode": about, "audio": audio, "segments": segments, "speakers": names, **rest}


def main(hours: int) -> None:
    """Make the library, index it, ask it; prints seconds and milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder)
        words, weights = vocabulary()
        for number in range(hours):
            episode = library / f"show-{number % SHOWS}" / f"episode-{number}"
            episode.mkdir(parents=True)
            (episode / "episode.json").write_text(json.dumps(record(number, words, weights), indent=1))
        for what in ("index", "nothing new"):
            start = time.perf_counter()
            update(library)
            print(f"{what}: {time.perf_counter() - start:.2f} s")
        print(f"{(library / FILE_NAME).stat().st_size / 1e6:.0f} MB")
        for sort in SORTS:
            start = time.perf_counter()
            list_episodes(library, Wanted(), sort)
            print(f"episodes by {sort}: {(time.perf_counter() - start) * 1000:.1f} ms")
        for query, (speaker, show) in itertools.product(QUERIES, FILTERS):
            spent = []
            for _ in range(REPEATS):
                start = time.perf_counter()
                found = search(library, query, speaker, show)
                spent.append((time.perf_counter() - start) * 1000)
            who = f"speaker {speaker or 'any'}, show {show or 'any'}"
            print(f"{query}, {who}: {found.count} passages, {statistics.median(spent):.1f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]))
