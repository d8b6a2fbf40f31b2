"""Labels turned into what readers see."""

from __future__ import annotations

from collections.abc import Sequence

from models.transcript import Segment, Speaker


def name_speakers(segments: Sequence[Segment]) -> tuple[Speaker, ...]:
    """One speaker a label, called "Speaker 1", "Speaker 2", ... in order of first words."""
    labels = dict.fromkeys(segment.speaker for segment in segments if segment.speaker is not None)
    return tuple(Speaker(label, f"Speaker {i}") for i, label in enumerate(labels, start=1))
