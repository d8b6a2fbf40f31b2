"""What people do to the queue, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import count

import pytest
from sqlalchemy import Connection, text, update

from flows.schedule import queue
from flows.schedule.plan import ListedEpisode
from flows.schedule.queue import RunningError, Step
from flows.schedule.store import Store
from flows.schedule.tables import database_time, episodes
from models.record.errors import InputError, InterruptedRun
from models.record.transcript import Episode
from tests.flows.postgres import USER, create_database
from tests.flows.schedule.test_store import due, episode, place, read, states, store  # noqa: F401  (fixtures)
from tests.waiting import wait_until

_numbers = count()


def add(store: Store, name: str, by: str = "ann", **options: object) -> ListedEpisode:  # noqa: F811
    found = Episode(name, title=name, audio_url=f"https://example.org/{name}.mp3")
    return queue.add(store, found, options=options, by=by)


def error(store: Store, name: str) -> ListedEpisode:  # noqa: F811
    listed = store.episode(name)
    assert listed is not None
    return listed


def test_what_people_add_goes_before_what_feeds_list_and_people_take_turns(store: Store) -> None:  # noqa: F811
    read(store, episode(2), episode(1), back_fill=2)
    for name in ("a1", "a2", "a3"):
        add(store, name, "ann")
    add(store, "b1", "bo")
    assert due(store) == ["a1", "b1", "a2", "a3", "id-2", "id-1"]
    assert store.lease("a1", "run", 60)
    assert due(store) == ["b1", "a2", "a3", "id-2", "id-1"]  # ann has had her turn
    assert [one.place for one in queue.standing(store)] == [None, 1, 2, 3, 4, 5]
    part = [(one.listed.id, one.place) for one in queue.standing(store, 2, start=2)]
    assert part == [("a2", 2), ("a3", 3)]
    assert [one.place for one in queue.standing_of(store, ["id-1", "a1"])] == [5, None]


def test_whatever_waits_is_put_where_people_want_it(store: Store) -> None:  # noqa: F811
    read(store, episode(2), episode(1), back_fill=2)
    for name in ("a", "b", "c"):
        add(store, name)
    queue.move(store, "id-1")
    assert due(store) == ["id-1", "a", "b", "c", "id-2"]
    queue.move(store, "c", before="a")
    assert due(store) == ["id-1", "c", "a", "b", "id-2"]
    queue.move(store, "id-1", before="id-2")
    assert due(store) == ["c", "a", "b", "id-1", "id-2"]
    queue.move(store, "c", last=True)
    assert due(store) == ["a", "b", "id-1", "id-2", "c"]
    queue.move(store, "a", before="a")
    assert due(store) == ["a", "b", "id-1", "id-2", "c"]
    store.lease("a", "run", 60)
    for moved, before in (("a", ""), ("b", "a"), ("nobody", "b")):
        with pytest.raises(InputError, match="not waiting"):
            queue.move(store, moved, before=before)


def test_an_episode_that_is_handed_out_and_moved_is_to_be_handed_out_anew(store: Store) -> None:  # noqa: F811
    add(store, "a")
    add(store, "b")
    for listed in store.due(3):
        store.hand_out(listed, f"run-{listed.id}", 1, 60)
    assert due(store) == []
    queue.move(store, "b")
    (b,) = store.due(3)
    assert (b.id, b.owner, b.handed_out) == ("b", "run-b", 1)
    assert [(one.id, one.held) for one in store.line(3)] == [("b", False), ("a", True)]
    assert store.recall(error(store, "a"))
    assert not store.recall(error(store, "a"))
    assert due(store) == ["b", "a"]


def test_what_waits_is_cancelled_at_once_and_what_runs_by_who_runs_it(store: Store) -> None:  # noqa: F811
    for name in ("waiting", "queued", "running", "failing", "publishing"):
        add(store, name)
    store.hand_out(error(store, "queued"), "run", 1, 60)
    for name in ("running", "failing", "publishing"):
        assert store.lease(name, "run", 60)
        assert queue.report(store, name, "run", Step("decode", 0.1))
    for name in states(store):
        queue.cancel(store, name)
    assert states(store) == {
        "waiting": "cancelled",
        "queued": "cancelled",
        "running": "running",
        "failing": "running",
        "publishing": "running",
    }
    assert store.lease("queued", "run", 60) is None  # its run comes to its turn
    assert error(store, "running").cancelling
    assert not queue.report(store, "running", "run", Step("decode", 0.2))
    assert store.end_cancelled("running", "run")
    store.fail("failing", "run", "broken", pause=60)
    with pytest.raises(InterruptedRun), store.finishing("publishing", "run"):
        raise AssertionError("nothing may be published any more")
    store.end_cancelled("publishing", "run")
    assert set(states(store).values()) == {"cancelled"}
    with pytest.raises(InputError, match="nothing to cancel"):
        queue.cancel(store, "running")
    store.retry("running")
    assert due(store) == ["running"]
    assert store.lease("running", "run", 60)
    assert queue.report(store, "running", "run", None)


def test_what_was_to_be_cancelled_when_its_worker_died_is_cancelled(store: Store) -> None:  # noqa: F811
    add(store, "a")
    store.lease("a", "run", -1)
    queue.cancel(store, "a")
    assert store.lease("a", "other", 60) is None
    assert due(store) == []
    assert states(store) == {"a": "cancelled"}


def test_progress_is_told_of_what_is_worked_on_and_of_nothing_else(store: Store) -> None:  # noqa: F811
    add(store, "a")
    queue.report(store, "a", "run", Step("decode", 0.1))
    store.lease("a", "run", 60)
    queue.report(store, "a", "another", Step("decode", 0.1))
    assert [one.step for one in queue.standing(store)] == [None]
    told = Step("transcribe", 0.5, 12.5, "As they stand, " * 50)
    queue.report(store, "a", "run", Step("decode", 0.1))
    queue.report(store, "a", "run", told)
    assert [one.step for one in queue.standing(store)] == [replace(told, words=told.words[:300])]
    with store.finishing("a", "run"):
        pass
    queue.report(store, "a", "run", told)  # by a thread that was late
    store.retry("a")
    store.lease("a", "run", 60)
    assert [one.step for one in queue.standing(store)] == [None]


def test_adding_again_does_it_again_with_other_options(store: Store) -> None:  # noqa: F811
    add(store, "a", language="en")
    assert add(store, "a", by="bo", language="de").options == {"language": "de"}
    store.lease("a", "run", 60)
    with pytest.raises(RunningError, match="worked on right now"):
        add(store, "a", language="fr")
    assert error(store, "a").options == {"language": "de"}
    with store.finishing("a", "run"):
        pass
    again = add(store, "a")
    assert (again.state, again.options, again.attempts, again.done_at) == ("waiting", {}, 0, None)
    assert len(states(store)) == 1


def test_an_item_of_a_show_that_is_followed_is_known_by_more_than_its_id(store: Store) -> None:  # noqa: F811
    read(store, episode(2), episode(1))
    moved = replace(episode(1), id="other", audio_url="https://example.org/1.mp3")
    listed = queue.add(store, moved, show="show", options={}, by="ann")
    assert (listed.id, listed.state, listed.added_by) == ("id-1", "waiting", "ann")
    assert due(store) == ["id-1", "id-2"]


def test_what_has_ended_comes_in_parts_the_last_first(store: Store) -> None:  # noqa: F811
    for name in ("a", "b", "c", "d"):
        add(store, name)
        queue.cancel(store, name)
    with store.begin() as connection:  # two ended in the same moment
        same = update(episodes).where(episodes.c.id.in_(["b", "c"])).values(done_at=error(store, "c").done_at)
        connection.execute(same)
    seen: list[str] = []
    after = None
    while part := queue.ended(store, 2, after=after):
        seen += [one.listed.id for one in part]
        after = queue.moment_of(part[-1].listed), part[-1].listed.id
    assert seen == ["d", "b", "c", "a"]
    assert queue.counts(store) == {"cancelled": 4}


def test_something_new_to_hand_out_shows_in_cheap_numbers(store: Store) -> None:  # noqa: F811
    seen = [store.bustle()]

    def changed() -> bool:
        seen.append(store.bustle())
        return seen[-1] != seen[-2]

    add(store, "a")
    assert changed()
    assert not changed()
    add(store, "b")
    assert changed()
    queue.move(store, "b")
    assert changed()
    store.lease("a", "run", 60)
    assert changed()
    store.fail("a", "run", "broken", pause=0.0)
    assert changed()


# Two at once: on SQLite they come one after the other anyway


@pytest.fixture
def shared(request: pytest.FixtureRequest) -> Store:
    """A store on PostgreSQL, where transactions go on side by side."""
    address = request.getfixturevalue("postgres_server")
    create_database(address, name := f"shared{next(_numbers)}")
    return Store(f"postgresql://{USER}@{address}/{name}")


def beside(
    store: Store,  # noqa: F811
    act: Callable[[Connection], None],
    other: Callable[[], ListedEpisode],
) -> Future[ListedEpisode]:
    """What comes of `other`, which has read what it needs when the transaction in which `act` happens is kept."""
    with ThreadPoolExecutor(1) as pool:
        with store.begin() as connection:
            act(connection)
            outcome = pool.submit(other)
            wait_until(lambda: waits_for_lock(store), "the other one to wait for us")
        return outcome


def waits_for_lock(store: Store) -> bool:  # noqa: F811
    with store.look() as connection:
        held = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(connection.execute(held).scalar_one())


def claim(connection: Connection) -> None:
    """As `Store.lease` does."""
    values = {
        "state": "running",
        "owner": "run",
        "claimed_at": 0.0,
        "lease_until": database_time(connection) + 60,
    }
    connection.execute(update(episodes).where(episodes.c.id == "a").values(**values))


def test_who_moves_or_adds_what_a_worker_takes_in_that_moment_leaves_it_to_the_worker(shared: Store) -> None:
    for change, why in (
        (lambda: queue.move(shared, "a", last=True), "not waiting"),
        (lambda: queue.move(shared, "c", before="b"), None),
        (lambda: add(shared, "a", language="de"), "worked on right now"),
    ):
        for name in ("a", "b", "c"):
            add(shared, name, name)
        queue.move(shared, "a")
        outcome = beside(shared, claim, change)
        if why is None:
            outcome.result()
        else:
            with pytest.raises(InputError, match=why):
                outcome.result()
        assert (error(shared, "a").state, error(shared, "a").options) == ("running", {})
        assert shared.end_cancelled("a", "run")


def test_two_who_add_the_same_at_once_add_it_once(shared: Store) -> None:
    def first(connection: Connection) -> None:
        queue.add_within(connection, Episode("a", title="a"), options={}, by="ann")

    outcome = beside(shared, first, lambda: add(shared, "a", "bo", language="de"))
    assert (outcome.result().id, outcome.result().options) == ("a", {"language": "de"})
    assert states(shared) == {"a": "waiting"}
