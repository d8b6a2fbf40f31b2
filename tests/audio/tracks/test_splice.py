"""What is to be heard of tracks, put end to end, and the way back to their time line."""

from __future__ import annotations

import pytest

from audio.tracks.splice import BETWEEN_TRACKS, PAUSE, Splice
from models.record.spans import Span

HEARD = [[Span(1.0, 3.0), Span(3.5, 4.0), Span(60.0, 70.0)], [], [Span(0.0, 2.0)]]


@pytest.fixture
def splice() -> Splice:
    return Splice.of(HEARD)


def test_short_pauses_stay_and_long_ones_are_shortened(splice: Splice) -> None:
    first, second, third = splice.of_track(0)
    assert second.at - first.end == pytest.approx(0.5)
    assert third.at - second.end == pytest.approx(PAUSE)
    assert splice.seconds < 30.0


def test_tracks_are_kept_apart(splice: Splice) -> None:
    assert splice.of_track(1) == ()
    assert splice.of_track(2)[0].at - splice.of_track(0)[-1].end >= BETWEEN_TRACKS


def test_words_come_back_to_where_they_were_said(splice: Splice) -> None:
    for track, spans in enumerate(HEARD):
        for span in spans:
            (there,) = splice.into(track, [Span(span.start + 0.1, span.end - 0.1)])
            found, back = splice.back(there.start, there.end)
            assert found == track
            assert (back.start, back.end) == pytest.approx((span.start + 0.1, span.end - 0.1))


def test_what_lies_between_stretches_belongs_to_the_nearest(splice: Splice) -> None:
    last = splice.of_track(0)[-1]
    assert splice.back(last.end + 0.1, last.end + 0.2)[0] == 0
    assert splice.back(last.end + 0.1, last.end + 0.2)[1].start == pytest.approx(70.1)


def test_a_turn_over_several_stretches_comes_back_in_parts(splice: Splice) -> None:
    first, _, third = splice.of_track(0)
    parts = splice.back_parts([Span(first.at + 1.0, third.at + 1.0)])
    assert [track for track, _ in parts] == [0, 0, 0]
    edges = [edge for _, span in parts for edge in (span.start, span.end)]
    assert edges == pytest.approx([2.0, 3.0, 3.5, 4.0, 60.0, 61.0])


def test_what_is_left_out_is_not_in_the_splice(splice: Splice) -> None:
    assert splice.into(0, [Span(10.0, 50.0)]) == []
    assert len(splice.into(0, [Span(2.0, 61.0)])) == 3


def test_nothing_to_hear_is_an_empty_splice() -> None:
    empty = Splice.of([[], []])
    assert empty.seconds == 0.0
    assert empty.bounds(0) == Span(0.0, 0.0)
