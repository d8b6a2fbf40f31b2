"""What many files cost beyond their models: `python -m tests.bench.batch [--files 200]` writes it to docs/scale.md.

files: so many clips of 5 s of read speech, in a folder that is given to `episcribe run` once. What the stages of models
take is told by themselves, in the same run, as they note it for later estimates; all else is overhead.
watch: a clip is copied into a folder that `episcribe watch` looks at, in two halves; from its last byte to the moment
at which the store says that it is worked on.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from audio.media.decode import decode
from flows.schedule.store import Store
from models.runtime import offline_models
from tests.bench.polling import host
from tests.bench.report import publish
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
SPEECH = ROOT.parent / "shared" / "data" / "read_speech"
FILES = 200
CLIP_SECONDS = 5
RATE = 16_000
WATCHED = 5  # clips, one after the other
OPTIONS = ("--model", "tiny.en")


def compose(folder: Path, count: int) -> list[Path]:
    """Clips of read speech, no two of them the same: the recordings end to end, cut at other places each time round."""
    folder.mkdir()
    pieces = bytearray()
    clip = CLIP_SECONDS * RATE * 2
    for recording in sorted(SPEECH.rglob("*.flac")):
        pieces += decode(recording).samples.tobytes()
        if len(pieces) > count * clip:
            break
    made = []
    for number in range(count):
        at = number * clip % (len(pieces) - clip)
        made.append(folder / f"talk {number}.wav")
        with wave.open(str(made[-1]), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(pieces[at - at % 2 :][:clip])
    return made


def timed_run(arguments: list[str]) -> None:
    """The command line in this process; prints what its stages of models took, in seconds."""
    from flows import pace
    from flows.cli.main import app

    taken, remember = list[float](), pace.remember

    def noted(kind: str, spent: pace.Spent) -> None:
        taken.append(spent.load + spent.work)
        remember(kind, spent)

    pace.remember = noted
    began = time.perf_counter()
    app(arguments, standalone_mode=False)
    print(json.dumps({"wall": time.perf_counter() - began, "models": sum(taken)}))


def environment(folder: Path) -> dict[str, str]:
    (folder / "cache").mkdir(exist_ok=True)
    models = folder / "cache" / "models"
    if not models.exists():
        models.symlink_to(offline_models.models_folder())
    own = {
        "EPISCRIBE_CACHE": str(folder / "cache"),
        "PREFECT_HOME": str(folder / "prefect"),
        # What was imported here has set it to the user's cache, which may hold what the last run found.
        "PREFECT_LOCAL_STORAGE_PATH": str(folder / "cache" / "results"),
    }
    return {**os.environ, **own, "PYTHONPATH": str(ROOT)}


def measure_files(folder: Path, count: int) -> dict[str, float]:
    """Seconds by the clock and of the models, of one call with a folder of so many clips."""
    compose(folder / "in", count)
    command = [sys.executable, "-m", "tests.bench.batch", "--run", str(folder / "in")]
    done = subprocess.run(
        command, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def watching(folder: Path, watched: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "flows.cli", "watch", str(watched), *OPTIONS]
    with subprocess.Popen(command, cwd=folder, env=environment(folder), stdout=subprocess.DEVNULL) as child:
        try:
            yield
        finally:
            child.send_signal(signal.SIGINT)


def measure_watch(folder: Path, clips: list[Path]) -> list[float]:
    """Seconds from the last byte of each clip to the work on it; the first, which loads the models, left out."""
    watched = folder / "watched"
    watched.mkdir()
    store, lags = Store(str(folder / "episcribe.db")), list[float]()
    before = len(store.episodes())
    with watching(folder, watched):
        for number, clip in enumerate(clips, 1):
            data = clip.read_bytes()
            with (watched / f"watched {number}.wav").open("wb") as file:
                file.write(data[: len(data) // 2])
                file.flush()
                time.sleep(1.0)
                file.write(data[len(data) // 2 :])
            written = time.time()
            wait_until(partial(_are_done, store, before + number), "a clip")
            started = max(listed.started_at or 0.0 for listed in store.episodes())
            lags.append(started - written)
    assert len(store.episodes()) == before + len(clips), "something was taken twice"
    return lags[1:]


def _are_done(store: Store, count: int) -> bool:
    return sum(listed.state == "done" for listed in store.episodes()) == count


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--run", help="a folder, for the process that is measured")
    given = parser.parse_args()
    if given.run:
        timed_run(["run", given.run, *OPTIONS])
        return
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        spent = measure_files(folder, given.files)
        lags = measure_watch(folder, compose(folder / "more", given.files + WATCHED)[given.files :])
    overhead = (spent["wall"] - spent["models"]) / given.files
    table = (
        f"{host()}\nLoad of the machine at the beginning: {load:.1f}.\n\n"
        "| | seconds |\n|-|-|\n"
        f"| {given.files} files of {CLIP_SECONDS} s in one call, with its start | {spent['wall']:.0f} |\n"
        f"| of these the models, as they note it themselves | {spent['models']:.0f} |\n"
        f"| all else, for each file | {overhead:.2f} |\n"
        f"| `watch`: from the last byte to the work on it, median and most of {len(lags)} "
        f"| {median(lags):.1f}, {max(lags):.1f} |\n"
    )
    print(table)
    if given.files == FILES:
        publish("scale.md", "batch", table)


if __name__ == "__main__":
    main()
