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
