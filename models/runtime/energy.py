"""The energy that work takes, where the machine counts it: processors by RAPL, an NVIDIA GPU by NVML.

Counters are the whole machine's, so what other programs do meanwhile is in them. Where one can't be read (Linux lets
root alone read RAPL's) the energy is unknown, and nothing is guessed.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

POWERCAP = Path("/sys/class/powercap")  # Linux: Documentation/power/powercap/powercap.rst
COUNTED = ("package", "dram")  # domains that hold nothing of each other; cores are part of their package
SAMPLE_SECONDS = 30.0  # the smallest ranges, of 65 kJ, would take 2 kW to be run through in that time
JOULES_PER_WATT_HOUR = 3600.0


class Counter:
    """Joules since it was made.

    read: joules on some scale that begins again at `span`. Raises OSError where it does.
    """

    def __init__(self, read: Callable[[], float], span: float = float("inf")) -> None:
        self.joules = 0.0
        self._read, self._span = read, span
        self._last = read()

    def update(self) -> None:
        """Count on; to be called before the counter has gone round twice."""
        now = self._read()
        self.joules += now - self._last if now >= self._last else now - self._last + self._span
        self._last = now


class Meter:
    """Counters by what they count, "cpu" and "gpu"; one that fails takes all of its kind with it."""

    def __init__(self, counters: Mapping[str, list[Counter]]) -> None:
        self._counters = {kind: list(some) for kind, some in counters.items() if some}

    def update(self) -> None:
        """Count on."""
        for kind, counters in list(self._counters.items()):
            try:
                for counter in counters:
                    counter.update()
            except OSError:
                del self._counters[kind]

    @property
    def watt_hours(self) -> dict[str, float]:
        """What was counted until the last update, by kind; empty where nothing can be read."""
        return {
            kind: sum(counter.joules for counter in counters) / JOULES_PER_WATT_HOUR
            for kind, counters in self._counters.items()
        }


@contextmanager
def metered(device: str) -> Iterator[Meter]:
    """Counts while the context lasts; `watt_hours` is there after it. device: "cuda" counts the GPU too."""
    meter = Meter({"cpu": processors(), "gpu": graphics() if device == "cuda" else []})
    ended = Event()

    def sample() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            meter.update()

    sampler = Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield meter
    finally:
        ended.set()
        sampler.join()
        meter.update()


def per_hour(watt_hours: Mapping[str, float], seconds: float) -> dict[str, float]:
    """Watt-hours for each hour of so many seconds of audio, in three digits.

    >>> per_hour({"cpu": 0.12345}, 1800)
    {'cpu': 0.247}
    """
    return {kind: float(f"{spent * 3600 / seconds:.3g}") for kind, spent in watt_hours.items()}


def processors(folder: Path = POWERCAP) -> list[Counter]:
    """A counter for each package of cores and for its memory; none where one of them can't be read."""
    try:
        domains = [
            domain
            for domain in sorted(folder.glob("intel-rapl:*"))
            if (domain / "name").read_text().strip().startswith(COUNTED)
        ]
        return [
            Counter(partial(_joules, domain / "energy_uj"), _joules(domain / "max_energy_range_uj"))
            for domain in domains
        ]
    except OSError:
        return []


def _joules(microjoules: Path) -> float:
    try:
        return int(microjoules.read_text()) / 1e6
    except ValueError as error:
        raise OSError(f"{microjoules} holds no number") from error


def graphics() -> list[Counter]:
    """A counter for the GPU that torch uses; none without NVML, or for a card that doesn't count (before Volta)."""
    try:
        library = ctypes.CDLL("libnvidia-ml.so.1")
        return [Counter(nvml_energy(library, _uuid()))]
    except (OSError, AttributeError):
        return []


def _uuid() -> str:
    import torch

    return f"GPU-{torch.cuda.get_device_properties(0).uuid}"


def nvml_energy(library: Any, uuid: str) -> Callable[[], float]:
    """Reads the joules that a card has taken since its driver was loaded. OSError where NVML says no.

    library: libnvidia-ml, whose nvmlDeviceGetTotalEnergyConsumption tells millijoules.
    """
    device, millijoules = ctypes.c_void_p(), ctypes.c_ulonglong()
    _checked(library.nvmlInit_v2())
    _checked(library.nvmlDeviceGetHandleByUUID(uuid.encode(), ctypes.byref(device)))

    def read() -> float:
        _checked(library.nvmlDeviceGetTotalEnergyConsumption(device, ctypes.byref(millijoules)))
        return millijoules.value / 1e3

    return read


def _checked(status: int) -> None:
    if status:
        raise OSError(f"NVML error {status}")
