"""What makes two shows or two episodes the same: rules made from public reports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.record.identity import (
    audio_key,
    audio_keys,
    feed_key,
    find,
    pair_across_shows,
    pair_up,
    published_at,
    same_show,
)
from models.record.transcript import Episode

FEED = "https://example.org/feed.xml"
AUDIO = "https://cdn.example.org/shows/12/My%20Talk.mp3"

PLAY = "https://x.example/play.php"
DAY_1, DAY_2 = "2024-01-01T00:00:00+00:00", "2024-01-02T00:00:00+00:00"


def made(guid: str = "g", title: str = "Pilot", audio: str = AUDIO, **more: str) -> Episode:
    return Episode(
        id=more.pop("id", guid),
        show="Show",
        guid=guid,
        title=title,
        audio_url=audio,
        feed_url=more.pop("feed_url", FEED),
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    "same",
    [
        "http://cdn.example.org/shows/12/My%20Talk.mp3",
        "https://CDN.example.org:443/shows/12/My Talk.mp3",
        "https://listener:password@cdn.example.org/shows/12/My%20Talk.mp3",
        "https://cdn.example.org/shows/12/My%20Talk.mp3#t=10",
        "https://dts.podtrac.com/redirect.mp3/cdn.example.org/shows/12/My%20Talk.mp3",
        "https://chtbl.com/track/ABC12/pdst.fm/e/cdn.example.org/shows/12/My%20Talk.mp3",
        "https://op3.dev/e,pg=0b6c9f1e/https://cdn.example.org/shows/12/My%20Talk.mp3",
        "https://tracker.example/r/https%3A%2F%2Fcdn.example.org/shows/12/My%20Talk.mp3",
    ],
)
def test_an_address_is_what_it_leads_to(same: str) -> None:
    assert audio_key(same) == audio_key(AUDIO)


@pytest.mark.parametrize(
    "other",
    [
        "https://cdn.example.org/shows/12/my%20talk.mp3",
        "https://cdn.example.org/shows/13/My%20Talk.mp3",
        "https://other.example.org/shows/12/My%20Talk.mp3",
        "https://cdn.example.org:8443/shows/12/My%20Talk.mp3",
    ],
)
def test_other_audio_stays_other_audio(other: str) -> None:
    assert audio_key(other) != audio_key(AUDIO)


@pytest.mark.parametrize(
    "host", ["cdn.show.example", "media.radio.pl", "dts.example.co.za", "example.fm", "10.0.0.1:80"]
)
def test_whoever_hands_on_to_a_host_does_not_count(host: str) -> None:
    assert audio_key(f"https://unheard-of.example/e/{host}/St.Paul/1.mp3") == f"{host}/St.Paul/1.mp3"


@pytest.mark.parametrize(
    "folder", ["St.Paul", "2024.jan", "my.show", "play.cgi", "play.pl", "index.html", "v1.2", "redirect.mp3"]
)
def test_a_folder_with_a_dot_is_no_host(folder: str) -> None:
    assert audio_key(f"https://a.example/{folder}/1.mp3") == f"a.example/{folder}/1.mp3"


def test_a_query_counts_only_where_it_tells_two_apart() -> None:
    assert audio_keys([f"{AUDIO}?updated=1", f"{AUDIO}?updated=1", "https://x.example/b.mp3?token=2"]) == [
        audio_key(AUDIO), audio_key(AUDIO), "x.example/b.mp3"
    ]  # fmt: skip
    plays = ["https://x.example/play.php?id=1", "https://x.example/play.php?id=2"]
    assert len(set(audio_keys(plays))) == 2


@pytest.mark.parametrize(
    "odd", ["", "not an address", "http://[broken", "https://x.example:port/a.mp3", "//"]
)
def test_odd_addresses_are_compared_as_they_are(odd: str) -> None:
    assert audio_key(odd) == audio_key(odd)
    assert feed_key(odd) == feed_key(odd)


def test_a_show_is_its_feed_and_never_its_title() -> None:
    assert not same_show(made(), made(feed_url="https://example.org/other.xml"))
    assert same_show(made(), made(feed_url="http://example.org/feed.xml/"))
    moved = made(feed_url="https://new.example/feed", show_guid="917393E3-1B1E-5CEF-ACE4-EDAA54E1F810")
    assert same_show(replace(moved, feed_url=FEED, show_guid=moved.show_guid.lower()), moved)


def test_the_same_audio_goes_before_the_same_guid() -> None:
    known = [made("1", "One", "https://x.example/one.mp3"), made("2", "Two", "https://x.example/two.mp3")]
    swapped = [made("1", "One", "https://x.example/two.mp3"), made("2", "Two", "https://x.example/one.mp3")]
    assert pair_up(swapped, known) == {0: 1, 1: 0}


def test_an_address_that_every_episode_uses_makes_them_no_single_one() -> None:
    """Hosts of news serve the latest at one address; nothing may be taken for what was done yesterday."""
    monday = made("mon", "News of Monday", published="2024-01-01T06:00:00+00:00")
    tuesday = made("tue", "News of Tuesday", published="2024-01-02T06:00:00+00:00")
    assert pair_up([tuesday], [monday]) == {}
    assert pair_up([replace(monday, title="News of Monday (corrected)", guid="new")], [monday]) == {0: 0}
    assert pair_up([replace(monday, published="2024-01-01T06:01:00+00:00", guid="new")], [monday]) == {0: 0}
    assert find(tuesday, [monday]) is None


LATEST = "https://x.example/latest.mp3"


@pytest.mark.parametrize(
    ("known", "found"),
    [
        # A title and an address that stay, with guids or without.
        (made("a", "News", LATEST, published=DAY_1), made("b", "News", LATEST, published=DAY_2)),
        (made(LATEST, "News", LATEST, published=DAY_1), made(LATEST, "News", LATEST, published=DAY_2)),
        (made(LATEST, "Monday", LATEST), made(LATEST, "Tuesday", LATEST)),
        (made("a", "News", LATEST), made("b", "News", LATEST)),
        # What is asked for stands in the query, and nothing else tells.
        (made(PLAY, "One", f"{PLAY}?id=1", id="1"), made(PLAY, "Two", f"{PLAY}?id=2", id="1")),
        # A guid that is used again, when the one before has left the feed.
        (made("1", "One", published=DAY_1), made("1", "Two", LATEST, published=DAY_2)),
    ],
)
def test_what_is_used_again_does_not_hide_the_next_episode(known: Episode, found: Episode) -> None:
    assert pair_up([found], [known]) == {}
    if known.guid != "1":
        assert find(found, [known]) is None


def test_corrections_make_no_new_episodes() -> None:
    one = made("a", "News", published=DAY_1)
    assert pair_up([replace(one, title="The news", published=DAY_2)], [one]) == {0: 0}  # guid and audio
    assert pair_up([replace(one, guid="b", title="The news")], [one]) == {0: 0}  # audio and moment
    assert pair_up([replace(one, audio_url=LATEST, title="The news")], [one]) == {0: 0}  # guid and moment
    assert pair_up([replace(one, audio_url=LATEST, published=DAY_2)], [one]) == {0: 0}  # guid and title


def test_without_guids_and_dates_tokens_in_addresses_make_no_new_episodes() -> None:
    def polled(token: str) -> list[Episode]:
        urls = [f"{PLAY}?id={n}&token={token}{n}" for n in (1, 2)]
        return [made(url, f"Part {n}", url) for n, url in enumerate(urls)]

    assert pair_up(polled("x"), polled("y")) == {0: 0, 1: 1}


def test_a_query_that_tells_episodes_apart_tells_them_after_a_correction_too() -> None:
    known = [made(f"{PLAY}?id={n}", f"Part {n}", f"{PLAY}?id={n}", published=DAY_1) for n in (1, 2)]
    found = [replace(known[0], published=DAY_2), replace(known[1], title="Part two")]
    assert pair_up(found, known) == {0: 0, 1: 1}


def test_alone_a_title_and_a_day_are_not_enough() -> None:
    """Two items of one name at midnight: the second must not go where the first one is."""
    one = made("a", "Chapter", "https://x.example/1.mp3", published=DAY_1)
    assert find(made("b", "Chapter", "https://x.example/2.mp3", published=DAY_1), [one]) is None
    assert find(made("b", "Chapter", "https://x.example/1.mp3", published=DAY_1), [one]) == 0


def test_a_show_that_moved_keeps_what_was_recorded_before_it_had_a_guid() -> None:
    guid = "917393e3-1b1e-5cef-ace4-edaa54e1f810"
    old, middle = made("1"), made("2", audio=LATEST, show_guid=guid)
    new = {"feed_url": "https://new.example/feed", "show_guid": guid}
    assert find(made("1", id="new", **new), [old, middle]) == 0
    assert find(made("1", id="new", **new), [old]) is None


@pytest.mark.parametrize(
    ("more", "same"),
    [
        ({}, True),
        ({"guid": "x", "title": "Other", "published": ""}, True),  # the whole address
        ({"audio": f"{AUDIO}?token=2", "title": "Corrected"}, True),
        ({"audio": f"{AUDIO}?token=2", "guid": ""}, True),
        ({"audio": f"{AUDIO}?token=2", "published": "2024-01-02T06:00:00+00:00"}, True),
        ({"audio": "https://other.example/1.mp3"}, True),
        ({"audio": f"{AUDIO}?id=2", "guid": "", "title": "Other"}, False),
        ({"audio": f"{AUDIO}?id=2", "title": "Other", "published": "2024-01-02T06:00:00+00:00"}, False),
        (
            {"audio": "https://other.example/1.mp3", "title": "Other"},
            False,
        ),  # guids such as "1" are everybody's
        ({"audio": "https://other.example/1.mp3", "guid": "2"}, False),  # and so are trailers at midnight
    ],
)
def test_episodes_of_shows_that_nobody_knows(more: dict[str, str], same: bool) -> None:
    about = {
        "guid": "1",
        "title": "Trailer",
        "audio": f"{AUDIO}?token=1",
        "published": "2024-01-01T06:00:00Z",
    }
    known = [made(**about), made("7", "Another", "https://z.example/7.mp3")]
    found = made(**{**about, **more}, feed_url="https://unknown.example/feed")
    assert pair_across_shows([found], known) == ({0: 0} if same else {})


def test_a_repeat_of_an_old_episode_is_another_one() -> None:
    known = [made("1", "Pilot")]
    again = [made("1", "Pilot"), made("9", "From the archive: Pilot")]
    assert pair_up(again, known) == {0: 0}


def test_new_guids_and_another_time_zone_are_the_same_episodes() -> None:
    known = [
        made(f"old-{n}", f"Episode {n}", f"{AUDIO}?old={n}", published=f"2024-01-0{n}T15:00:00+00:00")
        for n in (1, 2, 3)
    ]
    found = [
        made(f"new-{n}", f"Episode {n}", f"{AUDIO}?new={n}", published=f"2024-01-0{n}T10:00:00-05:00")
        for n in (3, 2, 1)
    ]
    assert published_at(known[0]) == published_at(found[2])
    assert pair_up(found, known) == {0: 2, 1: 1, 2: 0}


def test_titles_are_compared_as_they_are_meant() -> None:
    known = [made("a", "Salt &amp; Sea", "https://x.example/1.mp3", published="2024-01-01T10:00:00+00:00")]
    found = [made("b", "salt  & sea", "https://x.example/2.mp3", published="2024-01-01T11:00:00+01:00")]
    assert pair_up(found, known) == {0: 0}


def test_an_episode_is_found_in_its_own_show_only() -> None:
    elsewhere = made("1", id="x", feed_url="https://b.example/feed.xml")
    here = made("1", id="y")
    assert find(made("1", id="new"), [elsewhere, here]) == 1
    assert find(made("1", id="new"), [elsewhere]) is None
    assert find(replace(elsewhere, feed_url=""), [here, elsewhere]) == 1  # by its id


def test_two_unrelated_files_without_a_feed_are_not_one() -> None:
    one = Episode(id="1", title="Talk", audio_url="")
    assert find(Episode(id="2", title="Talk", audio_url=""), [one]) is None
