"""Runs without a server to start, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.local.prefect_session import prefect_session
from models.record.errors import InputError
from tests.flows.conftest import ROOT

EMPTY_FLOW = """
import json
from flows.local import prefect_session as session
with session.prefect_session():
    from prefect import flow, get_client
    state = flow(lambda: None, name="empty")(return_state=True)
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(state.state_details.flow_run_id)
    print(run.state.type.value, run.total_run_time.total_seconds() >= 0)
"""


def test_an_empty_flow_is_a_completed_run_of_the_server_with_a_new_database_and_with_a_copy(
    tmp_path: Path,
) -> None:
    environment = {**os.environ, "EPISCRIBE_CACHE": str(tmp_path)}
    made = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", EMPTY_FLOW],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == ["COMPLETED", "True"]
        (database,) = tmp_path.glob("prefect-*.db")
        made.append((database.stat().st_mtime_ns, database.read_bytes()))
    assert made[0] == made[1]


def test_what_fails_while_the_server_starts_ends_the_session() -> None:
    def refuse() -> None:
        raise InputError("no such file")

    with pytest.raises(InputError, match="no such file"), prefect_session(refuse):
        pytest.fail("the session began")
