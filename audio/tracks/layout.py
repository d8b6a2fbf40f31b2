"""Where the tracks of a session lie, and what of each is heard: what decoding finds out, and may be kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audio.tracks.splice import Splice
from models.record.spans import Span, union
from models.record.transcript import TrackPiece

PAD = 0.1  # seconds around a track's own sounds that are heard with them


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the tracks of a session lie, and where each holds sound of its own; seconds of the mix.

    `pieces` and `sounds` have an entry a track; `sounds` has one more where there is a mix: what no track explains.
    """

    seconds: float
    pieces: tuple[tuple[TrackPiece, ...], ...]
    sounds: tuple[tuple[Span, ...], ...]
    warnings: tuple[str, ...] = ()

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Layout:
        """What `dataclasses.asdict` has made of one."""
        return cls(
            kept["seconds"],
            tuple(tuple(TrackPiece(**piece) for piece in own) for own in kept["pieces"]),
            tuple(tuple(Span(**span) for span in own) for own in kept["sounds"]),
            tuple(kept["warnings"]),
        )

    @property
    def splice(self) -> Splice:
        """What is heard of it."""
        return Splice.of([_padded(own, self.seconds) for own in self.sounds])


def _padded(spans: Sequence[Span], seconds: float) -> list[Span]:
    return union(Span(max(0.0, span.start - PAD), min(seconds, span.end + PAD)) for span in spans)
