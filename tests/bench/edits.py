"""Edits of a long episode, measured: `python -m tests.bench.edits [KILLS]`, printed for docs/measured.md.

A talk of three hours with about 30,000 words, served by `episcribe edit` in a process of its own and edited over HTTP:
how long opening takes, and edits when there are none and when there are 1,000 before, by the clock and on the server's
processor. Then a server is killed KILLS times at random moments while it is edited.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import psutil

from models.record.transcript import Segment, Transcript, Word
from outputs.formats.registry import FORMATS
from outputs.library.write import publish
from tests.flows.web.kills import edit_command, edits_through_kills, signed_in
from tests.outputs.samples import talk

HOURS, SPEAKERS = 3, 3
EDITS, BEFORE = 100, 1000
KILLS = 50
API = "/api/v1/episodes/-/talk"
VOCABULARY = """when we came to the old house by river there was nobody so waited for hours and then it began rain quite
well I remember that you had started long before somebody asked what they were doing here with all those apples"""


def long_talk(seed: int = 1) -> Transcript:
    """Three people who talk for three hours, one word in thirty in doubt."""
    chance, now, who = random.Random(seed), 1.0, 0
    segments = list[Segment]()
    while now < HOURS * 3600 - 30:
        for _ in range(chance.randint(1, 5)):
            words = list[Word]()
            for text in chance.choices(VOCABULARY.split(), k=chance.randint(4, 24)):
                end = now + 0.15 + 0.045 * len(text)
                doubt = chance.random() < 1 / 30
                told = chance.uniform(0.1, 0.5) if doubt else chance.uniform(0.6, 1)
                words.append(
                    Word(round(now, 3), round(end, 3), f" {text}", round(told, 3), f"SPEAKER_{who:02}")
                )
                now = end + 0.03
            words[-1] = Word(words[-1].start, words[-1].end, f"{words[-1].text}.", 0.9, f"SPEAKER_{who:02}")
            segments.append(Segment(words[0].start, words[-1].end, f"SPEAKER_{who:02}", tuple(words)))
            now += chance.uniform(0.1, 0.6)
        who = chance.choice([one for one in range(SPEAKERS) if one != who])
    names = {f"SPEAKER_{one:02}": name for one, name in enumerate(("Anne", "Bob", "Cat"))}
    return talk(*segments, **names)


def main(kills: int) -> None:
    """Print what was measured."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "talk"
        made = long_talk()
        publish(made, folder, FORMATS)
        print(f"{len(made.words)} words, {len(made.segments)} segments; by the clock, of the processor")
        with edit_command(folder) as (child, address), signed_in(address) as client:
            clock = Clock(child.pid)
            clock.tell("opened for the first time", lambda: client.get(API))
            for _ in range(20):
                clock.time("opened again", lambda: client.get(API))
            _edit_often(client, clock, EDITS, "edited, with none before")
            _edit_often(client, clock, BEFORE - EDITS, "edited, until there are so many")
            _edit_often(client, clock, EDITS, f"edited, with {BEFORE} before")
            own = [one["op"] for one in client.get(API).json()["undo"]]
            for op in reversed(own[-20:]):
                clock.time(
                    "taken back, one of the last", partial(_edit, client, f"un {op}", do="undo", edit=op)
                )
            clock.tell("taken back, an old one", partial(_edit, client, "un", do="undo", edit=own[0]))
            everywhere = {"do": "replace", "find": "apples", "replace": "pears"}
            clock.tell("replaced everywhere", partial(_edit, client, "all", **everywhere))
            clock.print()
        with edit_command(folder) as (child, address), signed_in(address) as client:
            Clock(child.pid).tell("opened with all these edits", lambda: client.get(API))
        if kills:
            edits = edits_through_kills(Path(place) / "episode", kills, seed=1, serve=edit_command)
            print(f"{kills} kills during {edits} edits: none lost, none twice")


class Clock:
    """What takes how long, in milliseconds: by the clock, and on the processor by a process."""

    def __init__(self, process: int) -> None:
        self._process = psutil.Process(process)
        self._spent: dict[str, list[tuple[float, float]]] = defaultdict(list)

    def time(self, what: str, do: Callable[[], Any]) -> Any:
        """Do something, and note how long it takes."""
        begun, used = time.perf_counter(), sum(self._process.cpu_times()[:2])
        done = do()
        wall, cpu = time.perf_counter() - begun, sum(self._process.cpu_times()[:2]) - used
        self._spent[what].append((wall * 1000, cpu * 1000))
        return done

    def tell(self, what: str, do: Callable[[], Any]) -> None:
        """Do something once, and print how long it took."""
        self.time(what, do)
        wall, cpu = self._spent.pop(what)[0]
        print(f"{what}: {wall:.0f} ms, {cpu:.0f} ms")

    def print(self) -> None:
        """Print what was noted; the processor's time, which systems count in steps of 10 ms, in the mean."""
        for what, spent in self._spent.items():
            walls = sorted(wall for wall, _ in spent)
            late = walls[int(0.95 * len(walls))]
            used = statistics.fmean(cpu for _, cpu in spent)
            print(
                f"{what}: median {statistics.median(walls):.0f} ms, 95 % within {late:.0f} ms, {used:.0f} ms"
            )


def _edit_often(client: httpx2.Client, clock: Clock, count: int, what: str) -> None:
    chance = random.Random(what)
    paragraphs = client.get(API).json()["paragraphs"]
    for number in range(count):
        one = chance.choice(paragraphs)
        words = list(one["words"])
        words[chance.randrange(1, len(words))] = f" other{number}"
        do = {"do": "text", "paragraph": one["id"], "text": "".join(words)}
        patch = clock.time(what, partial(_edit, client, f"{what} {number}", **do))
        for splice in patch["splices"]:
            paragraphs[splice["at"] : splice["at"] + splice["removed"]] = splice["paragraphs"]


def _edit(client: httpx2.Client, op: str, **do: Any) -> dict[str, Any]:
    answer = client.post(f"{API}/edits", json={"op": op, "do": do})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else KILLS)
