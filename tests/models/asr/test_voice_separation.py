"""Two readers who are mixed, and told apart again."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from models.asr.voice_separation import learn_shapes, separate
from models.runtime.samples import SAMPLE_RATE

Samples = NDArray[np.float32]
SECONDS = 3 * SAMPLE_RATE


def level(samples: Samples) -> Samples:
    return samples / np.float32(np.sqrt(np.square(samples).mean()))


def ratio(voice: Samples, truth: Samples) -> float:
    """How loud what is right in `voice` is over what is not, in dB."""
    right = truth * (voice @ truth) / (truth @ truth)
    return float(10 * np.log10(np.square(right).sum() / np.square(voice - right).sum()))


def test_the_other_voice_is_softer(utterances: dict[str, list[Samples]]) -> None:
    gained = []
    for one, other in pairwise(sorted(utterances)):
        voices = [level(np.concatenate(utterances[who][:3])) for who in (one, other)]
        said = [level(max(utterances[who][3:], key=len)[:SECONDS]) for who in (one, other)]
        mixed = said[0] + said[1]
        shapes = [learn_shapes(voice) for voice in voices]
        heard = separate(mixed, *shapes), separate(mixed, *shapes[::-1])
        gained += [
            ratio(voice, truth) - ratio(mixed, truth) for voice, truth in zip(heard, said, strict=True)
        ]
    assert np.median(gained) > 2.5
    assert np.mean(np.array(gained) > 0.0) > 0.9


def test_both_voices_together_are_what_was_heard(utterances: dict[str, list[Samples]]) -> None:
    one, other = (utterances[who] for who in sorted(utterances)[:2])
    mixed = one[0][:SECONDS] + other[0][:SECONDS]
    shapes = learn_shapes(one[1]), learn_shapes(other[1])
    both = separate(mixed, *shapes) + separate(mixed, *shapes[::-1])
    assert both == pytest.approx(mixed, abs=0.02)


def test_the_same_sound_gives_the_same_voice(utterances: dict[str, list[Samples]]) -> None:
    one, other = (learn_shapes(utterances[who][0]) for who in sorted(utterances)[:2])
    mixed = utterances[sorted(utterances)[0]][1][:SECONDS]
    assert np.array_equal(separate(mixed, one, other), separate(mixed, one, other))


def test_silence_stays_silence() -> None:
    silence = np.zeros(SECONDS, np.float32)
    shapes = learn_shapes(silence)
    assert np.array_equal(separate(silence, shapes, shapes), silence)
