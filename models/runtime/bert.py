"""A BERT that makes vectors of text, as CTranslate2 computes it: its weights in 8 bit, in a folder.

CTranslate2's own converter wants the library that the model was trained with; all it takes are the weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
CONVERTED = "int8"
MADE = (f"{CONVERTED}/model.bin", f"{CONVERTED}/config.json", f"{CONVERTED}/vocabulary.json")

Weights = Mapping[str, NDArray[np.float32]]


def convert(folder: Path) -> None:
    """Put a model's weights into the subfolder CONVERTED, as `ctranslate2.Encoder` reads them.

    folder: holds WEIGHTS, CONFIG and TOKENIZER as Hugging Face's transformers write them, of a BertModel.
    """
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    config = json.loads((folder / CONFIG).read_bytes())
    vocabulary = Tokenizer.from_file(str(folder / TOKENIZER)).get_vocab()
    spec = encoder_spec(load_file(folder / WEIGHTS), config, sorted(vocabulary, key=vocabulary.__getitem__))
    (folder / CONVERTED).mkdir()
    spec.save(str(folder / CONVERTED))


def encoder_spec(weights: Weights, config: Mapping[str, Any], vocabulary: list[str]) -> Any:
    """What CTranslate2 saves as a model. weights, config: with the names that transformers give a BertModel's."""
    from ctranslate2.specs import TransformerEncoderModelSpec, TransformerEncoderSpec
    from ctranslate2.specs.common_spec import Activation, EmbeddingsMerge

    encoder = TransformerEncoderSpec(
        config["num_hidden_layers"],
        config["num_attention_heads"],
        pre_norm=False,
        activation=Activation.GELU,
        layernorm_embedding=True,
        num_source_embeddings=2,
        embeddings_merge=EmbeddingsMerge.ADD,
    )
    encoder.scale_embeddings = False
    for embeddings, kind in zip(encoder.embeddings, ("word", "token_type"), strict=True):
        embeddings.weight = weights[f"embeddings.{kind}_embeddings.weight"]
    encoder.position_encodings.encodings = weights["embeddings.position_embeddings.weight"]
    _fill_norm(encoder.layernorm_embedding, weights, "embeddings.LayerNorm")
    for number, layer in enumerate(encoder.layer):
        name = f"encoder.layer.{number}"
        attention, feed_forward = layer.self_attention, layer.ffn
        _fill_linear(
            attention.linear[0],
            weights,
            *(f"{name}.attention.self.{part}" for part in ("query", "key", "value")),
        )
        _fill_linear(attention.linear[1], weights, f"{name}.attention.output.dense")
        _fill_norm(attention.layer_norm, weights, f"{name}.attention.output.LayerNorm")
        _fill_linear(feed_forward.linear_0, weights, f"{name}.intermediate.dense")
        _fill_linear(feed_forward.linear_1, weights, f"{name}.output.dense")
        _fill_norm(feed_forward.layer_norm, weights, f"{name}.output.LayerNorm")
    spec = TransformerEncoderModelSpec(encoder)
    spec.register_vocabulary(vocabulary)
    spec.config.layer_norm_epsilon = config["layer_norm_eps"]
    spec.validate()
    spec.optimize("int8")
    return spec


def _fill_norm(norm: Any, weights: Weights, name: str) -> None:
    norm.gamma, norm.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]


def _fill_linear(linear: Any, weights: Weights, *names: str) -> None:
    """One layer of several that have the same input."""
    linear.weight = np.concatenate([weights[f"{name}.weight"] for name in names])
    linear.bias = np.concatenate([weights[f"{name}.bias"] for name in names])
