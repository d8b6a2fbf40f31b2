from __future__ import annotations

from models.record.cropping import crop
from tests.outputs.samples import BILINGUAL, CONVERSATION


def test_words_and_turns_are_timed_from_the_start_of_the_piece() -> None:
    piece = crop(CONVERSATION, 2.4, 4.5)
    assert [(segment.speaker, segment.text) for segment in piece.segments] == [
        ("SPEAKER_00", "I'm Ann."),
        ("SPEAKER_01", "And I'm"),
    ]
    # "I'm" began before the piece and "I'm" ends after it: both are cut to it.
    assert [(round(word.start, 3), round(word.end, 3)) for word in piece.words] == [
        (0.0, 0.2),
        (0.2, 0.5),
        (1.6, 1.9),
        (1.9, 2.1),
    ]
    assert piece.audio.seconds == 2.1
    assert [(round(turn.start, 3), round(turn.end, 3)) for turn in piece.turns] == [(0, 0.5), (1.6, 2.1)]


def test_a_silent_piece() -> None:
    assert crop(CONVERSATION, 3.0, 3.9).segments == ()


def test_a_piece_keeps_its_languages() -> None:
    piece = crop(BILINGUAL, 3.7, 7.0)
    assert [(segment.language, segment.text) for segment in piece.segments] == [
        ("de", "damit es alle verstehen können."),
        ("en", "I understood that."),
    ]
    assert [(one.language, one.share) for one in piece.languages] == [("de", 0.625), ("en", 0.375)]
