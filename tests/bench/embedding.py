"""What it costs to embed an hour of talk: `python -m tests.bench.embedding`.

The text is that of docs/, as many words as an hour has, in passages of 100 words and in pieces of a sentence's length.
On one core and on two, each in a process of its own: seconds to load the model, seconds an hour, milliseconds for a
question, and the most memory that was taken.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

from tests.bench.polling import host
from tests.bench.report import DOCS

HOUR = 9000  # words
LENGTHS = (100, 15)  # words of a passage, and of a sentence
CORES = (1, 2)
REPEATS = 5
QUESTION = "why does a rule of a show pass an episode over"


def words_of_docs() -> list[str]:
    """Words of running text, an hour of them."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md")))
    prose = re.sub(r"```.*?```|^\|.*?$|\]\([^)]*\)", " ", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"[#`*<>\[\]]", " ", prose).split()[:HOUR]


def measure(cores: int) -> None:
    """Print what it costs on so many cores; this process has no more from now on."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    started = time.perf_counter()
    from models.topics.embedding import load_embedder

    embedder = load_embedder()
    line = [f"cores: {cores}, loaded in {time.perf_counter() - started:.2f} s"]
    words = words_of_docs()
    for length in LENGTHS:
        texts = [" ".join(words[first : first + length]) for first in range(0, len(words), length)]
        wall, cpu = _typical(lambda texts=texts: embedder.embed(texts))  # type: ignore[misc]
        line.append(f"{len(texts)} texts of {length} words in {wall:.2f} s ({cpu:.2f} s of CPU)")
    wall, _ = _typical(lambda: embedder.embed([QUESTION], query=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(", ".join([*line, f"a question in {wall * 1000:.0f} ms, at most {peak:.0f} MB"]), flush=True)


def _typical(work: Callable[[], object]) -> tuple[float, float]:
    """The medians of seconds by the clock, and of all cores' work."""
    spent = []
    for _ in range(REPEATS):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        spent.append((time.perf_counter() - wall, time.process_time() - cpu))
    return median(wall for wall, _ in spent), median(cpu for _, cpu in spent)


def main() -> None:
    """Print what was measured, and where."""
    print(host())
    for cores in CORES:
        subprocess.run([sys.executable, "-m", "tests.bench.embedding", str(cores)], check=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
    else:
        main()
