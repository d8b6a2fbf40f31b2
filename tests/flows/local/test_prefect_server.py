from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from flows.local.prefect_server import TemporaryServer
from models.record.errors import EpiscribeError
from tests.flows.conftest import ROOT
from tests.waiting import wait_until

CLIENT = """
import sys
from flows.local.prefect_session import SERVER_ENVIRONMENT
from flows.local.prefect_server import TemporaryServer
with TemporaryServer({**SERVER_ENVIRONMENT, "PREFECT_API_DATABASE_CONNECTION_URL": sys.argv[1]}) as server:
    server.wait()
    print(server.api_url, flush=True)
    sys.stdin.read()
"""


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def test_the_server_ends_with_a_client_that_is_killed(tmp_path: Path) -> None:
    database = f"sqlite+aiosqlite:///{tmp_path}/prefect.db"
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, database],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert client.stdout is not None
    url = client.stdout.readline().strip()
    assert answers(url)
    os.kill(client.pid, signal.SIGKILL)
    client.communicate()
    wait_until(lambda: not answers(url), "the end of the server")


def test_a_server_that_cannot_start_says_so(tmp_path: Path) -> None:
    broken = {"PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/x.db"}
    with TemporaryServer(broken) as server, pytest.raises(EpiscribeError, match="did not start"):
        server.wait()
