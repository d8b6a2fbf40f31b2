"""What fast, balanced and best mean: the one table of which Whisper model and beam a run takes.

A quality is an effort for a kind of device; of the models it may take, the first is taken that the machine is large
enough for and that can be had. What a run is told by name, as by `--model`, is taken in any case. The diariser takes
the same step in all of them: with smaller ones DER doesn't fall (docs/benchmarks.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flows.options import AUTO, Quality
from models.asr import whisper_models
from models.record.errors import ModelError
from models.runtime import offline_models
from models.runtime.device import resolve_device, usable_cores
from models.runtime.memory import memory_of

GB = 1e9


@dataclass(frozen=True)
class Machine:
    """What models run on: "cpu" or "cuda", the cores of the CPU, and bytes of memory of the device."""

    device: str
    cores: int
    memory: float


@dataclass(frozen=True)
class Model:
    """A Whisper model, and the least that it is worth taking on: cores, where it runs on them, and GB of memory."""

    name: str
    cores: int = 1
    memory: float = 0.0

    def fits(self, machine: Machine) -> bool:
        """Whether the machine is large enough."""
        enough = machine.device != "cpu" or machine.cores >= self.cores
        return enough and machine.memory >= self.memory * GB


@dataclass(frozen=True)
class Effort:
    """Models in order of preference, and the beam they search with."""

    models: tuple[Model, ...]
    beam_size: int = 5


@dataclass(frozen=True)
class Choice:
    """What a quality comes to on a machine."""

    model: str
    beam_size: int


OFFLINE = (Model("base"), Model("tiny.en"))
EFFORTS: dict[tuple[Quality, str], Effort] = {
    ("fast", "cpu"): Effort(OFFLINE, beam_size=1),
    ("balanced", "cpu"): Effort((Model("small", cores=8, memory=4), *OFFLINE)),
    ("best", "cpu"): Effort(
        (Model("large-v3-turbo", cores=8, memory=8), Model("small", memory=4), *OFFLINE),
    ),
    ("fast", "cuda"): Effort((Model("small", memory=3), *OFFLINE), beam_size=1),
    ("balanced", "cuda"): Effort((Model("large-v3-turbo", memory=6), Model("small", memory=3), *OFFLINE)),
    ("best", "cuda"): Effort(
        (Model("large-v3", memory=10), Model("large-v3-turbo", memory=6), Model("small", memory=3), *OFFLINE)
    ),
}


def choose(
    quality: Quality,
    device: str,
    model: str = AUTO,
    can_be_had: Callable[[str], bool] = whisper_models.can_be_had,
) -> Choice:
    """What `quality` comes to here, with the named model unless it is "auto".

    device: "auto", "cpu" or "cuda". can_be_had: whether a model is here or can be fetched, which it may do.
    Raises InputError for a device that isn't here, ModelError where there is no model at all.
    """
    where = resolve_device(device)
    effort = EFFORTS[quality, where]
    if model == AUTO:
        model = first_that_fits(effort.models, machine_of(where), can_be_had)
    return Choice(model, effort.beam_size)


def machine_of(device: str) -> Machine:
    """This machine, as models on "cpu" or "cuda" have it."""
    return Machine(device, usable_cores(), memory_of(device))


def first_that_fits(models: tuple[Model, ...], machine: Machine, can_be_had: Callable[[str], bool]) -> str:
    """The first model that the machine is large enough for and that can be had; ModelError where there is none."""
    for model in models:
        if model.fits(machine) and can_be_had(model.name):
            return model.name
    raise ModelError(
        f"no Whisper model on this machine: run `{offline_models.PULL_COMMAND}` once (217 MB, no account)"
    )
