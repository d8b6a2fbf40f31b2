"""What corrections of earlier episodes teach, made as the edit page makes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models.record.transcript import Episode
from outputs.library import lessons, read
from outputs.library.editing import EditingSession
from outputs.library.lessons import Lessons, lessons_for, terms_corrected
from outputs.library.write import publish
from tests.outputs.samples import said, talk, word_changes

FEED = "https://example.org/feed.xml"
NEXT = Episode("next", "The Show", "next", feed_url=FEED)


def put(show: Path, number: int, *texts: str, feed: str = FEED) -> EditingSession:
    """An episode of these segments in the show's folder, about to be corrected."""
    parts = [
        said(text, 4.0 * i, speaker=f"SPEAKER_{i % 2:02}")
        for i, text in enumerate(texts or ("Hello there.",))
    ]
    record = talk(*parts, SPEAKER_00="Speaker 1", SPEAKER_01="Speaker 2")
    episode = Episode(f"e{number}", "The Show", f"g{number}", feed_url=feed)
    folder = show / f"2026-11-{number:02}-pilot"
    publish(replace(record, episode=episode), folder, [])
    return EditingSession(folder)


def correct(session: EditingSession, at: int, text: str) -> None:
    paragraph = session.page()["paragraphs"][at]["id"]
    session.edit(text, "", {"do": "text", "paragraph": paragraph, "text": text})


def learnt(show: Path) -> Lessons:
    return lessons_for(NEXT, show / "2026-12-01-next")


def test_names_and_terms_put_in_by_hand_are_learnt(tmp_path: Path) -> None:
    session = put(tmp_path, 1, "I met Gale Dewey there.", "It was a poem or feen, I think.")
    correct(session, 0, "I met Gaël Duez there.")
    correct(session, 1, "It was apomorphine, I think.")
    found = learnt(tmp_path)
    assert found.terms == ("Gaël Duez", "apomorphine")
    assert found.misheard == (("Gale Dewey", "Gaël Duez"), ("a poem or feen", "apomorphine"))


def test_names_given_to_speakers_are_learnt(tmp_path: Path) -> None:
    session = put(tmp_path, 1, "Hello.", "Hi.")
    session.edit("1", "", {"do": "rename", "speaker": "SPEAKER_00", "name": "Anne Currie"})
    assert learnt(tmp_path).terms == ("Anne Currie",)
    record = read.load_record(session.folder)
    publish(
        record.renamed("SPEAKER_01", "Gaël Duez"), session.folder, []
    )  # as `episcribe speakers rename` does
    assert learnt(tmp_path).terms == ("Gaël Duez", "Anne Currie")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("I saw it over there.", "I saw it over their."),
        ("He was here with us.", "He was here with all of us on that day."),
        ("we know the man", "We know the man."),
        ("It was the first time that he ever saw it.", "That was Rome, where nobody had been before then."),
    ],
)
def test_ordinary_words_and_sentences_written_anew_teach_nothing(
    tmp_path: Path, before: str, after: str
) -> None:
    correct(put(tmp_path, 1, before), 0, after)
    assert learnt(tmp_path) == Lessons()


def test_an_ordinary_word_is_no_sign_of_the_name_that_it_once_stood_for(tmp_path: Path) -> None:
    correct(put(tmp_path, 1, "It was because of him."), 0, "It was Bukephalos of him.")
    assert learnt(tmp_path) == Lessons(("Bukephalos",), ())


def test_what_was_corrected_again_or_undone_does_not_count(tmp_path: Path) -> None:
    session = put(tmp_path, 1, "I met Sherbon there.", "And Bob Marsh.")
    correct(session, 0, "I met Sherborne there.")
    correct(session, 0, "I met Sherburn there.")
    correct(session, 1, "And Bob March.")
    session.edit("undo", "", {"do": "undo", "edit": "And Bob March."})
    assert learnt(tmp_path).terms == ("Sherburn",)


def test_only_the_same_show_teaches_and_never_the_episode_itself(tmp_path: Path) -> None:
    other = put(tmp_path, 1, "I met Gale Dewey there.", feed="https://example.org/other.xml")
    correct(other, 0, "I met Gaël Duez there.")
    own = put(tmp_path, 2, "I met Ann Curry there.")
    correct(own, 0, "I met Anne Currie there.")
    assert lessons_for(NEXT, own.folder) == Lessons()
    assert learnt(tmp_path).terms == ("Anne Currie",)


def test_so_many_of_the_newest_episodes_and_so_many_terms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "MAX_EPISODES", 2)
    monkeypatch.setattr(lessons, "MAX_TERMS", 3)
    for number, name in enumerate(("Ann", "Bob", "Carl"), start=1):
        session = put(tmp_path, number, "I met her there.", "and him here")
        correct(session, 0, f"I met {name}sson there.")
        correct(session, 1, f"and {name}dottir here")
    assert learnt(tmp_path).terms == ("Carlsson", "Carldottir", "Bobsson")


def test_a_damaged_neighbour_is_no_reason_to_stop(tmp_path: Path) -> None:
    correct(put(tmp_path, 1, "I met Gale Dewey there."), 0, "I met Gaël Duez there.")
    put(tmp_path, 2)
    (tmp_path / "2026-11-02-pilot" / "corrections.json").write_text("{")
    put(tmp_path, 3)
    (tmp_path / "2026-11-03-pilot" / "episode.json").write_text("{")
    assert learnt(tmp_path).terms == ("Gaël Duez",)


def test_an_apostrophe_and_marks_are_no_part_of_a_term() -> None:
    words = said("at Sherborn's, palings").words
    changes = word_changes(words, "at “Sherburn’s” palings")
    assert list(terms_corrected(changes)) == [("Sherborn", "Sherburn")]
