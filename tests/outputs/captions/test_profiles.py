from __future__ import annotations

import pytest

from models.record.errors import InputError
from outputs.captions.profiles import BBC, NETFLIX, PODCAST, PROFILES, VTT, Profile, profile_named


def test_by_name() -> None:
    names = ("podcast", "vtt", "netflix", "bbc", "single-line")
    assert [profile_named(name) for name in names] == list(PROFILES.values())
    with pytest.raises(InputError, match="unknown caption profile 'x'; there are podcast, vtt, netflix, bbc"):
        profile_named("x")


def test_time_to_read() -> None:
    assert PODCAST.reading_ms(["Hello there,", "you two."]) == 1000
    assert PODCAST.reading_ms(["字" * 10]) == 1000
    assert BBC.reading_ms(["one two", "three"]) == 1000
    assert VTT.reading_ms([]) == 0


@pytest.mark.parametrize(
    ("profile", "following", "latest"),
    [
        (PODCAST, None, 7000),
        (PODCAST, 3000, 3000),
        (PODCAST, 60_000, 7000),
        (NETFLIX, 3000, 2917),
        (NETFLIX, 7200, 6700),  # neither two frames nor seven seconds: twelve frames before the next
        (BBC, 7500, 6500),
        (BBC, 8500, 7000),
    ],
)
def test_latest_end(profile: Profile, following: int | None, latest: int) -> None:
    assert profile.latest_end_ms(0, following) == latest
