"""Run one diariser on recordings, in a process of its own: `systems.py NAME FOLDER WAV...`.

For each recording it writes FOLDER/<stem>.rttm and prints a line of JSON: wall-clock and CPU seconds
of the diarisation (models loaded and warmed up before), peak memory of the process in MB. Imports
nothing of Episcribe unless asked for it, because senko runs in an environment of its own.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

RATE = 16_000  # Hz
STOCK_SECONDS = 60  # stock pyannote is slower than real time
STOCK_STEP = 0.1  # of the window: pyannote's default
WARM_UP_SECONDS = 10

Rows = list[tuple[float, float, str]]
System = Callable[[np.ndarray], Rows]


def ours() -> System:
    """Episcribe's offline set: segmentation-3.0 and CAM++."""
    from models.diarisation.diariser import DiariserOptions, diarise

    options = DiariserOptions(model="offline", device="cpu")
    return lambda samples: [(t.start, t.end, t.speaker) for t in diarise(samples, options).turns]


def senko() -> System:
    """senko with its own weights on the CPU."""
    from senko import Diarizer  # type: ignore[import-not-found]

    diariser = Diarizer(device="cpu", warmup=True, quiet=True)

    def run(samples: np.ndarray) -> Rows:
        found = diariser.diarize_samples(samples.astype(np.float32) / 32768)
        return [
            (s["start"], s["end"], s["speaker"])
            for s in (found or {"merged_segments": []})["merged_segments"]
        ]

    return run


def stock_pipeline(step: float) -> Any:
    """pyannote's pipeline with segmentation-3.0 and a ResNet34 of random weights: good for its time only."""
    import torch
    from pyannote.audio import Model
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.models.embedding import WeSpeakerResNet34
    from pyannote.audio.pipelines.speaker_diarization import SpeakerDiarization

    from models.runtime import offline_models

    torch.manual_seed(0)
    pipeline = SpeakerDiarization(
        segmentation=Model.from_pretrained(str(offline_models.SEGMENTATION.require() / "pytorch_model.bin")),
        segmentation_step=step,
        embedding=WeSpeakerResNet34(),
        embedding_exclude_overlap=True,
        plda=PLDA.__new__(PLDA),
        clustering="AgglomerativeClustering",
    )
    clustering = {"method": "centroid", "min_cluster_size": 12, "threshold": 0.7}
    return pipeline.instantiate({"segmentation": {"min_duration_off": 0.0}, "clustering": clustering})


def _called(pipeline: Any) -> System:
    import torch

    def run(samples: np.ndarray) -> Rows:
        waveform = torch.from_numpy(samples[: STOCK_SECONDS * RATE].astype(np.float32) / 32768)[None]
        found = pipeline({"waveform": waveform, "sample_rate": RATE, "uri": "audio"}).speaker_diarization
        return [(s.start, s.end, str(label)) for s, _, label in found.itertracks(yield_label=True)]

    return run


def stock() -> System:
    """pyannote.audio as it comes."""
    import models.runtime.pyannote  # noqa: F401  (before senko imports it)

    return _called(stock_pipeline(STOCK_STEP))


def lean_resnet() -> System:
    """The same networks as `stock`, its pipeline made lean."""
    from models.diarisation.embeddings.wespeaker import WeSpeakerEmbedder

    return _called(_lean_pipeline(WeSpeakerEmbedder))


def lean_resnet_long() -> System:
    """The same with the embedding network run over a minute at once."""
    from models.diarisation.embeddings.wespeaker import LongWindowWeSpeakerEmbedder

    return _called(_lean_pipeline(LongWindowWeSpeakerEmbedder))


def _lean_pipeline(kind: Any) -> Any:
    import models.runtime.pyannote  # noqa: F401  (before senko imports it)
    from models.diarisation.diariser import DEFAULT_STEP
    from models.diarisation.pipeline import bounded_community

    return bounded_community(stock_pipeline(STOCK_STEP), "cpu", DEFAULT_STEP, kind)


def long_window_cosines(samples: np.ndarray) -> np.ndarray:
    """(embeddings,) cosines between embeddings of the exact and of the long-window mode, first minute.

    The network has random weights, so this tells what the windows change, not what it does to a DER.
    """
    import torch

    from models.diarisation.embeddings.wespeaker import LongWindowWeSpeakerEmbedder, WeSpeakerEmbedder

    waveform = torch.from_numpy(samples[: STOCK_SECONDS * RATE])
    found = {}
    for kind in (WeSpeakerEmbedder, LongWindowWeSpeakerEmbedder):
        pipeline = _lean_pipeline(kind)
        segmentation = pipeline.get_segmentations({"waveform": waveform[None]})
        embeddings = pipeline.get_embeddings({"waveform": waveform[None]}, segmentation)
        embeddings = embeddings[segmentation.data.any(axis=1)]
        found[kind] = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    cosines: np.ndarray = (found[WeSpeakerEmbedder] * found[LongWindowWeSpeakerEmbedder]).sum(axis=1)
    return cosines


SYSTEMS: dict[str, Callable[[], System]] = {
    "ours": ours,
    "senko": senko,
    "stock": stock,
    "lean-resnet": lean_resnet,
    "lean-resnet-long": lean_resnet_long,
}
FIRST_MINUTE = ("stock", "lean-resnet", "lean-resnet-long")  # systems timed on STOCK_SECONDS


def read_wav(path: Path) -> np.ndarray:
    """(samples,) int16."""
    with path.open("rb") as file, wave.open(file):  # which leaves the file where the samples begin
        return np.fromfile(file, dtype=np.int16)  # not through bytes: ten hours are 1.2 GB


def main(name: str, folder: Path, recordings: list[Path]) -> None:
    """Run system `name`."""
    system = SYSTEMS[name]()
    folder.mkdir(parents=True, exist_ok=True)
    system(read_wav(recordings[0])[: WARM_UP_SECONDS * RATE])
    for path in recordings:
        samples = read_wav(path)
        wall, cpu = time.perf_counter(), time.process_time()
        rows = system(samples)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        lines = [
            f"SPEAKER {path.stem} 1 {a:.3f} {b - a:.3f} <NA> <NA> {who} <NA> <NA>\n" for a, b, who in rows
        ]
        (folder / f"{path.stem}.rttm").write_text("".join(lines))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        seconds = len(samples) / RATE
        if name in FIRST_MINUTE:
            seconds = min(seconds, STOCK_SECONDS)
        print(
            json.dumps({"stem": path.stem, "seconds": seconds, "wall": wall, "cpu": cpu, "peak": peak}),
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), [Path(arg) for arg in sys.argv[3:]])
