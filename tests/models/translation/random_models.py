"""Translation models of CTranslate2 with random weights, as folders that hold all that real ones hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
from ctranslate2.specs import TransformerSpec

LINES = (
    "Die Höhle liegt nördlich von Mekka, ganz allein.",
    "Wer hat die Insel am Dienstag um 10 Uhr verlassen?",
    "The cave lies to the north of Mecca, all alone.",
    "Who has left the island on Tuesday at 10 o'clock?",
)
DEPTH, HEADS = 16, 2


def make_model(
    folder: Path, tokens: Sequence[str], *, pair: bool = False, eos_is_added: bool = False
) -> Path:
    """A model of one layer, always with the same weights.

    tokens: of languages. pair: with a SentencePiece model for each side, as OPUS-MT.
    """
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    names = ("source.spm", "target.spm") if pair else ("sentencepiece.bpe.model",)
    words: list[str] = []
    for name in names:
        with (folder / name).open("wb") as file:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(LINES),
                model_writer=file,
                vocab_size=60,
                character_coverage=1.0,
                minloglevel=2,
            )
        pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / name))
        words = [pieces.id_to_piece(number) for number in range(pieces.get_piece_size())]
    words += tokens
    spec = TransformerSpec.from_config((1, 1), HEADS, pre_norm=True)
    spec.encoder.embeddings[0].weight = _noise(random, len(words), DEPTH)
    spec.decoder.embeddings.weight = _noise(random, len(words), DEPTH)
    spec.decoder.projection.weight = _noise(random, len(words), DEPTH)
    spec.decoder.projection.bias = np.zeros(len(words), dtype=np.float32)
    for part in (spec.encoder, spec.decoder):
        part.position_encodings.encodings = _noise(random, 512, DEPTH)
        _fill(part.layer_norm)
        layer = part.layer[0]
        attentions = [layer.self_attention, *([layer.attention] if part is spec.decoder else [])]
        for attention in attentions:
            _fill(attention.layer_norm)
            outs = [3 * DEPTH, DEPTH] if len(attention.linear) == 2 else [DEPTH, 2 * DEPTH, DEPTH]
            for linear, out in zip(attention.linear, outs, strict=True):
                _linear(random, linear, out, DEPTH)
        _fill(layer.ffn.layer_norm)
        _linear(random, layer.ffn.linear_0, 2 * DEPTH, DEPTH)
        _linear(random, layer.ffn.linear_1, DEPTH, 2 * DEPTH)
    spec.register_source_vocabulary(words)
    spec.register_target_vocabulary(words)
    spec.config.add_source_eos = eos_is_added
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    return folder


def _noise(random: np.random.Generator, *shape: int) -> np.ndarray:
    return random.normal(0.0, 0.5, shape).astype(np.float32)


def _linear(random: np.random.Generator, linear: Any, out: int, into: int) -> None:
    linear.weight, linear.bias = _noise(random, out, into), np.zeros(out, dtype=np.float32)


def _fill(norm: Any) -> None:
    norm.gamma, norm.beta = np.ones(DEPTH, dtype=np.float32), np.zeros(DEPTH, dtype=np.float32)
