"""Sessions laid on one time line: whose sound each track holds, and what is told of tracks that are no use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from audio.tracks.layout import Layout
from audio.tracks.recording import Recording
from audio.tracks.session import Session
from audio.tracks.sources import TrackSource, given_tracks
from models.runtime.samples import SAMPLE_RATE
from tests import sessions
from tests.models.conftest import SHARED, read_audio, read_rttm

pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="no recordings beside the checkout")
SECONDS = 70.0


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> sessions.Session:
    return sessions.session("room -12 dB", tmp_path_factory.mktemp("room"), seconds=SECONDS)


def sources(made: sessions.Session) -> list[TrackSource]:
    return given_tracks([f"{name}={made.path(name)}" for name in made.tracks])


def laid_out(made: sessions.Session, *, mix: bool = True) -> Layout:
    whole = TrackSource("", str(made.folder / made.mix), file=made.mix) if mix else None
    return Session(sources(made), whole).lay_out()


def frames(layout: Layout, number: int) -> NDArray[np.bool_]:
    flags = np.zeros(round(layout.seconds * 100) + 100, dtype=bool)
    for span in layout.sounds[number]:
        flags[round(span.start * 100) : round(span.end * 100)] = True
    return flags


def error_rate(layout: Layout, made: sessions.Session) -> float:
    """Seconds in which a track is thought to hold its person's sound and doesn't, or does, over those of speech."""
    wrong = speech = 0
    for number, name in enumerate(made.tracks):
        truth = np.zeros(round(layout.seconds * 100) + 100, dtype=bool)
        for start, end, person in read_rttm(made.rttm):
            if person == name:
                truth[round(start * 100) : round(end * 100)] = True
        wrong += int((truth != frames(layout, number)).sum())
        speech += int(truth.sum())
    return wrong / speech


@pytest.mark.parametrize("kind", ["room -30 dB", "room -6 dB", "adrift", "lively"])
def test_each_track_holds_its_own_persons_sound(kind: str, tmp_path: Path) -> None:
    made = sessions.session(kind, tmp_path, seconds=SECONDS)
    assert error_rate(laid_out(made), made) <= 0.06


def test_without_a_mix_tracks_are_laid_beside_each_other(tmp_path: Path) -> None:
    made = sessions.session("adrift", tmp_path, seconds=SECONDS)
    layout = laid_out(made, mix=False)
    offsets = {
        name: pieces[0].offset for name, pieces in zip(made.tracks, layout.pieces, strict=True) if pieces
    }
    true = {name: track.places[0].offset for name, track in made.tracks.items()}
    shifts = [offsets[name] - true[name] for name in true]
    assert max(shifts) - min(shifts) <= 0.03


@pytest.mark.parametrize("change", ["softer", "dither", "cut", "lower resolution"])
def test_harmless_changes_of_a_track_change_little(
    change: str, room: sessions.Session, tmp_path: Path
) -> None:
    before = laid_out(room)
    made = sessions.session("room -12 dB", tmp_path, seconds=SECONDS)
    name = next(iter(made.tracks))
    sound = read_audio(made.path(name))
    if change == "softer":
        sound = sound * np.float32(10 ** (-1 / 20))
    elif change == "dither":
        dither = np.random.default_rng(1).standard_normal(len(sound))
        sound = sound + (1e-4 * dither).astype(np.float32)
    elif change == "cut":
        sound = sound[SAMPLE_RATE // 2 :]
    else:
        sound = (np.round(sound * 2**11) / 2**11).astype(np.float32)
    sessions.write_wav(made.path(name), sound)
    after = laid_out(made)
    differing = sum((frames(before, n) != frames(after, n)).sum() for n in range(len(made.tracks)))
    assert differing / sum(frames(before, n).sum() for n in range(len(made.tracks))) <= 0.02


def test_tracks_without_people_are_told_and_not_heard(tmp_path: Path) -> None:
    made = sessions.session("troubled", tmp_path, seconds=SECONDS)
    layout = laid_out(made)
    heard = {name: layout.sounds[number] for number, name in enumerate(made.tracks)}
    assert not heard["silent"]
    assert not heard["foreign"]
    talkers = [name for name, track in made.tracks.items() if track.people]
    assert [bool(heard[name]) for name in (*talkers, "copy")].count(True) == 2
    told = " | ".join(layout.warnings)
    for expected in (
        "nobody has track-silent.wav",
        "hold the same sound",
        "is clipped",
        "not heard anywhere",
    ):
        assert expected in told
    assert len(layout.warnings) == 4


def test_the_splice_is_the_same_from_a_kept_layout(room: sessions.Session) -> None:
    whole = TrackSource("", str(room.folder / room.mix), file=room.mix)
    first = Session(sources(room), whole)
    layout = first.lay_out()
    again = Session(sources(room), whole).samples(layout)
    assert np.array_equal(first.samples(layout), again)


def test_outside_of_own_sounds_the_splice_is_silent(room: sessions.Session) -> None:
    session = Session(sources(room))
    layout = session.lay_out()
    samples, splice = session.samples(layout), layout.splice
    inside = np.zeros(len(samples), dtype=bool)
    for stretch in splice.stretches:
        inside[round(stretch.at * SAMPLE_RATE) - 1 : round(stretch.end * SAMPLE_RATE) + 1] = True
    assert not samples[~inside].any()
    assert splice.seconds < 1.5 * SECONDS


def test_a_file_without_tracks_is_heard_as_it_was(sample_wav: Path) -> None:
    with Recording(str(sample_wav), "x") as recording:
        decoded = recording.decode(tracks="auto")
        assert decoded.layout is None
        assert decoded.parts == 1
        assert decoded.worked_seconds == decoded.seconds


def test_tracks_of_which_nothing_tells_when_they_began_are_told(tmp_path: Path) -> None:
    made = sessions.session("remote", tmp_path, seconds=SECONDS)
    first = next(iter(made.tracks))
    assert not laid_out(made, mix=False).warnings
    sessions.write_wav(made.path(first), read_audio(made.path(first))[: -10 * SAMPLE_RATE])
    (warning,) = laid_out(made, mix=False).warnings
    assert "no sound in two tracks tells" in warning


def test_a_dithered_silence_is_silent(tmp_path: Path) -> None:
    made = sessions.session("remote", tmp_path, seconds=SECONDS)
    first = next(iter(made.tracks))
    dither = np.random.default_rng(2).integers(-1, 2, len(read_audio(made.path(first)))) / 32767
    sessions.write_wav(made.path(first), dither.astype(np.float32))
    layout = laid_out(made, mix=False)
    assert layout.sounds[0] == ()
    assert f"track-{first}.wav is silent" in layout.warnings
