"""Whether streams or channels are people, each on one of their own, or together one scene.

People are told by levels: nearly always when somebody speaks, one track is clearly louder than all others, beside its
own usual level, and it is not always the same one. A scene in stereo has its voices on both sides, whatever its music
does; two languages of a programme are spoken at the same times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from audio.tracks.signals import Signals
from models.asr.voice_activity import voice_activity
from models.runtime.samples import FULL_SCALE, SAMPLE_RATE, has_sound

Floats = NDArray[np.float32]

FRAME = SAMPLE_RATE // 4  # samples whose level is compared: a syllable or two
VOICE_BAND = (200, 4000)  # Hz: hum and hiss are nobody
FLOOR = -90.0  # dB of full scale; below it levels say nothing

EQUAL = 0.98  # correlation of what is one sound twice
SUMMED = 0.75  # share of a track that others explain, where it is their mix
PART_OF_SUM = 0.03  # share of a mix that a track makes up, to be one of its parts

APART = 8.0  # dB that a track is louder than all others when its person speaks
APART_COPIED = (
    14.0  # the same where the others have the same sound, only softer, as in a scene that is panned
)
COPIED = 0.9  # correlation of these
NEAR = 25.0  # dB below a person's usual level, at which they still speak
ALONE_SECONDS = 1.5  # of speech on a track alone, to be a person's
ALONE_SHARE = 0.02  # of all speech that is on one track alone
IN_TURN = 0.6  # share of speech that is on one track alone, where people take turns


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether tracks are people.

    why: in one sentence. mix: the track that is the sum of others. silent: those without sound as far as was heard.
    equal: pairs with the same sound. kept: the tracks that are worth hearing where `separate`: all but the mix and the
    second of equal ones; also silent ones, as their people may come later.
    """

    separate: bool
    why: str
    mix: int | None = None
    silent: tuple[int, ...] = ()
    equal: tuple[tuple[int, int], ...] = ()
    kept: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Speech:
    """Seconds of speech: on each track `alone`, when it is clearly the loudest, and on `any`."""

    alone: tuple[float, ...]
    any: float


def decide(signals: Signals, names: Sequence[str] = ()) -> Decision:
    """Whether the tracks of a file, its streams or channels, are people.

    signals: (tracks, samples) int16 at 16 kHz, each at its own level; some ten minutes are enough. names: what to call
    the tracks in `why`.
    """
    called = [*names, *(f"track {number + 1}" for number in range(len(names), len(signals)))]
    silent = tuple(number for number, track in enumerate(signals) if not has_sound(track))
    sounding = [number for number in range(len(signals)) if number not in silent]
    if len(sounding) < 2:
        return Decision(
            False, f"only {called[sounding[0]]} has sound" if sounding else "silence", silent=silent
        )
    voices = np.stack([_voice_band(track) for track in signals])
    products = (voices @ voices.T).astype(np.float64)
    equal = tuple(_equal(products, sounding))
    copies = {second for _, second in equal}
    different = [number for number in sounding if number not in copies]
    if len(different) < 2:
        return Decision(False, "all tracks have the same sound", silent=silent, equal=equal)
    mix = _sum_of_others(products, different)
    parts = [number for number in different if number != mix]
    speech = _speech(signals[parts], voices[parts])
    separate, why = _judged(speech, [called[number] for number in parts])
    kept = tuple(number for number in range(len(signals)) if number not in copies and number != mix)
    return Decision(separate, why, mix, silent, equal, kept)


def _judged(speech: _Speech, called: Sequence[str]) -> tuple[bool, str]:
    """Whether speech on tracks is that of people in turn, and why it is thought so."""
    least = max(ALONE_SECONDS, ALONE_SHARE * sum(speech.alone))
    people = [
        f"{alone:.0f} s on {name} alone"
        for alone, name in zip(speech.alone, called, strict=True)
        if alone >= least
    ]
    if not people:
        return False, "people are as loud on several tracks at once"
    if len(people) == 1:
        return False, f"of the tracks only one is louder when people speak: {people[0]}"
    share = sum(speech.alone) / speech.any
    if share < IN_TURN:
        return False, f"speech is on several tracks at the same times, {1 - share:.0%} of it"
    return True, f"people speak in turn on tracks of their own: {', '.join(people)}"


def _voice_band(track: Signals) -> Floats:
    """(samples / 2,) at 8 kHz, what voices are told by."""
    from scipy.signal import butter, sosfilt

    band = butter(2, VOICE_BAND, "bandpass", fs=SAMPLE_RATE, output="sos").astype(np.float32)
    filtered = sosfilt(band, track.astype(np.float32) / FULL_SCALE)
    return filtered[::2].astype(np.float32)


def _equal(products: NDArray[np.float64], among: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pairs of tracks with the same sound at whatever level. products: (tracks, tracks), of their samples."""
    for first, second in combinations(among, 2):
        scale = np.sqrt(products[first, first] * products[second, second])
        if abs(products[first, second]) > EQUAL * scale:
            yield first, second


def _sum_of_others(products: NDArray[np.float64], among: Sequence[int]) -> int | None:
    """The track that is best explained as the sum of two others or more; None where none is."""
    found: dict[int, float] = {}
    for track in among if len(among) > 2 else ():
        others = [other for other in among if other != track]
        weights = np.linalg.lstsq(products[np.ix_(others, others)], products[others, track], rcond=1e-6)[0]
        parts = weights * np.abs(weights) * np.diag(products)[others] / products[track, track]
        explained = float(weights @ products[others, track] / products[track, track])
        if explained >= SUMMED and parts.min() > -PART_OF_SUM and (parts > PART_OF_SUM).sum() > 1:
            found[track] = explained
    return max(found, key=lambda track: found[track], default=None)


def _speech(signals: Signals, voices: Floats) -> _Speech:
    """How long people speak on each track alone. signals, voices: of the same tracks, those that may be people."""
    levels = _levels(voices)
    loudest, usual = _clearly_loudest(levels)
    alone, heard = [], np.zeros(levels.shape[1], dtype=bool)
    for track, own in enumerate(loudest):
        if own.sum() * FRAME < ALONE_SECONDS * SAMPLE_RATE or _is_copied(
            track, own, levels - usual[:, None], voices
        ):
            alone.append(0.0)
            continue
        speech = _speaks(signals[track], len(own))
        alone.append(float((own & speech).sum() * FRAME / SAMPLE_RATE))
        heard |= speech & (levels[track] > usual[track] - NEAR)
    return _Speech(tuple(alone), float(heard.sum() * FRAME / SAMPLE_RATE))


def _levels(voices: Floats) -> Floats:
    """(tracks, frames) in dB of full scale."""
    size = FRAME // 2
    frames = voices[:, : voices.shape[1] // size * size].reshape(len(voices), -1, size)
    energy = np.einsum("tfs,tfs->tf", frames, frames) / size
    levels: Floats = 10 * np.log10(np.maximum(energy, 10 ** (FLOOR / 10)))
    return levels


def _clearly_loudest(levels: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """(tracks, frames) where each is clearly louder than all others beside its usual level, and these levels in dB.

    A usual level is that of a track when it is the loudest: otherwise somebody who says little into a microphone that
    hears another one all the time would be taken for louder than they are.
    """
    usual = np.percentile(levels, 95, axis=1).astype(np.float32)
    loudest = np.zeros(levels.shape, dtype=bool)
    for _ in range(4):
        beside = levels - usual[:, None]
        second, first = np.sort(beside, axis=0)[-2:]
        clear = (first - second > APART) & (first > -NEAR)
        loudest = clear & (np.arange(len(levels))[:, None] == beside.argmax(axis=0))
        for track, own in enumerate(loudest):
            if own.sum() * FRAME >= ALONE_SECONDS * SAMPLE_RATE:
                usual[track] = np.percentile(levels[track, own], 90)
    return loudest, usual


def _is_copied(track: int, own: NDArray[np.bool_], beside: Floats, voices: Floats) -> bool:
    """Whether, when a track is the loudest, another one has the same sound and not much softer."""
    size = FRAME // 2
    frames = voices[:, : len(own) * size].reshape(len(voices), -1, size)[:, own]
    products = np.einsum("fs,tfs->t", frames[track], frames)
    energy = np.einsum("tfs,tfs->t", frames, frames)
    alike = np.abs(products) > COPIED * np.sqrt(energy * energy[track])
    softer = np.median(beside[track, own] - beside[:, own], axis=1) < APART_COPIED
    alike[track] = False
    return bool((alike & softer).any())


def _speaks(track: Signals, frames: int) -> NDArray[np.bool_]:
    """(frames,) where the voice detector hears somebody on a track."""
    peak = float(np.abs(track.astype(np.int32)).max())
    speaks = np.zeros(frames, dtype=bool)
    for span in voice_activity(track.astype(np.float32) / peak * 0.5):
        speaks[round(span.start * SAMPLE_RATE / FRAME) : round(span.end * SAMPLE_RATE / FRAME)] = True
    return speaks
