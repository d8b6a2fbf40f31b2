"""Energy, from files laid out as Linux lays out its powercap tree."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import pytest

from models.runtime.energy import Counter, Meter, metered, nvml_energy, processors

RANGE = 262_143_328_850  # microjoules, of a desktop's package


def domain(folder: Path, number: str, name: str, microjoules: int, largest: int = RANGE) -> Path:
    path = folder / f"intel-rapl:{number}"
    path.mkdir(parents=True)
    (path / "name").write_text(f"{name}\n")
    (path / "energy_uj").write_text(f"{microjoules}\n")
    (path / "max_energy_range_uj").write_text(f"{largest}\n")
    return path / "energy_uj"


def test_packages_and_memory_are_counted_and_their_parts_are_not(tmp_path: Path) -> None:
    counts = [
        domain(tmp_path, number, name, 5_000_000)
        for number, name in (
            ("0", "package-0"),
            ("0:0", "core"),
            ("0:1", "dram"),
            ("1", "psys"),
            ("2", "package-1"),
        )
    ]
    meter = Meter({"cpu": processors(tmp_path)})
    for path in counts:
        path.write_text("3605000000\n")
    meter.update()
    assert meter.watt_hours == {"cpu": pytest.approx(3.0)}


def test_a_counter_that_begins_again_goes_on(tmp_path: Path) -> None:
    count = domain(tmp_path, "0", "package-0", RANGE - 1_000_000)
    (counter,) = processors(tmp_path)
    for now, joules in ((500_000, 1.5), (2_000_000, 3.0), (1_000_000, 3.0 + RANGE / 1e6 - 1.0)):
        count.write_text(f"{now}\n")
        counter.update()
        assert counter.joules == pytest.approx(joules)


@pytest.mark.parametrize("broken", ["energy_uj", "max_energy_range_uj", "name"])
def test_where_one_domain_cannot_be_read_nothing_is_told(tmp_path: Path, broken: str) -> None:
    domain(tmp_path, "0", "package-0", 1_000_000)
    path = domain(tmp_path, "1", "package-1", 1_000_000).with_name(broken)
    path.unlink()
    path.mkdir()  # which no user can read as a file, root included
    assert processors(tmp_path) == []


def test_a_counter_that_fails_later_is_left_out(tmp_path: Path) -> None:
    count = domain(tmp_path, "0", "package-0", 1_000_000)
    meter = Meter({"cpu": processors(tmp_path), "gpu": [Counter(iter((0.0, 7200.0)).__next__)]})
    count.write_text("not a number\n")
    meter.update()
    assert meter.watt_hours == {"gpu": pytest.approx(2.0)}


def test_no_tree_means_no_energy(tmp_path: Path) -> None:
    assert processors(tmp_path / "nothing") == []
    assert Meter({"cpu": []}).watt_hours == {}


def test_what_work_took_is_known_after_it() -> None:
    with metered("cpu") as meter:
        pass
    assert set(meter.watt_hours) == ({"cpu"} if processors() else set())
    assert all(spent >= 0 for spent in meter.watt_hours.values())


class Nvml:
    """What NVML answers, where there is no card to ask."""

    def __init__(self, status: int, millijoules: int) -> None:
        self.status, self.millijoules = status, millijoules

    def nvmlInit_v2(self) -> int:  # noqa: N802
        return 0

    def nvmlDeviceGetHandleByUUID(self, uuid: bytes, device: Any) -> int:  # noqa: N802
        assert uuid == b"GPU-1"
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, device: ctypes.c_void_p, millijoules: Any) -> int:  # noqa: N802
        millijoules._obj.value = self.millijoules
        return self.status


def test_a_card_counts_millijoules() -> None:
    library = Nvml(0, 5_000)
    counter = Counter(nvml_energy(library, "GPU-1"))
    library.millijoules = 12_500
    counter.update()
    assert counter.joules == pytest.approx(7.5)


def test_a_card_that_does_not_count_is_none() -> None:
    with pytest.raises(OSError, match="NVML error 3"):
        Counter(nvml_energy(Nvml(3, 0), "GPU-1"))
