from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.transcript import Segment, Transcript, Word
from outputs.characters import one_line, width
from outputs.cues import PODCAST, VTT, Profile, cues
from tests.outputs.samples import CONVERSATION, letters, said, spoken, talk, transcripts

PROFILES = [replace(PODCAST, names=False), VTT, replace(VTT, max_chars=20, max_lines=3)]


@given(transcripts(), st.sampled_from(PROFILES))
def test_words_are_neither_lost_nor_reordered(transcript: Transcript, profile: Profile) -> None:
    shown = letters("".join(line for cue in cues(transcript, profile) for line in cue.lines))
    assert shown.replace("→", "-->") == spoken(transcript).replace("→", "-->")


@given(transcripts(), st.sampled_from([PODCAST, *PROFILES]))
def test_cues_follow_each_other(transcript: Transcript, profile: Profile) -> None:
    found = cues(transcript, profile)
    assert all(cue.end > cue.start >= 0 for cue in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(cue.end - cue.start <= profile.max_duration + 1e-9 for cue in found)


@given(transcripts(), st.sampled_from([PODCAST, *PROFILES]))
def test_lines_fit(transcript: Transcript, profile: Profile) -> None:
    for cue in cues(transcript, profile):
        assert 1 <= len(cue.lines) <= profile.max_lines
        for line in cue.lines:
            assert width(line) <= profile.max_chars
            assert line.strip()
            assert line == one_line(line).strip()


@given(transcripts())
def test_a_cue_never_mixes_speakers(transcript: Transcript) -> None:
    expected: list[list[str]] = []
    last: object = object()
    for segment in transcript.segments:
        if not letters(segment.text):
            continue
        if segment.speaker != last:
            expected.append([one_line(transcript.name_of(segment.speaker)).strip(), ""])
            last = segment.speaker
        expected[-1][1] += letters(segment.text)
    position = 0
    for cue in cues(transcript, VTT):
        if not expected[position][1]:
            position += 1
        name, left = expected[position]
        text = letters("".join(cue.lines)).replace("→", "-->")
        assert cue.speaker == name
        left = left.replace("→", "-->")
        assert left.startswith(text)
        expected[position][1] = left[len(text) :]
    assert not any(left for _, left in expected)


def test_zero_length_words_at_one_time() -> None:
    transcript = talk(Segment(3, 3, "A", tuple(Word(3, 3, f" word{i}") for i in range(200))))
    found = cues(transcript, PODCAST)
    assert len(found) > 10
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_a_cue_starts_with_its_first_word() -> None:
    found = cues(talk(said("Welcome back to the show, everybody out there. " * 6 + "Bye.", 2.0)), PODCAST)
    starts = {
        word.start for word in said("Welcome back to the show, everybody out there. " * 6 + "Bye.", 2.0).words
    }
    assert found[0].start == 2.0
    assert all(cue.start in starts for cue in found)


def test_overlap_delays_the_second_speaker_at_most_a_second() -> None:
    transcript = talk(
        said("one two three four five six seven eight nine ten eleven twelve", 0.0), said("no", 1.0)
    )
    late = replace(
        transcript, segments=(transcript.segments[0], replace(transcript.segments[1], speaker="B"))
    )
    last = cues(late, PODCAST)[-1]
    assert 1.0 <= last.start <= 3.1
    assert last.lines[-1].endswith("no")


def test_short_cues_stay_until_they_can_be_read() -> None:
    (cue,) = cues(talk(said("Yes.", 1.0)), PODCAST)
    assert cue.end - cue.start == pytest.approx(PODCAST.min_duration, abs=0.001)


def test_no_cue_outlasts_the_audio_to_be_read() -> None:
    transcript = talk(said("Yes.", 1.0))
    transcript = replace(transcript, audio=replace(transcript.audio, seconds=1.4))
    assert cues(transcript, PODCAST)[0].end == 1.4


def test_a_pause_starts_a_new_cue() -> None:
    found = cues(talk(said("Well.", 0.0, speaker=None), said("Right.", 5.0, speaker=None)), PODCAST)
    assert [cue.lines for cue in found] == [("Well.",), ("Right.",)]
    assert found[0].end < 5.0


def test_name_on_the_first_cue_after_a_change_only() -> None:
    found = cues(CONVERSATION, PODCAST)
    named = [cue.lines[0] for cue in found if cue.lines[0].startswith(("Ann:", "Bob:"))]
    assert len(named) == 3
    assert [cue.speaker for cue in found][-1] == ""


def test_breaks_after_punctuation() -> None:
    found = cues(talk(said("If you ask me, that was a really good one."), SPEAKER_00=""), PODCAST)
    assert found[0].lines == ("If you ask me,", "that was a really good one.")


def test_cue_ends_with_the_sentence_where_it_can() -> None:
    text = "This one is the first sentence here. And then there comes a second one of some length."
    found = cues(talk(said(text), SPEAKER_00=""), PODCAST)
    assert " ".join(found[0].lines) == "This one is the first sentence here."


@pytest.mark.parametrize("name", ["Bartholomew Alexander Maximilian the Third of Somewhere", "字" * 30])
def test_long_name_is_shortened_and_words_stay(name: str) -> None:
    found = cues(talk(said("Hello there everybody."), SPEAKER_00=name), PODCAST)
    assert found[0].lines[0].endswith("…:")
    assert width(found[0].lines[0]) <= 32
    assert found[0].speaker == name
    assert " ".join(found[0].lines).endswith("Hello there everybody.")


def test_name_as_wide_as_a_line() -> None:
    name = "x" * 31
    assert cues(talk(said("Hello."), SPEAKER_00=name), PODCAST)[0].lines == (f"{name}:", "Hello.")


def test_name_before_text_without_spaces() -> None:
    segment = Segment(0, 1, "SPEAKER_00", (Word(0, 1, "你好"),))
    assert cues(talk(segment, SPEAKER_00="李"), PODCAST)[0].lines == ("李: 你好",)


def test_wide_characters_take_two_columns() -> None:
    characters = tuple(Word(i * 0.1, i * 0.1 + 0.1, "字") for i in range(40))
    found = cues(talk(Segment(0, 4, None, characters), language="zh"), PODCAST)
    assert [len(line) for cue in found for line in cue.lines] == [16, 16, 8]


def test_no_line_starts_with_closing_punctuation() -> None:
    tokens = ["今天", "天气", "很", "好", "，", "我们", "去", "公园", "。"] * 8
    segment = Segment(0, 20, None, tuple(Word(i * 0.2, i * 0.2 + 0.2, t) for i, t in enumerate(tokens)))
    lines = [line for cue in cues(talk(segment), PODCAST) for line in cue.lines]
    assert len(lines) > 3
    assert not any(line[0] in "，。" for line in lines)


def test_french_punctuation_stays_with_its_word() -> None:
    text = "Vous avez vraiment trouvé tout cela ? Oui, je le crois bien ! Et vous donc aussi ?"
    for size in range(20, 50):
        profile = replace(VTT, max_chars=size)
        lines = [line for cue in cues(talk(said(text)), profile) for line in cue.lines]
        assert not any(line[0] in "?!" for line in lines)


def test_pieces_of_a_word_stay_together() -> None:
    parts = (" A", " well", "-known", " e", "-mail", " address", ",", " he", "'d", " say") * 6
    segment = Segment(0, 30, None, tuple(Word(i * 0.2, i * 0.2 + 0.2, t) for i, t in enumerate(parts)))
    lines = [line for cue in cues(talk(segment), PODCAST) for line in cue.lines]
    assert not any(line.startswith(("-", ",", "'")) for line in lines)


def test_a_word_wider_than_a_line_is_cut_between_letters() -> None:
    long = "e\u0301" * 50
    lines = [line for cue in cues(talk(said(long, speaker=None)), PODCAST) for line in cue.lines]
    assert lines == ["e\u0301" * 32, "e\u0301" * 18]


@pytest.mark.parametrize("space", ["\u00a0", "\u3000"])
def test_unbreakable_spaces_never_fill_a_line(space: str) -> None:
    words = (Word(0, 1, f"a{space * 100}b"), Word(1, 2, f" c {space}d"))
    found = cues(talk(Segment(0, 2, None, words)), PODCAST)
    lines = [line for cue in found for line in cue.lines]
    assert all(line == line.strip() != "" for line in lines)
    assert letters("".join(lines)) == "abcd"


def test_silence_gives_no_cues() -> None:
    assert cues(talk(), PODCAST) == []
    assert cues(talk(Segment(0, 1, "A", ()), Segment(1, 2, "A", (Word(1, 2, " \n"),))), PODCAST) == []
