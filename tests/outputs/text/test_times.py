from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outputs.text.times import clock, milliseconds, srt_time, vtt_time, whole_ms


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "00:00:00.000"),
        (59.9994, "00:00:59.999"),
        (59.9996, "00:01:00.000"),
        (3599.9999, "01:00:00.000"),
        (360000, "100:00:00.000"),
        (-0.2, "00:00:00.000"),
    ],
)
def test_rounding_carries_over(seconds: float, expected: str) -> None:
    assert vtt_time(seconds) == expected
    assert srt_time(seconds) == expected.replace(".", ",")


@given(st.integers(0, 10**9))
def test_whole_milliseconds_survive(ms: int) -> None:
    assert milliseconds(ms / 1000) == ms
    assert whole_ms(ms / 1000) == ms / 1000


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "00:00"), (59.9, "00:59"), (60, "01:00"), (3600, "1:00:00"), (36061, "10:01:01")],
)
def test_clock(seconds: float, expected: str) -> None:
    assert clock(seconds) == expected
