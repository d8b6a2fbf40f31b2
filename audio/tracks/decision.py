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
from numpy.fft import irfft, rfft
from numpy.typing import NDArray

from audio.tracks.signals import Signals
from models.asr.voice_activity import voice_activity
from models.record.spans import total
from models.runtime.samples import FULL_SCALE, SAMPLE_RATE, has_sound

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

FRAME = SAMPLE_RATE // 4  # samples whose level is compared: a syllable or two
VOICE_BAND = (200, 4000)  # Hz: hum and hiss are nobody
FLOOR = -100.0  # dB of full scale; below it levels say nothing

EQUAL = 0.98  # correlation of what is one sound twice
SUMMED = 0.75  # share of a track that others explain, where it is their mix
PART_OF_SUM = 0.03  # share of a mix that a track makes up, to be one of its parts

APART = 8.0  # dB that a track is louder than all others when its person speaks
APART_COPIED = 12.0  # the same where others have the same sound, only softer, as in a scene that is panned
COPIED = 0.9  # correlation of these
NEAR = 25.0  # dB below a person's usual level, at which they still speak
ALONE_SECONDS = 1.5  # of speech on a track alone, to be a person's
ALONE_SHARE = 0.02  # of all speech that is on one track alone
IN_TURN = 0.6  # share of speech that is on one track alone, where people take turns
SPEAKS = 12.0  # dB below their usual level, at which somebody surely speaks,
AS_LOUD = 6.0  # and not only hears the one who leads, which is as far below it
HEARD = 0.55  # correlation with the one who leads, of a microphone that hears them, too,
LATEST = 0.025  # seconds later at most
UNRELATED = 0.1  # correlation of tracks at most, that are heard in one room nowhere
AT_ONCE = 0.25  # share of speech that is together with others', over which it is another programme


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
    """Seconds of speech: on each track `alone`, when it is clearly the loudest, on `any`, and on two `at_once`."""

    alone: tuple[float, ...]
    any: float = 0.0
    at_once: float = 0.0


def decide(signals: Signals, names: Sequence[str] = (), *, channels: bool = False) -> Decision:
    """Whether the tracks of a file, its streams or channels, are people.

    signals: (tracks, samples) int16 at 16 kHz, each at its own level; some ten minutes are enough. names: what to call
    the tracks in `why`. channels: whether they are those of one stream, and played together, so that people who speak
    on two of them at once are no two languages of one programme.
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
    mixes = _sums(products, different)
    parts = [number for number in different if number not in mixes]
    speech = _speech(signals[parts], voices[parts])
    separate, why = _judged(speech, [called[number] for number in parts])
    if not separate and channels and _are_unrelated(signals[parts], voices[parts]):
        separate, why = True, "people speak on channels that have nothing in common"
    kept = tuple(number for number in range(len(signals)) if number not in copies and number not in mixes)
    return Decision(separate, why, mixes[0] if mixes else None, silent, equal, kept)


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
    in_turn = sum(speech.alone) / speech.any
    if in_turn < IN_TURN:
        return False, f"most speech is as loud on other tracks, too: {1 - in_turn:.0%} of it"
    if speech.at_once > AT_ONCE * speech.any:
        return (
            False,
            f"people speak on several tracks at the same times: {speech.at_once / speech.any:.0%} of them",
        )
    return True, f"people speak in turn on tracks of their own: {', '.join(people)}"


def _are_unrelated(signals: Signals, voices: Floats) -> bool:
    """Whether people speak on two tracks or more, of which none has anything of another."""
    reach = round(LATEST * SAMPLE_RATE / 2)
    for one, other in combinations(voices, 2):
        least = UNRELATED * np.linalg.norm(one) * np.linalg.norm(other)
        if abs(one @ other) > least:  # which spares nearly all files the rest
            return False
        products = irfft(rfft(one, 2 * len(one)) * rfft(other, 2 * len(one)).conj())
        if max(np.abs(products[:reach]).max(), np.abs(products[-reach:]).max()) > least:
            return False
    return sum(total(voice_activity(track)) >= ALONE_SECONDS for track in signals) > 1


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


def _sums(products: NDArray[np.float64], among: Sequence[int]) -> list[int]:
    """The tracks that are sums of two others or more, the best explained one first."""
    from scipy.optimize import nnls

    sums: list[int] = []
    while len(rest := [track for track in among if track not in sums]) > 2:
        found: dict[int, float] = {}
        for track in rest:
            others = [other for other in rest if other != track]
            slack = (
                1e-9 * products[track, track] * np.eye(len(others))
            )  # some may be sums of others themselves
            root = np.linalg.cholesky(products[np.ix_(others, others)] + slack)
            weights, _ = nnls(root.T, np.linalg.solve(root, products[others, track]))
            parts = weights**2 * np.diag(products)[others] / products[track, track]
            explained = float(weights @ products[others, track] / products[track, track])
            if explained >= SUMMED and (parts > PART_OF_SUM).sum() > 1:
                found[track] = explained
        if not found:
            break
        sums.append(max(found, key=lambda track: found[track]))
    return sums


def _speech(signals: Signals, voices: Floats) -> _Speech:
    """How long people speak on each track alone. signals, voices: of the same tracks, those that may be people."""
    size = FRAME // 2
    frames = voices[:, : voices.shape[1] // size * size].reshape(len(voices), -1, size)
    levels = _levels(frames)
    loudest, beside = _clearly_loudest(levels)
    heard = np.zeros(levels.shape[1], dtype=bool)
    normal = np.full(levels.shape, -np.inf)  # dB, beside the level of each one's own speech
    alone = [0.0] * len(levels)
    for track, own in enumerate(loudest):
        if _seconds(own) < ALONE_SECONDS or _is_copied(track, loudest, beside, frames):
            continue
        speech = _speaks(signals[track], len(own))
        alone[track] = _seconds(own & speech)
        if alone[track]:
            normal[track] = levels[track] - np.median(levels[track, own & speech])
            heard |= speech & (normal[track] > -NEAR)
    return _Speech(tuple(alone), _seconds(heard), _seconds_at_once(normal[:, heard], frames[:, heard]))


def _seconds_at_once(normal: NDArray[np.float64], frames: Floats) -> float:
    """How long two speak at once, each about as loud as usual: for each who leads the one with whom it is most.

    normal: (tracks, frames) in dB. A microphone that only hears who leads is not as loud as in its own person's
    speech, or has the same sound.
    """
    leader, most = normal.argmax(axis=0), normal.max(axis=0)
    speaks = (normal > -SPEAKS) & (normal > most - AS_LOUD)
    found = 0.0
    for track in range(len(normal)):
        both = [speaks[track] & (leader == track) & other for other in speaks]
        found += max(
            0.0
            if other == track or _likeness(frames[track, at_once], frames[other, at_once]) > HEARD
            else _seconds(at_once)
            for other, at_once in enumerate(both)
        )
    return found


def _likeness(one: Floats, other: Floats) -> float:
    """The highest correlation of two tracks, one of them up to LATEST later, over frames: (frames, samples) each."""
    from scipy.fft import irfft, rfft

    latest = round(LATEST * SAMPLE_RATE / 2)
    size = 2 * one.shape[1]
    crossed = irfft(np.sum(rfft(one, size).conj() * rfft(other, size), axis=0), size)
    scale = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.abs(crossed[np.arange(-latest, latest + 1)]).max()) / scale if scale else 0.0


def _seconds(frames: Flags) -> float:
    return float(frames.sum()) * FRAME / SAMPLE_RATE


def _levels(frames: Floats) -> Floats:
    """(tracks, frames) in dB of full scale; frames: (tracks, frames, samples)."""
    energy = np.einsum("tfs,tfs->tf", frames, frames) / frames.shape[2]
    levels: Floats = 10 * np.log10(np.maximum(energy, 10 ** (FLOOR / 10)))
    return levels


def _clearly_loudest(levels: Floats) -> tuple[Flags, Floats]:
    """(tracks, frames) where each is clearly louder than all others, by levels beside their gains; and these levels."""
    beside = levels - _gains(levels)[:, None]
    second, first = np.sort(beside, axis=0)[-2:]
    clear = (first - second > APART) & (first > np.percentile(first, 95) - NEAR)
    leads: Flags = np.arange(len(levels))[:, None] == beside.argmax(axis=0)
    return leads & clear, beside


def _gains(levels: Floats) -> Floats:
    """(tracks,) in dB, by which levels can be compared: so that of any two tracks each leads by as much in its turn.

    The level of speech would not do: of two people on the same line the softer one would seem to lead nowhere.
    """
    usual = np.percentile(levels, 99, axis=1)
    beside = levels - usual[:, None]
    active = beside.max(axis=0) > -NEAR
    gains = np.zeros((len(levels), len(levels)))
    for one, other in combinations(range(len(levels)), 2):
        leading = active & (np.maximum(beside[one], beside[other]) >= beside.max(axis=0))
        gains[one, other] = _middle(levels[one, leading] - levels[other, leading])
        gains[other, one] = -gains[one, other]
    middle: Floats = gains.mean(axis=1).astype(np.float32)
    return middle


def _middle(differences: Floats) -> float:
    """Half way between the two levels about which values gather, also where one of them is rare (isodata).

    >>> float(_middle(np.array([-10.0, -12.0, -11.0] * 20 + [29.0, 30.0, 31.0])))
    9.5
    """
    if not len(differences):
        return 0.0
    low, high = np.percentile(differences, (2, 98))
    for _ in range(10 if low < high else 0):
        middle = (low + high) / 2
        low, high = (
            np.median(differences[differences <= middle]),
            np.median(differences[differences > middle]),
        )
    return float(low + high) / 2


def _is_copied(track: int, loudest: Flags, beside: Floats, frames: Floats) -> bool:
    """Whether, when a track is the loudest, another one has the same sound and not much softer."""
    own = loudest[track]
    sound = frames[:, own]
    energy = np.einsum("tfs,tfs->t", sound, sound)
    alike = np.abs(np.einsum("fs,tfs->t", sound[track], sound)) > COPIED * np.sqrt(energy * energy[track])
    alike[track] = False
    for other in np.flatnonzero(alike):
        turns = [loudest[one] for one in (track, other) if loudest[one].any()]
        apart = [abs(float(np.median(beside[track, turn] - beside[other, turn]))) for turn in turns]
        if sum(apart) / len(apart) < APART_COPIED:
            return True
    return False


def _speaks(track: Signals, frames: int) -> Flags:
    """(frames,) where the voice detector hears somebody on a track."""
    peak = float(np.abs(track.astype(np.int32)).max())
    speaks = np.zeros(frames, dtype=bool)
    for span in voice_activity(track.astype(np.float32) / peak * 0.5):
        speaks[round(span.start * SAMPLE_RATE / FRAME) : round(span.end * SAMPLE_RATE / FRAME)] = True
    return speaks
