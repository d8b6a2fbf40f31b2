"""Who is told what, by real messages to real servers: once, in time, and with no secret anywhere else."""

from __future__ import annotations

import json
import logging
import os
import signal
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from flows.schedule import happenings, notices, settings, tables, totals
from flows.schedule.happenings import Event, Happening
from flows.schedule.notices import message_of, occasion_of, tell
from flows.schedule.settings import Notify, Settings
from flows.schedule.store import Store, open_store
from models.record.errors import InputError
from models.record.transcript import AudioFile, Episode, Segment, Transcript, Word
from outputs.library.review import doubtful
from tests.audio.server import Reply, Server
from tests.flows.conftest import ROOT, episcribe
from tests.flows.schedule.test_store import episode, place, read  # noqa: F401  (a fixture)
from tests.waiting import PATIENCE, wait_until

SECRET = "sEcReT-tOkEn"
Configure = Callable[..., tuple[Settings, Store]]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Settings with a [notify.us] that leads to these addresses, and their store, from which all are told."""

    def write(*urls: str, store: str = "", more: str = "") -> tuple[Settings, Store]:
        file = tmp_path / "episcribe.toml"
        place = store or str(tmp_path / "store.db")  # noqa: F811
        file.write_text(
            f'store = "{place}"\nbase_url = "https://talks.example"\n[notify.us]\nurl_from = "US"\n'
            f'on = ["done", "failed", "held_back", "given_up", "review"]\n{more}'
        )
        monkeypatch.setenv(settings.CONFIG_VARIABLE, str(file))
        monkeypatch.setenv("US", " ".join(urls))
        loaded = settings.load()
        opened = open_store(loaded.store)
        assert tell(loaded, opened) == []
        return loaded, opened

    return write


def hook(server: Server, path: str = "/hook") -> str:
    """The address of a server, as Apprise writes it, with a secret in it."""
    return server.url(f"{path}?+X-Key={SECRET}").replace("http://", f"json://me:{SECRET}@")


def posted(server: Server) -> list[dict[str, str]]:
    return [json.loads(body) for _, body in server.posted]


def happens(store: Store) -> None:
    """Four episodes are worked on: one is done, one needs review, one fails, one is given up; none waits then."""
    read(store, *(episode(number) for number in (4, 3, 2, 1)), back_fill=4)
    for name, pause, error in (("id-4", 3600.0, "answered 503"), ("id-3", None, "no audio")):
        assert store.lease(name, "run", 60)
        assert store.fail(name, "run", error, pause=pause)
    for name, words in (("id-2", 0.25), ("id-1", 0.01)):
        assert store.lease(name, "run", 60)
        with store.finishing(name, "run") as finished:
            finished.folder, finished.doubtful = f"/srv/library/show/{name}", (words, 0.0)


def test_one_message_of_all_that_happened_by_one_of_many(
    configure: Configure,
    server: Server,
    place: str,  # noqa: F811
) -> None:
    server.routes["/hook"] = lambda _: Reply(204)
    loaded, store = configure(hook(server).replace("?", "?:a=b&"), store=place)
    happens(store)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda _: tell(loaded, store), range(3))) == [[], [], []]
    (message,) = posted(server)
    assert message["title"] == "Episcribe: 1 given up, 1 failed and tried again, 1 to review, 1 done"
    assert message["message"].splitlines() == [
        "Given up: Show: Title 3",
        "  no audio",
        "Failed and tried again: Show: Title 4",
        "  answered 503",
        "To review: Show: Title 2",
        "  in doubt: 25% of its words, 0% of its talk by who speaks",
        "  https://talks.example/show/id-2/transcript.html",
        "Done: Show: Title 1",
        "  https://talks.example/show/id-1/transcript.html",
    ]
    assert server.posted[0][0]["x-key"] == SECRET
    tell(loaded, store)
    assert len(server.posted) == 1
    with store.look() as connection:
        assert totals.read(connection, totals.NOTICES) == {"us/1 sent": 1}
        assert totals.read(connection, totals.OUTCOMES) == {"done": 2, "failed": 1, "given_up": 1}


def test_what_happens_is_gathered_while_there_is_more_to_do(configure: Configure, server: Server) -> None:
    server.routes["/hook"] = lambda _: Reply(204)
    loaded, store = configure(hook(server))
    read(store, episode(2), episode(1), back_fill=2)
    store.lease("id-1", "run", 60)
    store.fail("id-1", "run", "no audio", pause=None)
    assert (tell(loaded, store), posted(server)) == ([], [])  # the other one waits
    store.lease("id-2", "run", 60)
    with store.begin():
        assert (tell(loaded, store), posted(server)) == ([], [])  # and is worked on
    late = loaded.notify["us"].model_copy(update={"every": 0.001})
    assert tell(loaded.model_copy(update={"notify": {"us": late}}), store, "late") == []
    assert [one["title"] for one in posted(server)] == ["Episcribe: 1 given up"]
    (listed,) = store.episodes(["show"])[:1]
    assert store.hold_back(listed, "run", "no such model", pause=3600, waits_for="settings", alike=True)
    assert tell(loaded, store, "late") == []
    assert len(server.posted) == 1
    assert tell(loaded, store) == []  # nothing waits that could be worked on
    assert [one["title"] for one in posted(server)][1:] == ["Episcribe: 1 waiting for other settings"]


def test_a_service_that_is_down_is_tried_again_and_given_up(
    configure: Configure, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.routes["/hook"] = [Reply(503), Reply(204), Reply(500), Reply(500)]
    loaded, store = configure(hook(server))
    happens(store)
    assert tell(loaded, store) == ["notify.us/1 (json): not taken: answered 503"]
    with store.begin():  # where a look that has nothing to send must not come
        assert tell(loaded, store) == []  # not before the pause is over
    assert len(server.posted) == 1
    over = update(tables.readers).values(next_try_at=0.0)
    with store.begin() as connection:
        connection.execute(over)
    assert tell(loaded, store) == []
    assert posted(server)[0] == posted(server)[1]
    monkeypatch.setattr(notices, "GIVE_UP_SECONDS", 0.0)
    monkeypatch.setattr(notices, "PAUSES", (0.0,))
    store.retry("id-1")
    store.lease("id-1", "run", 60)
    store.fail("id-1", "run", "no audio", pause=None)
    assert tell(loaded, store) == ["notify.us/1 (json): not taken: answered 500"]
    assert tell(loaded, store) == ["notify.us/1 (json): not taken: answered 500; it is given up"]
    assert (tell(loaded, store), len(server.posted)) == ([], 4)


def test_given_up_is_only_what_is_old(
    configure: Configure,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    place: str,  # noqa: F811
) -> None:
    server.routes["/hook"] = [Reply(503), Reply(503), Reply(204)]
    monkeypatch.setattr(notices, "PAUSES", (0.0,))
    loaded, store = configure(hook(server), store=place)
    happens(store)
    assert tell(loaded, store) == ["notify.us/1 (json): not taken: answered 503"]
    _happened_earlier(store, notices.GIVE_UP_SECONDS, but_of="id-1")
    assert tell(loaded, store) == ["notify.us/1 (json): not taken: answered 503; it is given up"]
    assert tell(loaded, store) == []
    assert [one["title"] for one in posted(server)][2:] == ["Episcribe: 1 done"]
    with store.look() as connection:
        assert totals.read(connection, totals.NOTICES) == {
            "us/1 failed": 1,
            "us/1 given_up": 1,
            "us/1 sent": 1,
        }


def test_who_is_told_again_after_a_while_hears_no_old_news(configure: Configure, server: Server) -> None:
    server.routes["/hook"] = Reply(204)
    loaded, store = configure(hook(server))
    happens(store)
    _happened_earlier(store, notices.GIVE_UP_SECONDS + loaded.notify["us"].every, but_of="id-1")
    assert tell(loaded, store) == []
    assert [one["title"] for one in posted(server)] == ["Episcribe: 1 done"]


def test_who_is_late_turns_no_reader_back(tmp_path: Path) -> None:
    with Store(str(tmp_path / "store.db")).begin() as connection:
        happenings.read_to(connection, "us/1")
        for last in (5, 3):
            happenings.move(connection, "us/1", last)
        assert happenings.read_to(connection, "us/1")["last"] == 5


def _happened_earlier(store: Store, seconds: float, *, but_of: str) -> None:
    moved = update(tables.happenings).where(tables.happenings.c.episode != but_of)
    with store.begin() as connection:
        connection.execute(moved.values(moment=tables.happenings.c.moment - seconds))


def test_killed_between_sending_and_noting_it_is_told_once_more(configure: Configure, server: Server) -> None:
    loaded, store = configure(hook(server))
    happens(store)
    killer: list[subprocess.Popen[bytes]] = []
    begun = threading.Event()

    def answer(_: object) -> Reply:
        begun.wait(PATIENCE)
        os.kill(killer[0].pid, signal.SIGKILL)
        killer[0].wait()
        return Reply(204)

    server.routes["/hook"] = [answer, Reply(204)]
    code = (
        "from flows.schedule import notices, settings; from flows.schedule.store import open_store; "
        "s = settings.load(); notices.tell(s, open_store(s.store))"
    )
    killer.append(subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}))
    begun.set()
    assert killer[0].wait(PATIENCE) == -signal.SIGKILL
    assert tell(loaded, store) == []  # as long as it might be sending still
    with store.begin() as connection:
        connection.execute(update(tables.readers).values(next_try_at=0.0))
    assert tell(loaded, store) == []
    assert len(posted(server)) == 2
    assert posted(server)[0] == posted(server)[1]
    assert (tell(loaded, store), len(server.posted)) == ([], 2)


def test_one_that_never_answers_holds_up_no_other(
    configure: Configure, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = threading.Event()

    def never(_: object) -> Reply:
        told.wait(PATIENCE)
        return Reply(204)

    server.routes |= {"/dead": never, "/hook": Reply(204)}
    loaded, store = configure(f"{hook(server, '/dead')}&rto={PATIENCE}", hook(server))
    happens(store)
    telling = threading.Thread(target=tell, args=(loaded, store))
    telling.start()
    wait_until(lambda: "/hook" in str(server.requests), "the other's message")
    told.set()
    telling.join()
    monkeypatch.setattr(notices, "SEND_SECONDS", 0.01)
    assert notices.try_out(loaded, ["us"]) == [(f"us/{n} (json)", "no answer within 0 s") for n in (1, 2)]


def test_no_secret_is_said_or_kept(
    configure: Configure,
    server: Server,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    server.routes["/hook"] = lambda _: Reply(403, SECRET.encode())
    loaded, store = configure(hook(server), f"slack://{SECRET}", f"json://{SECRET}.invalid/", "syslog://")
    happens(store)
    said = list[str]()
    with notices.telling(said.append):
        pass
    assert sorted(said) == [
        "notify.us/1 (json): not taken: answered 403",
        "notify.us/2 (slack): Apprise knows no such address",
        "notify.us/3 (json): not taken: it can't be reached",
        "notify.us/4 (syslog): no service that reaches anybody elsewhere",
    ]
    with store.look() as connection:
        kept = [connection.execute(select(table)).all() for table in tables._tables.sorted_tables]
    told = [
        *said,
        caplog.text,
        *capfd.readouterr(),
        str(kept),
        repr(loaded),
        repr(notices.addresses("us", loaded.notify["us"])),
    ]
    assert [one for one in told if SECRET in one] == []


def test_a_variable_that_is_missing_is_told_once_and_stops_nothing(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, store = configure("json://127.0.0.1:9/")
    happens(store)
    monkeypatch.delenv("US")
    said = list[str]()
    with notices.telling(said.append):  # looks when it begins and when it ends
        pass
    assert said == [
        "notify.us: the environment variable US must hold addresses of Apprise, with spaces between them"
    ]
    with pytest.raises(InputError, match="environment variable US"):
        notices.try_out(loaded, [])
    with pytest.raises(InputError, match=r"\[notify\.you\] is not in"):
        notices.try_out(loaded, ["you"])
    both = "json://127.0.0.1:9,json://127.0.0.1:9"
    monkeypatch.setenv("US", both)
    with pytest.raises(InputError, match="with spaces between them"):
        notices.try_out(loaded, [])
    message = notices.Message("title", "body")
    assert "several" in notices.send(notices.Address("us/1", loaded.notify["us"], both), message)


class Mailbox(socketserver.StreamRequestHandler):
    """Takes mail as RFC 5321 says, as far as a client needs it that says EHLO, MAIL, RCPT, DATA, QUIT."""

    mails: list[bytes]

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            if line.upper().startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                self.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            self.wfile.write(b"250 ok\r\n" if not line.upper().startswith(b"QUIT") else b"221 bye\r\n")


@pytest.fixture
def mails() -> Iterator[tuple[int, list[bytes]]]:
    """The port of a mail server, and what it was sent."""
    kept = list[bytes]()
    handler = type("Handler", (Mailbox,), {"mails": kept})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_address[1], kept
        server.shutdown()


def test_a_test_message_by_mail_and_to_who_is_down(
    configure: Configure, mails: tuple[int, list[bytes]], tmp_path: Path
) -> None:
    port, kept = mails
    mail = f"mailto://127.0.0.1:{port}/?from=us@talks.example&to=ann@talks.example&mode=insecure"
    configure(mail, "json://127.0.0.1:9/")
    done = episcribe("notify", "test", "us", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == "us/1 (mailto): sent\nus/2 (json): not taken: it can't be reached\n"
    (mail_sent,) = (message_from_bytes(one, policy=policy.default) for one in kept)
    assert (mail_sent["Subject"], mail_sent["To"]) == ("Episcribe: a test", "ann@talks.example")
    assert "Nothing has happened" in mail_sent.as_string()


# What a message says


def happening(event: Event = "done", **more: Any) -> Happening:
    made = Happening(1, event, 0.0, "", 0.0, 0.0, "talk", episode(1), "", "")
    return replace(made, **more)


def test_titles_and_errors_of_strangers_steer_nothing() -> None:
    nasty = "<!channel> @everyone [win](https://x.example)\x1b[31m\r\nDone: \u202efake `x` " + "long " * 100
    error = "GET https://me:pw@host.example/1.mp3?token=abc answered 403\x00\nby <@U1|ann>"
    one = happening("given_up", episode=Episode("i", nasty, "g", nasty, ""), error=error)
    message = message_of([(one, "given_up")], Settings())
    title, told = message.body.splitlines()
    assert title.startswith(
        "Given up: (!channel) \uff20everyone (win)(https\uff1a//x.example)(31m Done: fake 'x' long"
    )
    assert len(title) < 230
    assert told == "  GET https\uff1a//host.example/1.mp3 answered 403 by (\uff20U1/ann)"
    many = message_of([(happening(), "done")] * 5000, Settings())
    assert many.title == "Episcribe: 5000 done"
    assert many.body.splitlines()[-1] == "... and 4990 more"
    assert len(many.body) < 4000


def test_who_is_told_of_what() -> None:
    target = Notify(url_from="US", on=("given_up", "review"), shows=("talk",), doubtful=0.2)
    assert occasion_of(happening("given_up"), target) == "given_up"
    assert occasion_of(happening("failed"), target) is None
    assert occasion_of(happening("done", words=0.2), target) is None
    assert occasion_of(happening("done", speakers=0.3), target) == "review"
    assert occasion_of(happening("given_up", show="other"), target) is None
    assert occasion_of(happening("done", words=1.0), Notify(url_from="US", on=("done",))) == "done"


def test_how_much_is_in_doubt() -> None:
    words = [Word(n, n + 1, " w", 0.3 if n < 2 else 0.9, speaker_probability=n / 10) for n in range(8)]
    segments = tuple(Segment(n, n + 1, "A", (word,)) for n, word in enumerate(words))
    transcript = Transcript(episode(1), AudioFile("", "", 8.0), "en", segments)
    assert doubtful(transcript) == (0.25, 0.75)
    assert doubtful(replace(transcript, segments=())) == (0.0, 0.0)
