"""Sentences and passages to vectors, by the sentence embedding model of the offline set.

Two texts are about the same as far as the dot product of their vectors is large, whatever languages they are in. The
model is multilingual-e5-small (arXiv 2402.05672), computed by CTranslate2 in 8 bit: a BERT whose vectors of all tokens
are averaged. Its products lie close together, most between 0.7 and 0.9: they order texts, and say little by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from models.record.errors import ModelError
from models.runtime import e5
from models.runtime.device import usable_cores
from models.runtime.offline_models import MULTILINGUAL_E5, PULL_COMMAND

if TYPE_CHECKING:
    from ctranslate2 import Encoder
    from tokenizers import Tokenizer

VERSION = "1"  # of how vectors are made of a text: what was embedded by another is embedded anew
QUERY, PASSAGE = "query: ", "passage: "  # as the model was trained
WINDOW = e5.MOST_TOKENS - 2  # tokens of a text that are read together
MOST_WORKERS = 8  # batches computed side by side, one core each
BATCH_TOKENS = 512  # in a batch, filling included: more stay in no core's cache, and take up to twice as long


class SentenceEmbedder(Protocol):
    """Turns texts into vectors whose dot product says how close they are in meaning."""

    @property
    def name(self) -> str:
        """The model and its version: vectors of embedders with different names never compare."""

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""

    def embed(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """(texts, dimension) float32, each row of length 1, or 0 for a text of white space.

        query: whether they are questions, which the model tells from passages that answer them. So are texts to be
        embedded that are compared with each other alone, as in telling topics apart.
        """


@lru_cache(maxsize=1)
def load_embedder() -> SentenceEmbedder:
    """The offline model on the CPU, loaded once: 1 s, 0.5 GB. ModelError where it isn't there or is damaged."""
    folder = MULTILINGUAL_E5.require()
    import ctranslate2
    from tokenizers import Tokenizer

    try:
        return E5Embedder(
            f"{MULTILINGUAL_E5.name} {VERSION}",
            ctranslate2.Encoder(
                str(folder),
                compute_type="int8",
                inter_threads=min(MOST_WORKERS, usable_cores()),
                intra_threads=1,
            ),
            Tokenizer.from_file(str(folder / e5.TOKENIZER)),
        )
    except Exception as error:  # tokenizers raises nothing more special
        raise ModelError(
            f"can't load the model in {folder}: {error}; remove that folder and run `{PULL_COMMAND}`"
        ) from error


@dataclass(frozen=True)
class E5Embedder:
    """`SentenceEmbedder` by multilingual-e5-small. encoder: computes as many batches at once as it has cores."""

    name: str
    encoder: Encoder
    tokenizer: Tokenizer
    dimension: int = 384

    def embed(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """See `SentenceEmbedder`. Of a text that is longer than a window it is the mean over the tokens of all."""
        windows, owners = self._windows(texts, QUERY if query else PASSAGE)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        batches = list(_batches([len(window) for window in windows]))
        with ThreadPoolExecutor(self.encoder.num_encoders) as pool:
            sums = pool.map(lambda batch: self._sums([windows[number] for number in batch]), batches)
            for batch, of_windows in zip(batches, sums, strict=True):
                np.add.at(vectors, [owners[number] for number in batch], of_windows)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, norms, out=vectors, where=norms > 0)
        return vectors

    def _windows(self, texts: Sequence[str], prefix: str) -> tuple[list[list[int]], list[int]]:
        """The tokens of each window, and the number of the text that it is of."""
        windows, owners = [], []
        for number, text in enumerate(texts):
            # One by one: after a batch, which takes threads of its own, tokenizers warns of each child process.
            tokens = self.tokenizer.encode(prefix + text).ids if text.strip() else []
            for first in range(0, len(tokens), WINDOW):
                windows.append([e5.BEGIN, *tokens[first : first + WINDOW], e5.END])
                owners.append(number)
        return windows, owners

    def _sums(self, windows: Sequence[list[int]]) -> NDArray[np.float32]:
        """(windows, dimension): what the network makes of the tokens of each, added up."""
        computed = self.encoder.forward_batch(windows).last_hidden_state
        states = np.array(computed)  # (windows, tokens, dimension)
        lengths = np.array([len(window) for window in windows])
        states[np.arange(states.shape[1]) >= lengths[:, None]] = 0
        sums: NDArray[np.float32] = states.sum(axis=1)
        return sums


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Numbers of windows that are computed together: those of like length, as each is filled up to the longest.

    >>> list(_batches([3, 500, 4, 200, 510]))
    [[0, 2], [3], [1], [4]]
    """
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[number] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
