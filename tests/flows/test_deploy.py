"""The files for many machines name what is there. Containers are not run here."""

from __future__ import annotations

import importlib
import re
from typing import Any

import yaml

from flows.cli.shows import register
from flows.schedule import serve, settings
from flows.schedule.settings import Settings
from tests.flows.conftest import ROOT


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
    return loaded


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
