"""The tracks of one conversation, laid on the time line of their mix, and of each what its own person says.

What is heard of a session is a splice: of each track the stretches with sound of its own, and where a mix was
published, what no track explains of it, such as an intro. All else is silence to whoever listens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audio.media.decode import decode
from audio.media.levels import Levels
from audio.tracks import bleed, checks
from audio.tracks.layout import Layout
from audio.tracks.mixdown import write_sum
from audio.tracks.placement import Placement, on_time_line, place_on_mix, place_together
from models.record.progress import Progress, silent
from models.record.spans import Span, union
from models.record.transcript import TrackPiece
from models.runtime.samples import SAMPLE_RATE, as_float, has_sound

if TYPE_CHECKING:
    from audio.tracks.sources import TrackSource

Int16 = NDArray[np.int16]

RAMP = SAMPLE_RATE // 100  # samples in which a track is faded in and out
UNEXPLAINED_AFTER = 0.4  # seconds from a track's sound on after which the mix is on its own
UNEXPLAINED_SECONDS = 1.5  # of sound in the mix that are worth hearing by themselves
ALIKE_SECONDS = 2.0  # that tracks may differ in length which were begun and ended together
MISSING_SECONDS = 3.0  # of sound in a track that the mix lacks, worth telling
BLOCK = 10 * SAMPLE_RATE  # samples that are levelled at once


class Session:
    """Tracks, a person each or a few, and the mix that was made of them, if there is one.

    Samples are kept while the context of the run lasts: of each track what its own people say.
    """

    def __init__(self, tracks: Sequence[TrackSource], mix: TrackSource | None = None) -> None:
        self.tracks, self.mix = tuple(tracks), mix
        self._kept: tuple[Layout, Int16] | None = None

    def lay_out(self, progress: Progress = silent, sum_path: Path | None = None) -> Layout:
        """Find where tracks lie and whose sound they hold. Raises InputError.

        sum_path: where the sum of the tracks goes if there is no mix.
        """
        mix = self._decode(self.mix, progress) if self.mix else None
        placements, rows, warnings = self._rows(mix, progress)
        levels = np.stack([bleed.sound_levels(row) for row in rows])
        noise = bleed.noise_levels(levels)
        found = bleed.measure_bleed(rows, levels, noise)
        excess = bleed.own_excess(levels, noise, found)
        sounds = [tuple(bleed.own_sounds(*each)) for each in zip(levels, noise, excess, strict=True)]
        if mix is not None:
            sounds.append(tuple(_unexplained(mix, sounds)))
        elif sum_path is not None:
            write_sum(rows, sounds, sum_path)
        placed = [not each.nowhere for each in placements]
        layout = Layout(
            len(rows[0]) / SAMPLE_RATE,
            tuple(each.pieces for each in placements),
            tuple(sounds),
            (*warnings, *self._without_people(rows, placed, found.speaking.tolist())),
        )
        self._kept = layout, _spliced(layout, rows, mix)
        return layout

    def samples(self, layout: Layout, progress: Progress = silent) -> Int16:
        """(samples,) int16 at 16 kHz: the splice, every track at the level that speech is heard at."""
        if self._kept is None or self._kept[0] != layout:
            mix = self._decode(self.mix, progress) if self.mix else None
            rows = self._laid(layout, progress)
            self._kept = layout, _spliced(layout, rows, mix)
        return self._kept[1]

    def write_sum(self, layout: Layout, path: Path) -> None:
        """Write the sum of the tracks, as `lay_out` does, once more."""
        write_sum(list(self._laid(layout, silent)), layout.sounds, path)

    def _rows(
        self, mix: Int16 | None, progress: Progress
    ) -> tuple[list[Placement], list[Int16], tuple[str, ...]]:
        """Where the tracks lie, and (tracks, samples) of them on the time line of the mix."""
        rows: list[Int16] = []
        if mix is not None:
            placements: list[Placement] = []
            told: list[str] = []
            for source in self.tracks:
                track = self._decode(source, progress, even=False)
                placement = place_on_mix(track, mix)
                told += (*_ill_recorded(source, track), *_misplaced(source, track, placement))
                placements.append(placement)
                rows.append(on_time_line(track, placement, len(mix)))
            return placements, rows, tuple(told)
        tracks = [self._decode(source, progress, even=False) for source in self.tracks]
        warnings = tuple(
            warning
            for source, track in zip(self.tracks, tracks, strict=True)
            for warning in _ill_recorded(source, track)
        )
        if len({source.path for source in self.tracks}) == 1:
            placements = [Placement((TrackPiece(0.0, len(t) / SAMPLE_RATE, 0.0),), 1.0) for t in tracks]
        else:
            placements = place_together(tracks)
            warnings += tuple(self._unlinked(placements))
        count = max(round(each.pieces[-1].end * SAMPLE_RATE) for each in placements if each.pieces)
        for i, placement in enumerate(placements):
            rows.append(on_time_line(tracks[i], placement, count))
            tracks[i] = np.zeros(0, dtype=np.int16)
        return placements, rows, warnings

    def _unlinked(self, placements: Sequence[Placement]) -> Iterator[str]:
        """What to warn of where tracks of other lengths are taken to begin together, as nothing tells better."""
        ends = [each.pieces[-1].end for each in placements if each.pieces]
        apart = [
            source.called for source, each in zip(self.tracks, placements, strict=True) if not each.matched
        ]
        if apart and max(ends) - min(ends) > ALIKE_SECONDS:
            yield f"no sound in two tracks tells when {', '.join(apart)} began: taken to begin with the others"

    def _without_people(
        self, rows: Sequence[Int16], placed: Sequence[bool], speaking: Sequence[bool]
    ) -> Iterator[str]:
        """What to warn of in tracks on which nobody has a voice of their own."""
        names = [source.called for source in self.tracks]
        explained = set(checks.silent_tracks(rows))
        for first, second in checks.equal_tracks(rows):
            yield f"{names[first]} and {names[second]} hold the same sound: it was heard once"
            explained.update(number for number in (first, second) if not speaking[number])
        for number, name in enumerate(names):
            if placed[number] and not speaking[number] and number not in explained:
                yield f"nobody has {name}: all that it holds is louder in other tracks"

    def _laid(self, layout: Layout, progress: Progress) -> Iterator[Int16]:
        """(samples,) of each track on the time line, as `lay_out` found it."""
        for source, pieces in zip(self.tracks, layout.pieces, strict=True):
            track = self._decode(source, progress, even=False)
            yield on_time_line(track, Placement(pieces), round(layout.seconds * SAMPLE_RATE))

    def _decode(self, source: TrackSource, progress: Progress, *, even: bool = True) -> Int16:
        return decode(
            source.path,
            track=source.stream,
            channel=source.channel,
            even=even,
            progress=lambda done, all_of_it: progress("decode", done, all_of_it or 0),
        ).samples


def _spliced(layout: Layout, rows: Iterable[Int16], mix: Int16 | None) -> Int16:
    """(samples,) of what is heard of each row and of the mix, at one level, silence between."""
    splice = layout.splice
    spliced = np.zeros(round(splice.seconds * SAMPLE_RATE), dtype=np.int16)
    for track, row in enumerate(chain(rows, () if mix is None else (mix,))):
        own = splice.of_track(track)
        if not own:
            continue
        bounds = splice.bounds(track)
        first, end = round(bounds.start * SAMPLE_RATE), round(bounds.end * SAMPLE_RATE)
        part = spliced[first:end]
        for stretch in own:
            begin = round(stretch.at * SAMPLE_RATE) - first
            cut = row[round(stretch.span.start * SAMPLE_RATE) : round(stretch.span.end * SAMPLE_RATE)]
            part[begin : begin + len(cut)] = _faded(cut)[: len(part) - begin]
        part[:] = _levelled(part)
    return spliced


def _faded(samples: Int16) -> Int16:
    """The same, from silence and back to it."""
    faded = samples.astype(np.float32)
    ramp = np.linspace(0, 1, min(RAMP, len(samples)), dtype=np.float32)
    faded[: len(ramp)] *= ramp
    faded[len(faded) - len(ramp) :] *= ramp[::-1]
    return faded.astype(np.int16)


def _levelled(samples: Int16) -> Int16:
    """The same at the level that speech is heard at."""
    levels = Levels(len(samples) / SAMPLE_RATE)
    for first in range(0, len(samples), BLOCK):
        levels.add(as_float(samples[first : first + BLOCK]))
    return levels.finish()


def _unexplained(mix: Int16, sounds: Sequence[Sequence[Span]]) -> list[Span]:
    """Where a mix has sound and no track has."""
    levels = bleed.sound_levels(mix)[None]
    noise = bleed.noise_levels(levels)
    excess = levels - noise
    explained = np.zeros(len(excess[0]), dtype=bool)
    for span in union(span for own in sounds for span in own):
        first = max(0.0, span.start - UNEXPLAINED_AFTER) * bleed.FRAMES_PER_SECOND
        explained[round(first) : round((span.end + UNEXPLAINED_AFTER) * bleed.FRAMES_PER_SECOND)] = True
    excess[0, explained] = -np.inf
    found = bleed.own_sounds(levels[0], noise[0], excess[0])
    return [span for span in union(found, UNEXPLAINED_AFTER) if span.duration >= UNEXPLAINED_SECONDS]


def _ill_recorded(source: TrackSource, track: Int16) -> Iterator[str]:
    """What to warn of where a track is silent, or was recorded too loud."""
    if not has_sound(track):
        yield f"{source.called} is silent"
    elif (share := checks.clipped_share(track)) >= checks.CLIPPED:
        yield f"{source.called} is clipped, {share:.0%} of it: it was recorded too loud"


def _misplaced(source: TrackSource, track: Int16, placement: Placement) -> list[str]:
    """What to warn of where not all of a track is in the mix."""
    name = source.called
    if not has_sound(track):
        return []
    if placement.nowhere:
        return [f"{name} is not heard anywhere in the mix: it was left out"]
    levels = bleed.sound_levels(track)
    loud = levels > np.percentile(levels, bleed.LOUDEST_PERCENTILE) - bleed.LOUD
    lost = [
        span
        for span in placement.missing(len(track) / SAMPLE_RATE)
        if np.count_nonzero(
            loud[round(span.start * bleed.FRAMES_PER_SECOND) : round(span.end * bleed.FRAMES_PER_SECOND)]
        )
        >= MISSING_SECONDS * bleed.FRAMES_PER_SECOND
    ]
    if not lost:
        return []
    where = ", ".join(
        f"{timedelta(seconds=int(span.start))} to {timedelta(seconds=int(span.end))}" for span in lost
    )
    return [f"not all of {name} is in the mix: {where} of it is not"]
