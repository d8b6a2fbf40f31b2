from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from audio.media.decode import decode
from models.asr import faster_whisper
from models.asr.chunking import MARGIN
from models.asr.engine import Hypothesis
from models.asr.repair import (
    foreign_script,
    is_loop,
    lost_speech,
    repair_hypotheses,
    split_at_lost_speech,
    without_repeats,
)
from models.asr.transcription import Transcription
from models.record.spans import Span
from models.record.transcript import Word


def said(text: str, start: float = 0.0, pace: float = 0.4) -> tuple[Word, ...]:
    return tuple(
        Word(start + i * pace, start + (i + 1) * pace, f" {word}") for i, word in enumerate(text.split())
    )


vocabulary = st.sampled_from(["yes", "no,", "No.", "it", "was"])


@given(st.lists(vocabulary, max_size=30).map(" ".join))
def test_cutting_loops_keeps_order_and_takes_only_repeats(text: str) -> None:
    words = said(text)
    kept = without_repeats(words)
    places = [words.index(word) for word in kept]
    assert places == sorted(places)
    assert {word.text.strip(" ,.").casefold() for word in kept} == {
        word.text.strip(" ,.").casefold() for word in words
    }
    assert without_repeats(kept) == kept or len(without_repeats(kept)) < len(kept)


def test_what_people_repeat_is_no_loop() -> None:
    for text in ("no no no no no, not that", "bye bye bye", "very, very, very, very good, very, very good"):
        assert not is_loop(Hypothesis(Span(0, 30), said(text)), [])


def test_a_phrase_over_and_over_is_a_loop() -> None:
    words = said("and so " + "I don't know. " * 12 + "right")
    assert is_loop(Hypothesis(Span(0, 30), words), [])
    assert "".join(word.text for word in without_repeats(words)) == " and so I don't know. right"


def test_what_is_said_over_and_over_at_the_times_of_speech_is_no_loop() -> None:
    """Twelve times "ask not", a pause after each: the words lie where somebody speaks."""
    starts = [1.1 * i for i in range(12)]
    words = tuple(word for start in starts for word in said("ask not", start, 0.3))
    speech = [Span(start, start + 0.7) for start in starts]
    assert not is_loop(Hypothesis(Span(0, 14), words), speech)
    assert without_repeats(words, speech) == list(words)


def test_repeats_beyond_what_is_said_are_cut() -> None:
    starts = [1.1 * i for i in range(12)]
    words = [word for start in starts for word in said("ask not", start, 0.3)]
    speech = [Span(start, start + 0.7) for start in starts]
    crammed = [*words, *said("ask not", 12.9, 0.02), *said("ask not", 13.4, 0.3)]
    assert without_repeats(crammed, speech) == words


def test_a_loop_crammed_into_little_time_is_one_though_somebody_speaks() -> None:
    words = said("and so " + "I don't know. " * 40 + "right", pace=0.05)
    assert is_loop(Hypothesis(Span(0, 30), words), [Span(0, 30)])
    kept = without_repeats(words, [Span(0, 30)])
    assert "".join(word.text for word in kept) == " and so I don't know. right"


def test_a_loop_stretched_over_silence_is_one() -> None:
    words = said("thank you. " * 14, pace=1.0)
    assert is_loop(Hypothesis(Span(0, 30), words), [Span(0, 2.5)])
    assert "".join(word.text for word in without_repeats(words, [Span(0, 2.5)])) == " thank you."


def test_speech_after_the_last_word_is_lost() -> None:
    hypothesis = Hypothesis(Span(0, 20), said("it ended here", 1))
    assert lost_speech(hypothesis, [Span(1, 2.3), Span(5, 9)]) == [(Span(5 - MARGIN, 9 + MARGIN), 3)]


def test_a_pause_is_no_loss() -> None:
    hypothesis = Hypothesis(Span(0, 20), (*said("it ended here", 1), *said("and went on", 9)))
    assert lost_speech(hypothesis, [Span(1, 2.3), Span(9, 10.3)]) == []


def test_a_stretched_word_hides_a_loss() -> None:
    words = (Word(0, 0.5, " I"), Word(0.5, 6, " really"), Word(6, 6.5, " do"))
    hypothesis = Hypothesis(Span(0, 7), words)
    assert lost_speech(hypothesis, [Span(0, 6.5)]) == [(Span(0.5, 5.5), 1)]
    before, lost, after = split_at_lost_speech(hypothesis, [Span(0, 6.5)])
    assert (before.text, lost.undecoded, after.text) == ("I", True, "really do")
    assert after.words[0].start == lost.chunk.end == 5.5


def test_a_word_torn_from_what_follows_goes_with_it() -> None:
    words = (Word(0, 0.5, " minutes."), Word(5, 5.4, " I"), Word(5.4, 8, " really"), Word(8, 8.4, " liked"))
    before, lost, after = split_at_lost_speech(Hypothesis(Span(0, 9), words), [Span(0, 0.5), Span(1.5, 8.4)])
    assert (before.text, after.text) == ("minutes.", "I really liked")
    assert lost.chunk == Span(1.5 - MARGIN, 7.5)


def test_words_torn_off_still_last() -> None:
    torn = (Word(5, 5.2, " I"), Word(5.2, 5.4, " do"))
    words = (Word(0, 0.5, " minutes."), *torn, Word(5.4, 8, " really"), Word(8, 8.4, " liked"))
    *_, after = split_at_lost_speech(Hypothesis(Span(0, 9), words), [Span(0, 0.5), Span(1.5, 8.4)])
    assert after.text == "I do really liked"
    assert [(round(word.start, 2), round(word.end, 2)) for word in after.words[:3]] == [
        (7.5, 7.52),
        (7.52, 7.54),
        (7.54, 8),
    ]


def test_short_breaks_between_words_are_no_loss_and_tear_nothing() -> None:
    words = (Word(0, 0.5, " Hello."), Word(1, 1.5, " Hello."), Word(2, 2.3, " And"), Word(2.3, 2.6, " I'm"))
    (gap, index), *more = lost_speech(Hypothesis(Span(0, 9), words), [Span(0, 9)])
    assert (gap, index, more) == (Span(2.6, 9), 4, [])


times = st.floats(0, 30, allow_nan=False).map(lambda x: round(x, 2))


@st.composite
def hypotheses(draw: st.DrawFn) -> Hypothesis:
    edges = sorted(draw(st.lists(times, max_size=24)))
    words = [Word(a, b, f" {i}") for i, (a, b) in enumerate(zip(edges[::2], edges[1::2], strict=False))]
    return Hypothesis(Span(0, 30), tuple(words))


@given(hypotheses(), st.lists(st.tuples(times, times), max_size=8))
def test_splitting_at_losses_keeps_all_words_in_order(
    hypothesis: Hypothesis, spans: list[tuple[float, float]]
) -> None:
    edges = sorted({edge for span in spans for edge in span})
    speech = [Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    parts = split_at_lost_speech(hypothesis, speech)
    words = [word for part in parts for word in part.words]
    assert [word.text for word in words] == [word.text for word in hypothesis.words]
    assert all(a.start <= b.start for a, b in pairwise(words))
    assert all(a.chunk.end <= b.chunk.start for a, b in pairwise(parts))
    assert all(word.start <= word.end for word in words)


def test_another_script_is_not_the_language() -> None:
    assert foreign_script("Привет, мир", "en")
    assert foreign_script("これはテスト", "de")
    assert not foreign_script("Ça va très bien, señor Ångström", "en")
    assert not foreign_script("これはテスト", "ja")
    assert not foreign_script("1 234", "en")


def test_lost_speech_is_found_again(sample_wav: Path, heard: Transcription) -> None:
    assert heard.repairs == ()
    samples = decode(sample_wav).samples
    engine = faster_whisper.load("base", "cpu").with_samples(samples)
    half = [word for word in heard.words if word.end < 15]
    hypotheses, repairs = repair_hypotheses(
        engine,
        [Hypothesis(Span(6, 30), tuple(half), -0.3, 0.1, language="en")],
        [Span(6.7, 14.8), Span(15.2, 29.8)],
    )
    text = " ".join(hypothesis.text for hypothesis in hypotheses)
    assert {repair.reason for repair in repairs} == {"lost"}
    assert "originally from Chicago" in text
    assert text.startswith("".join(word.text for word in half).strip())


def test_a_loop_is_decoded_again(sample_wav: Path, heard: Transcription) -> None:
    engine = faster_whisper.load("base", "cpu").with_samples(decode(sample_wav).samples)
    chunk = Span(6, 30)
    loop = tuple(Word(7 + i, 8 + i, text) for i, text in enumerate([" thank", " you."] * 10))
    (hypothesis, *more), (first, *_) = repair_hypotheses(
        engine, [Hypothesis(chunk, loop, -0.2, 0.1, language="en")], []
    )
    assert not more
    assert (first.reason, first.start, first.end) == ("loop", 6, 30)
    assert "originally from Chicago" in hypothesis.text
    assert "thank you. thank you." not in hypothesis.text
