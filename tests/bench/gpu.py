"""What a GPU gains: `python -m tests.bench.gpu` measures every stage on one, beside the peers, and prints a table.

One recording goes through our diariser and recogniser, faster-whisper's batched pipeline and pyannote.audio's own
pipeline in one process, each twice: the first call and a warm one. Offline models only; pyannote's embedding network
has random weights and stands for its time. With `--device cpu --minutes 1` the script itself is tested where there is
no GPU. A measurement that would begin after `LIMIT_SECONDS` is left out.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import shutil
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial, wraps
from importlib.metadata import version
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.runtime.device import DEVICES, resolve_device, usable_cores
from models.runtime.energy import metered
from models.runtime.samples import SAMPLE_RATE, as_float

SPEAKERS = 3  # of the composed recording
MINUTES = {"cpu": 1.0, "cuda": 60.0}
BATCHES = {"cpu": (1,), "cuda": (16, 32, 64)}  # chunks of speech decoded at once
PEER_BATCHES = {"cpu": 8, "cuda": 16}  # faster-whisper's default, and what it gains by
LIMIT_SECONDS = 420.0
PACKAGES = ("torch", "ctranslate2", "faster-whisper", "pyannote.audio")
HEAD = """| what | first s | warm s | CPU s | torch GB | card GB | busy % | Wh | found |
|-|-|-|-|-|-|-|-|-|"""

Samples = NDArray[np.int16]
System = Callable[[Samples], str]  # what it found, in words


class Stages:
    """Seconds in some functions, by stage, summed over threads; within a stage no other one is counted.

    Repair decodes again, in threads, by functions that are stages themselves: while it lasts all time is its own.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._here = threading.local()
        self._repairing = False

    @contextmanager
    def watching(self, functions: Sequence[tuple[Any, str, str]]) -> Iterator[None]:
        """Count within. functions: an owner, the name of its function, the stage; what isn't there is left out."""
        there = [(owner, name, stage) for owner, name, stage in functions if hasattr(owner, name)]
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in there]
        for owner, name, stage in there:
            setattr(owner, name, self._watched(getattr(owner, name), stage))
        try:
            yield
        finally:
            for owner, name, function in before:
                setattr(owner, name, function)

    def _watched(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        @wraps(function)
        def watched(*arguments: Any, **named: Any) -> Any:
            if self._repairing or getattr(self._here, "inside", False):
                return function(*arguments, **named)
            self._here.inside, self._repairing = True, stage == "repair"
            began = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                with self._lock:
                    self.seconds[stage] += time.perf_counter() - began
                self._here.inside = self._repairing = False

        return watched


class Card:
    """What nvidia-smi says of the card that is used, every fifth of a second."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, float]] = []
        self._program: subprocess.Popen[str] | None = None

    def __enter__(self) -> Card:
        if (program := shutil.which("nvidia-smi")) is not None:
            command = [program, "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]
            self._program = subprocess.Popen(
                [*command, "-lms", "200", "-i", _chosen_card()], stdout=subprocess.PIPE, text=True
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._program is not None:
            self._program.terminate()
            said, _error = self._program.communicate()
            rows = (line.split(",") for line in said.splitlines() if line.count(",") == 1)
            self._rows = [(float(busy), float(used)) for busy, used in rows]

    @property
    def busy(self) -> str:
        """Mean share of the time in which something ran on it, in percent."""
        return f"{np.mean([busy for busy, _ in self._rows]):.0f}" if self._rows else "-"

    @property
    def gigabytes(self) -> str:
        """The most memory in use, whoever used it."""
        return f"{max(used for _, used in self._rows) / 1024:.2f}" if self._rows else "-"


def _chosen_card() -> str:
    return os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]


@dataclass
class Measured:
    """One row of the table, and the rows of its stages."""

    what: str
    first: float
    warm: float
    cpu: float
    card: Card
    torch_gigabytes: str
    watt_hours: float
    found: str
    stages: dict[str, float] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """As Markdown."""
        energy = f"{self.watt_hours:.2f}" if self.watt_hours else "-"
        numbers = f"{self.first:.2f} | {self.warm:.2f} | {self.cpu:.1f}"
        yield (
            f"| {self.what} | {numbers} | {self.torch_gigabytes} | {self.card.gigabytes} | {self.card.busy} "
            f"| {energy} | {self.found} |"
        )
        for stage, seconds in self.stages.items():
            yield f"| of that {stage} | | {seconds:.2f} | | | | | | |"


def measured(
    what: str, load: Callable[[], System], samples: Samples, device: str, watched: Callable[[], Any]
) -> Measured:
    """Load a system, and run it twice, the second time with the stages of `watched` counted."""
    began = time.perf_counter()
    system = load()
    system(samples)
    first = time.perf_counter() - began
    _torch_gigabytes(device)
    stages = Stages()
    with stages.watching(watched()), metered(device) as meter, Card() as card:
        began, cpu = time.perf_counter(), time.process_time()
        found = system(samples)
        warm, cpu = time.perf_counter() - began, time.process_time() - cpu
    return Measured(
        what,
        first,
        warm,
        cpu,
        card,
        _torch_gigabytes(device),
        meter.watt_hours.get("gpu", 0.0),
        found,
        dict(stages.seconds),
    )


def _torch_gigabytes(device: str) -> str:
    """The most that torch held since it was asked before; CTranslate2 has memory of its own."""
    if device == "cpu":
        return "-"
    import torch

    most = torch.cuda.max_memory_allocated() / 1e9
    torch.cuda.reset_peak_memory_stats()
    return f"{most:.2f}"


def our_diariser(device: str) -> System:
    """Segmentation-3.0 and CAM++."""
    from models.diarisation.diariser import DiariserOptions, diarise, load

    options = DiariserOptions(model="offline", device=device)
    load(options)

    def run(samples: Samples) -> str:
        return _speakers(turn.speaker for turn in diarise(samples, options).turns)

    return run


def stages_of_diarisation() -> list[tuple[Any, str, str]]:
    """Where our diariser and pyannote's pipeline spend their time."""
    from pyannote.audio.pipelines.clustering import AgglomerativeClustering

    from models.diarisation import clustering, pipeline
    from models.runtime.pyannote import SpeakerDiarization

    stock = (
        ("get_segmentations", "segmentation"),
        ("get_embeddings", "embeddings"),
        ("reconstruct", "reconstruction"),
    )
    owners = (pipeline.OfflineDiarization, pipeline.BoundedDiarization, SpeakerDiarization)
    own = [(owner, name, stage) for owner in owners for name, stage in stock if name in vars(owner)]
    clusterings = clustering.VoiceClustering, AgglomerativeClustering
    return [*own, *((kind, "__call__", "clustering") for kind in clusterings)]


def our_recogniser(device: str, batch: int) -> System:
    """Whisper base."""
    from models.asr.transcription import TranscriptionOptions, load, transcribe

    options = TranscriptionOptions(model="base", language="en", device=device, batch_size=batch)
    load(options)
    return lambda samples: f"{len(transcribe(samples, options).words)} words"


def stages_of_recognition() -> list[tuple[Any, str, str]]:
    """Where our recogniser and faster-whisper spend their time."""
    import ctranslate2
    from faster_whisper.feature_extractor import FeatureExtractor

    from models.asr import transcription
    from models.asr.log_mel import LogMel

    whisper = ctranslate2.models.Whisper
    return [
        (FeatureExtractor, "__call__", "features"),
        (LogMel, "batch", "features"),
        (whisper, "encode", "encode"),
        (whisper, "generate", "generate"),
        (whisper, "align", "align"),
        (transcription, "repair_hypotheses", "repair"),
    ]


def faster_whisper_batched(device: str) -> System:
    """faster-whisper's own batched pipeline, with its voice detector and word times."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    from models.asr.whisper_models import resolve

    kind = "float16" if device == "cuda" else "int8"
    pipeline = BatchedInferencePipeline(WhisperModel(resolve("base")[1], device=device, compute_type=kind))

    def run(samples: Samples) -> str:
        segments, _ = pipeline.transcribe(
            as_float(samples), language="en", batch_size=PEER_BATCHES[device], word_timestamps=True
        )
        return f"{sum(len(segment.words) for segment in segments)} words"

    return run


def stock_pyannote(device: str) -> System:
    """pyannote.audio's own pipeline at its own step."""
    import torch

    from tests.bench.systems import STOCK_STEP, stock_pipeline

    pipeline = stock_pipeline(STOCK_STEP).to(torch.device(device))

    def run(samples: Samples) -> str:
        waveform = torch.from_numpy(as_float(samples))[None]
        found = pipeline({"waveform": waveform, "sample_rate": SAMPLE_RATE, "uri": "audio"})
        return _speakers(found.speaker_diarization.labels())

    return run


def _speakers(labels: Any) -> str:
    return f"{len(set(labels))} speakers"


def recording(minutes: float) -> tuple[Samples, str]:
    """Samples of that length and what they are: composed read speech, or else pyannote's sample call over and over."""
    from flows.local.demo import sample
    from tests.bench.__main__ import WORK, compose
    from tests.bench.systems import read_wav
    from tests.models.conftest import SHARED

    if SHARED.is_dir():
        (WORK / "audio").mkdir(parents=True, exist_ok=True)
        samples, what = read_wav(compose(ceil(minutes), SPEAKERS)), f"read speech of {SPEAKERS} people"
    else:
        samples, what = read_wav(sample()), "a call of half a minute over and over"
    return np.resize(samples, round(minutes * 60 * SAMPLE_RATE)), what


def systems(
    device: str, batches: Sequence[int]
) -> Iterator[tuple[str, Callable[[], System], Callable[[], Any]]]:
    """What is measured: its name, how it is loaded, and its stages."""
    yield "diarise", partial(our_diariser, device), stages_of_diarisation
    for batch in batches:
        yield (
            f"transcribe, base, batch {batch}",
            partial(our_recogniser, device, batch),
            stages_of_recognition,
        )
    yield (
        f"faster-whisper's batched pipeline, base, batch {PEER_BATCHES[device]}",
        partial(faster_whisper_batched, device),
        stages_of_recognition,
    )
    yield (
        "pyannote's own pipeline, step 0.1, ResNet34 of random weights",
        partial(stock_pyannote, device),
        stages_of_diarisation,
    )


def machine(device: str) -> str:
    """What it ran on, in one line."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    where = f"{usable_cores()} cores, Python {platform.python_version()}, {packages}"
    if device == "cpu":
        return f"No GPU; {where}"
    import torch

    program = shutil.which("nvidia-smi")
    command = [program or "", "--query-gpu=driver_version", "--format=csv,noheader", "-i", _chosen_card()]
    driver = subprocess.run(command, capture_output=True, text=True, check=False).stdout if program else ""
    card = f"{torch.cuda.get_device_name(0)}, driver {driver.strip() or 'unknown'}, CUDA {torch.version.cuda}"
    return f"{card}, {where}"


def main(device: str, minutes: float | None, batches: Sequence[int] | None) -> None:
    """Measure, and print the table row by row."""
    began = time.perf_counter()
    device = resolve_device(device)
    samples, what = recording(minutes or MINUTES[device])
    print(
        f"{machine(device)}, {datetime.date.today().isoformat()}: {len(samples) / SAMPLE_RATE / 60:g} min of {what}\n"
    )
    print(HEAD, flush=True)
    for name, load, stages in systems(device, batches or BATCHES[device]):
        if time.perf_counter() - began > LIMIT_SECONDS:
            print(f"| {name} | left out: out of time | | | | | | | |")
            continue
        for line in measured(name, load, samples, device, stages).lines():
            print(line, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto", choices=DEVICES)
    parser.add_argument("--minutes", type=float, help="of audio; default 60 on a GPU, 1 on a CPU")
    parser.add_argument(
        "--batch", type=int, nargs="+", help="chunks decoded at once; several are measured each"
    )
    arguments = parser.parse_args()
    main(arguments.device, arguments.minutes, arguments.batch)
