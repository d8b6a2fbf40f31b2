from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from models.record.errors import InputError
from models.record.transcript import Transcript
from models.topics.embedding import SentenceEmbedder, load_embedder
from outputs.library import index
from outputs.library.corrections import NAME, Correction, written
from outputs.library.hybrid import search_by_meaning
from outputs.library.meaning import FILE_NAME, MeaningChanges, begin, is_behind, update, waiting
from outputs.library.write import publish
from tests.outputs.samples import CONVERSATION, said, talk, transcripts

CHIPS = talk(
    said("Welcome to the programme, it is good to have you here.", 0),
    said("So what happens to all the electricity in a processor?", 4, speaker="SPEAKER_01"),
    said("Most of it turns into heat, because the transistors leak current all the time.", 8),
    said("My grandmother bakes a cake with apples every Sunday afternoon.", 60),
    said("She puts cinnamon on it, and everybody comes.", 65, speaker="SPEAKER_01"),
    SPEAKER_00="Jürgen Groß",
    SPEAKER_01="Ann Other",
)
WHY = "why chips waste power"


def put(transcript: Transcript, library: Path, folder: str, published: str = "") -> None:
    show, title = folder.split("/")
    episode = replace(transcript.episode, show=show.title(), title=title, published=published)
    publish(replace(transcript, episode=episode), library / folder, [])


def bring_up(library: Path, embedder: SentenceEmbedder | None = None) -> MeaningChanges:
    index.update(library)
    return update(library, embedder or load_embedder())


def found(library: Path, query: str, embedder: SentenceEmbedder | None = None, **how: Any) -> list[str]:
    hits = search_by_meaning(library, query, embedder=embedder or load_embedder(), **how).hits
    return [f"{hit.folder} {hit.seconds:g}" for hit in hits]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    put(CHIPS, tmp_path, "engineers/chips", "2026-02-02")
    put(CONVERSATION, tmp_path, "chat/pilot", "2026-01-01")
    assert bring_up(tmp_path) == MeaningChanges(updated=2, embedded=3)
    return tmp_path


@dataclass
class Between:
    """The embedder, and something that happens while it is at work."""

    real: SentenceEmbedder
    happens: Callable[[], object]
    name: str = ""

    def __post_init__(self) -> None:
        self.name, self.dimension = self.name or self.real.name, self.real.dimension

    def embed(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        return self.real.embed(texts, query=query)

    def embed_parts(self, texts: Sequence[Sequence[str]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self.happens()
        return self.real.embed_parts(texts)


def test_finds_what_is_about_it_at_the_sentence_that_fits_best(library: Path) -> None:
    result = search_by_meaning(library, WHY, embedder=load_embedder())
    assert (result.count, len(result.hits)) == (3, 3)
    best = result.hits[0]
    assert (best.folder, best.show, best.title, best.published) == (
        "engineers/chips", "Engineers", "chips", "2026-02-02",
    )  # fmt: skip
    assert (best.speaker, best.seconds, best.marks) == ("Ann Other", 4.0, ())
    assert best.text == "So what happens to all the electricity in a processor?"
    assert best.link == "engineers/chips/transcript.html#t=4"
    (cake, *_) = search_by_meaning(library, "cinnamon", embedder=load_embedder()).hits
    assert [cake.text[start:stop] for start, stop in cake.marks] == ["cinnamon"]
    assert (cake.seconds, cake.speaker) == (65.0, "Ann Other")


def test_what_is_thrown_in_is_found_where_it_is_said_and_by_who_says_it(tmp_path: Path) -> None:
    begun = said("Gardens need", 0, 1.5)
    on = "water and a lot of patience, above all in a dry summer, when leaves hang down and even old trees suffer."
    long = said(on, 24, 2.0)
    thrown_in = said("Yes, kangaroo.", 21, speaker="SPEAKER_01")
    later = said("They eat roses. Nobody knows why they do.", 70, 2.0)
    record = talk(begun, thrown_in, replace(long, continues=True), later, SPEAKER_00="Ann", SPEAKER_01="Bob")
    put(record, tmp_path, "zoo/animals")
    bring_up(tmp_path)
    assert found(tmp_path, "kangaroo")[0] == "zoo/animals 21"
    assert found(tmp_path, "kangaroo", speaker="bob") == ["zoo/animals 21"]


def test_filters_and_pages(library: Path) -> None:
    chips = ["engineers/chips 4", "engineers/chips 65"]
    assert found(library, WHY, speaker="ann other") == chips
    assert found(library, WHY, speaker="ann", limit=1, skip=1) == [*chips, "chat/pilot 2.3"][1:2]
    assert found(library, WHY, speaker="gross")[0] == "engineers/chips 8"
    assert found(library, WHY, speaker="nobody") == []
    filters: list[dict[str, Any]] = [{"show": "chat"}, {"place": "chat"}, {"until": "2026-01-01"}]
    for only in filters:
        assert {hit.split()[0] for hit in found(library, WHY, **only)} == {"chat/pilot"}, only
    assert {hit.split()[0] for hit in found(library, WHY, since="2026-01-02")} == {"engineers/chips"}
    for query, since in (("!", ""), (WHY, "soon")):
        with pytest.raises(InputError):
            found(library, query, since=since)


def test_what_was_not_embedded_yet_is_found_by_its_words(tmp_path: Path) -> None:
    put(CHIPS, tmp_path, "engineers/chips")
    with pytest.raises(InputError, match="no search index"):
        found(tmp_path, WHY)
    index.update(tmp_path)
    assert found(tmp_path, "leak of transistors") == ["engineers/chips 8.3"]
    assert (is_behind(tmp_path), waiting(tmp_path)) == (False, 1)  # nobody has asked for it
    begin(tmp_path, load_embedder())
    assert (is_behind(tmp_path), waiting(tmp_path)) == (True, 1)
    bring_up(tmp_path)
    assert (is_behind(tmp_path), waiting(tmp_path)) == (False, 0)
    assert found(tmp_path, "leak of transistors")[0] == "engineers/chips 8"


def test_only_what_is_said_otherwise_is_embedded_again(library: Path) -> None:
    place = library / "engineers" / "chips"
    record = replace(CHIPS, episode=replace(CHIPS.episode, title="Other title"))
    publish(record, place, [], [Correction(NAME, speaker="SPEAKER_00", now="Jörg Klein")])
    assert waiting(library) == 0  # the index of words does not know either
    assert bring_up(library) == MeaningChanges(updated=1)
    (hit, *_) = search_by_meaning(library, WHY, embedder=load_embedder()).hits
    assert (hit.title, hit.speaker, hit.seconds) == ("Other title", "Ann Other", 4.0)
    assert {
        hit.speaker for hit in search_by_meaning(library, WHY, "jörg", embedder=load_embedder()).hits
    } == {"Jörg Klein"}
    publish(CHIPS, place, [], [written(CHIPS.segments[4].words, "She puts salt on it.")])
    assert bring_up(library) == MeaningChanges(updated=1, embedded=1)
    assert found(library, "cooking with salt")[0] == "engineers/chips 65"
    (library / "engineers").rename(library / "moved")
    assert bring_up(library) == MeaningChanges(updated=1, removed=1)
    assert found(library, WHY)[0] == "moved/chips 4"
    (place.parent.parent / "moved" / "chips" / "episode.json").unlink()
    assert bring_up(library) == MeaningChanges(removed=1)
    assert {hit.split()[0] for hit in found(library, WHY)} == {"chat/pilot"}


@pytest.mark.parametrize("damage", [b"not a database", b""])
def test_what_is_damaged_or_of_another_version_is_made_anew(library: Path, damage: bytes) -> None:
    (library / FILE_NAME).write_bytes(damage)
    assert (is_behind(library), waiting(library)) == (True, 2)
    assert bring_up(library) == MeaningChanges(updated=2, embedded=3)
    with sqlite3.connect(library / FILE_NAME) as kept:
        kept.execute("PRAGMA user_version = 99")
    assert found(library, "anything warm") == []
    assert bring_up(library) == MeaningChanges(updated=2, embedded=3)
    assert found(library, WHY)[0] == "engineers/chips 4"


def test_vectors_of_two_models_are_never_compared(library: Path) -> None:
    other = Between(load_embedder(), lambda: None, "other")
    assert found(library, WHY, other) == []
    assert bring_up(library, other) == MeaningChanges(updated=2, embedded=3)
    assert found(library, WHY, other)[0] == "engineers/chips 4"
    assert found(library, WHY) == []


def test_an_index_of_words_that_is_being_made_anew_removes_nothing(library: Path) -> None:
    with sqlite3.connect(library / index.FILE_NAME) as words:
        words.execute("DELETE FROM episodes WHERE folder = 'chat/pilot'")
    assert update(library, load_embedder()) == MeaningChanges()
    (library / index.FILE_NAME).unlink()
    assert bring_up(library) == MeaningChanges()


def test_others_search_while_it_is_brought_up_and_what_was_done_outlasts_its_end(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        put(CHIPS if name == "a" else CONVERSATION, tmp_path, f"show/{name}")
    index.update(tmp_path)
    told, seen = list[tuple[int, int]](), list[list[str]]()

    def happens() -> None:
        seen.append(found(tmp_path, WHY))
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        update(tmp_path, Between(load_embedder(), happens), lambda *done: told.append(done))
    assert [{hit.split()[0] for hit in hits} for hits in seen] == [set(), {"show/c"}, {"show/b", "show/c"}]
    assert told == [(1, 3), (2, 3)]
    assert update(tmp_path, load_embedder()) == MeaningChanges(updated=1, embedded=2)


def test_of_two_at_once_none_embeds_what_the_other_does(tmp_path: Path) -> None:
    for number in range(4):
        put(talk(said(f"The number is {number}."), said("And so on.", 20)), tmp_path, f"s/e{number}")
    index.update(tmp_path)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: update(tmp_path, load_embedder()), range(2)))
    assert sum(changes.updated for changes in done) == 4
    assert sum(changes.embedded for changes in done) == 8
    assert update(tmp_path, load_embedder(), seconds=0) == MeaningChanges()


@settings(max_examples=8, deadline=None)
@given(transcripts())
def test_anything_can_be_embedded_and_asked(
    tmp_path_factory: pytest.TempPathFactory, transcript: Transcript
) -> None:
    library = tmp_path_factory.mktemp("library")
    publish(transcript, library / "s" / "e", [])
    assert bring_up(library).updated == 1
    assert bring_up(library).updated == 0
    hits = search_by_meaning(library, "anything", embedder=load_embedder(), limit=100).hits
    assert all(hit.text for hit in hits)
