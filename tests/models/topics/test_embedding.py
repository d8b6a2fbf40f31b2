from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from models.record.errors import ModelError
from models.runtime import e5
from models.runtime.offline_models import MULTILINGUAL_E5
from models.topics.embedding import SentenceEmbedder, load_embedder

PASSAGES = (
    "Bread rises because yeast turns sugar into carbon dioxide, which is caught in the dough.",
    "A chip loses power as heat even when it computes nothing, for its transistors leak current.",
    "The treaty was signed in the morning, and by evening the troops had left the town.",
)
QUESTIONS = {
    "Why does dough get bigger?": 0,
    "Warum verschwenden Prozessoren Strom?": 1,
    "¿Cuándo se fueron los soldados?": 2,
    "パンはなぜ膨らむのか": 0,
    "Pourquoi une puce chauffe-t-elle ?": 1,
}


@pytest.fixture(scope="module")
def embedder() -> SentenceEmbedder:
    return load_embedder()


def test_questions_in_any_language_find_the_passage_that_answers_them(embedder: SentenceEmbedder) -> None:
    found = embedder.embed(list(QUESTIONS), query=True) @ embedder.embed(PASSAGES).T
    assert found.argmax(axis=1).tolist() == list(QUESTIONS.values())


def test_rows_have_length_one_and_those_of_nothing_are_zero(embedder: SentenceEmbedder) -> None:
    vectors = embedder.embed(["Bread", "", " \n", "Bread " * 2000])
    assert vectors.shape == (4, embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 0, 0, 1], atol=1e-6)
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_a_text_has_the_same_vector_whatever_is_embedded_with_it(embedder: SentenceEmbedder) -> None:
    alone = np.concatenate([embedder.embed([text]) for text in PASSAGES])
    among = embedder.embed([*PASSAGES, "Yes.", " ".join(PASSAGES) * 3])[: len(PASSAGES)]
    assert np.allclose(alone, among, atol=2e-3)
    assert np.array_equal(embedder.embed(PASSAGES), embedder.embed(PASSAGES))


def test_a_long_text_is_read_to_its_end(embedder: SentenceEmbedder) -> None:
    long = "We talk about the weather of the week. " * 100
    base, baking, war = embedder.embed([long, long + PASSAGES[0] * 20, long + PASSAGES[2] * 20])
    assert base @ baking < 0.99
    assert baking @ war < 0.99


def test_a_model_that_is_missing_or_damaged_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = MULTILINGUAL_E5.require()
    monkeypatch.setenv("EPISCRIBE_CACHE", str(tmp_path))
    with pytest.raises(
        ModelError, match="multilingual-e5-small is not on this machine: run `episcribe models pull`"
    ):
        load_embedder.__wrapped__()
    shutil.copytree(
        real, MULTILINGUAL_E5.folder, ignore=shutil.ignore_patterns("tokenizer.json", "model.bin")
    )
    for name in ("tokenizer.json", "model.bin"):
        (MULTILINGUAL_E5.folder / name).write_bytes(b"cut off")
    with pytest.raises(
        ModelError, match=r"can't load the model in .*; remove that folder and run `episcribe models pull`"
    ):
        load_embedder.__wrapped__()


def test_pieces_are_cut_as_the_vocabulary_was_made() -> None:
    pieces = [
        ("<s>", 0.0),
        ("<pad>", 0.0),
        ("</s>", 0.0),
        ("<unk>", 0.0),
        ("▁fine", -1.0),
        ("▁", -3.0),
        ("fi", -2.0),
    ]
    cut = e5.tokenizer([*pieces, ("ne", -2.0)])
    assert cut.encode("ﬁne  \x07fine\tfine\u200bfine").tokens == ["▁fine"] * 4
    assert cut.encode("fineß").ids == [4, e5.UNKNOWN]


def test_a_file_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with E5S1"):
        e5.read(b"PK\x03\x04")


def test_parts_mean_what_they_do_where_they_stand() -> None:
    embedder = load_embedder()
    texts = [["My dog is hungry.", "It wants food."], ["My car is old.", "It wants food.", ""], []]
    wholes, parts = embedder.embed_parts(texts)
    assert np.allclose(wholes, embedder.embed([" ".join(text).strip() for text in texts]), atol=1e-5)
    assert np.allclose(np.linalg.norm(parts, axis=1), [1, 1, 1, 1, 0], atol=1e-6)
    (dog,) = embedder.embed(["a puppy"], query=True)
    assert parts[1] @ dog > parts[3] @ dog


def test_a_part_may_be_longer_than_the_model_reads() -> None:
    wholes, parts = load_embedder().embed_parts([["word " * 800, "word " * 400, "Bread."]])
    assert np.allclose(np.linalg.norm(np.concatenate([wholes, parts]), axis=1), 1, atol=1e-6)
