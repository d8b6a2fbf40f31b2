"""Sentences and passages to vectors, by the sentence embedding model of the offline set.

Two texts are about the same as far as the dot product of their vectors is large. The model is a BERT whose vectors of
all tokens are averaged (Reimers and Gurevych 2019, arXiv 1908.10084), computed by CTranslate2 in 8 bit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from models.record.errors import ModelError
from models.runtime import bert
from models.runtime.device import usable_cores
from models.runtime.offline_models import MINILM

if TYPE_CHECKING:
    from ctranslate2 import Encoder
    from tokenizers import Tokenizer

MOST_TOKENS = 256  # of a window, with the two that are put around it: more the model was not trained for
BATCH_TOKENS = 2048  # in a batch, padding included


class SentenceEmbedder(Protocol):
    """Turns texts into vectors whose dot product says how close they are in meaning."""

    @property
    def name(self) -> str:
        """The model and its version: vectors of embedders with different names never compare."""

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""

    def embed(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """(texts, dimension) float32, each row of length 1, or 0 for a text without a letter.

        query: whether the texts are questions, which some models tell from the passages that answer them.
        """


@lru_cache(maxsize=1)
def load_embedder() -> SentenceEmbedder:
    """The offline model, loaded once, on the CPU. ModelError where it isn't there or is damaged."""
    folder = MINILM.require()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import ctranslate2
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / bert.TOKENIZER))
        encoder = ctranslate2.Encoder(
            str(folder / bert.CONVERTED), compute_type="int8", inter_threads=usable_cores(), intra_threads=1
        )
    except Exception as error:
        raise ModelError(f"can't load the model {MINILM.name} in {folder}: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return BertEmbedder(MINILM.name, 384, encoder, tokenizer)


@dataclass(frozen=True)
class BertEmbedder:
    """`SentenceEmbedder` by a BERT encoder."""

    name: str
    dimension: int
    encoder: Encoder
    tokenizer: Tokenizer

    def embed(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """See `SentenceEmbedder`. A text longer than the model reads is the mean of its windows."""
        windows, owners = self._windows(texts)
        sums = np.zeros((len(texts), self.dimension), dtype=np.float32)
        order = sorted(range(len(windows)), key=lambda index: len(windows[index]))
        batches = list(_batches(order, windows))
        with ThreadPoolExecutor(self.encoder.num_encoders) as pool:
            for batch, pooled in zip(
                batches, pool.map(lambda b: self._pooled([windows[i] for i in b]), batches), strict=True
            ):
                np.add.at(sums, [owners[index] for index in batch], pooled)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        np.divide(sums, norms, out=sums, where=norms > 0)
        return sums

    def _windows(self, texts: Sequence[str]) -> tuple[list[list[int]], list[int]]:
        """The tokens of each window, and the number of the text that it is of."""
        begin, end = self.tokenizer.encode("").ids
        windows, owners = [], []
        for number, encoding in enumerate(
            self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        ):
            tokens, room = encoding.ids, MOST_TOKENS - 2
            for first in range(0, len(tokens), room):
                windows.append([begin, *tokens[first : first + room], end])
                owners.append(number)
        return windows, owners

    def _pooled(self, windows: Sequence[list[int]]) -> NDArray[np.float32]:
        """(windows, dimension): the sum over the tokens of each."""
        states = np.array(self.encoder.forward_batch(windows).last_hidden_state)
        lengths = np.array([len(window) for window in windows])
        states[np.arange(states.shape[1]) >= lengths[:, None]] = 0
        pooled: NDArray[np.float32] = states.sum(axis=1)
        return pooled


def _batches(order: Sequence[int], windows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Numbers of windows, which come in the order of their lengths, that are computed together."""
    batch: list[int] = []
    for index in order:
        if batch and (len(batch) + 1) * len(windows[index]) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
