"""A PostgreSQL server for the tests, from Debian's package; it runs as an ordinary user, as it insists on."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import wait_until

USER = "episcribe"
PROGRAMS = Path("/usr/lib/postgresql")


def programs() -> Path:
    """The folder of the newest server's programs; skips where there is none."""
    found = sorted(PROGRAMS.glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).parent
    pytest.skip("no PostgreSQL server here (Debian: apt-get install postgresql)")


@contextmanager
def postgres() -> Iterator[str]:
    """A fresh server on loopback; yields host:port. It is gone afterwards, with its data."""
    home = Path(tempfile.mkdtemp(prefix="episcribe-postgres-"))
    identity = _identity(home)
    data, port = home / "data", free_port()
    try:
        initdb = [f"{programs()}/initdb", "-D", str(data), "-U", USER, "-A", "trust", "-N", "-E", "UTF8"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=home, **identity)
        options: list[str] = [
            "-h",
            "127.0.0.1",
            "-k",
            str(home),
            "-p",
            str(port),
            "-c",
            "fsync=off",
            "-c",
            "max_connections=200",
        ]
        with subprocess.Popen(
            [f"{programs()}/postgres", "-D", str(data), *options],
            cwd=home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **identity,
        ) as server:
            try:
                _wait(port, server)
                yield f"127.0.0.1:{port}"
            finally:
                server.terminate()
                with suppress(subprocess.TimeoutExpired):
                    server.wait(timeout=20)
                server.kill()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def create_database(address: str, name: str) -> None:
    host, _, port = address.partition(":")
    command = [f"{programs()}/createdb", "-h", host, "-p", port, "-U", USER, name]
    subprocess.run(command, check=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _identity(home: Path) -> dict[str, Any]:
    """Whom to run the server as: root may not."""
    if os.geteuid() != 0:
        return {}
    names = [user.pw_name for user in pwd.getpwall()]
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(home, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _wait(port: int, server: subprocess.Popen[Any]) -> None:
    ready = [f"{programs()}/pg_isready", "-h", "127.0.0.1", "-p", str(port), "-q"]

    def is_running() -> None:
        assert server.poll() is None, "PostgreSQL did not start"

    wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, "PostgreSQL", is_running)
