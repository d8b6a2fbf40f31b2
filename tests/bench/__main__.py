"""Benchmark of the diariser beside stock pyannote and senko, on one machine in one run: `make bench`.

Composes episodes from real read speech, takes the real conversations of ../shared/data as they are,
runs each system on them in a process of its own, and writes the table to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import venv
import wave
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from models.runtime import offline_models
from outputs.scoring.score import Score, score
from tests.bench.report import publish
from tests.bench.systems import FIRST_MINUTE, long_window_cosines, read_wav
from tests.models.conftest import SHARED, read_audio

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".cache" / "bench"
SENKO = "senko==0.2.2"
SPEAKERS = (2, 3, 4, 6)
HOUR_SPEAKERS = 3  # of the episodes of an hour and more
SEED = 70  # episodes have seeds 72, 73, 74 and 76
NAMES = {
    "ours": "Episcribe, CAM++",
    "senko": "senko 0.2.2",
    "stock": "pyannote.audio, ResNet34, step 0.1",
    "lean-resnet": "Episcribe, ResNet34",
    "lean-resnet-long": "Episcribe, ResNet34, long windows",
}


def compose(minutes: float, speakers: int) -> Path:
    """An episode with exact turns; composed once."""
    out = WORK / "audio" / f"episode-{speakers}-speakers-{minutes:g}-min"
    if not out.with_suffix(".rttm").exists():
        tool = SHARED.parent / "tools" / "compose_episode.py"
        source = SHARED / "read_speech" / "librispeech_test-other"
        command = [sys.executable, str(tool), f"--source={source}", f"--out={out}", f"--minutes={minutes}"]
        command += [f"--speakers={speakers}", f"--seed={SEED + speakers}", "--overlap=0.15", "--music=5"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out.with_suffix(".wav")


def conversations() -> Iterable[Path]:
    """The real recordings that have turns, as 16-bit WAV beside them."""
    for path in sorted((SHARED / "conversations").rglob("*.flac")):
        reference = path.with_suffix(".rttm")
        if reference.exists():
            target = WORK / "audio" / f"{path.parent.name}-{path.stem}.wav"
            with wave.open(str(target), "wb") as out:
                out.setparams((1, 2, 16_000, 0, "NONE", ""))
                out.writeframes((read_audio(path) * 32767).astype("<i2").tobytes())
            target.with_suffix(".rttm").write_text(reference.read_text())
            yield target


def senko_python() -> str:
    """The Python of an environment that has senko; made on first use."""
    folder = WORK / "senko"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", SENKO], check=True)
        (folder / "ready").touch()
    return str(python)


def run(system: str, recordings: list[Path]) -> dict[str, dict[str, Any]]:
    """What `systems.py` measured, by recording, with DER and speaker counts."""
    python = senko_python() if system == "senko" else sys.executable
    script, folder = Path(__file__).with_name("systems.py"), WORK / "results" / system
    command = [python, "-W", "ignore", str(script), system, str(folder), *map(str, recordings)]
    path = "" if system == "senko" else str(ROOT)
    result = subprocess.run(
        command, check=True, text=True, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )
    rows = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    for row, recording in zip(rows, recordings, strict=True):
        row["score"] = score(folder / f"{recording.stem}.rttm", rttm=recording.with_suffix(".rttm"))
    return {row["stem"]: row for row in rows}


def table(measured: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Markdown rows: recording, system, real-time factors, memory, DER and its parts, speaker counts."""
    lines = [
        "| recording | system | RTF | CPU s per s | peak MB | DER % | missed | false alarm | confusion | speakers |",
        "|-|-|-|-|-|-|-|-|-|-|",
    ]
    for stem in dict.fromkeys(stem for rows in measured.values() for stem in rows):
        for system, rows in measured.items():
            if stem in rows:
                lines.append(_line(NAMES[system], rows[stem], timed_only=system in FIRST_MINUTE))
    return "\n".join(lines) + "\n"


def _line(name: str, row: dict[str, Any], *, timed_only: bool) -> str:
    speed = f"{row['wall'] / row['seconds']:.4f} | {row['cpu'] / row['seconds']:.4f} | {row['peak']:.0f}"
    if timed_only:
        return f"| {row['stem']} (60 s) | {name} | {speed} | - | - | - | - | - |"
    found: Score = row["score"]
    assert found.der is not None
    parts = " | ".join(f"{100 * rate:.1f}" for rate in found.der.rates.values())
    counts = f"{found.hypothesis_speakers} for {found.reference_speakers}"
    return f"| {row['stem']} | {name} | {speed} | {100 * found.der.rate:.1f} | {parts} | {counts} |"


def machine() -> str:
    """What it ran on, in one line."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    cpu = next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.processor())
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "pyannote.audio"))
    today = datetime.date.today().isoformat()
    return f"{os.cpu_count()} cores of {cpu}, Python {platform.python_version()}, {packages}, {SENKO}, {today}.\n"


def summary(measured: dict[str, dict[str, dict[str, Any]]]) -> str:
    """What the table says about the targets: speed ratios, mean DER of each set, counts, the longest run."""
    ours, senko, stock = measured["ours"], measured["senko"], measured["stock"]
    first = next(iter(stock))
    both = [stem for stem in senko if stem in ours]
    episodes = [stem for stem in both if stem.startswith("episode")]
    ratios = [_speed(senko[stem]) / _speed(ours[stem]) for stem in both]
    lines = [
        f"- Against stock: {_speed(stock[first]) / _speed(ours[first]):.0f} times as fast (wall clock).",
        f"- Against senko: {statistics.median(ratios):.2f} times as fast in the median, "
        f"{min(ratios):.2f} to {max(ratios):.2f}; on the composed episodes "
        f"{statistics.median(ratios[both.index(stem)] for stem in episodes):.2f}.",
    ]
    for name, stems in _sets(both).items():
        mine, theirs = (statistics.mean(_rate(rows[stem]) for stem in stems) for rows in (ours, senko))
        lines.append(
            f"- {name}: mean DER {mine:.1f} % against senko's {theirs:.1f} % ({len(stems)} recordings)."
        )
    right = sum(_counted(ours[stem]) for stem in episodes), sum(_counted(senko[stem]) for stem in episodes)
    lines.append(
        f"- Speakers of composed episodes counted right: {right[0]} of {len(episodes)}, senko {right[1]}."
    )
    by_length = sorted(ours.values(), key=lambda row: float(row["seconds"]))
    hour = next((row for row in by_length if row["seconds"] >= 3600), None)
    if hour is not None and hour is not by_length[-1]:
        longest = by_length[-1]
        lines.append(
            f"- {longest['seconds'] / 3600:.0f} h take {_speed(longest) / _speed(hour):.2f} times as long an hour "
            f"as one hour does, and {longest['peak']:.0f} MB at the peak."
        )
    return "\n".join(lines) + "\n"


def _sets(stems: Iterable[str]) -> dict[str, list[str]]:
    names = {"episode": "Composed episodes", "ami": "AMI excerpts", "pyannote": "Telephone call"}
    sets: dict[str, list[str]] = {}
    for stem in stems:
        name = next(name for prefix, name in names.items() if stem.startswith(prefix))
        sets.setdefault(name, []).append(stem)
    return sets


def _speed(row: dict[str, Any]) -> float:
    return float(row["wall"] / row["seconds"])


def _rate(row: dict[str, Any]) -> float:
    found: Score = row["score"]
    assert found.der is not None
    return 100 * found.der.rate


def _counted(row: dict[str, Any]) -> bool:
    found: Score = row["score"]
    return found.hypothesis_speakers == found.reference_speakers


def difference(recording: Path) -> str:
    """How far the long-window mode is from the exact one, in a line."""
    cosines = long_window_cosines(read_wav(recording))
    return (
        f"Long windows against pyannote's, ResNet34 with random weights, {len(cosines)} embeddings: cosine "
        f"{cosines.mean():.4f} in the mean, {cosines.min():.4f} at the least.\n"
    )


def main() -> None:
    """Run everything and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="length of the composed episodes")
    parser.add_argument(
        "--hours", type=float, nargs="*", default=[10], help="also one episode of each length, ours only"
    )
    options = parser.parse_args()
    offline_models.pull()
    (WORK / "audio").mkdir(parents=True, exist_ok=True)
    minute = compose(options.minutes, SPEAKERS[0])
    compared = [compose(options.minutes, speakers) for speakers in SPEAKERS]
    compared += [compose(60, HOUR_SPEAKERS), *conversations()]
    long = [compose(60 * hours, HOUR_SPEAKERS) for hours in options.hours]
    measured = {system: run(system, [minute]) for system in FIRST_MINUTE}
    measured["senko"] = run("senko", compared)
    measured["ours"] = run("ours", compared)
    for path in long:
        measured["ours"] |= run("ours", [path])
    report = f"{machine()}\n{summary(measured)}\n{table(measured)}\n{difference(minute)}"
    publish("benchmarks.md", "bench", report)
    print(report)


if __name__ == "__main__":
    main()
