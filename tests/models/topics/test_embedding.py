from __future__ import annotations

import numpy as np

from models.topics.embedding import load_embedder


def test_texts_of_one_meaning_lie_close() -> None:
    food, meal, rain = load_embedder().embed(
        ["A man is eating food.", "Somebody has a meal.", "Nobody expects rain tomorrow."]
    )
    assert food @ meal > food @ rain + 0.2


def test_rows_have_length_one_and_nothing_is_zero() -> None:
    vectors = load_embedder().embed(["Bread", "", " \n"])
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 0, 0], atol=1e-6)


def test_parts_mean_what_they_do_where_they_stand() -> None:
    embedder = load_embedder()
    texts = [["My dog is hungry.", "It wants food."], ["My car is old.", "It wants food.", ""], []]
    wholes, parts = embedder.embed_parts(texts)
    assert np.allclose(wholes, embedder.embed([" ".join(text) for text in texts]), atol=1e-5)
    assert np.allclose(np.linalg.norm(parts, axis=1), [1, 1, 1, 1, 0], atol=1e-6)
    (dog,) = embedder.embed(["a puppy"])
    assert parts[1] @ dog > parts[3] @ dog + 0.1


def test_a_part_may_be_longer_than_the_model_reads() -> None:
    wholes, parts = load_embedder().embed_parts([["word " * 300, "word " * 200, "Bread."]])
    assert np.allclose(np.linalg.norm(np.concatenate([wholes, parts]), axis=1), 1, atol=1e-6)
