"""Whether people are counted right who change channels: `python -m tests.bench.channels`.

Recordings of one reader of LibriSpeech in a studio, on a telephone and in a room, in each order, and of two readers
who take turns over two channels each. Printed for the readers that the constants in `models/diarisation/channels.py`
were chosen on and for those that they were not, as Markdown.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from models.diarisation.diariser import DiariserOptions, diarise
from models.record.transcript import Diarisation
from tests.models.channels import Samples, one_after_the_other, over, room, studio, taking_turns, telephone
from tests.models.conftest import SHARED, read_audio

READERS = {"held out": ("1998", "2414", "3005"), "chosen on": ("1688", "2033", "2609")}
UTTERANCES = 6  # of each reader: half a minute to a minute
CHANNELS = (studio, telephone, room)
OFFLINE = DiariserOptions(model="offline", device="cpu")


def utterances(reader: str) -> list[Samples]:
    """What a reader says: UTTERANCES of it."""
    folder = SHARED / "read_speech" / "librispeech_test-other" / reader
    return [read_audio(path) for path in sorted(folder.glob("*.flac"))[:UTTERANCES]]


def recordings(readers: Sequence[str]) -> Iterator[tuple[str, int, Samples]]:
    """What is recorded, how many people there are, and the recording."""
    spoken = {reader: utterances(reader) for reader in readers}
    for own in spoken.values():
        for order in itertools.permutations(CHANNELS):
            yield "one person, three channels", 1, one_after_the_other(over(order, own))
    for (one, other), (here, there) in itertools.product(
        itertools.combinations(spoken.values(), 2), itertools.permutations(CHANNELS, 2)
    ):
        yield "two people, a channel each", 2, taking_turns(over((here,), one), over((there,), other))
        yield (
            "two people, two channels each",
            2,
            taking_turns(over((here, there), one), over((there, here), other)),
        )


def count(found: Diarisation) -> int:
    """How many people speak."""
    return len({turn.speaker for turn in found.turns})


def main() -> None:
    """Print the table."""
    print("| readers | recordings | number | right | too many | too few |\n|-|-|-|-|-|-|")
    for kind, readers in READERS.items():
        off: dict[str, list[int]] = {}
        for name, people, samples in recordings(readers):
            off.setdefault(name, []).append(count(diarise(samples, OFFLINE)) - people)
        for name, by in off.items():
            right, many, few = by.count(0), sum(n > 0 for n in by), sum(n < 0 for n in by)
            print(f"| {kind} | {name} | {len(by)} | {right} | {many} | {few} |", flush=True)


if __name__ == "__main__":
    main()
