"""The steps that differ where people have tracks of their own, as plain functions that know nothing of Prefect."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from audio.tracks.recording import DecodedAudio, Recording
from audio.tracks.splice import Splice, Stretch
from models.alignment.align import MAX_PAUSE, attributed
from models.alignment.overlap import split_at_pauses
from models.alignment.track_words import merge_tracks
from models.asr.transcription import Transcription
from models.diarisation import diariser
from models.diarisation.diariser import DiariserOptions
from models.diarisation.own_tracks import TracksDiarisation, TrackSpeech, join_tracks
from models.record.progress import Progress, silent
from models.record.spans import Span, exclusive_turns, union
from models.record.transcript import (
    Diarisation,
    Repair,
    Segment,
    Track,
    TrackDecision,
    Turn,
    Word,
)
from models.runtime.samples import SAMPLE_RATE


@dataclass(frozen=True)
class SplicedWords:
    """What was said on all tracks, as segments in reading order; `words` has the times of the mix, too."""

    words: Transcription
    segments: tuple[Segment, ...]


def diarise_tracks(
    recording: Recording, decoded: DecodedAudio, options: DiariserOptions, progress: Progress = silent
) -> tuple[Diarisation, ...]:
    """Who speaks when on each track by itself, and on what no track explains of the mix; times of the mix."""
    assert decoded.layout is not None
    splice = decoded.layout.splice
    samples = recording.samples(decoded, progress)
    found = []
    for track in range(splice.tracks):
        bounds = splice.bounds(track)
        part = samples[round(bounds.start * SAMPLE_RATE) : round(bounds.end * SAMPLE_RATE)]
        heard = diariser.diarise(part, options, _share_of(progress, track, splice.tracks))
        found.append(_on_time_line(heard, splice, bounds.start))
    return tuple(found)


def _share_of(progress: Progress, number: int, count: int) -> Progress:
    """Progress of one of several tracks."""

    def told(stage: str, done: float, all_of_it: float) -> None:
        progress(stage, (number + done / (all_of_it or 1.0)) / count, 1.0)

    return told


def _on_time_line(found: Diarisation, splice: Splice, start: float) -> Diarisation:
    """Turns heard in a part of the splice from `start` on, in the time of the mix."""

    def moved(turns: Sequence[Turn]) -> tuple[Turn, ...]:
        return tuple(
            sorted(
                replace(turn, start=span.start, end=span.end)
                for turn in turns
                for _, span in splice.back_parts([Span(turn.start + start, turn.end + start)])
            )
        )

    return replace(found, turns=moved(found.turns), exclusive=moved(found.exclusive))


def join(decoded: DecodedAudio, found: Sequence[Diarisation]) -> TracksDiarisation:
    """One diarisation of what was found on each track; where no diariser found any, each track is one person's."""
    assert decoded.layout is not None
    sounds = decoded.layout.sounds
    if not any(each.turns for each in found):
        found = [Diarisation(tuple(Turn(s.start, s.end, "") for s in own)) for own in sounds]
    tracks = [TrackSpeech(own, each) for own, each in zip(sounds, found, strict=True)]
    count = len(decoded.tracks)
    return join_tracks(tracks[:count], tracks[count] if len(tracks) > count else None)


def turns_in_splice(decoded: DecodedAudio, joined: TracksDiarisation) -> tuple[Turn, ...]:
    """Who speaks when in the splice, in order; no two at once."""
    assert decoded.layout is not None
    splice = decoded.layout.splice
    return exclusive_turns(
        Turn(round(span.start, 2), round(span.end, 2), speaker)
        for track, turns in enumerate(joined.turns)
        for speaker in sorted({turn.speaker for turn in turns})
        for span in splice.into(
            track, union(Span(turn.start, turn.end) for turn in turns if turn.speaker == speaker)
        )
    )


def speech_in_splice(turns: Sequence[Turn]) -> tuple[Span, ...]:
    """Where people speak in the splice. turns: of the splice, in order."""
    return tuple(union(Span(turn.start, turn.end) for turn in turns))


def attribute(decoded: DecodedAudio, heard: Transcription, joined: TracksDiarisation) -> SplicedWords:
    """The words of the splice with who says them, in the time of the mix and the order in which they read."""
    assert decoded.layout is not None
    splice = decoded.layout.splice
    said: list[list[Word]] = [[] for _ in range(splice.tracks)]
    for word in heard.words:
        track, unspliced = _unspliced(word, splice)
        said[track].append(unspliced)
    spoken = [_spoken(words, turns, heard.language) for words, turns in zip(said, joined.turns, strict=True)]
    segments = merge_tracks(spoken, joined.found.turns, heard.language)
    words = tuple(sorted((word for own in said for word in own), key=lambda word: word.start))
    return SplicedWords(
        replace(heard, words=words, repairs=tuple(_back(repair, splice) for repair in heard.repairs)),
        segments,
    )


def into_splice(
    decoded: DecodedAudio, joined: TracksDiarisation, segments: Sequence[Segment]
) -> list[Segment]:
    """Segments of people who have tracks as they lie in the splice, where nobody speaks at the same time.

    Each lies on one track. One that continues a sentence of another track is a sentence of its own there.
    """
    assert decoded.layout is not None
    splice = decoded.layout.splice
    tracks = {track: own for track in range(splice.tracks) if (own := splice.of_track(track))}
    labels = joined.labels
    homes = {label: [i for i in tracks if label in labels[i]] for own in labels for label in own}
    found: list[Segment] = []
    last: dict[str | None, int] = {}
    for segment in segments:
        among = homes.get(segment.speaker or "") or tracks
        track = max(among, key=lambda i: _held(segment, tracks[i]))
        goes_on = segment.continues and last.get(segment.speaker) == track
        last[segment.speaker] = track
        words = tuple(_spliced(word, tracks[track]) for word in segment.words)
        found.append(replace(segment, continues=goes_on).with_words(words))
    return found


def _held(segment: Segment, stretches: Sequence[Stretch]) -> tuple[float, float]:
    """Seconds of a segment's words that lie in stretches of a track, and how near the others are: more is better."""
    seconds = away = 0.0
    for word in segment.words:
        span = _nearest(word, stretches).span
        seconds += span.shared(Span(word.start, word.end))
        away += _distance(span, word)
    return round(seconds, 3), -round(away, 3)


def _nearest(word: Word, stretches: Sequence[Stretch]) -> Stretch:
    """That of a track's stretches, in order, that holds the middle of a word, or is nearest to it."""
    after = bisect_right(stretches, (word.start + word.end) / 2, key=lambda stretch: stretch.span.start)
    around = stretches[max(0, after - 1) : after + 1]
    return min(around, key=lambda stretch: _distance(stretch.span, word))


def _distance(span: Span, word: Word) -> float:
    """Seconds between a span and the middle of a word."""
    middle = (word.start + word.end) / 2
    return max(0.0, span.start - middle, middle - span.end)


def _spliced(word: Word, stretches: Sequence[Stretch]) -> Word:
    """A word where the splice has it, within one of its track's stretches."""
    stretch = _nearest(word, stretches)
    start, end = (
        min(max(time, stretch.span.start), stretch.span.end) - stretch.span.start + stretch.at
        for time in (word.start, word.end)
    )
    return replace(word, start=start, end=end)


def out_of_splice(decoded: DecodedAudio, segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Segments that lie in the splice in the time of the mix; its silences are as long as they are."""
    assert decoded.layout is not None
    splice = decoded.layout.splice
    return tuple(
        replace(segment, continues=segment.continues and not part).with_words(tuple(words))
        for segment in segments
        for part, words in enumerate(
            split_at_pauses([_unspliced(word, splice)[1] for word in segment.words], MAX_PAUSE)
        )
    )


def _unspliced(word: Word, splice: Splice) -> tuple[int, Word]:
    """The track that a word of the splice is on, and the word in the time of the mix."""
    track, span = splice.back(word.start, word.end)
    return track, replace(word, start=max(0.0, span.start), end=span.end)


def _spoken(words: list[Word], turns: Sequence[Turn], language: str) -> list[Word]:
    """The words of a track with who says them."""
    speakers = {turn.speaker for turn in turns}
    if len(speakers) == 1:
        return [replace(word, speaker=next(iter(speakers))) for word in words]
    return attributed(words, exclusive_turns(turns), language, turns)


def _back(repair: Repair, splice: Splice) -> Repair:
    _, span = splice.back(repair.start, repair.end)
    return replace(repair, start=span.start, end=span.end)


def decision(decoded: DecodedAudio, joined: TracksDiarisation | None = None) -> TrackDecision | None:
    """What the record tells of tracks; None where there was nothing to decide."""
    if decoded.layout is None or joined is None:
        return TrackDecision("mix", decoded.why) if decoded.why else None
    tracks = tuple(
        Track(source.name, source.file, labels, pieces, source.given)
        for source, labels, pieces in zip(
            decoded.tracks, joined.labels[: len(decoded.tracks)], decoded.layout.pieces, strict=True
        )
    )
    return TrackDecision("separate", decoded.why, tracks)
