"""A library for tests of the pages: a few short episodes that no model has heard, one with audio, some of strangers."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from flows.schedule import queue, settings
from flows.schedule.queue import Step
from models.record.transcript import AudioFile, Episode, Segment, Speaker, Transcript, Turn, Word
from outputs.library.write import publish
from tests.flows.shows import write_config
from tests.flows.web.conftest import Running

Talk = Sequence[tuple[int, str]]  # who, and what they say
WORKER, LEASE_SECONDS = "a worker", 900.0
FORMATS = ["srt", "vtt", "txt", "html", "json"]
SHOW = "Strangers on the Line"
CALL: Talk = (
    (0, "Hello. Hello."),
    (1, "Oh, hello. I didn't know you were there."),
    (0, "Neither did I. Okay, I thought, you know, I heard a beep."),
    (1, "This is Diane in New Jersey."),
    (0, "And I'm Sheila in Texas, originally from Chicago."),
    (1, "Oh, I'm originally from Chicago also. I'm in New Jersey now though."),
    (0, "Well, there isn't that much difference between the two, is there?"),
    (1, "At least they haven't got a lake that freezes over."),
)
RADIO: Talk = (
    (0, "Welcome back to the night programme, where we read what you have written to us."),
    (1, "The first letter comes from a lighthouse, and it is about the sound of fog."),
    (0, "How does fog sound?"),
    (1, "Like wool, she writes, and like a door that somebody holds shut from the other side."),
)
LONG = "On everything that can be said of a title that nobody wanted to end, " * 3
HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)> & "quotes" \u202egnp.exe'


def episode(
    library: Path,
    place: str,
    title: str,
    people: Sequence[str],
    talk: Talk,
    *,
    show: str = SHOW,
    language: str = "en",
    audio: Path | None = None,
    seconds: float = 30.0,
) -> Path:
    """Publish an episode at "show/date-name" of a library; its words share out its seconds, every seventh in doubt."""
    folder = library / place
    folder.mkdir(parents=True)
    kept = folder / f"audio{audio.suffix}" if audio else folder / "audio.mp3"
    if audio:
        shutil.copy(audio, kept)
    each = (seconds - 1) / sum(len(said.split()) for _, said in talk)
    segments, at, number = [], 0.5, 0
    for who, said in talk:
        words = []
        for text in said.split():
            number += 1
            words.append(
                Word(
                    round(at, 3),
                    round(at + each, 3),
                    f" {text}",
                    0.3 if number % 7 == 0 else 0.98,
                    f"SPEAKER_0{who}",
                )
            )
            at += each
        segments.append(Segment(words[0].start, words[-1].end, f"SPEAKER_0{who}", tuple(words)))
    turns = tuple(Turn(one.start, one.end, one.speaker or "") for one in segments)
    transcript = Transcript(
        Episode(place, show=show, title=title, published=f"{folder.name[:10]}T06:00:00+00:00"),
        AudioFile(str(kept), hashlib.sha256(place.encode()).hexdigest(), seconds),
        language,
        tuple(segments),
        tuple(Speaker(f"SPEAKER_0{number}", name, "talk", 0.95) for number, name in enumerate(people)),
        turns,
        turns,
        {"whisper": "base"},
    )
    publish(transcript, folder, FORMATS)
    return folder


def compose(library: Path, audio: Path) -> None:
    """Episodes as a podcaster has them."""
    episode(
        library,
        "strangers/2026-11-16-both-from-chicago",
        "Both from Chicago",
        ["Sheila", "Diane"],
        CALL,
        audio=audio,
    )
    radio = partial(episode, library, talk=RADIO, show="The Night Programme", seconds=2520.0)
    radio(
        place="night-programme/2026-11-09-fog", title="The sound of fog", people=["Mara Lind", "Jon Okafor"]
    )
    radio(
        place="night-programme/2026-11-02-tea",
        title="Tea at four in the morning",
        people=["Mara Lind", "Speaker 2"],
    )
    german: Talk = ((0, "Guten Morgen und willkommen im Grünen."), (1, "Heute geht es um Moose und Farne."))
    episode(
        library,
        "gruene-stunde/2026-10-26-moose",
        "Über Moose und Farne",
        ["Käthe Größer", "Jörg Weiß"],
        german,
        show="Grüne Stunde",
        language="de",
        seconds=1830.0,
    )


def compose_strangers(library: Path) -> None:
    """Episodes whose titles and names were written to do harm, are very long, or run from right to left."""
    episode(
        library, "b-show/2026-10-01-hostile", HOSTILE, ["<b>Bob</b>", "=cmd()"], RADIO, show="<b>Show</b>"
    )
    episode(
        library,
        "long/2026-10-02-long",
        LONG,
        ["A name that is long, longer than any that was ever read out on air"],
        RADIO[::2],
        show=LONG,
    )
    arabic: Talk = ((0, "هذا حديث عن الصوت والكلمات التي نسمعها كل يوم."), (1, "نعم، أظن أن هذا صحيح تماما."))
    episode(
        library,
        "hadith/2026-10-03-hadith",
        "حديث اليوم",
        ["ليلى", "سامي"],
        arabic,
        show="حديث",
        language="ar",
    )


@contextmanager
def composed_app(
    app_server: Callable[..., Running], folder: Path, audio: Path, *, strangers: bool = True
) -> Iterator[Running]:
    """An app on such a library, with an episcribe.toml of its own in the folder."""
    compose(folder / "library", audio)
    if strangers:
        compose_strangers(folder / "library")
    config = write_config(folder, "", head='base_url = "https://example.org/"')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.CONFIG_VARIABLE, str(config))
        made = settings.load()
        own = {
            "uploads": made.uploads,
            "publish": made.publish,
            "base_url": made.base_url,
            "allow_private": True,
        }
        yield app_server(folder / "library", own)


def put(app: Running, title: str, *, by: str = "Anna", show: str = "") -> str:
    """An episode in the queue; its id."""
    made = queue.add(app.store, Episode(f"queued-{uuid4()}", title=title, show=show), options={}, by=by)
    return made.id


def work(app: Running, episode_id: str, step: Step) -> None:
    """Have somebody work on an episode of the queue, who is so far."""
    (listed,) = (one for one in app.store.episodes() if one.id == episode_id)
    assert app.store.hand_out(listed, WORKER, listed.handed_out + 1, LEASE_SECONDS)
    assert app.store.lease(episode_id, WORKER, LEASE_SECONDS)
    queue.report(app.store, episode_id, WORKER, step)
