from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
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


def status(url: str, data: bytes | None = None, method: str = "GET", **headers: str) -> tuple[int, str]:
    """What a request gets, and the origin that may read the answer."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data, named, method=method), timeout=60
        ) as reply:
            return reply.status, reply.headers.get("Access-Control-Allow-Origin", "")
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Access-Control-Allow-Origin", "")


def refuses_other_sites(api_url: str) -> None:
    pool = b'{"name": "other", "type": "process"}'
    asked = {"Origin": "https://other.example", "Access_Control_Request_Method": "POST"}
    assert status(f"{api_url}/health", Host="rebound.example") == (400, "")
    assert status(f"{api_url}/work_pools/", None, "OPTIONS", **asked)[1] == ""
    # What a page may send without asking first.
    simple = {"Origin": "https://other.example", "Content_Type": "text/plain"}
    assert status(f"{api_url}/work_pools/", pool, "POST", **simple) == (422, "")
    own = api_url.removesuffix("/api")
    assert status(
        f"{api_url}/work_pools/filter", b"{}", "POST", Origin=own, Content_Type="application/json"
    ) == (
        200,
        own,
    )


def test_the_server_refuses_other_sites_and_ends_with_a_client_that_is_killed(tmp_path: Path) -> None:
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
    refuses_other_sites(url)
    os.kill(client.pid, signal.SIGKILL)
    client.communicate()
    wait_until(lambda: not answers(url), "the end of the server")


def test_a_server_that_cannot_start_says_so(tmp_path: Path) -> None:
    broken = {"PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/x.db"}
    with TemporaryServer(broken) as server, pytest.raises(EpiscribeError, match="did not start"):
        server.wait()
