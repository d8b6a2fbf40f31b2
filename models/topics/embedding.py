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
QUERY, PASSAGE = "query:", "passage:"  # as the model was trained
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

    def embed_parts(self, texts: Sequence[Sequence[str]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Texts in parts, as passages in sentences: (texts, dimension) and (all parts, dimension), as above.

        The vector of a part tells what it means where it stands: "it" is what the parts around it are about. This takes
        no longer than the vectors of the texts alone.
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
        return self._embedded([(text,) for text in texts], QUERY if query else PASSAGE)[0]

    def embed_parts(self, texts: Sequence[Sequence[str]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `SentenceEmbedder`: a part is the mean over its tokens, which have read the text (arXiv 2409.04701)."""
        return self._embedded(texts, PASSAGE)

    def _embedded(
        self, texts: Sequence[Sequence[str]], prefix: str
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        windows, parts = self._windows(texts, prefix)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        vectors_of_parts = np.zeros((parts, self.dimension), dtype=np.float32)
        batches = [
            [windows[number] for number in batch]
            for batch in _batches([len(window.tokens) for window in windows])
        ]
        with ThreadPoolExecutor(self.encoder.num_encoders) as pool:
            for batch, (whole, pieces) in zip(batches, pool.map(self._sums, batches), strict=True):
                np.add.at(vectors, [window.text for window in batch], whole)
                np.add.at(vectors_of_parts, [part for window in batch for part in window.parts], pieces)
        return _unit(vectors), _unit(vectors_of_parts)

    def _windows(self, texts: Sequence[Sequence[str]], prefix: str) -> tuple[list[_Window], int]:
        """What the network reads at a time, and the number of all parts."""
        # One by one: after a batch, which takes threads of its own, tokenizers warns of each child process.
        encoded = [self.tokenizer.encode(one) for one in (prefix, *(part for text in texts for part in text))]
        begin, windows, first = encoded[0].ids, list[_Window](), 0
        for number, text in enumerate(texts):
            parts = range(first, first + len(text))
            first = parts.stop
            if not "".join(text).strip():
                continue
            tokens: list[tuple[int, int | None]] = [(token, None) for token in begin]
            tokens += [(token, part) for part in parts for token in encoded[part + 1].ids]
            for at in range(0, len(tokens), WINDOW):
                ids, owners = zip(*tokens[at : at + WINDOW], strict=True)
                places: dict[int, int] = {}
                for place, owner in enumerate(owners):
                    if owner is not None:
                        places.setdefault(owner, place)
                window = [e5.BEGIN, *ids, e5.END]
                windows.append(_Window(number, window, list(places.values()), list(places)))
        return windows, first

    def _sums(self, windows: Sequence[_Window]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(windows, dimension) and (parts of all, dimension): what becomes of the tokens of each, added up."""
        states = np.array(self.encoder.forward_batch([window.tokens for window in windows]).last_hidden_state)
        read = [states[row, : len(window.tokens)] for row, window in enumerate(windows)]
        pieces = [
            np.add.reduceat(one[1:-1], window.starts) for one, window in zip(read, windows, strict=True)
        ]
        return np.stack([one.sum(axis=0) for one in read]), np.concatenate(pieces)


@dataclass(frozen=True, slots=True)
class _Window:
    """Tokens that the network reads at a time, those put around them included: all of one text, or some.

    `text` is its number; `starts` are the places among the tokens without the first where its `parts` begin, in order.
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
