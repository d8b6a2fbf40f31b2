"""A Whisper of one layer with random weights, to try out whether CTranslate2 computes on a device.

It takes the same ways through CTranslate2 as every other Whisper, beams, samples and alignment, in a few milliseconds,
and needs no file of a model.
"""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH = 64  # of every layer, and of its one attention head
MELS = 80
FRAMES = 100  # of features: a second
POSITIONS = 64  # at least FRAMES // 2, and the tokens that are written
TOKENS = 64
SPECIAL_TOKENS = ("<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>", "<|nospeech|>")
PROMPT = [1, 2]
WRITTEN = 8  # tokens
BEAMS = 5
SEED = 1


def encode_second(device: str, compute_type: str) -> NDArray[np.float32]:
    """(FRAMES // 2, WIDTH) that the encoder makes of a second of noise, once the decoder has written and aligned it.

    Raises what CTranslate2 raises where it can't compute on `device`.
    """
    import ctranslate2

    with tempfile.TemporaryDirectory() as folder:
        _spec().save(folder)
        model = ctranslate2.models.Whisper(folder, device=device, compute_type=compute_type)
    noise = np.random.default_rng(SEED).standard_normal((1, MELS, FRAMES)).astype(np.float32)
    encoded = model.encode(ctranslate2.StorageView.from_array(noise), to_cpu=False)
    for way in ({"beam_size": BEAMS}, {"beam_size": 1, "sampling_topk": 0, "num_hypotheses": BEAMS}):
        model.generate(
            encoded, [PROMPT], max_length=WRITTEN, return_scores=True, return_no_speech_prob=True, **way
        )
    model.align(encoded, PROMPT, [list(range(len(SPECIAL_TOKENS), TOKENS // 8))], FRAMES)
    on_cpu = encoded.to(ctranslate2.DataType.float32).to_device(ctranslate2.Device.cpu)
    vectors: NDArray[np.float32] = np.array(on_cpu)[0]
    return vectors


def _spec() -> Any:
    from ctranslate2.specs import WhisperSpec

    random = np.random.default_rng(SEED)

    def weights(*shape: int) -> NDArray[np.float32]:
        return random.normal(scale=np.prod(shape[1:]) ** -0.5, size=shape).astype(np.float32)

    def fill_norm(norm: Any) -> None:
        norm.gamma, norm.beta = np.ones(WIDTH, dtype=np.float32), np.zeros(WIDTH, dtype=np.float32)

    def fill_linear(linear: Any, outputs: int = 1, inputs: int = 1) -> None:
        linear.weight, linear.bias = weights(outputs * WIDTH, inputs * WIDTH), weights(outputs * WIDTH)

    def fill_attention(attention: Any, *widths: int) -> None:
        fill_norm(attention.layer_norm)
        for linear, outputs in zip(attention.linear, widths, strict=True):
            fill_linear(linear, outputs)

    def fill_feed_forward(layer: Any) -> None:
        fill_norm(layer.layer_norm)
        fill_linear(layer.linear_0, outputs=4)
        fill_linear(layer.linear_1, inputs=4)

    spec = WhisperSpec(1, 1, 1, 1)
    encoder, decoder = spec.encoder, spec.decoder
    for convolution, channels in ((encoder.conv1, MELS), (encoder.conv2, WIDTH)):
        convolution.weight, convolution.bias = weights(WIDTH, channels, 3), weights(WIDTH)
    for part in (encoder, decoder):
        part.position_encodings.encodings = weights(POSITIONS, WIDTH)
        fill_norm(part.layer_norm)
        fill_attention(part.layer[0].self_attention, 3, 1)
        fill_feed_forward(part.layer[0].ffn)
    fill_attention(decoder.layer[0].attention, 1, 2, 1)
    decoder.embeddings.weight = decoder.projection.weight = weights(TOKENS, WIDTH)
    spec.register_vocabulary([*SPECIAL_TOKENS, *map(str, range(TOKENS - len(SPECIAL_TOKENS)))])
    spec.config.alignment_heads = [(0, 0)]
    spec.config.suppress_ids = spec.config.suppress_ids_begin = spec.config.lang_ids = []
    spec.validate()
    return spec
