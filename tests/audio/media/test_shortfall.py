"""Audio that is shorter than its feed had promised."""

import pytest

from audio.media.shortfall import Amount, shortfall


@pytest.mark.parametrize(
    ("came", "promised", "warned"),
    [
        ((600, 9_000_000), (3600, 54_000_000), True),  # cut after ten minutes
        ((3_240, 0), (3_600, 0), False),  # ads left out
        ((3_571, 0), (3_600, 0), False),  # rounded to an hour
        ((45, 0), (100, 0), False),  # a trailer, rounded up to minutes
        ((30, 0), (100, 0), True),
        ((4_000, 0), (3_600, 0), False),  # ads put in
        ((600, 9_000_000), (0, 0), False),  # nothing was promised
        ((600, 9_000_000), (0, 54_000_000), True),
        ((3_600, 3_744_000), (3_610, 30_670_848), False),  # madiele/vod2pod-rss 375: bits told for bytes
        ((600, 9_000_000), (0, 1), False),  # kvannotten/pcd 12: lengths that mean nothing
        ((1_800, 28_800_000), (0, 29_700_000), False),
    ],
)
def test_shortfall(came: tuple[float, int], promised: tuple[float, int], warned: bool) -> None:
    assert bool(shortfall(Amount(*came), Amount(*promised))) is warned


def test_what_is_told() -> None:
    assert shortfall(Amount(4, 70_000), Amount(1200, 0)) == (
        "the feed promises 20 minutes of audio and 4 seconds came: it may be cut short"
    )
