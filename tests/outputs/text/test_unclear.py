"""Marks in what people read, where somebody speaks and no words were found."""

from models.record.transcript import AudioFile, Episode, Repair, Segment, Transcript, Turn, Word
from outputs.formats import html
from outputs.text.unclear import with_unclear


def segment(start: float, text: str, speaker: str = "A") -> Segment:
    words = tuple(
        Word(start + i, start + i + 0.9, f" {word}", speaker=speaker) for i, word in enumerate(text.split())
    )
    return Segment(start, words[-1].end, speaker, words)


def transcript(*repairs: Repair) -> Transcript:
    return Transcript(
        Episode(id="x"),
        AudioFile("a.mp3", "x", 30.0),
        "en",
        (segment(0, "one two three"), segment(10, "four five", "B")),
        turns=(Turn(0, 6, "A"), Turn(4.5, 12, "B")),
        repairs=repairs,
    )


def texts(found: Transcript) -> list[tuple[str | None, str]]:
    return [(each.speaker, each.text) for each in found.segments]


def test_a_long_stretch_is_marked_where_it_is_as_said_by_who_speaks_longest() -> None:
    marked = with_unclear(transcript(Repair(4, 9, "unheard")))
    assert texts(marked) == [("A", "one two three"), ("B", "(unclear)"), ("B", "four five")]
    assert (marked.segments[1].start, marked.segments[1].end) == (4, 9)


def test_one_within_a_sentence_is_marked_between_its_words() -> None:
    long = Segment(0, 9, "A", (Word(0, 0.5, " one"), Word(8, 9, " two")))
    found = with_unclear(
        Transcript(Episode("x"), AudioFile("a", "x", 9.0), "en", (long,), repairs=(Repair(1, 7, "unheard"),))
    )
    assert texts(found) == [("A", "one (unclear) two")]


def test_before_all_and_after_all() -> None:
    marked = with_unclear(transcript(Repair(20, 25, "unheard")))
    assert texts(marked)[-1] == (None, "(unclear)")
    empty = Transcript(Episode("x"), AudioFile("a", "x", 9.0), "", repairs=(Repair(1, 7, "unheard"),))
    assert texts(with_unclear(empty)) == [(None, "(unclear)")]


def test_short_stretches_and_other_repairs_are_not_marked() -> None:
    plain = transcript(
        Repair(4, 5.5, "unheard"), Repair(4, 9, "wordless", "hm"), Repair(4, 9, "lost", "", "so")
    )
    assert with_unclear(plain) == plain


def test_the_page_shows_the_mark_and_the_record_stays_as_it_was() -> None:
    found = transcript(Repair(4, 9, "unheard"))
    assert "(unclear)" in html.render(found)
    assert "(unclear)" not in html.render(transcript())
    assert all("(unclear)" not in word.text for word in found.words)
