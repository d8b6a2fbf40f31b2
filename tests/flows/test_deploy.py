"""The files for many machines name what is there. Containers are not run here."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.cli.shows import register
from flows.schedule import serve, settings
from flows.schedule.settings import Settings
from tests.flows.conftest import ROOT

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
LARGE = r"torch|torchaudio|triton|nvidia-.*|cuda-.*"  # of these a machine without a GPU needs none, or other builds


def compose(name: str = "compose.yaml") -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / name).read_text("utf-8"))
    return loaded


def requirements(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z][^=]*)==", lock, flags=re.MULTILINE))


def test_prefect_yaml_names_our_flows_and_the_deployments_of_serve() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
    found = {}
    for entry in deployments:
        file, _, name = entry["entrypoint"].partition(":")
        flow = getattr(importlib.import_module(file.removesuffix(".py").replace("/", ".")), name)
        found[f"{flow.name}/{entry['name']}"] = entry
    polls = found[f"poll-feeds/{serve.POLL}"]
    assert polls["parameters"] == {"deployment": serve.EPISODES_DEPLOYMENT}
    assert polls["work_pool"]["name"] == serve.POLL_POOL
    assert found[serve.EPISODES_DEPLOYMENT]["work_pool"]["name"] == serve.EPISODE_POOL


def test_compose_sets_variables_and_calls_commands_that_exist() -> None:
    import typer

    app = typer.Typer()
    register(app)
    commands = {
        (command.name or command.callback.__name__) for command in app.registered_commands if command.callback
    }
    for name in ("poller", "worker"):
        service = compose()["services"][name]
        assert service["command"].split()[0] in commands
        ours = [key for key in service["environment"] if key.startswith("EPISCRIBE_")]
        for key in ours:
            field = key.removeprefix("EPISCRIBE_").lower()
            assert field in Settings.model_fields or key == settings.CONFIG_VARIABLE
        assert ours


def test_compose_mounts_files_that_are_there() -> None:
    for service in compose()["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert not source.startswith("./") or (ROOT / "deploy" / source).is_file()


def test_the_fault_table_names_tests_that_are_there() -> None:
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    rows = (ROOT / "docs" / "reliability.md").read_text("utf-8").splitlines()
    named = [
        name for row in rows if row.startswith("| ") for name in re.findall(r"`([\w/.]+)`", row.split("|")[4])
    ]
    assert len(named) > 20
    for name in named:
        assert (ROOT / name).is_file() or re.search(rf"def test_\w*{name}", tests), name


def test_the_prefect_image_is_the_version_that_is_pinned() -> None:
    pinned = re.search(r'"prefect==([\d.]+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert pinned
    assert f":{pinned[1]}-" in compose()["services"]["prefect"]["image"]


def test_the_dockerfile_copies_what_is_there_before_what_it_makes() -> None:
    seen: set[str] = set()
    for line in re.findall(r"^(?:COPY|RUN make) .*$", DOCKERFILE, flags=re.MULTILINE):
        command, *words = line.split()
        if command == "COPY":
            assert all((ROOT / word).exists() for word in words[:-1]), line
            seen.update(words[:-1])
        elif "packages" in words:
            assert seen == {
                "Makefile",
                "requirements.lock",
            }  # or a layer of gigabytes is made anew for a word
    packages = set(re.findall(r'"([a-z]+)\*"', (ROOT / "pyproject.toml").read_text("utf-8")))
    assert packages < seen
    assert "RUN make setup" in DOCKERFILE


@pytest.mark.parametrize("torch", ["pypi", "cpu"])
def test_the_dockerfile_gives_make_targets_and_variants_that_it_knows(torch: str, tmp_path: Path) -> None:
    targets = re.findall(r"RUN make (\w+) TORCH=\$TORCH", DOCKERFILE)
    assert targets == ["packages", "setup"]
    assert "\nARG TORCH=pypi\n" in DOCKERFILE
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    command = ["make", "--dry-run", *targets, f"TORCH={torch}", "TORCH_CPU_INDEX=an-index"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ("--index-url an-index" in done.stdout) == (torch == "cpu")
    assert done.stdout.count("-m pip install --quiet --no-deps --no-build-isolation --editable .") == 1
    assert not (tmp_path / ".venv").exists()


def test_without_a_gpu_nothing_is_installed_that_only_a_gpu_needs() -> None:
    (program,) = re.findall(
        r"^\tawk '([^']+)' requirements.lock", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    left = subprocess.run(
        ["awk", program.replace("$$", "$")], input=lock, capture_output=True, text=True, check=True
    )
    gone = requirements(lock) - requirements(left.stdout)
    assert "nvidia-cublas-cu12" in gone
    assert gone == {name for name in requirements(lock) if re.fullmatch(LARGE, name)}


def test_workers_on_a_gpu_are_workers_with_its_libraries() -> None:
    base, over = compose()["services"], compose("compose.gpu.yaml")["services"]
    assert set(over) == {"worker"}
    assert base["worker"]["build"]["args"]["TORCH"] == base["poller"]["build"]["args"]["TORCH"] == "cpu"
    assert over["worker"]["build"]["args"]["TORCH"] == "pypi"
    assert over["worker"]["image"] != base["worker"]["image"] == base["poller"]["image"]
    (volume,) = over["worker"]["volumes"]
    name, _, folder = volume.partition(":")
    assert name in compose("compose.gpu.yaml")["volumes"]
    assert over["worker"]["environment"] == {"CUDA_CACHE_PATH": folder}
