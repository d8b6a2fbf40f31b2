"""One of two voices that talk at once, the other attenuated, by how each sounds where it speaks alone.

The magnitude spectra of a voice are sums of a few shapes, found by non-negative matrix factorisation where nobody
else speaks; where two do, the shapes of both explain what is heard, and each bin goes to both by their share of it
(Smaragdis, "Convolutive speech bases", 2007; without the convolution).
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from models.runtime.samples import SAMPLE_RATE

WINDOW = 512  # samples, 32 ms: harmonics of a voice are apart, and its sounds are not yet smeared
SHAPES = 40  # that make up a voice
ROUNDS = 60  # of multiplicative updates
FLOOR = 1e-6  # added to magnitudes, which may not be 0

Shapes = NDArray[np.float32]
"""(SHAPES, bins) magnitude spectra that a voice is made of."""


def learn_shapes(alone: NDArray[np.float32]) -> Shapes:
    """What a voice is made of. alone: (samples,) of it at 16 kHz, some seconds in which nobody else speaks."""
    from sklearn.decomposition import NMF

    model = NMF(
        SHAPES, beta_loss="kullback-leibler", solver="mu", init="random", random_state=0, max_iter=ROUNDS
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it hasn't converged: it needn't
        model.fit(np.abs(_spectra(alone)) + FLOOR)
    shapes: Shapes = model.components_ / model.components_.sum(axis=1, keepdims=True)
    return shapes


def separate(both: NDArray[np.float32], own: Shapes, other: Shapes) -> NDArray[np.float32]:
    """(samples,) of the voice whose shapes are `own`, out of (samples,) in which that and the other are heard."""
    from scipy.signal import istft
    from sklearn.decomposition import non_negative_factorization

    spectra = _spectra(both)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights, _, _ = non_negative_factorization(
            np.abs(spectra) + FLOOR,
            H=np.concatenate([own, other]),
            update_H=False,
            beta_loss="kullback-leibler",
            solver="mu",
            max_iter=ROUNDS,
            random_state=0,
        )
    mine, theirs = (
        (part @ shapes) ** 2 for part, shapes in ((weights[:, :SHAPES], own), (weights[:, SHAPES:], other))
    )
    share = mine / np.maximum(mine + theirs, np.finfo(np.float32).tiny)
    _, samples = istft((spectra * share).T, SAMPLE_RATE, nperseg=WINDOW)
    voice: NDArray[np.float32] = samples[: len(both)].astype(np.float32)
    return voice


def _spectra(samples: NDArray[np.float32]) -> NDArray[np.complex64]:
    """(frames, bins)."""
    from scipy.signal import stft

    spectra: NDArray[np.complex64] = stft(samples, SAMPLE_RATE, nperseg=WINDOW)[2].T
    return spectra.astype(np.complex64)
