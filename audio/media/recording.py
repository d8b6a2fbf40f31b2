"""The audio of one run: decoded once, when somebody first needs its samples, and let go at the end."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from audio.media.decode import Decoded, decode
from audio.media.tracks import choose_track
from models.record.progress import Progress, silent

if TYPE_CHECKING:
    from audio.media.levels import Samples


@dataclass(frozen=True)
class DecodedAudio:
    """What decoding told: the length in seconds, which stream was heard, and what to warn the listener of."""

    seconds: float
    track: int
    warnings: tuple[str, ...]


class Recording:
    """An audio file whose decoded samples are kept while the context lasts: 115 MB an hour."""

    def __init__(self, path: str, sha256: str) -> None:
        self.path = path
        self.sha256 = sha256
        self._kept: tuple[int, Decoded] | None = None

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept = None

    def decode(self, wanted: str | None = None, progress: Progress = silent) -> DecodedAudio:
        """Decode the file and say what it is. wanted: as `choose_track` has it. Raises InputError."""
        track, warnings = choose_track(self.path, wanted)
        decoded = self._decoded(track.index, progress)
        return DecodedAudio(decoded.seconds, track.index, (*warnings, *decoded.warnings))

    def samples(self, track: int, progress: Progress = silent) -> Samples:
        """The audio as (samples,) int16 mono at 16 kHz; `track` as `decode` told, in this run or an earlier one."""
        return self._decoded(track, progress).samples

    def _decoded(self, track: int, progress: Progress) -> Decoded:
        if self._kept is None or self._kept[0] != track:
            self._kept = None  # let go of the one before there are two
            decoded = decode(
                self.path,
                track=track,
                progress=lambda done, total: progress("decode", done, total or 0),
            )
            self._kept = track, decoded
        return self._kept[1]
