"""The store on SQLite and on PostgreSQL: one episode, one effect, whoever is killed whenever."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from audio.transfer.http import Validators
from flows.schedule import tables
from flows.schedule.plan import FeedState, ListedEpisode, plan
from flows.schedule.store import LostLeaseError, Store, pause_after
from models.record.errors import EpiscribeError, InputError
from models.record.transcript import Episode
from tests.flows.conftest import ROOT
from tests.flows.postgres import USER, create_database

URL = "https://feeds.example/show"
_numbers = count()


def episode(number: int, *, guid: str = "", title: str = "") -> Episode:
    """The later the number, the newer."""
    when = f"2026-01-{number:02d}T06:00:00+00:00"
    return Episode(f"id-{number}", "Show", guid or f"g{number}", title or f"Title {number}", when)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a fresh store can be made."""
    if request.param == "sqlite":
        return str(tmp_path / "store.db")
    address = request.getfixturevalue("postgres_server")
    name = f"store{next(_numbers)}"
    create_database(address, name)
    return f"postgresql://{USER}@{address}/{name}"


@pytest.fixture
def store(place: str) -> Store:
    return Store(place)


def read(store: Store, *found: Episode, back_fill: int = 1, new_per_poll: int = 50) -> list[str]:
    """One reading of the show's feed; the ids of the episodes that are to be processed now."""
    made = store.record_reading(FeedState("show", URL), found, back_fill=back_fill, new_per_poll=new_per_poll)
    return [episode.id for episode in made.taken]


def states(store: Store) -> dict[str, str]:
    return {listed.id: listed.state for listed in store.episodes()}


def due(store: Store) -> list[str]:
    return [listed.id for listed in store.due(3)]


# What is new


def test_the_first_reading_takes_the_newest_and_skips_the_rest(store: Store) -> None:
    assert read(store, episode(3), episode(2), episode(1), back_fill=2) == ["id-3", "id-2"]
    assert states(store) == {"id-3": "waiting", "id-2": "waiting", "id-1": "skipped"}


def order(store: Store) -> list[str]:
    return [listed.id for listed in store.episodes()]


def undated(number: int) -> Episode:
    return replace(episode(number), published="")


def test_undated_episodes_keep_their_place(store: Store) -> None:
    assert read(store, undated(4), episode(3), undated(2), episode(1)) == ["id-4"]
    assert order(store) == ["id-4", "id-3", "id-2", "id-1"]
    assert read(store, undated(6), episode(5), undated(4), episode(3)) == ["id-5", "id-6"]
    assert order(store) == ["id-6", "id-5", "id-4", "id-3", "id-2", "id-1"]


def test_a_feed_without_dates_is_kept_in_its_order(store: Store) -> None:
    read(store, *map(undated, (5, 3, 4, 1, 2)), back_fill=2)
    assert due(store) == ["id-5", "id-3"]
    assert order(store) == ["id-5", "id-3", "id-4", "id-1", "id-2"]


def test_a_date_in_the_future_counts_as_first_seen(store: Store) -> None:
    ahead = replace(episode(3), published="2100-01-01T00:00:00+00:00")
    assert read(store, episode(2), ahead, episode(1)) == ["id-2"]  # as the parser puts it
    assert order(store) == ["id-2", "id-3", "id-1"]
    again = replace(episode(5), published="2100-02-01T00:00:00+00:00")
    begun = time.time()
    assert read(store, episode(4), again, episode(2), ahead) == ["id-5", "id-4"]
    assert order(store) == ["id-5", "id-4", "id-2", "id-3", "id-1"]  # it is new now
    now = replace(episode(6), published=datetime.fromtimestamp(begun + 60, UTC).isoformat())
    read(store, now, episode(4), again)
    assert order(store)[:2] == ["id-6", "id-5"]
    read(store, replace(again, title="Corrected"), episode(4))
    assert order(store)[:2] == ["id-6", "id-5"]


def test_later_readings_take_what_is_new(store: Store) -> None:
    read(store, episode(1))
    assert read(store, episode(3), episode(2), episode(1)) == ["id-3", "id-2"]
    assert read(store, episode(3), episode(2), episode(1)) == []
    assert due(store) == ["id-3", "id-2", "id-1"]


def test_a_late_episode_with_an_early_date_is_not_lost(store: Store) -> None:
    read(store, episode(5))
    assert read(store, episode(5), episode(2)) == ["id-2"]


def test_an_unchanged_feed_changes_nothing(store: Store) -> None:
    read(store, episode(1))
    assert read(store) == []
    assert states(store) == {"id-1": "waiting"}


def test_raising_the_back_fill_takes_more(store: Store) -> None:
    read(store, episode(3), episode(2), episode(1), back_fill=0)
    assert due(store) == []
    assert read(store, back_fill=2) == ["id-3", "id-2"]
    assert read(store, back_fill=2) == []


def test_a_feed_that_floods_is_bounded_and_nothing_is_forgotten(store: Store) -> None:
    read(store, episode(1))
    flood = [episode(number) for number in range(20, 1, -1)]
    assert read(store, *flood, episode(1), new_per_poll=3) == ["id-20", "id-19", "id-18"]
    skipped = [listed for listed in store.episodes() if listed.state == "skipped"]
    assert len(skipped) == 16
    assert all("new_per_poll" in listed.error for listed in skipped)
    store.retry("id-17")
    assert "id-17" in due(store)


def test_a_feed_that_gives_new_guids_has_nothing_new(store: Store) -> None:
    read(store, episode(2), episode(1))
    moved = [replace(episode(n), id=f"other-{n}", guid=f"https://new.example/{n}") for n in (2, 1)]
    assert read(store, *moved) == []


def test_a_feed_that_gives_new_guids_in_another_time_zone_has_nothing_new(store: Store) -> None:
    read(store, episode(2), episode(1))
    moved = [
        replace(
            one, id=f"other-{one.id}", guid=f"new-{one.guid}", published=one.published[:11] + "08:30:00+02:30"
        )
        for one in (episode(2), episode(1))
    ]
    assert read(store, *moved) == []


def test_same_audio_goes_before_same_guid(store: Store) -> None:
    """A host that numbers its items from the top: every guid is used again, for the episode before."""

    def heard(guid: int, audio: str) -> Episode:
        return replace(episode(guid), title=audio, published="", audio_url=f"https://a.example/{audio}.mp3")

    read(store, heard(1, "second"), heard(2, "first"), back_fill=2)
    (new,) = read(store, heard(1, "third"), heard(2, "second"), heard(3, "first"))
    titles = {listed.id: listed.episode.title for listed in store.episodes()}
    assert titles[new] == "third"
    assert sorted(titles.values()) == ["first", "second", "third"]
    assert read(store, heard(1, "third"), heard(2, "second"), heard(3, "first")) == []
    assert read(store, heard(1, "fourth"), heard(2, "third"), heard(3, "second"), heard(4, "first")) != []


def test_a_feed_that_serves_its_latest_at_one_address_has_a_new_episode_each_day(store: Store) -> None:
    for day in (1, 2, 3, 3, 4):
        latest = replace(
            episode(1, guid="https://x.example/latest.mp3", title="News"),
            audio_url="https://x.example/latest.mp3",
        )
        read(store, replace(latest, published=f"2024-01-0{day}T06:00:00+00:00"))
    assert len(states(store)) == 4


def test_twins_in_one_feed_are_two_episodes(store: Store) -> None:
    read(store, episode(1))
    twin = replace(episode(1), id="twin", guid="twin")
    assert read(store, twin, episode(1)) == ["twin"]


def test_a_guid_that_comes_twice_in_a_feed_is_one_episode(store: Store) -> None:
    read(store, episode(3), replace(episode(2), guid=episode(3).guid, id=episode(3).id), episode(1))
    assert states(store) == {"id-3": "waiting", "id-1": "skipped"}


def test_what_the_feed_says_now_counts_until_an_episode_is_done(store: Store) -> None:
    read(store, episode(2), episode(1), back_fill=2)
    finish(store, "id-1")
    moved = [replace(episode(n), audio_url=f"https://a.example/{n}") for n in (2, 1)]
    read(store, *moved)
    assert {listed.id: listed.episode.audio_url for listed in store.episodes()} == {
        "id-2": "https://a.example/2",
        "id-1": "",
    }


def test_a_show_under_another_name_is_the_same(store: Store) -> None:
    read(store, episode(1))
    made = store.record_reading(
        FeedState("renamed", URL), [episode(2), episode(1)], back_fill=1, new_per_poll=50
    )
    assert [episode.id for episode in made.taken] == ["id-2"]
    assert {listed.show for listed in store.episodes()} == {"renamed"}


def test_planning_changes_nothing(store: Store) -> None:
    made = store.preview(FeedState("show", URL), [episode(1)], back_fill=1, new_per_poll=50)
    assert [episode.id for episode in made.taken] == ["id-1"]
    assert store.episodes() == []


def test_what_is_remembered_of_a_feed(store: Store) -> None:
    memory = FeedState("show", URL, "https://new.example", Validators('"v1"', "yesterday"), "The Show")
    store.record_reading(memory, [episode(1)], back_fill=1, new_per_poll=50)
    known = store.feed("show", URL)
    assert known == replace(memory, polled_at=known.polled_at)
    assert store.feed("show", "https://changed.example").validators == Validators()


def test_a_feed_that_fails_is_remembered_until_it_is_read(store: Store) -> None:
    store.record_failed_reading(FeedState("show", URL), "answered 500\x00", 60)
    store.record_failed_reading(FeedState("show", URL), "answered 502", 60)
    (feed,) = store.feeds()
    assert (feed.failures, feed.error) == (2, "answered 502")
    assert feed.next_poll_at > time.time() + 50
    read(store, episode(1))
    (feed,) = store.feeds()
    assert (feed.failures, feed.error, feed.next_poll_at) == (0, "", 0.0)


# Who works on what


def finish(store: Store, episode_id: str, owner: str = "a") -> None:
    assert store.lease(episode_id, owner, 60)
    with store.finishing(episode_id, owner) as finished:
        finished.folder = f"library/{episode_id}"


def test_one_claim_at_a_time(store: Store) -> None:
    read(store, episode(1))
    claimed = store.lease("id-1", "a", 60)
    assert claimed is not None
    assert (claimed.state, claimed.attempts, claimed.owner) == ("running", 1, "a")
    assert store.lease("id-1", "b", 60) is None
    assert due(store) == []


def test_done_is_done(store: Store) -> None:
    read(store, episode(1))
    finish(store, "id-1")
    assert store.lease("id-1", "b", 60) is None
    assert due(store) == []
    (listed,) = store.episodes()
    assert (listed.state, listed.folder) == ("done", "library/id-1")


def test_a_claim_that_ran_out_is_taken_over_and_its_owner_cannot_publish(store: Store) -> None:
    read(store, episode(1))
    store.lease("id-1", "slow", -1)
    assert due(store) == ["id-1"]
    assert store.lease("id-1", "next", 60)
    assert not store.renew("id-1", "slow", 60)
    published = []
    with pytest.raises(LostLeaseError), store.finishing("id-1", "slow"):
        published.append("slow")
    assert published == []
    assert not store.fail("id-1", "slow", "whatever", pause=None)
    assert states(store) == {"id-1": "running"}


def test_a_claim_that_ran_out_unnoticed_is_still_good(store: Store) -> None:
    read(store, episode(1))
    store.lease("id-1", "a", -1)
    with store.finishing("id-1", "a") as finished:
        finished.folder = "x"
    assert states(store) == {"id-1": "done"}


def test_publishing_that_fails_leaves_the_episode_undone(store: Store) -> None:
    read(store, episode(1))
    store.lease("id-1", "a", 60)
    with pytest.raises(RuntimeError, match="disk"), store.finishing("id-1", "a"):
        raise RuntimeError("disk")
    assert states(store) == {"id-1": "running"}


def test_failures_wait_longer_each_time_and_end(store: Store) -> None:
    read(store, episode(1))
    store.lease("id-1", "a", 60)
    assert store.fail("id-1", "a", "no\nluck", pause=3600)
    (listed,) = store.episodes()
    assert (listed.state, listed.error) == ("waiting", "no luck")
    assert due(store) == []
    store.retry("id-1")
    assert due(store) == ["id-1"]
    store.lease("id-1", "a", 60)
    assert store.fail("id-1", "a", "bad input", pause=None)
    assert states(store) == {"id-1": "failed"}
    assert due(store) == []
    assert [pause_after(n, 300) for n in (1, 2, 3, 9)] == [300, 1200, 4800, 21600]


def test_an_episode_that_kills_its_workers_is_given_up(store: Store) -> None:
    read(store, episode(1))
    for attempt in range(3):
        assert due(store) == ["id-1"]
        assert store.lease("id-1", str(attempt), -1)
    assert due(store) == []
    (listed,) = store.episodes()
    assert listed.state == "failed"
    assert "cut off; given up after 3 attempts" in listed.error


def test_retry_tells_what_it_cannot_do(store: Store) -> None:
    read(store, episode(11), episode(1), back_fill=2)
    with pytest.raises(InputError, match="no episodes"):
        store.retry("none")
    with pytest.raises(InputError, match="2 episodes"):
        store.retry("id-")
    with pytest.raises(InputError, match="no episodes"):
        store.retry("")
    store.lease("id-11", "a", 60)
    with pytest.raises(InputError, match="right now"):
        store.retry("id-11")


def test_handing_out_is_noted_once(store: Store) -> None:
    read(store, episode(1))
    (listed,) = store.due(3)
    assert store.hand_out(listed, "run-1", 1, 60)
    assert not store.hand_out(listed, "run-1", 1, 60)
    assert (due(store), store.active()) == ([], 1)
    assert store.lease("id-1", "run-1", 60)


def test_what_was_handed_out_in_vain_is_due_again(store: Store) -> None:
    read(store, episode(1))
    store.hand_out(store.due(3)[0], "run-1", 1, -1)
    (listed,) = store.due(3)
    assert (listed.state, listed.handed_out, listed.owner) == ("queued", 1, "run-1")
    store.still_queued(listed, 60)
    assert due(store) == []


def test_many_at_once_claim_each_episode_once(place: str) -> None:
    first = Store(place)
    read(first, *[episode(n) for n in range(20, 0, -1)], back_fill=20)
    got: list[str] = []

    def work(owner: str) -> None:
        mine = Store(place)
        got.extend(e for e in states(mine) if mine.lease(e, owner, 60) is not None)

    run_at_once([lambda owner=str(n): work(owner) for n in range(4)])  # type: ignore[misc]
    assert sorted(got) == sorted(states(first))


def test_two_polls_at_once_find_each_episode_once(place: str) -> None:
    taken: list[str] = []
    found = [episode(n) for n in range(20, 0, -1)]
    run_at_once([lambda: taken.extend(read(Store(place), *found, back_fill=20))] * 4)
    assert sorted(taken) == sorted(e.id for e in found)


def run_at_once(tasks: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


WORKER = """
import os, sys, time
from pathlib import Path
from flows.schedule.store import Store
place, owner, folder = sys.argv[1:]
store = Store(place)
while True:
    for listed in store.due(10**6):
        if store.lease(listed.id, owner, 1.0) is None:
            continue
        time.sleep(0.01)
        with store.finishing(listed.id, owner) as finished:
            with open(Path(folder) / listed.id, "a") as file:
                file.write(owner + "\\n")
            time.sleep(0.005)  # a good moment to be killed
    if all(listed.state == "done" for listed in store.episodes()):
        break
    time.sleep(0.05)
"""


@pytest.mark.slow
def test_workers_killed_at_any_moment_lose_nothing_and_do_nothing_twice(place: str, tmp_path: Path) -> None:
    """Each episode's last entry is the owner that the store knows; entries before are of the killed."""
    store = Store(place)
    read(store, *[replace(episode(1), id=f"e{n}", guid=f"e{n}") for n in range(60)], back_fill=60)
    (tmp_path / "effects").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    numbers, killed, workers = count(), set[str](), dict[str, subprocess.Popen[bytes]]()

    def start() -> None:
        owner = f"w{next(numbers)}"
        command = [sys.executable, "-c", WORKER, place, owner, str(tmp_path / "effects")]
        workers[owner] = subprocess.Popen(command, env=environment)

    start()
    start()
    while any(worker.poll() is None for worker in workers.values()):
        time.sleep(0.35)
        running = [owner for owner, worker in workers.items() if worker.poll() is None]
        if running and len(killed) < 6:
            os.kill(workers[running[0]].pid, signal.SIGKILL)
            killed.add(running[0])
            start()
    assert all(worker.wait() == (-9 if owner in killed else 0) for owner, worker in workers.items())
    for listed in store.episodes():
        effects = (tmp_path / "effects" / listed.id).read_text().split()
        assert listed.state == "done"
        assert effects[-1] == listed.owner
        assert set(effects[:-1]) <= killed  # an effect that its owner did not live to see committed
        assert len(effects) == len(set(effects))


# The store itself


def test_what_is_there_stays(place: str) -> None:
    read(Store(place), episode(1))
    assert states(Store(place)) == {"id-1": "waiting"}


def test_a_store_of_a_newer_version_is_left_alone(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(tables, "VERSION", tables.VERSION + 1)
        Store(place)
    with pytest.raises(EpiscribeError, match="newer Episcribe"):
        Store(place)


def test_a_place_that_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database" * 100)
    with pytest.raises(EpiscribeError, match="text can't be used"):
        Store(str(tmp_path / "text"))
    with pytest.raises(EpiscribeError, match="can't be used"):
        Store(str(tmp_path / "no" / "such" / "folder.db"))
    with pytest.raises(EpiscribeError) as caught:
        Store("postgresql://me:secret@127.0.0.1:9/x")
    assert "secret" not in str(caught.value)
    with pytest.raises(InputError):
        Store("nonsense://x")


def test_titles_of_any_kind_are_kept(store: Store) -> None:
    odd = replace(episode(1), title="é 字 \udcff 'quote\" %s :x", notes="\x00 notes")
    read(store, odd)
    assert store.episodes()[0].episode == odd


def test_a_plan_needs_no_store() -> None:
    known = [ListedEpisode("show", episode(1), "done")]
    made = plan("show", known, [episode(2), episode(1)], back_fill=0, new_per_poll=1)
    assert [listed.id for listed in made.added] == ["id-2"]
    assert made.changed == ()


ADDED = {
    1: ("episodes.warnings",),
    2: ("episodes.options", "episodes.priority", "episodes.added_by", "episodes.cancel"),
    3: ("feeds.ended_at", "episodes.waits_for"),
}  # after each version


@pytest.mark.parametrize("version", ADDED)
def test_a_store_of_an_older_version_is_brought_up_to_date(place: str, version: int) -> None:
    """Version 1 had no warnings, and its episodes no enclosures; version 2 knew of nothing that people do."""
    store = Store(place)
    read(store, episode(2), episode(1), back_fill=2)
    with tables.open_engine(place).begin() as connection:
        for name in (name for since, names in ADDED.items() if since >= version for name in names):
            table, column = name.split(".")
            connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        for table in ("progress", "uploads", "users"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text(f"UPDATE episcribe SET version = {version}"))
        for listed in store_records(connection):
            old = {name: value for name, value in json.loads(listed.record).items() if name != "enclosures"}
            connection.execute(
                text("UPDATE episodes SET record = :record WHERE id = :id"),
                {"record": json.dumps(old), "id": listed.id},
            )
    again = Store(place)
    assert [listed.episode for listed in again.episodes()] == [episode(2), episode(1)]
    assert again.lease("id-2", "run", 60) is not None
    with again.finishing("id-2", "run") as finished:
        finished.folder, finished.warnings = "/library/2", ("cut short", "no speakers")
    done = again.episode("id-2")
    assert done is not None
    assert (done.state, done.folder, done.warnings) == ("done", "/library/2", "cut short; no speakers")
    assert [listed.warnings for listed in Store(place).episodes()] == ["cut short; no speakers", ""]


def store_records(connection: Connection) -> list[Any]:
    return list(connection.execute(text("SELECT id, record FROM episodes")))


def test_what_waits_of_a_show_that_is_not_followed_is_skipped_until_it_is_again(store: Store) -> None:
    read(store, *(episode(number) for number in (5, 4, 3, 2, 1)), back_fill=4)
    assert store.lease("id-5", "run", 60)
    (four,) = (one for one in store.due(3) if one.id == "id-4")
    assert store.hand_out(four, "run-4", 1, 60)
    store.skip_unfollowed(["show"])
    assert due(store) == ["id-3", "id-2"]
    store.skip_unfollowed(["another"])
    assert due(store) == []
    assert store.lease("id-4", "run-4", 60) is None  # which was handed out
    assert states(store)["id-5"] == "running"
    store.retry("id-3", "ann")
    store.skip_unfollowed([])
    assert due(store) == ["id-3"]  # somebody wants it
    assert read(store) == ["id-4", "id-2"]
    assert states(store) == {"id-5": "running", "id-1": "skipped"} | dict.fromkeys(
        ("id-4", "id-3", "id-2"), "waiting"
    )
