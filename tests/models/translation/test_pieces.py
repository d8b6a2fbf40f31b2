from __future__ import annotations

from dataclasses import replace

from models.record.transcript import Segment
from models.translation.pieces import halved, packed, put_back, sentences
from tests.outputs.samples import said


def numbers(*segments: Segment, seconds: float = 28.0) -> list[tuple[int, ...]]:
    return [piece.numbers for piece in packed(sentences(segments, "de"), seconds)]


def test_sentences_of_one_speaker_go_together_while_they_fit() -> None:
    assert numbers(
        said("a b c.", 0), said("d e f.", 2), said("g.", 4), said("h.", 5, speaker="SPEAKER_01")
    ) == [
        (0, 1, 2),
        (3,),
    ]
    assert numbers(said("a b c.", 0), said("d e f.", 2), seconds=2.5) == [(0,), (1,)]
    assert numbers(said("a.", 0), said("b.", 9)) == [(0,), (1,)]  # after a pause
    assert numbers(said("a.", 9), said("b.", 0)) == [(0,), (1,)]  # on a track that lies earlier


def test_languages_are_apart() -> None:
    assert numbers(said("a.", 0), replace(said("b.", 1), language="es")) == [(0,), (1,)]


def test_a_sentence_goes_on_over_what_is_thrown_in_and_what_follows_joins_it() -> None:
    begun, aside = said("a b", 0), said("c.", 2, 0.5, "SPEAKER_01")
    rest, more = replace(said("d.", 2.5), continues=True), said("e.", 4)
    assert numbers(begun, aside, rest, more) == [(0, 2, 3), (1,)]


def test_a_long_sentence_is_cut_at_its_longest_pause_near_the_middle() -> None:
    first, second = said("a b c d", 0), said("e f g h", 4.8)
    whole = replace(first, end=second.end, words=first.words + second.words)
    (piece,) = sentences([whole], "de")
    assert [half.text for half in halved(piece)] == ["a b c d", "e f g h"]
    assert numbers(whole, seconds=5.0) == [(0,), (0,)]


def test_pieces_that_stay_make_the_same_segments_again() -> None:
    segments = (said("Guten Tag.", 0), said("Ja.", 3, speaker="SPEAKER_01"), said("Wie geht es?", 5))
    pieces = packed(sentences(segments, "de"), 28.0)
    found, warning = put_back(segments, "de", "en", [(piece, None) for piece in pieces])
    assert [(one.speaker, one.text, one.start, one.language) for one in found] == [
        (one.speaker, one.text, one.start, "de") for one in segments
    ]
    assert warning.startswith("3 of 3")
