from __future__ import annotations

from dataclasses import replace

from models.record.transcript import FROM_FILE, Chapter, Chapters, Segment, Transcript
from outputs.library.passages import LEAST_SECONDS, MOST_SECONDS, SENTENCE_SECONDS, passages_of
from tests.outputs.samples import said, talk


def sentence(start: float, name: str = "SPEAKER_00", seconds: float = 10.0) -> Segment:
    return said(f"At {start:.0f} something is said.", start, seconds / 5, speaker=name)


def starts(transcript: Transcript) -> list[float]:
    return [passage.sentences[0].start for passage in passages_of(transcript)]


def test_a_passage_goes_on_over_speakers_until_it_is_long_enough() -> None:
    quick = talk(*(sentence(10.0 * n, f"SPEAKER_0{n % 2}") for n in range(9)))
    assert starts(quick) == [0.0, 30.0, 60.0]
    first = passages_of(quick)[0]
    assert [one.speaker for one in first.sentences] == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_00"]
    assert first.text == "At 0 something is said. At 10 something is said. At 20 something is said."


def test_a_long_pause_ends_a_passage_and_so_does_a_listed_chapter() -> None:
    parts = talk(sentence(0), sentence(10), sentence(24.5), sentence(34.5), sentence(44.5))
    assert starts(parts) == [0.0, 24.5]
    chapters = Chapters(FROM_FILE, (Chapter(0.0, "a"), Chapter(10.0, "b"), Chapter(34.0, "c", listed=False)))
    assert starts(replace(parts, chapters=chapters)) == [0.0, 10.0, 24.5]


def test_none_is_longer_than_a_minute_where_nobody_writes_full_stops() -> None:
    endless = talk(said(" ".join(["und"] * 600), 0, 0.4))
    passages = passages_of(endless)
    assert sum(len(one.words) for passage in passages for one in passage.sentences) == 600
    for passage in passages:
        assert all(one.end - one.start <= SENTENCE_SECONDS for one in passage.sentences)
        assert passage.sentences[-1].end - passage.sentences[0].start <= MOST_SECONDS
    assert all(p.sentences[-1].end - p.sentences[0].start >= LEAST_SECONDS for p in passages[:-1])


def test_a_segment_of_several_sentences_is_several() -> None:
    (passage,) = passages_of(talk(said("你好。", 0), said("Hello there. How are you?", 1), said(" ", 3)))
    assert [one.text for one in passage.sentences] == ["你好。", "Hello there.", "How are you?"]
    assert passage.sentences[2].start == 1.6
    assert passages_of(talk()) == ()
