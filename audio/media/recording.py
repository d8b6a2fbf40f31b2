"""The audio of one run: decoded once, when somebody first needs its samples, and let go at the end."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

from audio.media.decode import Decoded, Mix, Samples, decode
from audio.media.probe import probe
from models.record.progress import Progress, silent


@dataclass(frozen=True)
class DecodedAudio:
    """What decoding told: the length in seconds, which channels were heard, and what to warn the listener of."""

    seconds: float
    mix: Mix
    warnings: tuple[str, ...]


class Recording:
    """An audio file whose decoded samples are kept while the context lasts: 115 MB an hour."""

    def __init__(self, path: str, sha256: str) -> None:
        self.path = path
        self.sha256 = sha256
        self._kept: tuple[Mix, Decoded] | None = None

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept = None

    def decode(self, progress: Progress = silent) -> DecodedAudio:
        """Decode the file and say what it is. Raises InputError."""
        found = probe(self.path)
        decoded = self._decoded(found.mix, progress)
        warnings = [decoded.warning] if decoded.warning else []
        if found.tracks > 1:
            warnings.append(f"the file has {found.tracks} audio tracks: only its default one was heard")
        if found.mix != "mean":
            warnings.append(
                f"only the {found.mix} channel was heard: the other is silent or would have cancelled it out"
            )
        return DecodedAudio(decoded.seconds, found.mix, tuple(warnings))

    def samples(self, mix: Mix, progress: Progress = silent) -> Samples:
        """The audio as (samples,) int16 mono at 16 kHz; `mix` as `decode` told, in this run or an earlier one."""
        return self._decoded(mix, progress).samples

    def _decoded(self, mix: Mix, progress: Progress) -> Decoded:
        if self._kept is None or self._kept[0] != mix:
            self._kept = None  # let go of the one before there are two
            decoded = decode(
                self.path, mix=mix, progress=lambda done, total: progress("decode", done, total or 0)
            )
            self._kept = mix, decoded
        return self._kept[1]
