"""How fast the app answers many at once: `python -m tests.bench.web`.

Readers look at lists, search, open episodes, hear of what changes in them and play audio, one request every 1 to 3
seconds; editors correct words every 2 to 4; meanwhile the app's own schedule processes an episode. The app is the real
one, a process of its own (`episcribe web`); a library of made-up words has one episode of three hours, which two of the
editors work on.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import imageio_ffmpeg
import psutil

from flows.local.demo import sample
from flows.schedule.store import open_store
from flows.web.accounts import Accounts
from models.record.transcript import AudioFile, Episode, Segment, Speaker, Transcript, Turn, Word
from outputs.library.index import update
from outputs.library.write import publish
from tests.bench.search import vocabulary

ROOT = Path(__file__).parents[2]
WORDS_A_MINUTE = 150
LONG_MINUTES, MINUTES = 180, 20
SHOWS = 3
AUDIO_BYTES = 20_000_000
RANGE_BYTES = 262_144
PASSWORD = "of a bench, and no more"
THINK, EDIT_THINK = (1.0, 3.0), (2.0, 4.0)  # seconds between two requests of one person
LONG = "show-0/2026-01-01-episode-0"
# What a reader does next, and how often: most of the time they listen.
ACTS = {
    "audio": 50,
    "library": 15,
    "search": 15,
    "episode": 10,
    "review": 3,
    "files": 2,
    "shows": 3,
    "page": 2,
}
QUERIES = ("ba", "ba be", '"ba be"', "kaba zona", "babe*", "zuzuzu")


def talk(number: int, minutes: int, words: list[str], weights: list[float]) -> Transcript:
    """An episode of made-up words by three people, some of them doubtful."""
    chance, now, segments = random.Random(number), 0.0, list[Segment]()
    spoken = iter(chance.choices(words, cum_weights=weights, k=minutes * WORDS_A_MINUTE))
    while sentence := list(islice(spoken, chance.randint(4, 24))):
        label, said = f"SPEAKER_0{chance.randrange(3)}", list[Word]()
        for word in sentence:
            end = round(now + chance.uniform(0.2, 0.5), 3)
            sure = chance.uniform(0.1, 0.5) if chance.random() < 0.03 else chance.uniform(0.7, 1)
            said.append(Word(now, end, f" {word}", round(sure, 3), label, False, 0.9))
            now = round(end + 0.05, 3)
        segments.append(Segment(said[0].start, now, label, tuple(said)))
    date = f"2026-{1 + number % 12:02}-{1 + number % 28:02}"
    about = Episode(f"id-{number}", show=f"Show {number % SHOWS}", title=f"Episode {number}", published=date)
    people = tuple(Speaker(f"SPEAKER_0{n}", f"Person {(n + number) % 50}", "talk", 0.8) for n in range(3))
    turns = tuple(Turn(one.start, one.end, one.speaker or "") for one in segments)
    audio = AudioFile("audio.mp3", f"{number:064}", now)
    return Transcript(about, audio, "en", tuple(segments), people, turns, turns)


def make_library(library: Path, episodes: int) -> None:
    """As many episodes, the first of three hours, with something to play each."""
    words, weights = vocabulary()
    audio = library.parent / "audio.mp3"
    audio.write_bytes(random.Random(1).randbytes(AUDIO_BYTES))
    for number in range(episodes):
        transcript = talk(number, MINUTES if number else LONG_MINUTES, words, weights)
        folder = library / f"show-{number % SHOWS}" / f"{transcript.episode.published}-episode-{number}"
        publish(transcript, folder, ["json", "srt", "vtt", "txt", "html"] if number < 3 else ["vtt"])
        os.link(audio, folder / "audio.mp3")
    update(library)


@contextmanager
def app(library: Path, at_once: int) -> Iterator[tuple[str, psutil.Process]]:
    """The app, served: its address and process."""
    command = [
        sys.executable,
        "-m",
        "flows.cli",
        "web",
        "--port",
        "0",
        "--no-browser",
        "--at-once",
        str(at_once),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "EPISCRIBE_STORE": str(library.parent / "store.db")}
    environment["EPISCRIBE_UPLOADS"] = str(library.parent / "uploads")
    process = subprocess.Popen(
        [*command, "--library", str(library)],
        env=environment,
        cwd=library.parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = next(line.split()[1] for line in process.stdout if line.startswith("Episcribe: "))
        yield url.partition("/?")[0].rstrip("/"), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


class Bench:
    """Requests with their times, by what was asked for."""

    def __init__(self, url: str, episodes: list[str], end: float) -> None:
        self.url, self.episodes, self.end = url, episodes, end
        self.times: dict[str, list[float]] = defaultdict(list)
        self.failures: dict[str, int] = defaultdict(int)
        self.heard = 0

    async def timed(self, what: str, sending: Any) -> httpx2.Response | None:
        """The answer, its time noted in milliseconds; None where it failed."""
        began = time.perf_counter()
        try:
            answer: httpx2.Response = await sending
        except httpx2.HTTPError as error:
            self.failures[f"{what}: {type(error).__name__}"] += 1
            return None
        self.times[what].append((time.perf_counter() - began) * 1000)
        if answer.status_code >= 400:
            self.failures[f"{what}: {answer.status_code}"] += 1
            return None
        return answer

    def client(self, token: str) -> httpx2.AsyncClient:
        """Somebody's browser."""
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=60, trust_env=False)

    async def read(self, token: str, seed: int) -> None:
        """A reader, until the end."""
        chance = random.Random(seed)
        place = chance.choice(self.episodes)
        async with self.client(token) as client:
            listening = asyncio.create_task(self._listen(client, place))
            while time.monotonic() < self.end:
                await asyncio.sleep(chance.uniform(*THINK))
                (act,) = chance.choices(list(ACTS), list(ACTS.values()))
                if act == "episode":
                    place = chance.choice(self.episodes)
                    listening.cancel()
                    listening = asyncio.create_task(self._listen(client, place))
                await self._act(client, act, place, chance)
            listening.cancel()

    async def _listen(self, client: httpx2.AsyncClient, place: str) -> None:
        """Hear what changes in an episode, as its page does."""
        async with client.stream("GET", f"/api/v1/episodes/{place}/events", timeout=None) as answer:
            async for line in answer.aiter_lines():
                self.heard += line.startswith("event: patch")

    async def _act(self, client: httpx2.AsyncClient, act: str, place: str, chance: random.Random) -> None:
        api, episode = "/api/v1", f"/api/v1/episodes/{place}"
        match act:
            case "audio":
                start = chance.randrange(AUDIO_BYTES - RANGE_BYTES)
                wanted = {"Range": f"bytes={start}-{start + RANGE_BYTES - 1}", "Accept-Encoding": "identity"}
                await self.timed("audio range", client.get(f"{episode}/audio", headers=wanted))
            case "library":
                query = {"sort": chance.choice(("date", "title", "doubt"))}
                await self.timed("library", client.get(f"{api}/episodes", params=query))
            case "search":
                query = {"q": chance.choice(QUERIES)}
                await self.timed("search", client.get(f"{api}/search", params=query))
            case "episode":
                await self.timed("episode, 3 h" if place == LONG else "episode", client.get(episode))
            case "review":
                await self.timed("review", client.get(f"{episode}/review"))
            case "files":
                await self.timed("files", client.get(f"{episode}/files"))
            case "shows":
                await self.timed("shows", client.get(f"{api}/shows"))
            case "page":
                await self.timed("page (HTML)", client.get(f"/episodes/{place}"))

    async def edit(self, token: str, place: str, seed: int) -> None:
        """An editor of an episode, until the end."""
        chance = random.Random(seed)
        path = f"/api/v1/episodes/{place}"
        async with self.client(token) as client:
            paragraphs = (await client.get(path)).json()["paragraphs"]
            while time.monotonic() < self.end:
                await asyncio.sleep(chance.uniform(*EDIT_THINK))
                paragraph = chance.choice(paragraphs)
                words = list(paragraph["words"])
                at = chance.randrange(len(words))
                words[at] = f"{words[at]}{chance.choice('aeiou')}"
                do = {"do": "text", "paragraph": paragraph["id"], "text": "".join(words)}
                what = "edit, 3 h" if place == LONG else "edit"
                answer = await self.timed(
                    what, client.post(f"{path}/edits", json={"op": str(uuid4()), "do": do})
                )
                if answer is None:
                    paragraphs = (await client.get(path)).json()["paragraphs"]
                    continue
                for splice in answer.json()["splices"]:
                    at, removed = splice["at"], splice["removed"]
                    paragraphs[at : at + removed] = splice["paragraphs"]

    def report(self) -> None:
        """Print what came of it."""
        print(f"{'':16}{'count':>7}{'p50':>8}{'p95':>8}{'p99':>8}{'most':>8}  ms")
        every = [time for times in self.times.values() for time in times]
        for what, times in [*sorted(self.times.items()), ("all", every)]:
            ordered = sorted(times)
            at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99)]
            print(f"{what:16}{len(ordered):7}{''.join(f'{one:8.0f}' for one in (*at, ordered[-1]))}")
        print(f"failures: {dict(self.failures) or 'none'}; edits of others heard: {self.heard}")


def process_something(url: str, token: str, folder: Path, minutes: int) -> tuple[httpx2.Client, str]:
    """Have the app process a recording that lasts so long; returns who can ask for it, and its id."""
    audio = folder / "talk.mp3"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-stream_loop", str(2 * minutes - 1)]
    subprocess.run([*ffmpeg, "-i", str(sample()), "-b:a", "48k", str(audio)], check=True)
    client = httpx2.Client(
        base_url=url, headers={"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}, timeout=60
    )
    data, name = audio.read_bytes(), base64.b64encode(b"talk.mp3").decode()
    made = client.post(
        "/api/v1/uploads", headers={"Upload-Length": str(len(data)), "Upload-Metadata": f"filename {name}"}
    )
    assert made.status_code == 201, made.text
    sent = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    client.patch(made.headers["Location"], content=data, headers=sent).raise_for_status()
    upload = made.headers["Location"].rpartition("/")[2]
    order = {"uploads": [upload], "options": {"model": "tiny.en"}}
    (item,) = client.post("/api/v1/queue", json=order).raise_for_status().json()["items"]
    return client, item["id"]


def main() -> None:
    """Make the library, serve it, have people at it; prints milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--editors", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=90)
    parser.add_argument(
        "--minutes", type=int, default=20, help="of the recording that is processed meanwhile; 0: none"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        make_library(library, given.episodes)
        accounts = Accounts(open_store(str(Path(folder) / "store.db")))
        tokens = dict[str, str]()
        for name in (
            "admin",
            *(f"reader-{n}" for n in range(given.readers)),
            *(f"editor-{n}" for n in range(given.editors)),
        ):
            accounts.users.add(name, PASSWORD, name.partition("-")[0])
            tokens[name] = accounts.tokens.make(name, "bench")[1]
        with app(library, 1 if given.minutes else 0) as (url, served):
            if given.minutes:
                worker, item = process_something(url, tokens["admin"], Path(folder), given.minutes)
                while (state := worker.get(f"/api/v1/queue/{item}").json())["state"] != "running":
                    time.sleep(0.5)
            names = [
                f"{record.parent.parent.name}/{record.parent.name}"
                for record in library.glob("*/*/episode.json")
            ]
            bench = Bench(url, sorted(names), time.monotonic() + given.seconds)

            async def everybody() -> None:
                readers = [bench.read(tokens[f"reader-{n}"], n) for n in range(given.readers)]
                others = [name for name in bench.episodes if name != LONG]
                places = [LONG, LONG, *others][: given.editors]
                editors = [
                    bench.edit(tokens[f"editor-{n}"], place, 100 + n) for n, place in enumerate(places)
                ]
                await asyncio.gather(*readers, *editors)

            before = sum(served.cpu_times()[:2])
            asyncio.run(everybody())
            print(f"CPU of the app: {sum(served.cpu_times()[:2]) - before:.1f} s")
            spent = resource.getrusage(resource.RUSAGE_SELF)
            bench.report()
            if given.minutes:
                state = worker.get(f"/api/v1/queue/{item}").json()
                print(
                    "processed meanwhile:",
                    json.dumps({name: state[name] for name in ("state", "stage", "share")}),
                )
            print(f"CPU of the clients, with making the library: {spent.ru_utime + spent.ru_stime:.0f} s")


if __name__ == "__main__":
    main()
