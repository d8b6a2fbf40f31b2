"""What is left of a command when there is hardly anything to do: `python -m tests.bench.short [--before CHECKOUT]`.

Three commands on a clip of 6 s, each in a process of its own, as a user starts it. With --before the same ones of
another checkout are run in turn with them. Writes to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from audio.media.clip import cut, encode
from flows.local.demo import sample
from models.runtime import offline_models
from tests.bench.polling import host
from tests.bench.report import publish

ROOT = Path(__file__).parents[2]
CLIP = (12.0, 18.0)  # seconds of the sample
COMMANDS = (
    ("run", "--force", "clip.wav"),
    ("run", "clip.wav"),
    ("diarise", "clip.wav", "--out", "turns.rttm"),
)
COUNTED = 3  # runs of each, after one that isn't


@dataclass(frozen=True)
class Cost:
    """Of one command: seconds by the clock, seconds of all its processes' work, MB of the largest of them."""

    wall: float
    cpu: float
    peak: float


def cost_of(command: tuple[str, ...], checkout: Path, folder: Path) -> Cost:
    """What a command of a checkout costs, run in `folder`."""
    environment = {
        "EPISCRIBE_CACHE": str(folder / "cache"),
        "PREFECT_HOME": str(folder / "prefect"),
        "PYTHONPATH": str(checkout),
    }
    return spent([sys.executable, "-P", "-m", "flows.cli", *command], folder, environment)


def spent(command: list[str], folder: Path, environment: dict[str, str]) -> Cost:
    """What a process costs that is run in `folder` with more in its environment; what it prints is dropped.

    Raises SystemExit where it fails.
    """
    within = {**os.environ, **environment}
    within.pop("PREFECT_API_URL", None)
    started = time.perf_counter()
    child = subprocess.Popen(command, cwd=folder, env=within, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} failed in {folder}")
    wall = time.perf_counter() - started
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def measure(checkouts: list[Path]) -> dict[tuple[str, ...], list[list[Cost]]]:
    """The costs of each command, for each checkout."""
    with tempfile.TemporaryDirectory() as made:
        folders = [Path(made) / str(number) for number in range(len(checkouts))]
        for folder in folders:
            (folder / "cache").mkdir(parents=True)
            (folder / "cache" / "models").symlink_to(offline_models.models_folder())
            encode(cut(sample(), *CLIP), folder / "clip.wav")
        costs: dict[tuple[str, ...], list[list[Cost]]] = {}
        for command in COMMANDS:
            rounds = [
                [cost_of(command, *place) for place in zip(checkouts, folders, strict=True)]
                for _ in range(COUNTED + 1)
            ]
            costs[command] = [list(column) for column in zip(*rounds[1:], strict=True)]
    return costs


def row(command: tuple[str, ...], whose: str, costs: list[Cost]) -> str:
    """The medians of a command."""
    wall, cpu, peak = (median(getattr(cost, what) for cost in costs) for what in ("wall", "cpu", "peak"))
    return f"| `episcribe {' '.join(command)}` | {whose} | {wall:.1f} | {cpu:.1f} | {peak:.0f} |\n"


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout, whose dependencies are ours")
    before = parser.parse_args().before
    checkouts = [ROOT] if before is None else [before.resolve(), ROOT]
    names = ["now"] if before is None else ["before", "now"]
    load = os.getloadavg()[0]
    measured = measure(checkouts)
    table = f"{host()}\nLoad of the machine at the beginning: {load:.1f}.\n\n"
    table += "| | | wall s | CPU s | peak MB |\n|-|-|-|-|-|\n"
    table += "".join(
        row(command, name, costs)
        for command, columns in measured.items()
        for name, costs in zip(names, columns, strict=True)
    )
    print(table)
    publish("benchmarks.md", "short", table)


if __name__ == "__main__":
    main()
