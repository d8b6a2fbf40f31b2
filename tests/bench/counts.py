"""How many speakers are counted in harmless variants of recordings: `python -m tests.bench.counts [WAV ...]`.

Recordings are those given, with an RTTM beside them; without any, the real conversations of ../shared/data and
conversations composed of its readers, who raise their voices and have a short guest. Writes to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample

from models.diarisation.diariser import DiariserOptions, diarise
from models.record.transcript import Diarisation
from tests.bench.report import publish
from tests.models.conftest import SHARED, read_audio, read_rttm
from tests.models.diarisation.test_diariser import error_rate
from tests.models.recording_variants import RATE, VARIANTS, louder

OFFLINE = DiariserOptions(model="offline", device="cpu")
READERS = (("1688", "1998"), ("2033", "2414"), ("2609", "3005"))
UTTERANCES = 8  # of each reader
PAUSE = 0.3  # seconds between two turns
RAISED = (2.0, 4.0)  # semitones by which a voice is raised in some turns
GUEST_SECONDS = 6.0

Samples = NDArray[np.float32]
Rows = list[tuple[float, float, str]]


@dataclass(frozen=True)
class Talk:
    """A recording, 16 kHz mono, and its true turns."""

    name: str
    samples: Samples
    turns: Rows


@dataclass(frozen=True)
class Found:
    """What was found in the variants of a talk: counts and diarisation error rates, the talk as it is first."""

    talk: Talk
    counts: list[int]
    errors: list[float]


def conversations() -> Iterator[Talk]:
    """The real ones."""
    for path in sorted((SHARED / "conversations").rglob("*.flac")):
        if path.with_suffix(".rttm").exists():
            yield Talk(path.stem, read_audio(path), read_rttm(path.with_suffix(".rttm")))


def composed(expressive: bool, guest: bool) -> Iterator[Talk]:
    """Two readers in turn; some turns with two seconds in a raised voice, a third reader once."""
    folder = SHARED / "read_speech" / "librispeech_test-other"
    for i, readers in enumerate(READERS):
        rng = np.random.default_rng(i)
        spoken = {
            name: [read_audio(path) for path in sorted((folder / name).glob("*.flac"))[:UTTERANCES]]
            for name in readers
        }
        parts = [(name, spoken[name][n]) for n in range(UTTERANCES) for name in readers]
        if expressive:
            parts = [
                (name, raised(speech, rng) if n % 3 == 1 else speech)
                for n, (name, speech) in enumerate(parts)
            ]
        if guest:
            other = READERS[(i + 1) % len(READERS)][0]
            speech = np.concatenate(
                [read_audio(path) for path in sorted((folder / other).glob("*.flac"))[:2]]
            )
            parts.insert(len(parts) // 2, (other, speech[: round(GUEST_SECONDS * RATE)]))
        kind = "guest" if guest else "raised voices" if expressive else "read"
        yield joined(f"{kind}, {' and '.join(readers)}", parts)


def raised(speech: Samples, rng: np.random.Generator) -> Samples:
    """Speech of which two seconds in the middle are said higher and faster."""
    middle = len(speech) // 2
    inner = speech[middle - RATE : middle + RATE]
    higher = resample(inner, round(len(inner) / 2 ** (rng.uniform(*RAISED) / 12))).astype(np.float32)
    return np.concatenate([speech[: middle - RATE], higher, speech[middle + RATE :]])


def joined(name: str, parts: list[tuple[str, Samples]]) -> Talk:
    """The parts one after the other."""
    pieces: list[Samples] = []
    rows: Rows = []
    now = 0.0
    for who, speech in parts:
        level = np.sqrt(np.mean(np.square(speech)))
        pieces += [np.float32(0.05 / level) * speech, np.zeros(round(PAUSE * RATE), dtype=np.float32)]
        rows.append((now, now + len(speech) / RATE, who))
        now += len(speech) / RATE + PAUSE
    return Talk(name, np.concatenate(pieces), rows)


def measure(talk: Talk) -> Found:
    """Diarise the talk as it is and all its variants."""
    counts, errors = [], []
    for change, later in ((louder(0.0), 0.0), *VARIANTS.values()):
        turns = diarise(change(talk.samples), OFFLINE).turns
        counts.append(len({turn.speaker for turn in turns}))
        moved = tuple(replace(turn, start=turn.start + later, end=turn.end + later) for turn in turns)
        errors.append(error_rate(talk.turns, Diarisation(turns=moved)))
    return Found(talk, counts, errors)


def row(found: Found) -> str:
    """A talk's row of the table."""
    people = len({who for _, _, who in found.talk.turns})
    right = sum(count == people for count in found.counts)
    errors = " to ".join(f"{100 * error:.1f}" for error in (min(found.errors), max(found.errors)))
    counts = " ".join(map(str, found.counts))
    return f"| {found.talk.name} | {people} | {counts} | {right} of {len(found.counts)} | {errors} |"


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", nargs="*", type=Path)
    given = parser.parse_args()
    talks = (
        [Talk(path.stem, read_audio(path), read_rttm(path.with_suffix(".rttm"))) for path in given.recordings]
        if given.recordings
        else [*conversations(), *composed(False, False), *composed(True, False), *composed(False, True)]
    )
    lines = [
        "| recording | people | counted: as it is, " + ", ".join(VARIANTS) + " | right | DER % |",
        "|-|-|-|-|-|",
    ]
    print(*lines, sep="\n")
    for talk in talks:
        lines.append(row(measure(talk)))
        print(lines[-1], flush=True)
    if not given.recordings:
        publish("benchmarks.md", "counts", "\n".join(lines))


if __name__ == "__main__":
    main()
