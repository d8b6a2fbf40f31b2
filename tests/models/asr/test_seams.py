from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.media.decode import decode
from models.asr import faster_whisper
from models.asr.engine import Hypothesis
from models.asr.repair import repair_hypotheses
from models.asr.seams import without_twins
from models.record.spans import Span
from models.record.transcript import Word
from models.runtime.samples import SAMPLE_RATE


def heard(start: float, end: float, *words: tuple[float, float, str]) -> Hypothesis:
    return Hypothesis(Span(start, end), tuple(Word(*word) for word in words))


def joined(hypotheses: Sequence[Hypothesis], speech: Sequence[Span]) -> str:
    return "".join(word.text for each in without_twins(hypotheses, speech) for word in each.words).strip()


def test_a_word_that_a_gap_cut_in_two_and_both_sides_wrote_is_written_once() -> None:
    """The original wrote it over what it had left out: half of it lies in the gap, half after it."""
    gap = heard(
        9.6, 11.5, (9.6, 10.1, " Reaktion"), (10.1, 10.4, " auf"), (10.4, 11.5, " Internetmaterialien.")
    )
    after = heard(
        11.5, 14.0, (11.5, 12.0, " Internetmaterialien,"), (12.1, 12.6, " können"), (12.6, 12.9, " die")
    )
    found = without_twins([gap, after], [Span(9.6, 14.0)])
    assert [each.text for each in found] == ["Reaktion auf Internetmaterialien,", "können die"]
    assert (found[0].words[-1].end, found[0].chunk.end, found[1].chunk.start) == (12.0, 12.0, 12.0)


def test_a_long_word_read_slowly_and_written_as_two_in_the_gap_is_one() -> None:
    gap = heard(29.33, 30.61, (29.33, 29.97, " Internet"), (29.97, 30.53, " Material"))
    after = heard(
        30.61,
        34.3,
        (30.61, 31.11, " Internetmaterialien."),
        (31.47, 31.95, " Können"),
        (31.95, 32.11, " die"),
    )
    found = without_twins([heard(28, 29.33, (28.81, 29.33, " auf")), gap, after], [Span(15.7, 50.9)])
    assert [each.text for each in found] == ["auf", "Internetmaterialien.", "Können die"]


@pytest.mark.parametrize(
    ("tail", "head", "once"),
    [
        (" Internet", " Internetmaterialien.", " Internetmaterialien."),
        (" Internetmaterialien.", " materialien", " Internetmaterialien"),
        (" MARIANAS.", " Marianas", " MARIANAS"),
        (" Kunigunde.", " Kunigonde", " Kunigunde"),
        (" l’aujourd’hui", " l'aujourd'hui,", " l’aujourd’hui,"),
        (" Follow-up", " followup.", " Follow-up."),
    ],
)
def test_halves_and_other_spellings_are_one_word(tail: str, head: str, once: str) -> None:
    before = heard(0.0, 2.5, (1.2, 1.5, " and"), (1.5, 1.8, " some"), (1.9, 2.5, tail))
    after = heard(2.5, 5.0, (2.5, 2.7, head), (3.0, 3.3, " and"), (3.4, 3.7, " then"))
    assert joined([before, after], [Span(1, 5)]) == f"and some{once} and then"


def test_a_phrase_that_both_sides_wrote_is_written_once() -> None:
    before = heard(0, 4, (1, 1.5, " Where"), (3.2, 3.4, " out"), (3.4, 3.5, " of"), (3.5, 4, " the blue."))
    after = heard(
        4,
        8,
        (4, 4.04, " Out"),
        (4.04, 4.1, " of"),
        (4.1, 4.4, " the blue"),
        (4.5, 5, " it"),
        (5, 5.5, " came"),
    )
    assert joined([before, after], [Span(1, 1.5), Span(3.2, 6)]) == "Where out of the blue it came"


@pytest.mark.parametrize(("tail", "head"), [(" no,", " no"), (" very", " very"), (" Really.", " Really?")])
@pytest.mark.parametrize("pause", [0.0, 0.3, 1.5])
def test_what_is_said_twice_stays(tail: str, head: str, pause: float) -> None:
    length = 0.1 + 0.05 * len(tail)
    second = 2.0 + length + pause
    before = heard(0, 2 + length, (1.4, 1.65, " and"), (1.65, 2.0, " then"), (2.0, 2 + length, tail))
    after = heard(second, 9, (second, second + length, head), (second + length + 0.1, second + 0.9, " again"))
    speech = [Span(1, 2 + length), Span(second, 9)]
    assert joined([before, after], speech) == f"and then{tail}{head} again"


@pytest.mark.parametrize(("start", "end"), [(2.4, 2.8), (0.0, 0.9)])
def test_a_twin_at_a_place_without_speech_goes(start: float, end: float) -> None:
    """Misplaced by its alignment: into the pause after it, or the one before it."""
    first, second = (2.0, 2.4), (start, end)
    if start < first[0]:
        first, second = second, first
    before = heard(0, first[1], (*first, " everywhere."))
    after = heard(first[1], 6, (*second, " Everywhere"), (4, 4.4, " else"))
    assert joined([before, after], [Span(2.0, 2.4), Span(4, 5)]).casefold() == "everywhere else"


def test_words_that_were_torn_off_and_heard_again_are_written_once() -> None:
    """They made room for what was heard in the gap, and are among its words, not at its end."""
    gap = heard(4, 7.5, (4.2, 4.5, " But"), (5, 5.2, " I"), (5.2, 5.6, " think"), (5.8, 7.4, " seldom"))
    after = heard(
        7.5, 9, (7.5, 7.52, " I"), (7.52, 7.54, " think"), (7.54, 8.2, " really"), (8.2, 8.6, " liked")
    )
    assert joined([gap, after], [Span(4.2, 9)]) == "But I think seldom really liked"
    other = heard(
        7.5, 9, (7.5, 7.52, " We"), (7.52, 7.54, " do"), (7.54, 8.2, " really"), (8.2, 8.6, " liked")
    )
    assert joined([gap, other], [Span(4.2, 9)]) == "But I think seldom We do really liked"


def test_letters_of_scripts_without_spaces_are_written_once_though_words_are_cut_elsewhere() -> None:
    before = heard(0, 2, (0.2, 0.8, "今日は"), (0.8, 1.9, "ありがとう。"))
    after = heard(2, 5, (2.0, 2.6, "とうござ"), (2.6, 3.2, "います"))
    assert joined([before, after], [Span(0.2, 2.1), Span(2.4, 4)]) == "今日はありがとうございます"
    thai = [heard(0, 1, (0.2, 0.9, "วันนี้ดี")), heard(1, 3, (1.0, 1.1, "ดี"), (1.2, 1.9, "มาก"))]
    assert joined(thai, [Span(0.2, 2)]) == "วันนี้ดีมาก"


def test_words_of_one_chunk_are_not_looked_at() -> None:
    crammed = heard(0, 5, (0, 0.1, " extraordinary"), (0.1, 0.2, " extraordinary"), (0.2, 0.5, " it"))
    assert without_twins([crammed], [Span(0, 5)]) == [crammed]


vocabulary = st.sampled_from(
    [" no,", " No.", " it", " Internet", " internetmaterialien", "ありがと", "とう。"]
)


@st.composite
def rows(draw: st.DrawFn) -> list[Hypothesis]:
    edges = [0.0]
    found = []
    for _ in range(draw(st.integers(0, 5))):
        start = edges[-1] + draw(st.sampled_from([0.0, 0.5, 3.0]))
        words = []
        at = start
        for text in draw(st.lists(vocabulary, max_size=4)):
            at += draw(st.sampled_from([0.0, 0.2]))
            words.append((at, at + draw(st.sampled_from([0.02, 0.2, 0.6])), text))
            at = words[-1][1]
        edges.append(at + draw(st.sampled_from([0.0, 0.4])) + 0.01)
        found.append(heard(start, edges[-1], *words))
    return found


@given(rows(), st.lists(st.tuples(st.integers(0, 20), st.integers(1, 4)), max_size=4))
def test_words_stay_in_order_and_in_chunks_that_do_not_overlap(
    hypotheses: list[Hypothesis], spans: list[tuple[int, int]]
) -> None:
    edges = sorted({edge for start, length in spans for edge in (start / 2, (start + length) / 2)})
    speech = [Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    found = without_twins(hypotheses, speech)
    assert len(found) == len(hypotheses)
    assert all(a.chunk.end <= b.chunk.start for a, b in pairwise(found))
    for each in found:
        assert all(each.chunk.start <= word.start < word.end <= each.chunk.end for word in each.words)
        assert all(a.end <= b.start for a, b in pairwise(each.words))
    told = "".join(word.text for each in hypotheses for word in each.words)
    assert bool(told) == any(each.words for each in found)


def test_a_word_before_lost_speech_that_is_heard_with_it_is_written_once(fleurs: Path) -> None:
    """As Whisper leaves speech out: four words, and the eleventh stretched over those that are missing."""
    samples = decode(fleurs / "fleurs-de-003.ogg").samples
    engine = faster_whisper.load("base", "cpu").with_samples(samples).with_language("de")
    (whole,) = engine.decode([Span(0, len(samples) / SAMPLE_RATE)])
    words = whole.words
    left = replace(whole, words=(*words[:4], replace(words[10], start=words[4].start), *words[11:]))
    speech = [Span(words[0].start, words[-1].end)]
    hypotheses, repairs = repair_hypotheses(engine, [left], speech)
    assert {"lost", "twice"} == {repair.reason for repair in repairs}
    assert " ".join(each.text for each in hypotheses).startswith("Es leben noch viele Männer und Frauen")


def test_a_letter_of_chinese_that_ends_one_word_and_begins_the_next_is_said_twice() -> None:
    before = heard(0.0, 2.0, (1.0, 1.4, "我们"), (1.4, 2.0, "今天"))
    after = heard(2.0, 4.0, (2.0, 2.1, "天气"), (2.1, 2.6, "很好"))
    assert joined([before, after], [Span(1, 4)]) == "我们今天天气很好"
