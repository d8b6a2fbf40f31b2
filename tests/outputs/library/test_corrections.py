from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.record.errors import OutputError
from models.record.transcript import Review, Segment, Speaker, Transcript, Turn, Word
from outputs.formats.registry import FORMATS
from outputs.library import read
from outputs.library.corrections import (
    JOIN,
    NAME,
    SPEAKER,
    SPLIT,
    WORDS,
    Correction,
    apply_corrections,
    carry_over,
    load,
    render,
)
from outputs.library.write import publish
from tests.outputs.samples import (
    BILINGUAL,
    CONVERSATION,
    NASTY_TEXTS,
    letters,
    said,
    spoken,
    talk,
    transcripts,
    word_changes,
)

FIRST = CONVERSATION.segments[0]


def rewritten(transcript: Transcript, at: int, text: str) -> Transcript:
    found = apply_corrections(transcript, word_changes(transcript.segments[at].words, text))
    assert found.waiting == ()
    return found.transcript


def timed(segment: Segment) -> list[tuple[float, float, str]]:
    return [(word.start, word.end, word.text) for word in segment.words]


def heard(text: str, start: float = 0.5, shift: float = 0.0) -> Transcript:
    """What another model heard, a little earlier or later."""
    return replace(CONVERSATION, segments=(said(text, start + shift), *CONVERSATION.segments[1:]))


def test_what_is_corrected_stays_in_its_language() -> None:
    fixed = rewritten(BILINGUAL, 1, "Und nun auf gut Deutsch, damit es alle verstehen können.")
    german = fixed.segments[1]
    words = tuple(word.text for word in german.words)
    bob = Correction(SPEAKER, german.start, german.end, words, speaker="SPEAKER_01")
    given_away = apply_corrections(fixed, [bob]).transcript
    assert given_away.segments[1].speaker == "SPEAKER_01"
    for segment in (german, given_away.segments[1]):
        assert {segment.language, *(word.language for word in segment.words)} == {"de"}


def test_segments_of_two_languages_that_are_joined_are_in_that_of_the_first() -> None:
    first, second, *_ = BILINGUAL.segments
    seam = (first.words[-1], second.words[0])
    join = Correction(JOIN, seam[0].start, seam[1].end, tuple(word.text for word in seam))
    joined = apply_corrections(BILINGUAL, [join]).transcript.segments[0]
    assert joined.text == f"{first.text} {second.text}"
    assert {joined.language, *(word.language for word in joined.words)} == {"en"}


def test_unchanged_words_keep_their_times_and_new_ones_share_those_of_what_they_replace() -> None:
    fixed = rewritten(CONVERSATION, 0, "Welcome back to this great show, everybody. I'm Anne.")
    assert timed(fixed.segments[0]) == [
        (0.5, 0.8, " Welcome"),
        (0.8, 1.1, " back"),
        (1.1, 1.4, " to"),
        (1.4, 1.533, " this"),
        (1.533, 1.7, " great"),
        (1.7, 2.0, " show,"),
        (2.0, 2.3, " everybody."),
        (2.3, 2.6, " I'm"),
        (2.6, 2.9, " Anne."),
    ]
    assert fixed.segments[1:] == CONVERSATION.segments[1:]
    assert fixed.segments[0].words[3].probability == 1.0


def test_words_put_in_fill_the_silence_or_share_with_the_word_before() -> None:
    pause = talk(replace(FIRST, words=(Word(0, 0.5, " Hello"), Word(2.0, 2.4, " there."))))
    assert timed(rewritten(pause, 0, "Hello you there.").segments[0]) == [
        (0, 0.5, " Hello"),
        (0.5, 0.78, " you"),
        (2.0, 2.4, " there."),
    ]
    tight = talk(replace(FIRST, words=(Word(0, 0.5, " Hello"), Word(0.5, 0.9, " there."))))
    assert timed(rewritten(tight, 0, "Hello abcde there.").segments[0]) == [
        (0, 0.25, " Hello"),
        (0.25, 0.5, " abcde"),
        (0.5, 0.9, " there."),
    ]
    first = rewritten(tight, 0, "Well, hello there.").segments[0]
    assert [word.text for word in first.words] == [" Well,", " hello", " there."]
    assert timed(first)[2] == timed(tight.segments[0])[1]


def test_words_can_be_removed_and_a_segment_with_them() -> None:
    assert rewritten(CONVERSATION, 0, "Welcome back to the show.").segments[0].words[-1].text == " show."
    assert rewritten(CONVERSATION, 3, "").segments == CONVERSATION.segments[:3]


def test_scripts_without_spaces() -> None:
    words = (Word(0, 0.6, "今天"), Word(0.6, 1.2, "天气"), Word(1.2, 1.8, "很好。"))
    fixed = rewritten(talk(Segment(0, 1.8, None, words)), 0, "今天空气很好。")
    assert fixed.segments[0].text == "今天空气很好。"
    assert timed(fixed.segments[0])[0] == (0, 0.6, "今天")
    assert timed(fixed.segments[0])[-1] == (1.2, 1.8, "很好。")


@given(transcripts(), st.data())
def test_any_text_can_be_typed(
    tmp_path_factory: pytest.TempPathFactory, transcript: Transcript, data: st.DataObject
) -> None:
    typed = [number for number, segment in enumerate(transcript.segments) if letters(segment.text)]
    if not typed:
        return
    words = transcript.segments[data.draw(st.sampled_from(typed))].words
    text = data.draw(st.text(max_size=40) | st.sampled_from(NASTY_TEXTS))
    changes = tuple(word_changes(words, text))
    folder = tmp_path_factory.getbasetemp()
    (folder / "corrections.json").write_bytes(render(changes))
    assert load(folder) == changes
    found = apply_corrections(transcript, changes)
    if not found.waiting:  # words whose times are all wrong may not be found again
        assert letters(text.replace("-->", "→")) in spoken(found.transcript)


@given(
    st.lists(st.sampled_from(["a", "b", "c", "d,", "e."]), min_size=1, max_size=8),
    st.lists(st.sampled_from(["a", "b", "c", "d,", "e.", "new", "words"]), max_size=8),
)
def test_what_is_typed_is_what_is_read(before: list[str], after: list[str]) -> None:
    transcript = talk(said(" ".join(before), 1.0), said("and on it goes", 9))
    found = apply_corrections(transcript, word_changes(transcript.segments[0].words, " ".join(after)))
    assert found.waiting == ()
    assert " ".join(found.transcript.segments[0].text.split()) == (" ".join(after) or "and on it goes")
    words = found.transcript.segments[0].words
    assert all(one.start <= one.end and one.end <= two.start + 1e-9 for one, two in pairwise(words))
    kept = {(word.start, word.end, word.text) for word in transcript.words}
    assert kept & set(timed(found.transcript.segments[0])) or not set(before) & set(after)


@pytest.mark.parametrize("letter", ["ที่", "กำ", "က္ကာ", "ខ្ញុំ", "か\u3099"])
def test_what_is_typed_without_spaces_becomes_words_of_whole_letters(letter: str) -> None:
    transcript = talk(said("hello there", 1.0), said("and on it goes", 9))
    found = apply_corrections(transcript, word_changes(transcript.segments[0].words, f"hello {letter * 3}"))
    assert [word.text for word in found.transcript.segments[0].words] == [
        " hello",
        f" {letter}",
        letter,
        letter,
    ]


def test_a_better_model_that_times_words_otherwise_keeps_corrections() -> None:
    fixes = word_changes(FIRST.words, "Welcome back to the show, everybody. I'm Anne.")
    found = apply_corrections(heard("Welcome again to our show everyone. I'm Ann,", shift=0.4), fixes)
    assert found.waiting == ()
    assert found.transcript.segments[0].text == "Welcome again to our show everyone. I'm Anne."


def test_a_model_that_hears_it_right_needs_no_correction() -> None:
    right = heard("Welcome back to the show, everybody. I'm Anne.")
    found = apply_corrections(
        right, word_changes(FIRST.words, "Welcome back to the show, everybody. I'm Anne.")
    )
    assert found.waiting == ()
    assert found.transcript.words == right.words


def test_a_word_that_was_corrected_twice_and_is_heard_right_by_now() -> None:
    once = word_changes(FIRST.words, "Welcome back to the show, everybody. I'm Am.")
    middle = apply_corrections(CONVERSATION, once).transcript
    twice = word_changes(middle.segments[0].words, "Welcome back to the show, everybody. I'm Anne.")
    assert (
        apply_corrections(heard("Welcome back to the show, everybody. I'm Anne."), [*once, *twice]).waiting
        == ()
    )


def test_corrections_whose_words_are_gone_wait() -> None:
    fixes = word_changes(FIRST.words, "Welcome back to the show, everybody. I'm Anne.")
    for other in (heard("Something else is said."), heard("I'm Ann.", shift=30)):
        found = apply_corrections(other, fixes)
        assert found.waiting == tuple(fixes)
        assert found.transcript == other


def test_the_nearest_of_equal_words_is_meant() -> None:
    same = talk(said("no no no no no", 0, 0.4))
    fixed = rewritten(same, 0, "no no yes no no")
    assert [word.text for word in fixed.words] == [" no", " no", " yes", " no", " no"]


def test_speakers_of_passages() -> None:
    bob = Correction(SPEAKER, 0.5, 2.9, tuple(word.text for word in FIRST.words), speaker="SPEAKER_01")
    found = apply_corrections(CONVERSATION, [bob])
    assert [segment.speaker for segment in found.transcript.segments[:2]] == ["SPEAKER_01", "SPEAKER_01"]
    assert {word.speaker for word in found.transcript.segments[0].words} == {"SPEAKER_01"}
    again = heard("Welcome back to our show everybody. I'm Ann.", shift=0.1)
    assert apply_corrections(again, [bob]).transcript.segments[0].speaker == "SPEAKER_01"
    assert apply_corrections(heard("Nothing of it is left here now."), [bob]).waiting == (bob,)


def test_a_speaker_is_given_to_the_part_that_was_meant() -> None:
    long = talk(said("one two three four five six", 0, 0.5), SPEAKER_00="Ann")
    part = Correction(SPEAKER, 1.0, 2.0, (" three", " four"), speaker="X")
    segments = apply_corrections(long, [part, Correction(NAME, speaker="X", now="Xe")]).transcript.segments
    assert [(segment.speaker, segment.text) for segment in segments] == [
        ("SPEAKER_00", "one two"),
        ("X", "three four"),
        ("SPEAKER_00", "five six"),
    ]


def test_people_who_talk_at_once_are_told_apart() -> None:
    crossed = talk(said("well I think", 0, 0.5), said("hm yes", 0.4, 0.3, "SPEAKER_01"), said("so", 3))
    moved = apply_corrections(
        crossed, [Correction(SPEAKER, 0, 1.5, (" well", " I", " think"), speaker="SPEAKER_02")]
    ).transcript
    assert [segment.speaker for segment in moved.segments] == ["SPEAKER_02", "SPEAKER_01", "SPEAKER_00"]


def test_split_and_join_undo_each_other() -> None:
    seam = {"start": 0.8, "end": 1.4, "was": (" back", " to")}
    split = apply_corrections(CONVERSATION, [Correction(SPLIT, **seam)])  # type: ignore[arg-type]
    assert [segment.text for segment in split.transcript.segments[:2]] == [
        "Welcome back",
        "to the show, everybody. I'm Ann.",
    ]
    assert [segment.speaker for segment in split.transcript.segments[:2]] == ["SPEAKER_00"] * 2
    joined = apply_corrections(CONVERSATION, [Correction(SPLIT, **seam), Correction(JOIN, **seam)])  # type: ignore[arg-type]
    assert [s.text for s in joined.transcript.segments] == [s.text for s in CONVERSATION.segments]
    assert apply_corrections(CONVERSATION, [Correction(JOIN, **seam)]).waiting == ()  # type: ignore[arg-type]


def test_joining_gives_the_words_to_the_first_speaker() -> None:
    seam = Correction(JOIN, 2.6, 4.3, (" Ann.", " And"))
    joined = apply_corrections(CONVERSATION, [seam]).transcript.segments
    assert joined[0].text == "Welcome back to the show, everybody. I'm Ann. And I'm Bob, hello!"
    assert joined[0].speaker == "SPEAKER_00"
    assert len(joined) == 3


def test_names_and_new_speakers() -> None:
    named = apply_corrections(CONVERSATION, [Correction(NAME, speaker="SPEAKER_01", now="Bobby")]).transcript
    assert named.speakers[1] == Speaker("SPEAKER_01", "Bobby", "user", 1.0)


def test_carried_to_a_run_with_other_labels() -> None:
    fixes = (
        Correction(NAME, speaker="SPEAKER_00", now="Anne"),
        Correction(SPEAKER, 9.0, 9.6, (" Somebody", " coughs."), speaker="SPEAKER_01"),
        Correction(NAME, speaker="ADDED_01", now="Cat"),
        Correction(WORDS, 0.5, 0.8, (" Welcome",), " Hi"),
    )
    swap = {"SPEAKER_00": "SPEAKER_01", "SPEAKER_01": "SPEAKER_00"}
    now = replace(
        CONVERSATION,
        turns=tuple(Turn(t.start, t.end, swap.get(t.speaker, t.speaker)) for t in CONVERSATION.turns),
    )
    assert [one.speaker for one in carry_over(fixes, CONVERSATION, now)] == [
        "SPEAKER_01",
        "SPEAKER_00",
        "ADDED_01",
        "",
    ]


def test_a_voice_that_nobody_matches_gets_a_label_of_its_own() -> None:
    alone = replace(
        CONVERSATION, turns=(Turn(20, 30, "SPEAKER_00"),), speakers=(Speaker("SPEAKER_00", "Speaker 1"),)
    )
    fixes = (
        Correction(NAME, speaker="SPEAKER_00", now="Ann"),
        Correction(NAME, speaker="SPEAKER_01", now="B"),
    )
    assert [one.speaker for one in carry_over(fixes, CONVERSATION, alone)] == ["ADDED_01", "ADDED_02"]


def test_who_is_found_no_more_keeps_the_name() -> None:
    fix = Correction(SPEAKER, 9.0, 9.6, (" Somebody", " coughs."), speaker="SPEAKER_01")
    nobody = replace(CONVERSATION, turns=(), speakers=())
    made = carry_over((fix,), CONVERSATION, nobody)
    coughs = apply_corrections(nobody, made).transcript.segments[3]
    assert apply_corrections(nobody, made).transcript.name_of(coughs.speaker) == "Bob"
    numbered = replace(CONVERSATION, speakers=(Speaker("SPEAKER_01", "Speaker 1"),))
    made = carry_over((fix,), numbered, nobody)
    assert apply_corrections(nobody, made).transcript.speakers == (Speaker("ADDED_01", "Speaker 1"),)


def test_kept_in_a_file_and_laid_over_all_but_the_record(tmp_path: Path) -> None:
    fixes = tuple(word_changes(FIRST.words, "Welcome back to the show, everybody. I'm Zoë.", edit=1))
    publish(CONVERSATION, tmp_path, FORMATS, fixes)
    assert load(tmp_path) == fixes
    assert (tmp_path / "corrections.json").read_bytes() == render(fixes)
    record = replace(CONVERSATION, review=Review(0, 0))
    assert read.load(tmp_path) == apply_corrections(record, fixes).transcript
    assert read.load_record(tmp_path) == record
    for name, entry in FORMATS.items():
        if name not in ("rttm", "podlove-chapters") and not entry.needs:
            data = (tmp_path / entry.file_name).read_bytes()
            if name == "docx":
                data = zipfile.ZipFile(io.BytesIO(data)).read("word/document.xml")
            assert ("Zoë" in data.decode()) == (name != "episode"), name
    publish(CONVERSATION, tmp_path, FORMATS)
    assert "Zoë" in (tmp_path / "transcript.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", '{"version": 0, "corrections": []}', '{"version": 1, "corrections": [{"kind": "eval"}]}',
        '{"version": 1, "corrections": [{"kind": "words", "was": [1]}]}', '{"version": 1, "corrections": [{"kin": 1}]}',
        '{"version": 1, "corrections": [{"kind": "words", "start": "soon"}]}', "[" * 100_000,
    ],
)  # fmt: skip
def test_a_damaged_list_is_named_and_left_alone(tmp_path: Path, text: str) -> None:
    publish(CONVERSATION, tmp_path, [])
    (tmp_path / "corrections.json").write_text(text)
    with pytest.raises(OutputError, match=r"corrections\.json: damaged") as caught:
        publish(CONVERSATION, tmp_path, FORMATS)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "corrections.json").read_text() == text
