"""multilingual-e5-small: from one packed file, weights in 4 bit, to what CTranslate2 and tokenizers read.

The file is little-endian: "E5S1"; the sizes of the network, a BERT (arXiv 1810.04805); the pieces of its vocabulary
with their scores, those of a SentencePiece unigram model; which characters become others; a directory of tensors by
name; and the tensors: weights in blocks of 32 as llama.cpp's Q4_0 has them, the rest in float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

PACKED = "e5-small-q4.bin"
TOKENIZER = "tokenizer.json"
MADE = ("model.bin", "config.json", "vocabulary.json", TOKENIZER)
BEGIN, END, UNKNOWN = 0, 2, 3  # tokens
MOST_TOKENS = 512  # of a text, BEGIN and END included: the network has no more positions

MAGIC = b"E5S1"
SIZES = Struct(
    "<4xI7ifi"
)  # version, width, layers, heads, feed-forward, tokens, positions, kinds, epsilon, block
PIECES = Struct("<5iQ")  # how many, four special tokens, bytes of all pieces
MAPPING = Struct("<iI")  # characters, bytes
ENTRY = Struct("<BIQQ")  # whether in blocks, values, where from the beginning of the file, bytes
BLOCK = np.dtype([("scale", "<f2"), ("pairs", "u1", 16)])  # the low halves are the first 16 values
ZERO = 8  # of the 16 values of four bits

# The rule nmt_nfkc of SentencePiece, by which the vocabulary was made: NFKC, but for these.
DROPPED = "[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]"
SPACES = "[\t\n\x0c\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"
SPACE_MARK = "\u2581"


@dataclass(frozen=True)
class Packed:
    """What the file holds. pieces: with their scores; there are more `tokens` than these, without any text."""

    layers: int
    heads: int
    width: int
    tokens: int
    epsilon: float
    pieces: list[tuple[str, float]]
    tensors: dict[str, NDArray[np.float32]]


def convert(folder: Path) -> None:
    """Put MADE into a folder in place of PACKED. ValueError where that is something else."""
    packed = read((folder / PACKED).read_bytes())
    tokenizer(packed.pieces).save(str(folder / TOKENIZER))
    encoder(packed).save(str(folder))
    (folder / PACKED).unlink()


def read(data: bytes) -> Packed:
    """What the bytes of a packed file say; ValueError where they aren't such a file's."""
    if not data.startswith(MAGIC):
        raise ValueError(f"no file of weights that begins with {MAGIC.decode()}")
    _, width, layers, heads, _, tokens, _, _, epsilon, _ = SIZES.unpack_from(data)
    at = SIZES.size
    count, *_, length = PIECES.unpack_from(data, at)
    at += PIECES.size
    bounds = np.frombuffer(data, "<u4", count + 1, at)
    at += bounds.nbytes
    scores = np.frombuffer(data, "<f4", count, at)
    at += scores.nbytes
    texts = [data[at + first : at + end].decode() for first, end in pairwise(bounds)]
    at += length
    _, skipped = MAPPING.unpack_from(data, at)
    at += MAPPING.size + skipped
    tensors = {}
    entries = int.from_bytes(data[at : at + 4], "little")
    at += 4
    for _ in range(entries):
        name_end = at + 2 + int.from_bytes(data[at : at + 2], "little")
        tensors[data[at + 2 : name_end].decode()] = _values(data, *ENTRY.unpack_from(data, name_end))
        at = name_end + ENTRY.size
    pieces = list(zip(texts, scores.tolist(), strict=True))
    return Packed(layers, heads, width, tokens, epsilon, pieces, tensors)


def _values(data: bytes, in_blocks: int, count: int, offset: int, size: int) -> NDArray[np.float32]:
    if not in_blocks:
        return np.frombuffer(data, "<f4", count, offset).copy()  # CTranslate2 scales them in place
    blocks = np.frombuffer(data, BLOCK, size // BLOCK.itemsize, offset)
    pairs = blocks["pairs"]
    values = np.concatenate([pairs & 0xF, pairs >> 4], axis=1).astype(np.float32) - ZERO
    values *= blocks["scale"][:, None]
    return values.ravel()


def tokenizer(pieces: list[tuple[str, float]]) -> Any:
    """The `tokenizers.Tokenizer` of a vocabulary. It adds no token at either end."""
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import Unigram
    from tokenizers.normalizers import NFKC, Replace, Sequence
    from tokenizers.pre_tokenizers import Metaspace

    made = Tokenizer(Unigram(pieces, unk_id=UNKNOWN, byte_fallback=False))
    made.normalizer = Sequence(
        [Replace(Regex(DROPPED), ""), Replace(Regex(SPACES), " "), NFKC(), Replace(Regex(" {2,}"), " ")]
    )
    made.pre_tokenizer = Metaspace(replacement=SPACE_MARK, prepend_scheme="always")
    return made


def encoder(packed: Packed) -> Any:
    """The specification that CTranslate2 saves as a model, in 8 bit."""
    from ctranslate2.specs import TransformerEncoderModelSpec, TransformerEncoderSpec
    from ctranslate2.specs.common_spec import Activation, EmbeddingsMerge

    def fill_norm(norm: Any, name: str) -> None:
        norm.gamma, norm.beta = packed.tensors[f"{name}.w"], packed.tensors[f"{name}.b"]

    def fill_linear(linear: Any, *names: str) -> None:
        linear.bias = np.concatenate([packed.tensors[f"{name}.b"] for name in names])
        weights = np.concatenate([packed.tensors[f"{name}.w"] for name in names])
        linear.weight = weights.reshape(linear.bias.size, -1)

    network = TransformerEncoderSpec(
        packed.layers,
        packed.heads,
        pre_norm=False,
        activation=Activation.GELU,
        layernorm_embedding=True,
        num_source_embeddings=2,
        embeddings_merge=EmbeddingsMerge.ADD,
    )
    network.scale_embeddings = False
    for embeddings, name in zip(network.embeddings, ("emb.word", "emb.type"), strict=True):
        embeddings.weight = packed.tensors[name].reshape(-1, packed.width)
    network.position_encodings.encodings = packed.tensors["emb.pos"].reshape(-1, packed.width)
    fill_norm(network.layernorm_embedding, "emb.ln")
    for number, layer in enumerate(network.layer):
        attention, feed_forward = layer.self_attention, layer.ffn
        fill_linear(attention.linear[0], f"l{number}.q", f"l{number}.k", f"l{number}.v")
        fill_linear(attention.linear[1], f"l{number}.ao")
        fill_norm(attention.layer_norm, f"l{number}.aln")
        fill_linear(feed_forward.linear_0, f"l{number}.fi")
        fill_linear(feed_forward.linear_1, f"l{number}.fo")
        fill_norm(feed_forward.layer_norm, f"l{number}.oln")
    spec = TransformerEncoderModelSpec(network)
    without_text = (f"<{number}>" for number in range(len(packed.pieces), packed.tokens))
    spec.register_vocabulary([*(text for text, _ in packed.pieces), *without_text])
    spec.config.layer_norm_epsilon = packed.epsilon
    spec.validate()
    spec.optimize("int8")
    return spec
