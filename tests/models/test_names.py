from __future__ import annotations

from models.names import keep_given_names, name_speakers
from models.transcript import AudioFile, Episode, Segment, Speaker, Transcript, Turn

AUDIO = AudioFile("a.mp3", "0" * 64, 60.0)


def transcript(turns: list[Turn], speakers: list[Speaker], audio: AudioFile = AUDIO) -> Transcript:
    return Transcript(Episode("id"), audio, "en", turns=tuple(turns), speakers=tuple(speakers))


def test_speakers_are_numbered_in_order_of_first_words() -> None:
    segments = [
        Segment(0, 1, "B", ()),
        Segment(1, 2, None, ()),
        Segment(2, 3, "A", ()),
        Segment(3, 4, "B", ()),
    ]
    assert [(s.label, s.name) for s in name_speakers(segments)] == [("B", "Speaker 1"), ("A", "Speaker 2")]


def test_a_given_name_follows_the_voice_to_another_label() -> None:
    before = transcript(
        [Turn(0, 10, "A"), Turn(10, 20, "B")], [Speaker("A", "Ann", "user", 1.0), Speaker("B", "Speaker 2")]
    )
    now = transcript(
        [Turn(0, 9, "B"), Turn(9, 20, "A")], [Speaker("B", "Speaker 1"), Speaker("A", "Speaker 2")]
    )
    assert [(s.label, s.name) for s in keep_given_names(now, before)] == [("B", "Ann"), ("A", "Speaker 2")]


def test_a_given_name_is_not_forced_on_somebody_else() -> None:
    before = transcript([Turn(0, 10, "A")], [Speaker("A", "Ann", "user", 1.0)])
    now = transcript([Turn(8, 40, "A")], [Speaker("A", "Speaker 1")])
    assert [s.name for s in keep_given_names(now, before)] == ["Speaker 1"]


def test_another_recording_keeps_its_own_names() -> None:
    before = transcript([Turn(0, 10, "A")], [Speaker("A", "Ann", "user", 1.0)])
    now = transcript([Turn(0, 10, "A")], [Speaker("A", "Speaker 1")], AudioFile("b.mp3", "1" * 64, 60.0))
    assert [s.name for s in keep_given_names(now, before)] == ["Speaker 1"]
