"""One person over two channels: in the studio first, then over a telephone.

A telephone passes 300 to 3400 Hz. Without the rest the CAM++ embedding of a voice resembles that of the same
voice in a studio by a cosine of about 0.55, where one channel gives 0.9, so that the clustering finds two
people. Two strangers on two such channels reach 0.1, though, and not the 0.3 of two callers. So voices of
which one has the telephone's band and the other has not are weighed again, by what cosines look like across
these two, and by a second embedding that hears the telephone's band of both.

Only what a voice says alone is listened to, HEARD_SECONDS of each voice at most, and embedded only where a
recording has voices in both bands.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from models.diarisation.clustering import Calibration, Floats, pair_ratios, singleton_clusters
from models.diarisation.embeddings.campplus import CAMPPlusEmbedder
from models.diarisation.embeddings.filter_banks import FRAME_SHIFT, N_MELS, block_features, mel_centres
from models.record.spans import Span, union, who_speaks
from models.record.transcript import Diarisation, Turn, Voice
from models.runtime.samples import Samples

TELEPHONE = (300.0, 3400.0)  # Hz, the band of a telephone
MIDDLE = (1000.0, 3000.0)  # Hz, which every channel passes
UPPER = (4500.0, 7500.0)  # Hz, which no telephone passes
NARROW_DB = -28.0  # upper against middle band: -30 and less over telephones, -26 and more of all else
BAND_GAP_DB = 6.0  # between the two kinds: voices over one telephone differ by 2
LOUD = 0.9  # quantile over time at which bands are compared: speech rather than what lies under it
HEARD_SECONDS = 40.0  # of a voice, at most
PIECE_SECONDS = 8.0  # of speech embedded at once
MIN_SECONDS = 4.0  # of speech; a shorter voice is left as it is
SUREST = 0.99  # more was not measured

# Of the mean of two cosines, whole and telephone band, between one voice in a telephone's band and one that isn't.
# The prior: somebody on a telephone is mostly somebody else, as a caller or a guest is.
ACROSS_BANDS = Calibration(same=(0.73, 0.07), different=(0.20, 0.08), altered_share=0.0, bond=0.0, prior=-4.0)


@dataclass(frozen=True)
class Person:
    """Labels taken for one person, first heard first, and the probability of that."""

    labels: tuple[str, ...]
    sure: float = 1.0


def join_channels(
    found: Diarisation, samples: Samples, embedder: CAMPPlusEmbedder, least: int = 1
) -> Diarisation:
    """The same with voices that differ by their channel only as one, and a warning for each of those.

    samples: (samples,) mono at 16 kHz, float32 or int16, which `found` was made of. At least `least` speakers
    are left. Labels stay in order of first speech.
    """
    people = find_people(found.turns, samples, embedder, least)
    if all(len(person.labels) == 1 for person in people):
        return found
    return _joined(found, people)


def find_people(
    turns: Sequence[Turn], samples: Samples, embedder: CAMPPlusEmbedder, least: int = 1
) -> list[Person]:
    """Who is who: each label of `turns` in one Person, in order of first speech."""
    labels = list(dict.fromkeys(turn.speaker for turn in turns))
    alone, together = _alone_and_together(turns, labels)
    waveform = torch.from_numpy(samples)
    features = [_features(waveform, spans) for spans in alone]
    heard = [i for i, own in enumerate(features) if len(own) >= MIN_SECONDS / FRAME_SHIFT]
    narrow = telephone_bands(np.array([upper_band(features[i]) for i in heard]))
    groups = [([i], 1.0) for i in range(len(labels))]
    if narrow.any() and not narrow.all():
        vectors = np.stack([_both_bands(features[i], embedder) for i in heard])
        seconds = np.array([len(features[i]) * FRAME_SHIFT for i in heard])
        ratios = _ratios(vectors, seconds, together[np.ix_(heard, heard)])
        joined = group(ratios, narrow, least - (len(labels) - len(heard)))
        groups = [([heard[k] for k in members], sure) for members, sure in joined]
        groups += [([i], 1.0) for i in range(len(labels)) if i not in heard]
    return [Person(tuple(labels[i] for i in members), sure) for members, sure in sorted(groups)]


def _alone_and_together(turns: Sequence[Turn], labels: list[str]) -> tuple[list[list[Span]], Floats]:
    """Where each label speaks alone, and (labels, labels) seconds in which two speak at one time."""
    number = {label: i for i, label in enumerate(labels)}
    alone: list[list[Span]] = [[] for _ in labels]
    together = np.zeros((len(labels), len(labels)))
    for span, speakers in who_speaks(turns):
        for one, other in itertools.permutations(speakers, 2):
            together[number[one], number[other]] += span.duration
        if len(speakers) == 1:
            alone[number[speakers[0]]].append(span)
    return alone, together


def _features(waveform: Tensor, spans: list[Span]) -> Tensor:
    """(frames, 80) features of the longest of `spans`, HEARD_SECONDS of them at most."""
    parts: list[Tensor] = []
    room = round(HEARD_SECONDS / FRAME_SHIFT)
    for span in sorted(spans, key=lambda span: -span.duration):
        first = round(span.start / FRAME_SHIFT)
        end = min(round(span.end / FRAME_SHIFT), first + room)
        parts.append(block_features(waveform, first, end, waveform.device))
        room -= len(parts[-1])
        if room <= 0:
            break
    return torch.cat(parts) if parts else torch.zeros(0, N_MELS)


def upper_band(features: Tensor) -> float:
    """dB of what no telephone passes, over what every channel does.

    features: (frames, 80) log mel energies of a voice.
    """
    loud = np.quantile(features.numpy(), LOUD, axis=0)
    upper, middle = (float(loud[_bins(band)].mean()) for band in (UPPER, MIDDLE))
    return 10.0 / math.log(10.0) * (upper - middle)


def telephone_bands(upper: Floats) -> NDArray[np.bool_]:
    """(voices,) True for those over telephones; none where nothing sets them apart from others.

    upper: (voices,) as `upper_band` has them.
    """
    narrow = upper < NARROW_DB
    if narrow.any() and not narrow.all() and upper[~narrow].min() - upper[narrow].max() < BAND_GAP_DB:
        return np.zeros(len(upper), dtype=bool)
    return narrow


def _bins(band: tuple[float, float]) -> NDArray[np.bool_]:
    """(80,) True for the mel bins in a band of Hz."""
    centres = mel_centres()
    inside: NDArray[np.bool_] = (centres >= band[0]) & (centres <= band[1])
    return inside


def _both_bands(features: Tensor, embedder: CAMPPlusEmbedder) -> Floats:
    """(384,) embedding of all that is heard and of its telephone band alone, one after the other.

    The product of two such is the mean of the two cosines. What is the same in each frame says nothing to the
    network, which hears features less their mean.
    """
    pieces = features.tensor_split(max(1, round(len(features) * FRAME_SHIFT / PIECE_SECONDS)))
    telephone = torch.from_numpy(_bins(TELEPHONE))
    halves = []
    for band in (torch.ones_like(telephone), telephone):
        vectors = np.concatenate([embedder.embed((piece * band)[None]) for piece in pieces])
        halves.append((vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).sum(axis=0))
    return np.concatenate([half / np.linalg.norm(half) for half in halves]).astype(np.float64)


def _ratios(vectors: Floats, seconds: Floats, together: Floats) -> Floats:
    """(voices, voices) log-likelihood ratios of one person against two."""
    clusters = singleton_clusters(vectors, seconds, ACROSS_BANDS, together=csr_array(together))
    return pair_ratios(clusters, ACROSS_BANDS)


def group(ratios: Floats, narrow: NDArray[np.bool_], least: int = 1) -> list[tuple[list[int], float]]:
    """Voices that are one person, and how sure that is; at least `least` groups where there are so many voices.

    ratios: (voices, voices); narrow: (voices,). Groups join while one person is the likelier story by the mean
    over all pairs between them, but none of which all voices have one band: those were told apart within it.
    """
    groups = [([i], 1.0) for i in range(len(narrow))]
    while len(groups) > max(1, least):
        pairs = [
            (float(ratios[np.ix_(groups[i][0], groups[j][0])].mean()), i, j)
            for i, j in itertools.combinations(range(len(groups)), 2)
            if len({*narrow[groups[i][0]], *narrow[groups[j][0]]}) == 2
        ]
        ratio, i, j = max(pairs, default=(0.0, 0, 0))
        if ratio <= 0.0:
            break
        members, sure = groups.pop(j)
        groups[i] = (
            sorted(groups[i][0] + members),
            min(SUREST, groups[i][1], sure, 1.0 / (1.0 + math.exp(-ratio))),
        )
    return groups


def _joined(found: Diarisation, people: list[Person]) -> Diarisation:
    """The same with each of `people` under one label."""
    names = {label: f"SPEAKER_{i:02d}" for i, person in enumerate(people) for label in person.labels}
    return Diarisation(
        turns=_renamed(found.turns, names),
        exclusive=_renamed(found.exclusive, names),
        voices=_one_voice_each(found.voices, names),
        warnings=(
            *found.warnings,
            *(_warning(found.turns, person, names) for person in people if len(person.labels) > 1),
        ),
    )


def _renamed(turns: Sequence[Turn], names: dict[str, str]) -> tuple[Turn, ...]:
    """Turns under their new names; those of one speaker that touch become one."""
    spans: dict[str, list[Span]] = {}
    for turn in turns:
        spans.setdefault(names[turn.speaker], []).append(Span(turn.start, turn.end))
    return tuple(
        sorted(Turn(span.start, span.end, name) for name, own in spans.items() for span in union(own))
    )


def _one_voice_each(voices: Sequence[Voice], names: dict[str, str]) -> tuple[Voice, ...]:
    """Voices under their new names; those of one name as their mean, weighed by seconds."""
    of: dict[str, list[Voice]] = {}
    for voice in voices:
        of.setdefault(names[voice.speaker], []).append(voice)
    return tuple(_mean_voice(name, of[name]) for name in sorted(of))


def _mean_voice(name: str, voices: list[Voice]) -> Voice:
    seconds = [voice.seconds for voice in voices]
    weights = seconds if any(seconds) else None
    mean = np.average([voice.embedding for voice in voices], axis=0, weights=weights)
    return Voice(name, tuple(mean.tolist()), sum(seconds), voices[0].model)


def _warning(turns: Sequence[Turn], person: Person, names: dict[str, str]) -> str:
    """What a reader should look at, and how much it may be doubted."""
    starts = [next(turn.start for turn in turns if turn.speaker == label) for label in person.labels[1:]]
    others = ", ".join(str(timedelta(seconds=int(start))) for start in starts)
    return (
        f"{names[person.labels[0]]} is heard over a telephone and without one (from {others} on) and was taken for "
        f"one person ({person.sure:.0%} sure; --min-speakers {len(names)} keeps them apart)"
    )
