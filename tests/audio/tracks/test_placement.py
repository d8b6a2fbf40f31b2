"""Tracks are put where the mix has them, to the millisecond, whatever their clocks and the mix's editor did."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from audio.media import ffmpeg
from audio.tracks.placement import (
    Placement,
    mix_time,
    on_time_line,
    place_on_mix,
    place_together,
    track_time,
)
from models.record.spans import Span, total
from models.record.transcript import TrackPiece
from models.runtime.samples import as_float
from tests import sounds
from tests.audio.conftest import SHARED
from tests.models.conftest import read_audio, read_rttm

RATE = 16_000
OFFSET = 0.010  # seconds that a track may lie off
WRONG = 0.020  # seconds off at which a word is at the wrong place
SPEECH = SHARED / "read_speech" / "librispeech_test-other"

Sound = NDArray[np.floating]
Pcm = NDArray[np.int16]


def voice(seconds: float, seed: int) -> Sound:
    """What somebody who mumbles says with pauses, (samples,): a buzz through formants that change by the syllable."""
    generator = np.random.default_rng(seed)
    out = np.zeros(round(seconds * RATE))
    pitch, at = generator.uniform(90, 220), 0.2
    while at < seconds - 0.5:
        length = generator.uniform(0.1, 0.25)
        t = np.arange(round(length * RATE)) / RATE
        phase = pitch * generator.uniform(0.8, 1.2) * (t + generator.uniform(-0.5, 0.5) * t**2)
        spectrum = np.fft.rfft((phase % 1) - 0.5 + 0.1 * generator.normal(0, 1, len(t)))
        hertz = np.fft.rfftfreq(len(t), 1 / RATE)
        formants = generator.uniform([250, 800, 2000], [900, 2300, 3500])
        shape = sum(1 / (1 + ((hertz - formant) / 120) ** 2) for formant in formants)
        syllable = np.fft.irfft(spectrum * shape, len(t)) * np.hanning(len(t))
        first = round(at * RATE)
        out[first : first + len(t)] += syllable
        at += length + (generator.uniform(0.3, 1.0) if generator.random() < 0.15 else 0.02)
    out *= 0.05 / out.std()
    return out


def later(sound: Sound, samples: int) -> Sound:
    return np.concatenate([np.zeros(samples), sound[: len(sound) - samples]])


def pcm(sound: Sound) -> Pcm:
    return np.rint(np.clip(sound, -1, 1) * 32767).astype(np.int16)


@dataclass
class Session:
    """People of whom one speaks after the other; in each track the others are heard late, and softer by bleed_db."""

    mix: Pcm
    spoken: list[Sound]
    tracks: list[Pcm] = field(default_factory=list)

    @classmethod
    def of(cls, people: int, seconds: float, seed: int, bleed_db: float | None = None) -> Session:
        generator = np.random.default_rng(seed)
        spoken = [voice(seconds, 10 * seed + n) for n in range(people)]
        at = 0
        while at < len(spoken[0]):
            turn = round(generator.uniform(2, 6) * RATE)
            for n in set(range(people)) - {int(generator.integers(people))}:
                spoken[n][at : at + turn] = 0
            at += turn
        session = cls(pcm(np.sum(spoken, axis=0)), spoken)
        for n in range(people):
            heard = spoken[n] + generator.normal(0, 0.0004, len(spoken[n]))
            for other in set(range(people)) - {n}:
                if bleed_db is not None:
                    heard = heard + 10 ** (bleed_db / 20) * later(spoken[other], 160)  # 10 ms, both ways
            session.tracks.append(pcm(heard))
        return session

    def own(self, n: int) -> list[Span]:
        """Where in the mix somebody is heard."""
        frames = (
            np.abs(self.spoken[n][: len(self.spoken[n]) // 160 * 160]).reshape(-1, 160).max(axis=1) > 0.02
        )
        return [Span(frame / 100, frame / 100 + 0.01) for frame in np.flatnonzero(frames)]


def recorded(track: Pcm, start: float, drift_ppm: float = 0.0) -> Pcm:
    """What a recorder has of a track that begins at `start` of it (before it: silence), with a clock that is fast."""
    count = int((len(track) / RATE - start) * (1 + drift_ppm * 1e-6) * RATE)
    at = (start + np.arange(count) / RATE / (1 + drift_ppm * 1e-6)) * RATE
    return np.interp(at, np.arange(len(track)), track, left=0, right=0).astype(np.int16)


def kept(mix: Pcm, spans: Sequence[Span]) -> Pcm:
    return np.concatenate([mix[round(span.start * RATE) : round(span.end * RATE)] for span in spans])


def misplaced(placement: Placement, own: Sequence[Span], spans: Sequence[Span], before: float = 0.0) -> float:
    """Seconds of a person's speech that are not where they belong, or nowhere.

    own: in a mix of which an editor kept `spans`, after an intro; the track is on the clock of that mix.
    """
    wrong, at = 0.0, before
    for span in spans:
        for speech in own:
            if span.start <= speech.start < span.end:
                time = speech.start - span.start + at
                errors = [
                    abs(track_time(piece, time) - speech.start)
                    for piece in placement.pieces
                    if piece.start <= time < piece.end
                ]
                wrong += speech.duration * (not errors or errors[0] > WRONG)
        at += span.duration
    return wrong


def errors(placement: Placement, start: float, drift_ppm: float, times: Sequence[float]) -> list[float]:
    """How far off, in seconds, moments of the mix are for a track that begins at `start` of it."""
    return [
        abs(track_time(piece, time) - (time - start) * (1 + drift_ppm * 1e-6))
        for time in times
        for piece in placement.pieces
        if piece.start <= time < piece.end
    ]


@pytest.mark.parametrize("bleed_db", [None, -6, -20, -30])
@pytest.mark.parametrize(("start", "drift_ppm"), [(7.3, 0.0), (-12.45, 100.0), (3.0, -100.0)])
def test_a_track_is_placed_by_its_own_voice(bleed_db: float | None, start: float, drift_ppm: float) -> None:
    session = Session.of(3, 90, seed=1, bleed_db=bleed_db)
    for track in session.tracks:
        placement = place_on_mix(recorded(track, start, drift_ppm), session.mix)
        assert len(placement.pieces) == 1
        assert placement.matched > 0.95
        off = errors(placement, start, drift_ppm, [10.0, 45.0, 85.0])
        assert len(off) == 3
        assert max(off) < 0.001


def test_a_track_begins_and_ends_where_mix_or_recorder_do() -> None:
    session = Session.of(2, 60, seed=2)
    piece = place_on_mix(recorded(session.tracks[0][: 50 * RATE], 5.0), session.mix).pieces[0]
    assert [piece.start, piece.end] == pytest.approx([5.0, 50.0], abs=0.002)
    piece = place_on_mix(recorded(session.tracks[0], -4.0), session.mix).pieces[0]
    assert [piece.start, piece.end] == pytest.approx([0.0, 60.0], abs=0.002)


@pytest.mark.parametrize("change", ["-30 dB", "clipped", "inverted", "half a second", "floats"])
def test_the_place_is_the_same_for_a_track_that_was_treated_badly(change: str) -> None:
    session = Session.of(2, 60, seed=3, bleed_db=-20)
    track, start = recorded(session.tracks[0], 2.0), 2.0
    treated = {
        "-30 dB": np.rint(track * 10**-1.5).astype(np.int16),
        "clipped": np.clip(track * 20.0, -32768, 32767).astype(np.int16),
        "inverted": -np.clip(track, -32767, 32767),
        "half a second": track[RATE // 2 :],
        "floats": track.astype(np.float32) / 32768,
    }[change]
    placement = place_on_mix(treated, session.mix)
    assert max(errors(placement, start + 0.5 * (change == "half a second"), 0.0, [10.0, 50.0])) < 0.001


def test_a_mix_may_be_processed_and_have_music_under_it(tmp_path: Path) -> None:
    session = Session.of(2, 60, seed=4, bleed_db=-12)
    music = sounds.music(61, 3)[: len(session.mix)] * 0.4
    raw, packed = tmp_path / "mix.raw", tmp_path / "mix.mp3"
    raw.write_bytes(pcm(session.mix / 32768 + music).tobytes())
    raw_format = ["-f", "s16le", "-ar", str(RATE), "-ac", "1"]
    loud = "acompressor=threshold=-25dB:ratio=4,equalizer=f=3000:t=q:w=1:g=6,volume=4dB"
    subprocess.run(
        [ffmpeg.executable(), "-v", "error", *raw_format, "-i", raw, "-af", loud, "-ar", "44100", packed],
        check=True,
    )
    mix = pcm(read_audio(packed))
    for track in session.tracks:
        placement = place_on_mix(recorded(track, 1.5, 50.0), mix)
        assert max(errors(placement, 1.5, 50.0, [10.0, 50.0])) < 0.002


def test_a_piece_that_the_recorder_lost_is_a_jump_at_its_moment() -> None:
    session = Session.of(2, 80, seed=5)
    spoken = {round(speech.start, 2) for speech in session.own(0)}
    lost = next(
        time
        for time in sorted(spoken)
        if time > 20 and {round(time - 0.2, 2), round(time + 1.9, 2)} <= spoken
    )
    track = session.tracks[0]
    first, last = round(lost * RATE), round((lost + 1.7) * RATE)
    before, after = place_on_mix(np.concatenate([track[:first], track[last:]]), session.mix).pieces
    assert before.offset == pytest.approx(0, abs=0.001)
    assert after.offset == pytest.approx(-1.7, abs=0.001)
    assert before.end == pytest.approx(lost, abs=0.06)
    assert after.start == pytest.approx(before.end + 1.7, abs=0.001)


def test_a_clock_that_loses_milliseconds_at_once_is_followed() -> None:
    session = Session.of(2, 80, seed=6)
    track = np.concatenate([session.tracks[1][: 40 * RATE], session.tracks[1][40 * RATE + 192 :]])
    before, after = place_on_mix(track, session.mix).pieces
    assert [before.offset, after.offset] == pytest.approx([0, -0.012], abs=0.002)


def test_a_mix_with_an_intro_and_without_minutes_is_followed() -> None:
    session = Session.of(2, 240, seed=7, bleed_db=-20)
    spans = [Span(0, 50), Span(110, 150), Span(200, 240)]
    mix = np.concatenate([pcm(sounds.music(10, 1)), kept(session.mix, spans)])
    for n, track in enumerate(session.tracks):
        placement = place_on_mix(track, mix)
        assert misplaced(placement, session.own(n), spans, before=10.0) < 0.2
        missing = placement.missing(240.0)
        assert total(missing) == pytest.approx(110, abs=8)  # where a track is still nothing tells of a cut
        assert total(placement_spans(placement)) == pytest.approx(130, abs=8)


def placement_spans(placement: Placement) -> list[Span]:
    return [Span(piece.start, piece.end) for piece in placement.pieces]


@pytest.mark.parametrize("bleed_db", [None, -12])
def test_many_small_cuts_are_followed(bleed_db: float | None) -> None:
    session = Session.of(2, 120, seed=8, bleed_db=bleed_db)
    generator = np.random.default_rng(1)
    spans, at = [], 0.0
    while at < 110:
        spans.append(Span(at, at + generator.uniform(1.5, 9)))
        at = spans[-1].end + generator.uniform(0.2, 3)
    for n, track in enumerate(session.tracks):
        spoken = total(session.own(n))
        assert misplaced(place_on_mix(track, kept(session.mix, spans)), session.own(n), spans) < 0.04 * spoken


def test_pieces_are_in_the_order_of_mix_and_track() -> None:
    session = Session.of(2, 120, seed=9, bleed_db=-12)
    spans = [Span(8 * n, 8 * n + 6) for n in range(15)]
    placement = place_on_mix(session.tracks[0], kept(session.mix, spans))
    assert len(placement.pieces) > 5
    edges = [edge for piece in placement.pieces for edge in (piece.start, piece.end)]
    heard = [track_time(piece, edge) for piece in placement.pieces for edge in (piece.start, piece.end)]
    assert edges == sorted(edges)
    assert heard == sorted(heard)


@pytest.mark.parametrize(
    "track", [np.zeros(0), np.zeros(100), np.zeros(60 * RATE), sounds.noise(60, 3), voice(60, 999)]
)
def test_what_isnt_in_the_mix_is_nowhere(track: Sound) -> None:
    mix = Session.of(2, 60, seed=10).mix
    placement = place_on_mix(pcm(track), mix)
    assert placement == Placement()
    assert placement.nowhere
    assert placement.missing(60.0) == [Span(0.0, 60.0)]


def test_nothing_fits_in_an_empty_mix() -> None:
    assert place_on_mix(pcm(voice(20, 1)), np.zeros(0, dtype=np.int16)).nowhere


@pytest.mark.parametrize("bleed_db", [-6, -20, -30])
def test_tracks_are_laid_together_by_bleed_without_the_air_between(bleed_db: float) -> None:
    session = Session.of(3, 120, seed=11, bleed_db=bleed_db)
    starts, drifts = [9.0, 0.0, 4.25], [0.0, 60.0, -40.0]
    placements = place_together(
        [recorded(*each) for each in zip(session.tracks, starts, drifts, strict=True)]
    )
    for placement, start, drift in zip(placements, starts, drifts, strict=True):
        (piece,) = placement.pieces
        assert placement.matched == 1.0
        assert piece.start == pytest.approx(start, abs=0.002)
        assert max(errors(placement, start, drift, [20.0, 100.0])) < 0.002  # 10 ms each way cancel out


def test_a_track_that_lost_a_piece_is_laid_beside_the_others() -> None:
    session = Session.of(2, 80, seed=12, bleed_db=-15)
    cut = np.concatenate([session.tracks[1][: 40 * RATE], session.tracks[1][42 * RATE :]])
    whole, pieces = place_together([session.tracks[0], cut])
    assert len(whole.pieces) == 1
    before, after = pieces.pieces
    assert [before.offset, after.offset] == pytest.approx([0, -2], abs=0.002)
    assert [before.start, after.end] == pytest.approx([0, 80], abs=0.002)


def test_tracks_that_share_no_sound_begin_together() -> None:
    session = Session.of(2, 60, seed=13)
    silence = np.zeros(60 * RATE, dtype=np.int16)
    first, still, second = place_together([session.tracks[0], silence, session.tracks[1]])
    assert first == Placement((TrackPiece(0.0, 60.0, 0.0),), 0.0)
    assert second == Placement((TrackPiece(0.0, 60.0, 0.0),), 0.0)
    assert still == Placement()
    assert place_together([]) == []


def test_a_track_is_resampled_to_the_time_line() -> None:
    t = np.arange(30 * RATE) / RATE
    tone = pcm(0.5 * np.sin(2 * np.pi * 1000 * t))
    piece = TrackPiece(2.0, 25.0, offset=0.0123, drift_ppm=80.0)
    line = on_time_line(tone, Placement((piece,)), 28 * RATE)
    assert line.dtype == np.int16
    assert not line[: 2 * RATE].any()
    assert not line[25 * RATE :].any()
    inside = slice(2 * RATE, 25 * RATE)
    expected = 32767 * 0.5 * np.sin(2 * np.pi * 1000 * (0.0123 + t[inside] * (1 + 80e-6)))
    assert np.abs(line[inside] - expected).max() < 4
    floats = on_time_line(as_float(tone), Placement((piece,)), 28 * RATE)
    np.testing.assert_array_equal(floats, line)


def test_a_track_in_step_with_the_mix_stays_as_it_is() -> None:
    track = pcm(sounds.noise(5, 2))
    line = on_time_line(track, Placement((TrackPiece(1.0, 4.0, offset=0.5),)), 5 * RATE)
    np.testing.assert_array_equal(line[RATE : 4 * RATE], track[RATE + RATE // 2 : 4 * RATE + RATE // 2])


def test_track_and_mix_times_are_each_others_inverse() -> None:
    piece = TrackPiece(0.0, 100.0, offset=-3.2, drift_ppm=-75.0)
    assert mix_time(piece, track_time(piece, 61.7)) == pytest.approx(61.7)


def test_a_placed_session_sounds_like_its_mix() -> None:
    session = Session.of(2, 60, seed=14)
    tracks = [recorded(track, start, 90.0) for track, start in zip(session.tracks, (3.0, -2.0), strict=True)]
    lines = [on_time_line(track, place_on_mix(track, session.mix), len(session.mix)) for track in tracks]
    heard = np.sum(lines, axis=0)[4 * RATE : -RATE].astype(float)
    mix = session.mix[4 * RATE : -RATE].astype(float)
    assert np.corrcoef(heard, mix)[0, 1] > 0.98


@pytest.mark.parametrize(("seed", "bleed_db"), [(31, -100), (32, -6), (33, -20), (34, -30)])
def test_real_voices_are_placed(seed: int, bleed_db: int, tmp_path: Path) -> None:
    if not SPEECH.is_dir():
        pytest.skip(f"no recordings at {SPEECH}")
    tool = SHARED.parent / "tools" / "compose_episode.py"
    shape = ["--minutes", "3", "--speakers", "3", "--overlap", "0.2", "--tracks", "--offset", "20"]
    told = ["--seed", str(seed), "--bleed-db", str(bleed_db), "--drift-ppm", "100"]
    command = [
        sys.executable,
        str(tool),
        "--source",
        str(SPEECH),
        "--out",
        str(tmp_path / "ep"),
        *shape,
        *told,
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    mix = pcm(read_audio(tmp_path / "ep.wav"))
    turns = read_rttm(tmp_path / "ep.rttm")
    for who, truth in json.loads((tmp_path / "ep.tracks.json").read_text()).items():
        placement = place_on_mix(pcm(read_audio(tmp_path / truth["file"])), mix)
        begun = max(truth["offset_seconds"], 0.0)
        times = [(start + end) / 2 for start, end, speaker in turns if speaker == who and start > begun]
        off = errors(placement, truth["offset_seconds"], truth["drift_ppm"], times)
        assert len(off) == len(times)
        assert max(off) < OFFSET
