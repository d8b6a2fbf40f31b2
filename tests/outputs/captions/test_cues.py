from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.record.transcript import Segment, Transcript, Word
from outputs.captions.cues import _Piece, _Run, cues
from outputs.captions.profiles import BBC, NETFLIX, PODCAST, SINGLE_LINE, VTT, Profile
from outputs.text.characters import one_line, width
from tests.outputs.samples import (
    BILINGUAL,
    CONVERSATION,
    CROSSTALK,
    apart,
    letters,
    said,
    spoken,
    talk,
    transcripts,
)

UNNAMED = [
    replace(PODCAST, names=False),
    VTT,
    NETFLIX,
    BBC,
    SINGLE_LINE,
    replace(VTT, max_chars=20, max_lines=3),
]


@given(transcripts(), st.sampled_from(UNNAMED))
def test_words_are_neither_lost_nor_reordered(transcript: Transcript, profile: Profile) -> None:
    shown = letters("".join(line for cue in cues(transcript, profile) for line in cue.lines))
    assert shown.replace("→", "-->") == spoken(transcript).replace("→", "-->")


@given(transcripts(), st.sampled_from([PODCAST, *UNNAMED]))
def test_cues_follow_each_other(transcript: Transcript, profile: Profile) -> None:
    found = cues(transcript, profile)
    assert all(cue.end > cue.start >= 0 for cue in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(cue.end - cue.start <= profile.max_duration + 1e-9 for cue in found)


@given(transcripts(), st.sampled_from([PODCAST, *UNNAMED]))
def test_lines_fit(transcript: Transcript, profile: Profile) -> None:
    for cue in cues(transcript, profile):
        assert 1 <= len(cue.lines) <= profile.max_lines
        for line in cue.lines:
            assert width(line) <= profile.max_chars
            assert line.strip()
            assert line == one_line(line).strip()


@given(transcripts())
def test_a_cue_never_mixes_speakers(transcript: Transcript) -> None:
    said_by: list[tuple[str, str]] = []
    for segment in transcript.segments:
        name = one_line(transcript.name_of(segment.speaker)).strip()
        said_by += [(name, letter) for letter in letters(segment.text).replace("→", "-->")]
    shown_by = [
        (cue.speaker, letter)
        for cue in cues(transcript, VTT)
        for letter in letters("".join(cue.lines)).replace("→", "-->")
    ]
    assert shown_by == said_by


@st.composite
def crosstalk(draw: st.DrawFn) -> Transcript:
    """People with tracks of their own, whose words are in order of time each, whoever talks meanwhile."""
    segments = []
    for label in ("SPEAKER_00", "SPEAKER_01", "SPEAKER_02")[: draw(st.integers(1, 3))]:
        start = draw(st.floats(0, 5))
        for length in draw(st.lists(st.sampled_from([1, 2, 4, 9, 30]), max_size=5)):
            each = draw(st.sampled_from([0.15, 0.3, 0.5]))
            segments.append(
                said(" ".join(["so", *["word"] * (length - 1)]) + ".", round(start, 2), each, label)
            )
            start = segments[-1].end + draw(st.sampled_from([0, 0.2, 1.5, 4]))
    segments.sort(key=lambda segment: segment.start)
    third = draw(st.sampled_from(["", "Cy"]))
    return apart(talk(*segments, SPEAKER_00="Ann", SPEAKER_01="Bartholomew Smith-Jones", SPEAKER_02=third))


@given(crosstalk(), st.sampled_from([PODCAST, *UNNAMED]))
def test_all_that_is_said_at_once_is_shown(transcript: Transcript, profile: Profile) -> None:
    found = cues(transcript, profile)
    for label in ("SPEAKER_00", "SPEAKER_01", "SPEAKER_02"):
        name = transcript.name_of(label)
        own = [cue for cue in found if cue.speaker == name]
        shown = " ".join(line for cue in own for line in cue.lines)
        words = [segment.text for segment in transcript.segments if segment.speaker == label]
        assert shown.replace(f"{name}:", "").split() == " ".join(words).split()
        assert all(a.end <= b.start for a, b in pairwise(own))
    starts = [cue.start for cue in found]
    assert starts == sorted(starts)
    assert all(0 < cue.end - cue.start <= profile.max_duration + 1e-9 for cue in found)
    if not (profile.simultaneous and all(cue.speaker for cue in found)):
        assert all(a.end <= b.start for a, b in pairwise(found))


@given(crosstalk())
def test_who_speaks_is_told_wherever_another_comes_between(transcript: Transcript) -> None:
    for before, cue in pairwise(cues(transcript, PODCAST)):
        assert before.speaker == cue.speaker or not cue.speaker or cue.lines[0].startswith(f"{cue.speaker}:")


@given(crosstalk().filter(lambda transcript: all(speaker.name for speaker in transcript.speakers)))
def test_what_is_said_at_once_is_shown_when_it_is_said(transcript: Transcript) -> None:
    words = {(word.start, segment.speaker) for segment in transcript.segments for word in segment.words}
    for cue in cues(transcript, VTT):
        said_at = [start for start, label in words if transcript.name_of(label) == cue.speaker]
        assert min(abs(start - cue.start) for start in said_at) <= 1.0


def test_a_word_thrown_into_a_sentence_is_shown_with_it() -> None:
    first, aside, *_ = cues(CROSSTALK, VTT)
    assert (first.speaker, first.start, first.end) == ("Ann", 0.5, 6.0)
    assert (aside.speaker, aside.start, aside.lines) == ("Bob", 2.6, ("Mhm.",))


def test_for_readers_of_one_cue_at_a_time_the_sentence_is_cut_by_it() -> None:
    texts = [" ".join(cue.lines) for cue in cues(CROSSTALK, NETFLIX)]
    assert texts[:3] == [
        "When we came to the old house",
        "Mhm.",
        "by the river there was nobody, so we waited for hours.",
    ]


def test_the_cues_of_one_person_follow_each_other_whatever_others_say_meanwhile() -> None:
    parts = [
        other(said("Right.", 0.0)),
        said("No.", 0.1, 0.2),  # shown at 0.3
        said("But then I went home, you know.", 0.2, speaker="SPEAKER_02"),
        said("They are here.", 0.3),
    ]
    transcript = apart(talk(*parts, SPEAKER_00="Ann", SPEAKER_01="Bob", SPEAKER_02="Cy"))
    own = [cue for cue in cues(transcript, VTT) if cue.speaker == "Ann"]
    assert all(a.start < a.end <= b.start for a, b in pairwise(own))


def test_a_beginning_of_a_second_before_the_others_end_overlaps_nothing() -> None:
    found = cues(apart(talk(said("One two three four.", 0.0), other(said("Five six.", 0.8)))), VTT)
    assert [(cue.start, cue.end) for cue in found] == [(0.0, 0.8), (0.8, pytest.approx(1.634))]


def test_labels_of_one_name_are_one_speaker() -> None:
    transcript = talk(
        said("So I went", 0.0), said("to the sea.", 0.9, speaker="B"), SPEAKER_00="Ann", B="Ann"
    )
    assert [cue.lines for cue in cues(transcript, PODCAST)] == [("Ann: So I went to the sea.",)]


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
    lengths = [len(line) for cue in found for line in cue.lines]
    assert sum(lengths) == 40
    assert max(lengths) <= 16
    assert len(lengths) <= 4


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


def lines_of(transcript: Transcript, profile: Profile) -> list[str]:
    return [line for cue in cues(transcript, profile) for line in cue.lines]


def pieces(text: str, size: int = 2, language: str = "") -> Transcript:
    """An episode of words that end anywhere, as Whisper has them in scripts without spaces."""
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    words = tuple(Word(i * 0.2, i * 0.2 + 0.2, part) for i, part in enumerate(parts))
    return talk(Segment(0, words[-1].end, None, words), language=language)


def test_french_spaces_stay_and_break_no_line() -> None:
    text = (
        "Il dit\u00a0: «\u00a0Ah\u202f! Vous voilà\u202f?\u00a0» puis « Oui » , "
        "pour 10\u202f000\u00a0€ ; et rien d’autre !"
    )
    for size in range(20, 50):
        lines = lines_of(talk(said(text), language="fr"), replace(VTT, max_chars=size))
        assert " ".join(lines) == text
        assert not any(line[0] in "»:;!?,€" or line[-1] in "«10" for line in lines)


def test_spanish_opening_marks_stay_with_what_follows() -> None:
    text = "Y entonces me preguntó: ¿ qué es lo que quieres? ¡Nada de nada! ¿Y tú?"
    for size in range(16, 50):
        lines = lines_of(talk(said(text), language="es"), replace(VTT, max_chars=size))
        assert not any(line[-1] in "¿¡" for line in lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("สวัสดีครับวันนี้อากาศดีมากเราไปเที่ยวทะเลกันเถอะครับ" * 3, ["สวัสดี", "อากาศ", "เที่ยว", "ทะเล"]),
        (
            "今天天气很好，我们去公园散步吧。《红楼梦》是一本很好看的小说。" * 3,
            ["天气", "公园", "散步", "《红楼梦》", "小说。"],
        ),
        (
            "東京でおいしいラーメンを食べに行きました。「そうですね」と彼は言いました。" * 3,
            ["東京で", "ラーメンを", "「そうですね」"],
        ),
    ],
)
@pytest.mark.parametrize("size", [26, 32, 42])
def test_no_word_of_a_script_without_spaces_is_broken(text: str, words: list[str], size: int) -> None:
    lines = lines_of(pieces(text), replace(VTT, max_chars=size))
    assert "".join(lines) == text
    assert [sum(line.count(word) for line in lines) for word in words] == [text.count(word) for word in words]


def test_korean_breaks_at_spaces_and_keeps_particles() -> None:
    text = "그는 「안녕하세요」라고 말했고 漢字를 3번이나 썼습니다. 그리고 집으로 돌아갔습니다."
    for size in range(20, 40):
        assert " ".join(lines_of(talk(said(text)), replace(VTT, max_chars=size))) == text


def test_ideographic_spaces_stay_within_a_line() -> None:
    assert lines_of(pieces("今日は　良い天気", 3), VTT) == ["今日は　良い天気"]


@pytest.mark.parametrize(("language", "columns"), [("ja", 26), ("zh", 32), ("ko", 32), ("en", 42)])
def test_netflix_has_limits_for_languages(language: str, columns: int) -> None:
    lines = lines_of(pieces("字" * 60, language=language), NETFLIX)
    assert max(map(width, lines)) <= columns == NETFLIX.in_language(language).max_chars


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


@pytest.mark.parametrize(
    "cluster", ["👩\u200d👩\u200d👧", "👍🏽", "🇩🇪", "क्षि", "e\u0301", "\u1100\u1161\u11a8"]
)
def test_what_a_reader_sees_as_one_character_is_never_cut(cluster: str) -> None:
    found = cues(talk(said(cluster * 90, speaker=None)), PODCAST)
    lines = [line for cue in found for line in cue.lines]
    assert len(lines) > 1
    assert all(line.replace(cluster, "") == "" for line in lines)


@pytest.mark.parametrize("letter", ["ที่", "กำ", "ခြ္က", "ខ្ញុំ", "က္ကာ", "か\u3099", "🇩🇪"])
def test_words_of_a_record_that_are_less_than_a_letter_are_never_cut_from_it(letter: str) -> None:
    words = tuple(Word(i / 10, i / 10 + 0.1, char) for i, char in enumerate(letter * 90))
    for size in range(16, 24):
        found = cues(talk(Segment(0, words[-1].end, None, words)), replace(VTT, max_chars=size))
        lines = [line for cue in found for line in cue.lines]
        assert len(lines) > 1
        assert all(line.replace(letter, "") == "" for line in lines)


def test_a_pause_within_speech_starts_a_new_cue() -> None:
    first, second = said("And then he looked", 0.0, speaker=None), said("at all of us.", 3.0, speaker=None)
    assert [cue.lines for cue in cues(talk(first, second), VTT)] == [
        ("And then he looked",),
        ("at all of us.",),
    ]


@pytest.mark.parametrize(
    ("left", "right"), [("in", "the"), ("the", "old"), ("Ada", "Lovelace"), ("5", "million")]
)
def test_what_belongs_together_stays_on_a_line(left: str, right: str) -> None:
    text = "So they met Ada Lovelace in the old house of her mother and gave her 5 million pounds for it."
    for size in range(24, 48):
        lines = [line for cue in cues(talk(said(text)), replace(VTT, max_chars=size)) for line in cue.lines]
        assert f"{left} {right}" in " | ".join(lines)


def test_no_short_word_is_left_alone() -> None:
    text = "This is what all of the people in the room had been waiting so very patiently for."
    for size in range(24, 60):
        found = cues(talk(said(text)), replace(VTT, max_chars=size))
        assert all(" " in line for cue in found for line in cue.lines)


def test_a_cue_lingers_until_it_is_read_but_not_into_the_next() -> None:
    quick = said("This was said rather quickly, wasn't it?", 0.0, each=0.1)
    alone, hurried = (
        talk(quick, other(said("Yes, it was.", 4.0))),
        talk(quick, other(said("Yes, it was.", 0.8))),
    )
    assert cues(alone, VTT)[0].end == 2.0
    assert cues(hurried, VTT)[0].end == 0.8


def other(segment: Segment) -> Segment:
    return replace(segment, speaker="SPEAKER_01")


@pytest.mark.parametrize(
    ("profile", "next_start", "end"),
    [
        (NETFLIX, 2.0, 1.917),
        (NETFLIX, 2.2, 2.117),
        (NETFLIX, 2.3, 1.8),  # twelve frames
        (BBC, 2.6, 2.6),
        (BBC, 2.9, 2.9),
        (BBC, 3.0, 2.0),  # six words take two seconds to read
    ],
)
def test_gaps(profile: Profile, next_start: float, end: float) -> None:
    transcript = talk(said("One two three four five six.", 0.0), other(said("Seven eight.", next_start)))
    assert cues(transcript, profile)[0].end == end


TEXTS = st.sampled_from(["a", "the house,", "of", "London.", "New", "York", "really"])


@given(st.lists(st.tuples(TEXTS, st.sampled_from(["en", "en", "en", "de"])), max_size=9))
def test_the_cuts_are_the_best_there_are(texts: list[tuple[str, str]]) -> None:
    words = [
        _Piece(text, " ", 300 * i, 300 * i + 250, language)
        for i, (text, language) in enumerate([("so", "en"), *texts])
    ]
    run = _Run(words, 4000, replace(VTT, max_chars=12), named=False)

    def cost(ranges: Sequence[tuple[int, int]]) -> float:
        return sum(run.cost(first, last) for first, last in ranges)

    ways = [
        list(pairwise([0, *inner, len(words)]))
        for size in range(len(words))
        for inner in combinations(range(1, len(words)), size)
    ]
    assert cost(run.cues()) == pytest.approx(min(map(cost, ways)))


def test_a_cue_is_in_one_language() -> None:
    found = cues(BILINGUAL, PODCAST)
    assert [(cue.language, " ".join(cue.lines)) for cue in found] == [
        ("en", "Ann: Welcome back to the show."),
        ("de", "Und jetzt auf Deutsch, damit es alle verstehen können."),
        ("en", "Bob: I understood that."),
        ("de", "Ann: Sehr schön."),
    ]
    short = talk(said("No.", language="en"), said("Doch.", 0.3, language="de"))
    assert [cue.lines for cue in cues(short, VTT)] == [("No.",), ("Doch.",)]


def test_lines_break_as_their_language_has_them_break() -> None:
    text = "wir waren im ganzen Land unterwegs und sahen den schönen alten Wald im Herbst"
    german, mixed = cues(talk(said(text), language="de"), VTT), cues(talk(said(text, language="de")), VTT)
    assert [cue.lines for cue in mixed] == [cue.lines for cue in german]
    assert [cue.lines for cue in cues(talk(said(text)), VTT)] != [cue.lines for cue in german]


def test_hours_of_one_speaker_take_seconds() -> None:
    text = "and then of course we all went down to the river, as one does in summer. " * 800
    transcript = talk(said(text.strip()))
    assert len(transcript.words) > 12_000
    began = time.process_time()
    cues(transcript, VTT)
    assert time.process_time() - began < 10  # about 1 s on one core of 2025
