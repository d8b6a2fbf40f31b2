"""One conversation of several tracks: how it reads, and that nothing of it is lost or told twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.alignment.track_words import merge_tracks
from models.record.transcript import Segment, Turn, Word
from tests.models.alignment.samples import A, B, said, times, word_lists

C = "SPEAKER_02"


def by(speaker: str, *parts: Sequence[Word]) -> list[Word]:
    return [replace(word, speaker=speaker) for part in parts for word in part]


def turns_of(*tracks: Sequence[Word]) -> list[Turn]:
    """A turn for each stretch of a speaker's words without a pause."""
    turns = list[Turn]()
    for track in tracks:
        for word in track:
            last = turns[-1] if turns else None
            if last and last.speaker == word.speaker and word.start - last.end < 0.2:
                turns[-1] = replace(last, end=max(last.end, word.end))
            else:
                turns.append(Turn(word.start, word.end, word.speaker or ""))
    return sorted(turns)


def merged(*tracks: Sequence[Word]) -> tuple[Segment, ...]:
    return merge_tracks(tracks, turns_of(*tracks), "en")


def read(*tracks: Sequence[Word]) -> list[tuple[str | None, str, bool]]:
    return [(segment.speaker, segment.text, segment.continues) for segment in merged(*tracks)]


LONG = (
    "and so in the end we all went down to the river where the boats lie in summer, and waited there for "
    "the others until it was quite dark and nobody came any more at all."
)


def test_sentences_read_in_the_order_in_which_they_begin() -> None:
    anne = by(A, said("Where were you?"), said("Really?", 3.0))
    bob = by(B, said("At home. I was ill.", 1.3))
    assert read(anne, bob) == [
        (A, "Where were you?", False),
        (B, "At home.", False),
        (B, "I was ill.", False),
        (A, "Really?", False),
    ]


def test_both_sides_of_crosstalk_are_whole() -> None:
    anne = by(A, said("I think that we should have left much earlier."))
    bob = by(B, said("No, we should have stayed at home all day.", 1.1))
    assert read(anne, bob) == [
        (A, "I think that we should have left much earlier.", False),
        (B, "No, we should have stayed at home all day.", False),
    ]
    overlapped = [word.text for segment in merged(anne, bob) for word in segment.words if word.overlap]
    assert "".join(overlapped) == " we should have left much earlier. No, we should have stayed at"


def test_a_word_thrown_in_does_not_tear_a_sentence() -> None:
    anne, bob = by(A, said(LONG)), by(B, said("Mhm.", 5.0), said("Yes, of course.", 9.0))
    assert read(anne, bob) == [(A, LONG, False), (B, "Mhm.", False), (B, "Yes, of course.", False)]


def test_a_word_thrown_into_a_pause_stands_in_it() -> None:
    anne = by(A, said("It was late and"), said("we all went home.", 2.6))
    bob = by(B, said("Mhm.", 1.9))
    assert read(anne, bob) == [
        (A, "It was late and", False),
        (B, "Mhm.", False),
        (A, "we all went home.", True),
    ]


def test_parts_of_a_sentence_are_in_its_language() -> None:
    anne = by(A, said(LONG, language="de"))
    bob = by(B, said("Which of the boats do you mean?", 6.4, pace=0.2))
    assert [segment.language for segment in merged(anne, bob)] == ["de", "en", "de"]


def test_a_question_in_the_middle_of_a_long_sentence_is_read_there() -> None:
    anne = by(A, said(LONG))  # 14 s; "summer," ends at 7.2 s
    bob = by(B, said("Which of the boats do you mean?", 6.4, pace=0.2))
    assert read(anne, bob) == [
        (A, LONG[: LONG.index(",") + 1], False),
        (B, "Which of the boats do you mean?", False),
        (A, LONG[LONG.index(",") + 2 :], True),
    ]


def test_without_the_end_of_a_clause_a_sentence_is_cut_where_another_cuts_in() -> None:
    text = " ".join(["word"] * 40)
    anne, bob = by(A, said(text)), by(B, said("But what do you mean by that?", 8.1, pace=0.3))
    first, question, second = merged(anne, bob)
    assert [len(one.words) for one in (first, question, second)] == [21, 7, 19]
    assert second.continues


def test_a_sentence_that_is_soon_over_is_not_cut() -> None:
    anne, bob = by(A, said(LONG)), by(B, said("Let me tell you something about that river.", 11.0))
    assert [one.speaker for one in merged(anne, bob)] == [A, B]


def test_who_takes_the_floor_is_read_after_what_is_not_finished_beside_it() -> None:
    anne, bob = by(A, said(LONG)), by(B, said(f"No, {LONG}", 4.0))
    assert [one.text for one in merged(anne, bob)] == [LONG, f"No, {LONG}"]


def test_many_who_cut_in_do_not_shred_a_sentence() -> None:
    anne = by(A, said(LONG))
    bob = by(B, said("But why did you go there? And who was there with you then?", 4.0, pace=0.2))
    carol = by(C, said("I would like to know that too.", 4.4, pace=0.2))
    found = merged(anne, bob, carol)
    assert [(one.speaker, one.continues) for one in found] == [
        (A, False), (B, False), (C, False), (B, False), (A, True),
    ]  # fmt: skip


def test_two_people_in_one_track_are_told_apart_and_may_be_cut_in_by_each_other() -> None:
    couple = [*by(A, said("We met in")), *by(B, said("London.", 1.2)), *by(A, said("Yes. In London.", 2.4))]
    assert [(speaker, text) for speaker, text, _ in read(couple, by(C, said("Nice.", 5.0)))] == [
        (A, "We met in"),
        (B, "London."),
        (A, "Yes."),
        (A, "In London."),
        (C, "Nice."),
    ]


def test_words_are_as_sure_as_the_voices_unless_somebody_told_how_sure_they_are() -> None:
    anne = [replace(word, speaker=A) for word in said("Hello there.")]
    bob = [replace(word, speaker=B, speaker_probability=0.3) for word in said("Hi.", 2.0)]
    turns = [Turn(0.0, 0.8, A, 0.75), Turn(2.0, 2.4, B, 0.9)]
    found = merge_tracks([anne, bob], turns, "en")
    assert [word.speaker_probability for one in found for word in one.words] == [0.75, 0.75, 0.3]


def test_words_of_a_track_end_where_its_own_people_stop() -> None:
    anne, bob = by(A, [Word(0.0, 1.9, " Hello?")]), by(B, said("Yes, I am here.", 0.9))
    found = merge_tracks([anne, bob], [Turn(0.1, 0.8, A), Turn(0.9, 2.5, B)], "en")
    assert (found[0].start, found[0].end) == (0.1, 0.8)


def test_nobody_speaks() -> None:
    assert merge_tracks([], [], "en") == merge_tracks([[], []], [Turn(0, 1, A)], "") == ()


@st.composite
def track_lists(draw: st.DrawFn) -> list[list[Word]]:
    """Tracks of people with labels of their own, the last with two of them or with none."""
    tracks = [by(label, draw(word_lists())) for label in (A, B, C)[: draw(st.integers(0, 3))]]
    shared = draw(st.lists(st.sampled_from(["D", "E", None]), min_size=40, max_size=40))
    tracks.append([replace(word, speaker=one) for word, one in zip(draw(word_lists()), shared, strict=False)])
    return tracks


any_turns = st.lists(st.builds(Turn, times, times, st.sampled_from([A, B, C, "D", "E"])), max_size=20)


@given(track_lists(), any_turns, st.sampled_from(["en", "ja", "", "xx"]))
def test_no_word_is_lost_doubled_or_out_of_order(
    tracks: list[list[Word]], turns: list[Turn], language: str
) -> None:
    segments = merge_tracks(tracks, turns, language)
    for speaker in (A, B, C, "D", "E", None):
        ours = [word.text for one in segments if one.speaker == speaker for word in one.words]
        assert ours == [word.text for track in tracks for word in track if word.speaker == speaker]
    for segment in segments:
        assert {word.speaker for word in segment.words} == {segment.speaker}
        assert segment.start == segment.words[0].start
        assert segment.end == max(word.end for word in segment.words)
    for before, segment in pairwise(segments):
        assert not segment.continues or before.speaker != segment.speaker


@given(track_lists(), st.sampled_from(["en", "ja"]))
def test_segments_begin_in_order_of_time(tracks: list[list[Word]], language: str) -> None:
    starts = [segment.start for segment in merge_tracks(tracks, [], language)]
    assert starts == sorted(starts)


def test_merging_again_what_was_snapped_to_the_turns_changes_nothing() -> None:
    anne, bob = by(A, said(LONG, 0.1)), by(B, said("Which of the boats do you mean?", 5.95, pace=0.2))
    turns = [Turn(0.0, 14.5, A), Turn(5.9, 7.5, B)]
    once = merge_tracks([anne, bob], turns, "en")
    tracks = [[word for one in once if one.speaker == label for word in one.words] for label in (A, B)]
    assert merge_tracks(tracks, turns, "en") == once
