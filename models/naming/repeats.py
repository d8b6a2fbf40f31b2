"""Labels that are nobody to be named: ads, trailers and jingles, told by being in other episodes too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from models.naming.person_names import fold
from models.record.transcript import Segment

REPEATED_SHARE = 0.6  # of what a voice says, also said in other episodes
REPEATED_SECONDS = 120.0  # a longer part is not an ad or a trailer
REPEATED_RUNS = 2  # times that an ad speaks up; who comes back more often talks with others
SHINGLE = 5  # words in a row that two texts are compared by


def repeated_labels(segments: Sequence[Segment], others: Sequence[Sequence[Segment]]) -> frozenset[str]:
    """Labels all of whose words are a short piece that other episodes have too: ads, trailers, jingles.

    others: the segments of other episodes of the show.
    """
    heard = [_shingles(episode) for episode in others]
    found = set()
    for label in {segment.speaker for segment in segments if segment.speaker is not None}:
        own = [segment for segment in segments if segment.speaker == label]
        runs = sum(speaker == label for speaker, _ in groupby(segments, key=lambda segment: segment.speaker))
        shingles = _shingles(own)
        seconds = sum(segment.end - segment.start for segment in own)
        if not shingles or seconds > REPEATED_SECONDS or runs > REPEATED_RUNS:
            continue
        if any(len(shingles & other) >= REPEATED_SHARE * len(shingles) for other in heard):
            found.add(label)
    return frozenset(found)


def _shingles(segments: Iterable[Segment]) -> set[tuple[str, ...]]:
    """Every SHINGLE words in a row that one speaker says."""
    found: set[tuple[str, ...]] = set()
    for _, run in groupby(segments, key=lambda segment: segment.speaker):
        text = " ".join(segment.text for segment in run)
        words = re.findall(r"\w+", fold(text))
        found.update(tuple(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1))
    return found
