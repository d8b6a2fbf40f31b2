"""How long the models of a run will take, told by earlier runs on this machine, and how long they took.

Earlier runs are kept in a small file of the cache folder: of each kind of stage, by model, setting and device, what the
last few took. A stage whose kept result is reused takes nothing and leaves nothing there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low
from typing import Any, NamedTuple

from flows.progress import stage as begins
from flows.progress import tell
from models.record.errors import OutputError
from models.runtime.cache import cache_folder
from models.runtime.device import usable_cores
from models.runtime.energy import metered
from outputs.library.files import replace_files
from outputs.text.times import clock, duration

KEPT = 5  # runs of a kind
LEAST = 30.0  # s of audio that beginning is worth: Whisper hears no less at a time
ENERGY = "watt_hours"  # in a stage's result, beside what it found

# Where nothing is known yet. Seconds of one core for each second of audio: as measured on a server, for small and
# large-v3-turbo by what others measured and by their layers.
WHISPER_CORE_SECONDS = {"tiny.en": 0.06, "base": 0.1, "small": 0.5, "large-v3-turbo": 2.0}
DIARISER_CORE_SECONDS = 0.05
MOST_CORES = 8  # that make a stage faster
CHAPTERS_CORE_SECONDS = 0.002
GPU_SECONDS = 0.005  # for each second of audio, of either
LOAD_SECONDS = 5.0


@dataclass(frozen=True)
class Stage:
    """Work of models: its name, its kind, by which earlier runs are found, and a guess where there are none.

    guess: seconds for each second of audio; None where nothing can be said.
    """

    name: str
    kind: str
    guess: float | None


class Spent(NamedTuple):
    """What a stage took: seconds to load its models and to work, and the seconds of its audio."""

    load: float
    work: float
    audio: float

    @property
    def rate(self) -> float:
        """Seconds of work for each second of audio, the beginning counted as audio."""
        return self.work / (self.audio + LEAST)


class Work:
    """What models do in one run: how long it will take is told when the first of them begins.

    audio: seconds of the recording. stages: in their order. device: "cpu" or "cuda".
    """

    def __init__(self, audio: float, stages: Iterable[Stage], device: str) -> None:
        self._audio, self._device = audio, device
        self._left = list(stages)
        self._began: float | None = None

    def computed(
        self, name: str, load: Callable[[], object], compute: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """What `compute` finds once `load` has loaded its models, with the watt-hours where they can be read.

        What can't be loaded is left to `compute`, which knows what to do then.
        """
        stage = self._begin(name)
        with metered(self._device) as meter:
            began = time.perf_counter()
            with suppress(Exception):
                load()
            loaded = time.perf_counter()
            found = compute()
            spent = Spent(loaded - began, time.perf_counter() - loaded, self._audio)
        remember(stage.kind, spent)
        return {**found, ENERGY: meter.watt_hours} if meter.watt_hours else found

    def end(self) -> None:
        """Tell how long it took, where it was told how long it would."""
        if self._began is not None:
            tell(f"took {duration(time.perf_counter() - self._began)}")

    def _begin(self, name: str) -> Stage:
        while self._left[0].name != name:  # those before it need not be computed
            self._left.pop(0)
        if self._began is None:
            self._began = time.perf_counter()
            if line := expectation(self._audio, self._left):
                tell(line)
        earlier = _read()
        begins(name, {stage.name: _seconds(stage, self._audio, earlier) or 0.0 for stage in self._left})
        return self._left[0]


def diarise_stage(model: str, step: float, device: str) -> Stage:
    """What a diariser does; `model` as `diariser.resolve` has it, `step` in windows."""
    return _stage("diarise", f"{model}, step {step:g}", DIARISER_CORE_SECONDS, device)


def transcribe_stage(model: str, beam_size: int, device: str) -> Stage:
    """What a Whisper model does; `model` as `whisper_models.resolve` names it."""
    return _stage("transcribe", f"{model}, beam {beam_size}", WHISPER_CORE_SECONDS.get(model), device)


def overlaps_stage(model: str, device: str) -> Stage:
    """What it does where two talk at once; how often they do is not known before."""
    return _stage("overlaps", model, 0.0, device)


def translate_stage(model: str, device: str, *, hears: bool) -> Stage:
    """What it takes to translate; how much of an episode is to be is not known before. hears: by a Whisper model."""
    return _stage("translate", model, WHISPER_CORE_SECONDS.get(model) if hears else None, device)


def chapters_stage() -> Stage:
    """What it takes to propose chapters, which the GPU has no part in."""
    return _stage("chapters", "sentence embeddings", CHAPTERS_CORE_SECONDS, "cpu")


def _stage(name: str, model: str, core_seconds: float | None, device: str) -> Stage:
    if device == "cuda":
        import torch

        return Stage(
            name, f"{name}: {model} on {torch.cuda.get_device_name(0)}", core_seconds and GPU_SECONDS
        )
    cores = usable_cores()
    guess = core_seconds and core_seconds / min(cores, MOST_CORES)
    return Stage(name, f"{name}: {model} on {cores} core{'' if cores == 1 else 's'}", guess)


def expectation(audio: float, stages: Iterable[Stage]) -> str:
    """How long `stages` will take for so many seconds of audio, in a line; "" where nothing can be said.

    Odd runs don't count: each stage takes what it took in the middle one of the last, and of two in the faster.
    """
    earlier, wanted = _read(), list(stages)
    seconds = [_seconds(stage, audio, earlier) for stage in wanted]
    known = [each for each in seconds if each is not None]
    if len(known) < len(seconds):
        return ""
    guessed = any(stage.guess and stage.kind not in earlier for stage in wanted)
    why = " (no earlier runs here)" if guessed else ""
    return f"{clock(audio)} of audio: about {duration(_rounded(sum(known)))}{why}"


def _seconds(stage: Stage, audio: float, earlier: Mapping[str, Sequence[Spent]]) -> float | None:
    """What a stage will take for so many seconds of audio; None where nothing can be said."""
    if runs := earlier.get(stage.kind):
        load, rate = median_low(run.load for run in runs), median_low(run.rate for run in runs)
        return load + rate * (audio + LEAST)
    if not stage.guess:
        return stage.guess
    return LOAD_SECONDS + stage.guess * (audio + LEAST)


def _rounded(seconds: float) -> float:
    """As exact as such a time can be told: seconds, tens of them, minutes, tens of them."""
    exact = next((unit for most, unit in ((10, 1), (100, 10), (5400, 60)) if seconds < most), 600)
    return max(1, round(seconds / exact)) * exact


def remember(kind: str, spent: Spent) -> None:
    """Keep what a stage took, with the last few of its kind. Where that can't be written, nothing is kept."""
    earlier = _read()
    earlier[kind] = [*earlier.get(kind, ()), spent][-KEPT:]
    with suppress(OSError, OutputError):
        _file().parent.mkdir(parents=True, exist_ok=True)
        replace_files({_file(): json.dumps(earlier, indent=1).encode()})


def _read() -> dict[str, list[Spent]]:
    try:
        kept = json.loads(_file().read_text(encoding="utf-8"))
        return {kind: [Spent(*map(float, run)) for run in runs] for kind, runs in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # none yet, or damaged


def _file() -> Path:
    return cache_folder() / "pace.json"
