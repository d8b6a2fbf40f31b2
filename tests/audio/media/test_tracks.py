"""Of several audio tracks the one that people speak on is heard, or the one that is asked for."""

from dataclasses import replace
from pathlib import Path

import pytest

from audio.media.tracks import choose_track
from audio.tracks.recording import Recording
from models.record.errors import InputError
from tests.audio.conftest import Write

NOISE = ("-f", "lavfi", "-i", "anoisesrc=d=30:a=0.05:r=16000")


@pytest.fixture
def noise_first(speech: Path, make_media: Write) -> Path:
    """A noise track, the default one, before the telephone call."""
    tracks = ("-map", "0:a", "-map", "1:a", "-disposition:a:0", "default", "-disposition:a:1", "0")
    languages = ("-metadata:s:a:0", "language=fre", "-metadata:s:a:1", "language=ger")
    return make_media("two.mka", *NOISE, "-i", str(speech), *tracks, *languages, "-c:a", "flac")


def test_the_track_with_speech(noise_first: Path) -> None:
    track, warnings = choose_track(noise_first)
    assert track.index == 1
    assert "track 2 (ger) was heard, as people speak there" in warnings[0]
    assert "--audio-track" in warnings[0]


def test_the_default_one_where_both_speak(speech: Path, make_media: Write) -> None:
    both = (
        "-i",
        str(speech),
        "-map",
        "0:a",
        "-map",
        "0:a",
        "-disposition:a:0",
        "0",
        "-disposition:a:1",
        "default",
    )
    track, warnings = choose_track(make_media("two.mka", *both, "-c:a", "flac"))
    assert track.index == 1
    assert "its default one" in warnings[0]


@pytest.mark.parametrize(
    ("wanted", "index"), [("1", 0), ("2", 1), ("de", 1), ("deu", 1), ("ger", 1), ("FR", 0), ("fr-CA", 0)]
)
def test_a_track_by_number_or_language(noise_first: Path, wanted: str, index: int) -> None:
    track, warnings = choose_track(noise_first, wanted)
    assert (track.index, warnings) == (index, ())


@pytest.mark.parametrize("wanted", ["0", "3", "en", "?", "-1", ""])
def test_a_track_that_is_not_there(noise_first: Path, wanted: str) -> None:
    with pytest.raises(InputError, match=r"no audio track .*it has 1 \(fre\), 2 \(ger\)"):
        choose_track(noise_first, wanted)


def test_one_track_needs_no_choice(speech: Path) -> None:
    assert choose_track(speech) == (choose_track(speech, "1")[0], ())


def test_long_tracks_are_listened_to_at_their_beginning_only(make_media: Write) -> None:
    long = ("-f", "lavfi", "-i", "anoisesrc=d=700:a=0.05:r=8000")
    path = make_media("long.mka", *long, "-map", "0", "-map", "0", "-c:a", "pcm_s16le")
    assert choose_track(path)[0].index == 0


def test_a_recording_gives_the_track_it_told(noise_first: Path) -> None:
    with Recording(str(noise_first), "x") as recording:
        decoded = recording.decode()
        assert decoded.track == 1
        spoken = recording.samples(decoded)
        assert (recording.samples(replace(decoded, track=0)) != spoken).any()
