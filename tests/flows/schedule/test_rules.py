"""Rules of a show: what they let through, and what becomes of the rest, now and once they are changed."""
# ruff: noqa: F811  (pytest takes fixtures as arguments)

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from pydantic import ValidationError

from flows.schedule.plan import FeedState, Plan
from flows.schedule.rules import ALL, EpisodeRules
from flows.schedule.store import Store
from models.record.transcript import Enclosure, Episode
from tests.flows.schedule.test_store import URL, due, episode, place, states, store  # noqa: F401  (fixtures)

BONUS = EpisodeRules(types=("full",))
LONG = EpisodeRules(min_minutes=5)


def titled(number: int, title: str, kind: str = "", seconds: float = 0.0) -> Episode:
    return replace(
        episode(number, title=title), type=kind, duration=seconds, audio_url=f"https://a.example/{number}"
    )


def read(
    store: Store, rules: EpisodeRules, *found: Episode, back_fill: int = 1, new_per_poll: int = 50
) -> Plan:
    state = FeedState("show", URL)
    return store.record_reading(state, found, back_fill=back_fill, new_per_poll=new_per_poll, rules=rules)


def errors(store: Store) -> dict[str, str]:
    return {listed.id: listed.error for listed in store.episodes()}


# What is let through


@pytest.mark.parametrize(
    ("pattern", "title", "there"),
    [
        ("rerun", "Harbours (RERUN)", True),
        ("[rerun]", "Harbours [Rerun]", True),  # no character but * stands for others
        ("why?", "Why? Because", True),
        ("why?", "Whys and hows", False),
        ("cafe\u0301", "Das CAFÉ am Hafen", True),
        ("straße", "STRASSE", True),
        ("再放送", "【再放送】第5回", True),
        ("season 2", "Season\u00a02, part 1", True),
        ("part * of 3", "Harbours: Part 2 of 3", True),
        ("of 3 * part", "Harbours: Part 2 of 3", False),
        ("*rerun*", "Rerun", True),
        ("a*" * 100 + "b", "a" * 5000, False),
    ],
)  # fmt: skip
def test_patterns(pattern: str, title: str, there: bool) -> None:
    begun = time.monotonic()
    lacks = EpisodeRules(title_lacks=(pattern,)).reason_against(titled(1, title))
    has = EpisodeRules(title_has=("nothing", pattern)).reason_against(titled(1, title))
    assert (bool(lacks), bool(has)) == (there, not there)
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize(
    ("told", "size", "long"),
    [
        (120.0, 2_000_000, True),
        (3600.0, 57_600_000, False),
        (0.0, 57_600_000, False),  # mxpv/podsync 881: told as 0 s, and three hours long
        (1.0, 57_600_000, False),  # brokkr/poca 63: 1 s for each
        (120.0, 1, True),  # a size that somebody made up tells nothing
        (120.0, 0, True),
    ],
)
def test_a_length_that_can_not_be_is_none(told: float, size: int, long: bool) -> None:
    one = replace(titled(1, "One", seconds=told), enclosures=(Enclosure("https://a.example/1", length=size),))
    assert bool(LONG.reason_against(one)) == long
    assert bool(LONG.reason_against(one, 3 * 60.0))
    assert not LONG.reason_against(one, 6 * 60.0)


def test_milliseconds_are_no_long_episode() -> None:
    one = replace(titled(1, "One", seconds=3_600_000.0), enclosures=(Enclosure("https://a.example/1"),))
    assert EpisodeRules(max_minutes=90).reason_against(one) == ""
    told = EpisodeRules(max_minutes=90).reason_against(one, 2 * 3600 + 30.0)
    assert told == "passed over: it is 120.5 min long (max_minutes = 90)"


def test_an_episode_without_a_type_is_full() -> None:
    rules = EpisodeRules(types=("full", "bonus"))
    found = {kind: rules.reason_against(titled(1, "x", kind)) for kind in ("", "full", "bonus", "trailer")}
    assert found == {"": "", "full": "", "bonus": "", "trailer": "passed over: its type is trailer (types)"}


@pytest.mark.parametrize(
    "wrong",
    [{"title_has": ["*"]}, {"title_lacks": [" "]}, {"types": []}, {"types": ["teaser"]}, {"min_minutes": 0}],
)
def test_rules_that_can_not_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EpisodeRules.model_validate(wrong)


# What becomes of the rest


def test_what_is_passed_over_is_skipped_and_counts_for_no_limit(store: Store) -> None:
    show = [titled(4, "Trailer", "trailer"), titled(3, "Three"), titled(2, "More", "bonus"), titled(1, "One")]
    made = read(store, BONUS, *show, back_fill=2)
    assert [one.id for one in made.taken] == ["id-3", "id-1"]
    assert [one.id for one in made.passed_over] == ["id-4", "id-2"]
    assert states(store) == {"id-4": "skipped", "id-3": "waiting", "id-2": "skipped", "id-1": "waiting"}
    assert errors(store)["id-4"] == "passed over: its type is trailer (types)"
    later = [titled(7, "Seven"), titled(6, "Six", "bonus"), titled(5, "Five")]
    assert [one.id for one in read(store, BONUS, *later, *show, new_per_poll=2).taken] == ["id-7", "id-5"]
    assert read(store, BONUS, *later, *show) == Plan()


@pytest.mark.parametrize("unchanged", [True, False])
def test_rules_that_are_changed_judge_anew(store: Store, unchanged: bool) -> None:
    first = [titled(2, "Two"), titled(1, "One")]
    show = [titled(5, "Five", "bonus"), titled(4, "Four"), titled(3, "Three", "bonus"), *first]
    read(store, BONUS, *first, back_fill=1)
    read(store, BONUS, *show)
    assert due(store) == ["id-4", "id-2"]
    again = [] if unchanged else show
    assert [one.id for one in read(store, ALL, *again).taken] == ["id-5", "id-3"]
    made = read(store, EpisodeRules(title_lacks=("four", "TWO")), *again)  # also what waits
    assert ([one.id for one in made.taken], [one.id for one in made.passed_over]) == (
        ["id-1"],
        ["id-4", "id-2"],
    )
    assert due(store) == ["id-5", "id-3", "id-1"]
    assert [one.id for one in read(store, ALL, *again).taken] == ["id-4", "id-2"]


def test_rules_that_let_many_through_are_bounded_as_new_ones(store: Store) -> None:
    read(store, ALL, titled(1, "One"))
    read(store, BONUS, *(titled(number, "More", "bonus") for number in range(9, 1, -1)), titled(1, "One"))
    assert [one.id for one in read(store, ALL, new_per_poll=3).taken] == ["id-9", "id-8", "id-7"]
    assert "new_per_poll" in errors(store)["id-2"]
    assert read(store, ALL) == Plan()


def test_of_the_backlog_those_count_that_are_let_through(store: Store) -> None:
    show = [titled(4, "Rerun"), titled(3, "Three"), titled(2, "Rerun"), titled(1, "One")]
    rules = EpisodeRules(title_lacks=("rerun",))
    assert [one.id for one in read(store, rules, *show).taken] == ["id-3"]
    assert [one.id for one in read(store, rules, back_fill=2).taken] == ["id-1"]
    assert [one.id for one in read(store, ALL, back_fill=2).taken] == ["id-4"]
    assert errors(store)["id-2"] == ""  # it is older than back_fill now


def test_a_title_that_is_corrected_is_judged_anew(store: Store) -> None:
    read(store, ALL, titled(1, "One"))
    rules = EpisodeRules(title_has=("harbour",))
    assert read(store, rules, titled(2, "Habour talk"), titled(1, "One")).taken == ()
    assert [one.id for one in read(store, rules, titled(2, "Harbour talk"), titled(1, "One")).taken] == [
        "id-2"
    ]


def test_what_a_person_wants_is_taken_all_the_same(store: Store) -> None:
    read(store, BONUS, titled(2, "More", "bonus"), titled(1, "One"), back_fill=5)
    store.retry("id-2", "ann")
    read(store, BONUS)
    assert due(store) == ["id-2", "id-1"]


def test_what_is_worked_on_is_left_to_whoever_does(store: Store) -> None:
    read(store, ALL, titled(1, "Rerun"))
    assert store.lease("id-1", "me", 60) is not None
    rules = EpisodeRules(title_lacks=("rerun",))
    assert read(store, rules) == Plan()
    with store.finishing("id-1", "me"):
        pass
    assert read(store, rules) == Plan()
    assert states(store) == {"id-1": "done"}


def test_a_length_that_the_audio_told_is_remembered(store: Store) -> None:
    read(store, LONG, titled(2, "Two"), titled(1, "One"))
    listed = store.lease("id-2", "me", 60)
    assert listed is not None
    assert store.pass_over(listed.episode, "me", LONG.reason_against(listed.episode, 60.0), 60.0)
    assert not store.pass_over(listed.episode, "me", "late", 60.0)
    assert errors(store)["id-2"] == "passed over: it is 1 min long (min_minutes = 5)"
    found = [titled(2, "Two"), titled(1, "One")]
    assert [one.id for one in read(store, LONG, *found).taken] == ["id-1"]  # the next of the backlog
    assert read(store, LONG, *found) == Plan()
    assert [one.id for one in read(store, EpisodeRules(min_minutes=1)).taken] == ["id-2"]


def test_other_audio_is_another_length(store: Store) -> None:
    read(store, LONG, titled(1, "One"))
    listed = store.lease("id-1", "me", 60)
    assert listed is not None
    store.pass_over(listed.episode, "me", LONG.reason_against(listed.episode, 60.0), 60.0)
    whole = replace(titled(1, "One"), audio_url="https://a.example/whole.mp3")
    assert [one.id for one in read(store, LONG, whole).taken] == ["id-1"]


def test_who_cancels_goes_before_the_rules(store: Store) -> None:
    from flows.schedule import queue

    read(store, LONG, titled(1, "One"))
    listed = store.lease("id-1", "me", 60)
    assert listed is not None
    queue.cancel(store, "id-1")
    store.pass_over(listed.episode, "me", "passed over: too short", 60.0)
    assert states(store) == {"id-1": "cancelled"}


# Feeds that end, or fail for long


def test_a_feed_that_is_gone_has_ended_until_it_is_read(store: Store) -> None:
    read(store, ALL, titled(1, "One"))
    state = store.feed("show", URL)
    store.record_failed_reading(state, "answered 410 Gone", gone=True)
    ended = store.feed("show", URL).ended_at
    assert ended is not None
    assert ended == pytest.approx(time.time(), abs=60)
    store.record_failed_reading(store.feed("show", URL), "answered 503", 60)
    store.record_failed_reading(store.feed("show", URL), "answered 410 Gone", gone=True)
    assert store.feed("show", URL).ended_at == ended
    assert due(store) == ["id-1"]
    assert store.feed("show", "https://other.example").ended_at is None
    store.record_failed_reading(store.feed("show", "https://other.example"), "answered 404")
    (other,) = store.feeds()
    assert (other.ended_at, other.failures) == (None, 1)
    read(store, ALL, titled(1, "One"))
    assert store.feed("show", URL).ended_at is None
