from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.alignment.align import align
from models.alignment.overlap import mark_overlapped_words, overlaps
from models.record.transcript import Turn
from tests.models.alignment.samples import A, B, said, times


def test_words_in_overlap_are_flagged() -> None:
    words = said("one two three four", pace=1)
    turns = [Turn(0, 2, A), Turn(1.4, 4, B)]
    assert [word.overlap for word in mark_overlapped_words(words, turns)] == [False, True, False, False]
    assert not any(word.overlap for word in mark_overlapped_words(words, []))
    (segment, *_) = align(words, [Turn(0, 2, A), Turn(2, 4, B)], "en", turns)
    assert [word.overlap for word in segment.words] == [False, True]


@given(st.lists(st.tuples(times, times, st.sampled_from([A, B, "SPEAKER_02"])), max_size=12))
def test_overlaps_are_where_two_speak(spans: list[tuple[float, float, str]]) -> None:
    turns = sorted(Turn(min(a, b), max(a, b), who) for a, b, who in spans)
    found = overlaps(turns)
    assert all(one.end <= two.start for one, two in pairwise(found))
    for tenth in range(1000):
        moment = tenth / 10 + 0.0501
        speaking = {turn.speaker for turn in turns if turn.start < moment < turn.end}
        assert (len(speaking) > 1) == any(span.start < moment < span.end for span in found)
