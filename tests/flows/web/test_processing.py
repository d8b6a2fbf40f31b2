"""The real thing: the app, the schedule beside it in a process of its own, and a recording that is sent in pieces."""

from __future__ import annotations

import io
import threading
import wave
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from flows.schedule import settings
from flows.schedule.uploads import Uploads
from flows.web.engine import Engine, schedule_command
from outputs.library import read
from tests.audio.server import Reply, Server
from tests.flows.postgres import free_port
from tests.flows.shows import clip, serve_show, write_config
from tests.flows.web.conftest import Running
from tests.flows.web.test_uploads import begun, send
from tests.flows.web.watching import watching
from tests.waiting import PATIENCE, wait_until

QUICK = {"model": "tiny.en", "language": "en", "diariser": "none"}
STAGES = ("", "download", "decode", "transcribe", "publish")
PIECE = 200_000


@pytest.fixture(scope="module")
def app(app_server: Callable[..., Running], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("app")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.CONFIG_VARIABLE, str(write_config(folder, "")))
        patch.setenv("PREFECT_SERVER_API_PORT", str(free_port()))
        loaded = settings.load()
        values = {name: getattr(loaded, name) for name in ("store", "uploads", "allow_private")}
        yield app_server(folder / "library", values)


def long_talk(times: int) -> bytes:
    """The telephone call over and over, with silence between."""
    out = io.BytesIO()
    with wave.open(io.BytesIO(clip(0, 20))) as call, wave.open(out, "wb") as file:
        file.setparams(call.getparams())
        frames = call.readframes(call.getnframes())
        for _ in range(times):
            file.writeframes(frames + bytes(call.getframerate() * call.getsampwidth() * 2))
    return out.getvalue()


def add(app: Running, **asked: Any) -> str:
    answer = app.client.post("/api/v1/queue", json={"options": QUICK, **asked})
    assert answer.status_code == 202, answer.text
    identity: str = answer.json()["items"][0]["id"]
    return identity


def hold(server: Server, path: str) -> threading.Event:
    """Keep the audio at a path back from the run, though not from who looks what it is, until the event is set."""
    gate, answer, asked = threading.Event(), server.routes[path], count()
    assert callable(answer)

    def reply(headers: dict[str, str]) -> Reply:
        if next(asked):
            assert gate.wait(PATIENCE)
        return answer(headers)

    server.routes[path] = reply
    return gate


def test_a_recording_is_sent_watched_and_done_and_others_are_put_in_order_and_cancelled(
    app: Running, server: Server
) -> None:
    serve_show(server, [1, 2, 3])
    gate = hold(server, "/3.wav")
    data = long_talk(1)
    where = begun(app, len(data), "A long talk.wav")
    for at in range(0, len(data), PIECE):
        assert send(app, where, at, data[at : at + PIECE]).status_code == 204
    engine = Engine(schedule_command(1))
    with watching(app) as until:
        engine.start()
        try:
            held = add(app, source=server.url("/3.wav"))
            until("item", id=held, state="waiting")
            until("item", id=held, state="running")
            one, two = (add(app, source=server.url(f"/{number}.wav")) for number in (1, 2))
            for each in (one, two):
                until("item", id=each, state="queued")
            app.client.post(f"/api/v1/queue/{two}/move", json={"to": "first"})
            until("line", waiting=[two, one])
            app.client.post(f"/api/v1/queue/{held}/cancel")
            until("item", id=held, state="running", stage="cancelling")
            gate.set()
            assert until("item", id=held, state="cancelled")["episode"] is None
            until("item", id=one, state="done")
            told = {each: app.client.get(f"/api/v1/queue/{each}").json() for each in (one, two)}
            assert told[two]["done_at"] < told[one]["started_at"]
            assert told[one]["episode"] == "single-episodes/1"

            talk = add(app, uploads=[where.rpartition("/")[2]])
            app.client.post(f"/api/v1/queue/{held}/retry")
            seen = [until("item", id=talk)]
            while seen[-1]["state"] != "done":
                assert seen[-1]["state"] != "failed", seen[-1]["error"]
                seen.append(until("item", id=talk))
            # It was added first, so its turn came before.
            assert app.client.get(f"/api/v1/queue/{held}").json()["state"] == "done"
        finally:
            gate.set()
            engine.stop()
    running = [item for item in seen if item["state"] == "running"]
    stages = [STAGES.index(item["stage"]) for item in running]
    assert stages == sorted(stages)
    shares = [item["share"] for item in running]
    assert shares == sorted(shares)
    folder = Path(app.config.library) / seen[-1]["episode"]
    transcript = read.load(folder)
    assert transcript.episode.title == "A long talk"
    assert read.kept_audio(folder, transcript.audio) is not None
    assert app.client.get("/api/v1/uploads").json()["items"] == []
    uploads = Uploads(app.config.settings, app.store).folder
    # A run tells that it is done before it removes what was sent.
    wait_until(
        lambda: {file.name for file in uploads.iterdir()} <= {".room.lock"}, "the end of what was sent"
    )
