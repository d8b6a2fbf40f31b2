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

    def embed_parts(self, texts: Sequence[Sequence[str]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Texts in parts, as passages in sentences: (texts, dimension) and (all parts, dimension), as above.

        The vector of a part tells what it means where it stands: "it" is what the parts around it are about. This takes
        no longer than the vectors of the texts alone.
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
        return self.embed_parts([(text,) for text in texts])[0]

    def embed_parts(self, texts: Sequence[Sequence[str]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `SentenceEmbedder`: the mean of what each token became in its text (arXiv 2409.04701)."""
        windows, parts = self._windows(texts)
        sums = np.zeros((len(texts), self.dimension), dtype=np.float32)
        sums_of_parts = np.zeros((parts, self.dimension), dtype=np.float32)
        batches = list(_batches(sorted(windows, key=lambda window: len(window.tokens))))
        with ThreadPoolExecutor(self.encoder.num_encoders) as pool:
            for batch, (whole, pieces) in zip(batches, pool.map(self._pooled, batches), strict=True):
                np.add.at(sums, [window.text for window in batch], whole)
                np.add.at(sums_of_parts, [part for window in batch for part in window.parts], pieces)
        return _unit(sums), _unit(sums_of_parts)

    def _windows(self, texts: Sequence[Sequence[str]]) -> tuple[list[_Window], int]:
        """What the model reads at a time, and the number of all parts."""
        begin, end = self.tokenizer.encode("").ids
        encoded = self.tokenizer.encode_batch_fast(
            [part for text in texts for part in text], add_special_tokens=False
        )
        windows, first, room = list[_Window](), 0, MOST_TOKENS - 2
        for number, text in enumerate(texts):
            parts = range(first, first + len(text))
            tokens = [(token, part) for part in parts for token in encoded[part].ids]
            first = parts.stop
            for at in range(0, len(tokens), room):
                ids, owners = zip(*tokens[at : at + room], strict=True)
                starts = [i for i, owner in enumerate(owners) if not i or owner != owners[i - 1]]
                windows.append(_Window(number, [begin, *ids, end], starts, [owners[i] for i in starts]))
        return windows, first

    def _pooled(self, windows: Sequence[_Window]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(windows, dimension) and (parts of all, dimension): the sums over the tokens of each."""
        states = np.array(self.encoder.forward_batch([window.tokens for window in windows]).last_hidden_state)
        spans = [states[row, : len(window.tokens)] for row, window in enumerate(windows)]
        whole = np.stack([span.sum(axis=0) for span in spans])
        pieces = [
            np.add.reduceat(span[1:-1], window.starts) for span, window in zip(spans, windows, strict=True)
        ]
        return whole, np.concatenate(pieces)


@dataclass(frozen=True, slots=True)
class _Window:
    """Tokens that the model reads at a time, those that are put around them included: all of one text, or some.

    `text` is its number; `starts` are the places among the tokens without the first where its `parts` begin.
    """

    text: int
    tokens: list[int]
    starts: list[int]
    parts: list[int]


def _unit(sums: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows at length 1, or 0."""
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    np.divide(sums, norms, out=sums, where=norms > 0)
    return sums


def _batches(windows: Sequence[_Window]) -> Iterator[list[_Window]]:
    """Windows, which come in the order of their lengths, that are computed together."""
    batch: list[_Window] = []
    for window in windows:
        if batch and (len(batch) + 1) * len(window.tokens) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch
