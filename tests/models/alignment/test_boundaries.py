from __future__ import annotations

from models.alignment.attribution import assign_speakers, spans_by_speaker
from models.alignment.boundaries import absorb_stray_words, repair_boundaries
from models.record.transcript import Turn
from tests.models.alignment.samples import A, B, said


def test_a_change_of_speaker_in_mid_sentence_stays_where_no_sentence_ends_near() -> None:
    words = said("so I was going to say that never mind please go on")
    labelled = assign_speakers(words, [Turn(0, 2.4, A), Turn(2.4, 9, B)])
    assert repair_boundaries(labelled) == labelled


def test_a_word_that_its_turn_hardly_covers_does_not_interrupt() -> None:
    words = said("it was late and we went home.")
    turns = [Turn(0, 1.2, A), Turn(1.2, 1.3, B), Turn(1.6, 4, A)]
    labelled = assign_speakers(words, turns)
    assert [word.speaker for word in labelled] == [A, A, A, B, A, A, A]
    absorbed = absorb_stray_words(labelled, spans_by_speaker(turns))
    assert [word.speaker for word in absorbed] == [A] * 7
