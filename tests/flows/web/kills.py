"""Servers of one episode that are killed while it is edited: no edit may be lost or be done twice."""

from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx2

from outputs.library import read
from outputs.library.corrections import load
from outputs.library.write import publish
from tests.flows.conftest import ROOT
from tests.outputs.samples import said, talk
from tests.waiting import PATIENCE

Killable = subprocess.Popen[str] | multiprocessing.process.BaseProcess
Serve = Callable[[Path], AbstractContextManager[tuple[Killable, str]]]
API = "/api/v1/episodes/-/episode"
ROUND = 30  # edits that a server is killed within, at the latest


@contextmanager
def edit_command(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`episcribe edit` of a folder, and the first address that it tells."""
    command = [sys.executable, "-m", "flows.cli", "edit", str(folder), "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        try:
            assert child.stdout
            yield child, next(word for word in child.stdout.readline().split() if word.startswith("http"))
        finally:
            child.kill()


@contextmanager
def forked_server(folder: Path) -> Iterator[tuple[Killable, str]]:
    """The same server in a process of its own that need not load all modules anew, and doesn't render."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.flows.web.kills", "flows.web.serving"])
    mine, theirs = context.Pipe()
    child = context.Process(target=_serve, args=(folder, theirs), daemon=True)
    child.start()
    try:
        assert mine.poll(PATIENCE)
        yield child, mine.recv()
    finally:
        child.kill()
        child.join()


def _serve(folder: Path, connection: Connection) -> None:
    from flows.schedule.settings import Settings
    from flows.schedule.store import open_store
    from flows.web import desk, serving
    from flows.web.config import WebConfig

    desk.RENDER_SECONDS = PATIENCE
    settings, listening = Settings(library=str(folder.parent)), serving.listen(serving.HOST, 0)
    url, store = serving.address_of(listening, serving.HOST), open_store(f"{folder.parent}/{os.getpid()}.db")
    config = WebConfig(settings, store, folder.parent, url, "the-token", only=folder)
    connection.send(f"{url}/?token=the-token")
    serving.run(config, listening)


@contextmanager
def signed_in(address: str) -> Iterator[httpx2.Client]:
    """The browser of who started a server."""
    with httpx2.Client(base_url=address.partition("/?")[0], timeout=PATIENCE, trust_env=False) as client:
        client.get(address)
        client.headers["X-CSRF-Token"] = client.get("/api/v1/me").json()["csrf"]
        yield client


def edits_through_kills(folder: Path, kills: int, seed: int, serve: Serve) -> int:
    """Edit an episode paragraph by paragraph while its server is killed at random moments; how many edits were made.

    An edit that was not answered is sent again, to the next server. In the end each must be there once.
    """
    parts = [
        said(f"number {i} is here", 3.0 * i, speaker=f"SPEAKER_{i % 2:02}") for i in range(kills * ROUND)
    ]
    publish(talk(*parts, SPEAKER_00="Ann", SPEAKER_01="Bob"), folder, ["episode"])
    chance, waiting = random.Random(seed), list[dict[str, Any]]()
    for _ in range(kills):
        with serve(folder) as (child, address), signed_in(address) as client:
            _edit_until_killed(client, child, waiting, chance)
    with serve(folder) as (_, address), signed_in(address) as client:
        assert client.post(f"{API}/edits", json=waiting[-1]).status_code == 200
    assert [one.op for one in load(folder)] == [one["op"] for one in waiting]
    found = [segment.text for segment in read.load(folder).segments]
    assert found == [
        f"number {number} was there" if number < len(waiting) else f"number {number} is here"
        for number in range(len(parts))
    ]
    return len(waiting)


def _edit_until_killed(
    client: httpx2.Client, child: Killable, sent: list[dict[str, Any]], chance: random.Random
) -> None:
    """Send the last edit again, which may not have been answered, then others until there is nobody to answer."""
    paragraphs = client.get(API).json()["paragraphs"]
    before, last = chance.randrange(5), len(sent) + ROUND - 1
    killer = threading.Thread(target=_kill, args=(child, chance.uniform(0, 0.03)))
    try:
        for edit in sent[-1:]:
            assert client.post(f"{API}/edits", json=edit).status_code == 200
        while len(sent) < last:
            number = len(sent)
            do = {"do": "text", "paragraph": paragraphs[number]["id"], "text": f"number {number} was there"}
            sent.append({"op": f"op {number}", "do": do})
            before -= 1
            if before < 0 and not killer.ident:
                killer.start()
            assert client.post(f"{API}/edits", json=sent[-1]).status_code == 200
    except (httpx2.HTTPError, OSError):
        pass
    finally:
        killer.join()


def _kill(child: Killable, pause: float) -> None:
    time.sleep(pause)  # a random moment of what the server does with an edit
    child.kill()
