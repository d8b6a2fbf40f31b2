"""The audio of one run: decoded once, when somebody first needs its samples, and let go at the end.

It is heard as one mix, or, where people have tracks of their own, as a session of these.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from audio.media.decode import Decoded, decode
from audio.media.tracks import choose_track
from audio.tracks.layout import Layout
from audio.tracks.sources import FoundTracks, TrackSource, find_sources
from models.record.progress import Progress, silent

if TYPE_CHECKING:
    from audio.media.levels import Samples
    from audio.tracks.session import Session


@dataclass(frozen=True)
class DecodedAudio:
    """What decoding told: the length in seconds, which stream was heard, and what to warn the listener of.

    `tracks` are those that people have of their own, with where they lie in `layout`; of a mix there are none. `why`
    it is heard as such is one sentence, "" where nothing had to be decided. Paths are left out of it: it may be kept.
    """

    seconds: float
    track: int | None
    warnings: tuple[str, ...]
    why: str = ""
    tracks: tuple[TrackSource, ...] = ()
    mix: TrackSource | None = None
    layout: Layout | None = None

    @property
    def heard(self) -> int | str | None:
        """What of the file is heard, for keys of what was found in it: a stream, or the digest of a layout."""
        if self.layout is None:
            return self.track
        return hashlib.sha256(repr(self.layout).encode()).hexdigest()[:16]

    @property
    def parts(self) -> int:
        """How many things are heard by themselves: the mix, or each track and what none explains of their mix."""
        return 1 if self.layout is None else len(self.layout.sounds)

    @property
    def worked_seconds(self) -> float:
        """How much there is to hear for models."""
        return self.seconds if self.layout is None else self.layout.splice.seconds

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> DecodedAudio:
        """What `dataclasses.asdict` has made of one."""
        return cls(
            kept["seconds"],
            kept["track"],
            tuple(kept["warnings"]),
            kept["why"],
            tuple(TrackSource(**track) for track in kept["tracks"]),
            TrackSource(**kept["mix"]) if kept["mix"] else None,
            Layout.read(kept["layout"]) if kept["layout"] else None,
        )


class Recording:
    """An audio file, or tracks and their mix, whose decoded samples are kept while the context lasts.

    An hour of a mix is 115 MB.
    """

    def __init__(self, path: str, sha256: str, found: FoundTracks | None = None) -> None:
        """path: of the file, or where the sum of tracks goes of which there is no mix; found: these tracks."""
        self.path = path
        self.sha256 = sha256
        self._found = found
        self._kept: tuple[int, Decoded] | None = None
        self._session: Session | None = None

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept = self._session = None

    def decode(
        self, wanted: str | None = None, tracks: str = "mix", progress: Progress = silent
    ) -> DecodedAudio:
        """Decode the file and say what it is. Raises InputError.

        wanted: as `choose_track` has it. tracks: auto, mix or separate, as `find_sources` has it.
        """
        found = self._found or find_sources(self.path, (), tracks, Path(), wanted)
        if found.mode == "separate":
            return self._lay_out(found, progress)
        if found.tracks:
            _session(found.tracks).lay_out(progress, Path(self.path))
        track, warnings = choose_track(self.path, wanted)
        decoded = self._decoded(track.index, progress)
        return DecodedAudio(
            decoded.seconds,
            track.index,
            tuple(dict.fromkeys((*found.warnings, *warnings, *decoded.warnings))),
            found.why,
        )

    def samples(self, decoded: DecodedAudio, progress: Progress = silent) -> Samples:
        """The audio as (samples,) int16 mono at 16 kHz; of tracks it is the splice of `Layout`.

        decoded: as `decode` told, in this run or an earlier one.
        """
        if decoded.layout is None:
            assert decoded.track is not None
            return self._decoded(decoded.track, progress).samples
        if self._session is None:
            self._session = _session(self._with_paths(decoded.tracks), self._with_path(decoded.mix))
        return self._session.samples(decoded.layout, progress)

    def as_named(self, decoded: DecodedAudio) -> DecodedAudio:
        """The same with the names that tracks are given in this run."""
        if self._found is None or decoded.layout is None:
            return decoded
        return replace(decoded, tracks=_without_paths(self._found.tracks), why=self._found.why)

    def require_sum(self, decoded: DecodedAudio) -> None:
        """Write the sum of tracks of which there is no mix, where it isn't there."""
        if self._found is None or self._found.mix is not None or Path(self.path).exists():
            return
        session = _session(self._found.tracks)
        if decoded.layout is None:
            session.lay_out(sum_path=Path(self.path))
        else:
            session.write_sum(decoded.layout, Path(self.path))

    def _lay_out(self, found: FoundTracks, progress: Progress) -> DecodedAudio:
        self._session = _session(found.tracks, found.mix)
        layout = self._session.lay_out(progress, None if self._found is None else Path(self.path))
        return DecodedAudio(
            layout.seconds,
            found.mix.stream if found.mix else None,
            (*found.warnings, *layout.warnings),
            found.why,
            _without_paths(found.tracks),
            replace(found.mix, path="") if found.mix else None,
            layout,
        )

    def _with_paths(self, tracks: tuple[TrackSource, ...]) -> tuple[TrackSource, ...]:
        if self._found is not None:
            return self._found.tracks
        return tuple(replace(track, path=self.path) for track in tracks)

    def _with_path(self, mix: TrackSource | None) -> TrackSource | None:
        if self._found is not None:
            return self._found.mix
        return replace(mix, path=self.path) if mix else None

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


def _without_paths(tracks: tuple[TrackSource, ...]) -> tuple[TrackSource, ...]:
    return tuple(replace(track, path="") for track in tracks)


def _session(tracks: tuple[TrackSource, ...], mix: TrackSource | None = None) -> Session:
    from audio.tracks.session import Session  # with scipy, only where there are tracks

    return Session(tracks, mix)
