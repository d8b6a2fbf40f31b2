from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.record.errors import InputError
from models.record.transcript import FROM_FILE, Chapter, Chapters, Transcript
from outputs.library.corrections import written
from outputs.library.index import FILE_NAME
from outputs.library.mentions import mentions
from outputs.library.search import COUNTED, SearchResult, search, update
from outputs.library.write import publish
from outputs.text.tokens import tokens
from tests.outputs.samples import CONVERSATION, said, talk, transcripts


def episode(transcript: Transcript, title: str, show: str = "The Show", published: str = "") -> Transcript:
    return replace(
        transcript, episode=replace(transcript.episode, title=title, show=show, published=published)
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("library")
    publish(episode(CONVERSATION, "Pilot"), library / "the-show" / "2026-01-01-pilot", [])
    trains = talk(
        said("Der Zug nach Köln fährt heute nicht.", 3),
        said("Welcome to the café, the train is late.", 60, speaker="SPEAKER_01"),
        said("The show is late, too; welcome all the same to the show.", 70),
        SPEAKER_00="Jürgen Groß",
        SPEAKER_01="Ann Other",
    )
    publish(episode(trains, "Trains", "Zug um Zug", "2026-02-02"), library / "zug" / "2026-02-02-trains", [])
    japan = talk(said("今日は東京の天気についてはなします。", 1, 2.0))
    publish(episode(japan, "天気", "東京 FM"), library / "tokyo" / "tenki", [])
    assert update(library).indexed == 3
    return library


def test_marks_of_vowels_count_in_hindi_and_not_in_arabic_and_hebrew(tmp_path: Path) -> None:
    talks = {"hi": "वह दिन आया", "ar": "شكرًا جزيلاً أحمد", "he": "שָׁלוֹם לכם", "th": "ที่นี่"}
    for language, text in talks.items():
        publish(episode(talk(said(text), language=language), language), tmp_path / "show" / language, [])
    update(tmp_path)
    found = {
        query: texts(search(tmp_path, query)) for query in ("दिन", "दान", "شكرا", "احمد", "שלום", "ที่", "ที")
    }
    assert {query: bool(hits) for query, hits in found.items()} == {
        "दिन": True, "दान": False, "شكرا": True, "احمد": True, "שלום": True, "ที่": True, "ที": True,
    }  # fmt: skip


def texts(found: SearchResult) -> list[str]:
    return [f"{hit.title} {hit.seconds}" for hit in found.hits]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("coughs", ["Pilot 9.3"]),
        ("COUGHS!", ["Pilot 9.3"]),
        ("koln fahrt", ["Trains 3.9"]),
        ("Café", ["Trains 60.9"]),
        ("nothing", []),
        ("coug", []),
        ("coug*", ["Pilot 9.3"]),
        ("to the show", ["Trains 72.7", "Pilot 1.1"]),
        ('"the show"', ["Trains 70.0", "Pilot 1.4"]),
        ("late café", ["Trains 60.9"]),
        ("天気", ["天気 1.0"]),
        ("京の天", ["天気 1.0"]),
        ("天京", []),
        ('welcome "the train" lat*', ["Trains 60.0"]),
        ("AND OR NOT NEAR(", []),
        ('show" OR words:x', []),
        ("find - out", ["Pilot 7.2"]),
    ],
)
def test_finds_words_with_the_second(library: Path, query: str, expected: list[str]) -> None:
    found = search(library, query)
    assert texts(found) == expected
    assert found.count == len(expected)


def test_words_in_a_row_come_before_words_anywhere(library: Path) -> None:
    assert [hit.speaker for hit in search(library, "welcome to").hits] == ["Ann Other", "Jürgen Groß", "Ann"]


def test_a_hit_says_where_and_marks_the_words(library: Path) -> None:
    (hit,) = search(library, "train late").hits
    assert hit.link == "zug/2026-02-02-trains/transcript.html#t=61.5"
    assert (hit.show, hit.title, hit.published, hit.speaker) == (
        "Zug um Zug",
        "Trains",
        "2026-02-02",
        "Ann Other",
    )
    assert hit.text == "Welcome to the café, the train is late."
    assert [hit.text[start:stop] for start, stop in hit.marks] == ["train", "late."]


def test_only_a_speaker_or_a_show(library: Path) -> None:
    assert len(search(library, "welcome").hits) == 3
    assert texts(search(library, "welcome", speaker="ann")) == ["Trains 60.0", "Pilot 0.5"]
    assert texts(search(library, "welcome", speaker="GROSS")) == ["Trains 71.5"]
    assert texts(search(library, "welcome", show="zug um")) == ["Trains 60.0", "Trains 71.5"]
    assert texts(search(library, "welcome", "ann", "zug")) == ["Trains 60.0"]
    assert texts(search(library, "welcome", "bob")) == []


def test_the_limit_and_the_count(tmp_path: Path) -> None:
    many = talk(*(said("word", 3.0 * n, speaker=f"S{n % 2}") for n in range(COUNTED + 50)))
    publish(many, tmp_path / "s" / "e", [])
    update(tmp_path)
    found = search(tmp_path, "word", limit=7)
    assert len(found.hits) == 7
    assert found.count == COUNTED + 1


@pytest.mark.parametrize("query", ["", " ", '""', "!?", "*"])
def test_a_query_without_words(library: Path, query: str) -> None:
    with pytest.raises(InputError, match="nothing to search for"):
        search(library, query)


def test_no_library_and_no_index(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        update(tmp_path / "none")
    with pytest.raises(InputError, match="no search index"):
        search(tmp_path, "word")
    assert update(tmp_path).indexed == 0


def test_follows_what_the_folders_hold(tmp_path: Path) -> None:
    pilot, other = tmp_path / "a" / "pilot", tmp_path / "b" / "other"
    publish(CONVERSATION, pilot, [])
    publish(talk(said("Quite another thing.")), other, [])
    assert update(tmp_path).indexed == 2
    changes = update(tmp_path)
    assert (changes.indexed, changes.unchanged) == (0, 2)
    publish(CONVERSATION, pilot, [], [written(CONVERSATION.segments[3].words, "Somebody laughs.")])
    assert update(tmp_path).indexed == 1
    assert not search(tmp_path, "coughs").hits
    assert [hit.seconds for hit in search(tmp_path, "laughs").hits] == [9.3]
    (other / "episode.json").unlink()
    assert update(tmp_path).removed == 1
    assert not search(tmp_path, "another").hits
    assert len(search(tmp_path, "somebody").hits) == 1


ABOUT = '{"episode": {"show": "", "title": "", "published": ""}, "speakers": [], "segments": '


@pytest.mark.parametrize(
    "damage",
    ["{", "null", '{"episode": {}}', f"{ABOUT}[5]}}", f'{ABOUT}[{{"speaker": "x", "words": [1]}}]}}'],
)
def test_a_damaged_record_is_left_out_and_named(tmp_path: Path, damage: str) -> None:
    publish(CONVERSATION, tmp_path / "a" / "good", [])
    publish(CONVERSATION, tmp_path / "a" / "bad", [])
    update(tmp_path)
    (tmp_path / "a" / "bad" / "episode.json").write_text(damage)
    changes = update(tmp_path)
    assert (changes.unchanged, list(changes.skipped)) == (1, ["a/bad"])
    assert [hit.folder for hit in search(tmp_path, "coughs").hits] == ["a/good"]


@pytest.mark.parametrize("damage", [b"not a database", b""])
def test_a_damaged_or_older_index_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    publish(CONVERSATION, tmp_path / "a" / "b", [])
    update(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(damage)
    assert update(tmp_path).indexed == 1
    with sqlite3.connect(tmp_path / FILE_NAME) as index:
        index.execute("PRAGMA user_version = 99")
    assert update(tmp_path).indexed == 1
    assert search(tmp_path, "coughs").hits


@settings(max_examples=25)
@given(transcripts(), st.text(max_size=8))
def test_anything_can_be_indexed_and_asked(
    tmp_path_factory: pytest.TempPathFactory, transcript: Transcript, query: str
) -> None:
    library = tmp_path_factory.mktemp("library")
    publish(transcript, library / "s" / "e", [])
    assert update(library).skipped == {}
    for word in transcript.words[:3]:
        if tokens(word.text) and '"' not in word.text:
            assert all(hit.marks for hit in search(library, f'"{word.text}"').hits)
            assert search(library, f'"{word.text}"').hits
    if tokens(query):
        search(library, query)


def test_two_updates_at_once(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    for number in range(4):
        publish(CONVERSATION, tmp_path / "s" / f"e{number}", [])
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(update, [tmp_path, tmp_path]))
    assert sum(changes.indexed for changes in done) >= 4
    assert len(search(tmp_path, "coughs").hits) == 4
    os.utime(tmp_path / "s" / "e0" / "episode.json", (1, 1))
    assert update(tmp_path).indexed == 1


def test_a_hit_tells_its_chapter(tmp_path: Path) -> None:
    chapters = (
        Chapter(9.0, "Coughs", end=3.0),
        Chapter(9.0, "Said later of the same"),
        Chapter(0.0, "Hello\n all", end=4.0),
        Chapter(4.5, "", image="https://example.org/a.png"),
        Chapter(5.0, "Only a link", listed=False),
    )
    found = replace(CONVERSATION, chapters=Chapters(FROM_FILE, chapters))
    publish(found, tmp_path / "show" / "one", [])
    update(tmp_path)
    told = {query: search(tmp_path, query).hits[0].chapter for query in ("back", "bob", "find", "coughs")}
    assert told == {"back": "Hello all", "bob": "", "find": "", "coughs": "Coughs"}
    assert mentions(tmp_path, "coughs").people[0].episodes[0].said[0].chapter == "Coughs"
    publish(replace(found, chapters=Chapters()), tmp_path / "show" / "one", [])
    update(tmp_path)
    assert search(tmp_path, "coughs").hits[0].chapter == ""
