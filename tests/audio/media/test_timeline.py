"""Samples lie where the file's own time line has them: audio that begins late, gaps, files put behind one another."""

from pathlib import Path

import numpy as np
import pytest

from audio.media.clip import cut
from audio.media.decode import decode
from models.runtime.samples import SAMPLE_RATE
from tests.audio.conftest import Write

SECONDS = 8
RATE = 48_000
LATE = 4  # seconds
GAP = 6  # seconds, put after the third beep
PICTURE = ("-f", "lavfi", "-i", f"testsrc=s=160x120:r=25:d={SECONDS + LATE}")
# What a format can't tell: MP3 and bare AAC begin with what their encoders put in front.
ENCODER_DELAY = {"aac": 0.021, "mp2": 0.01, "libmp3lame": 0.025, "wmav2": 0.043}
FORMATS_WITH_GAPS = [
    ("mka", "flac"), ("mkv", "aac"), ("webm", "libopus"), ("mp4", "aac"), ("m4a", "aac"), ("ts", "aac"),
    ("ogg", "libopus"), ("oga", "flac"), ("flv", "aac"), ("wma", "wmav2"), ("nut", "aac"),
]  # fmt: skip
VIDEOS = [
    ("mp4", "aac", "libx264"), ("mov", "aac", "libx264"), ("mkv", "libopus", "libx264"), ("mkv", "aac", "libx264"),
    ("webm", "libopus", "libvpx"), ("ts", "aac", "libx264"), ("mpg", "mp2", "mpeg1video"), ("flv", "aac", "libx264"),
    ("ogv", "libvorbis", "libtheora"), ("nut", "aac", "mpeg4"),
]  # fmt: skip


@pytest.fixture
def beeps(write_wav: Write) -> Path:
    """0.2 s of sound at each full second but the first."""
    times = np.arange(SECONDS * RATE) / RATE
    sound = 0.5 * np.sin(2 * np.pi * 800 * times) * (times % 1 < 0.2) * (times >= 1)
    return write_wav(sound, sound, rate=RATE, name="beeps.wav")


def begins(samples: np.ndarray, rate: int) -> list[float]:
    """Where sound begins after at least 0.1 s of silence, in seconds."""
    step = rate // 1000
    loud = np.flatnonzero(np.abs(samples[: len(samples) // step * step]).reshape(-1, step).max(axis=1) > 3000)
    return [float(at) / 1000 for at, before in zip(loud, [-1000, *loud], strict=False) if at - before > 100]


def heard(path: Path) -> list[float]:
    """Where the beeps of a file are when it is decoded."""
    return begins(decode(path).samples, SAMPLE_RATE)


def check_clips(path: Path, starts: list[float]) -> None:
    """Clips hold what their times say."""
    for first, last in ((0.0, 2.5), (5.5, 7.5), (10.5, 12.75)):
        piece = cut(path, first, last)
        sound = np.array(piece.get_array_of_samples()).reshape(-1, piece.channels)[:, 0]
        found = [first + at for at in begins(sound, piece.frame_rate)]
        assert found == pytest.approx([at for at in starts if first <= at < last], abs=0.01), (first, last)


@pytest.mark.parametrize(("kind", "codec", "video"), VIDEOS)
def test_audio_that_begins_late(beeps: Path, make_media: Write, kind: str, codec: str, video: str) -> None:
    streams = ("-map", "0:v", "-map", "1:a", "-c:v", video, "-c:a", codec)
    path = make_media(f"late.{kind}", *PICTURE, "-itsoffset", str(LATE), "-i", str(beeps), *streams)
    decoded = decode(path)
    starts = begins(decoded.samples, SAMPLE_RATE)
    assert starts == pytest.approx([LATE + second for second in range(1, SECONDS)], abs=0.01)
    assert decoded.warnings == ()
    check_clips(path, starts)


@pytest.mark.parametrize(("kind", "codec"), FORMATS_WITH_GAPS)
def test_a_gap_is_silence(beeps: Path, make_media: Write, kind: str, codec: str) -> None:
    gap = ("-af", f"asetpts='PTS+gte(T,3.5)*{GAP}/TB'")
    path = make_media(f"gap.{kind}", "-i", str(beeps), *gap, "-c:a", codec)
    delay = ENCODER_DELAY.get(codec, 0.0) if kind in ("ts", "flv", "wma", "nut") else 0.0
    expected = [second + delay + GAP * (second > 3.5) for second in range(1, SECONDS)]
    decoded = decode(path)
    starts = [
        at for at in begins(decoded.samples, SAMPLE_RATE) if not 9 < at < 9.9
    ]  # Opus rings on after a cut
    assert starts == pytest.approx(expected, abs=0.01)
    assert decoded.warnings == ()
    check_clips(path, starts)


@pytest.mark.parametrize(
    ("kind", "codec"),
    [
        ("m4a", "aac"),
        ("mka", "aac"),
        ("mp3", "libmp3lame"),
        ("opus", "libopus"),
        ("webm", "libopus"),
        ("ogg", "libvorbis"),
    ],
)
def test_what_encoders_put_in_front_is_taken_away(
    beeps: Path, make_media: Write, kind: str, codec: str
) -> None:
    path = make_media(f"plain.{kind}", "-i", str(beeps), "-c:a", codec)
    assert heard(path) == pytest.approx(range(1, SECONDS), abs=0.01)


@pytest.mark.parametrize(
    ("kind", "codec"), [("ts", "aac"), ("mp3", "libmp3lame"), ("ogg", "libvorbis"), ("aac", "aac")]
)
def test_files_put_behind_one_another(beeps: Path, make_media: Write, kind: str, codec: str) -> None:
    """Times that begin anew neither hide the second file nor stretch the whole."""
    one = make_media(f"one.{kind}", "-i", str(beeps), "-c:a", codec)
    two = one.with_name(f"two.{kind}")
    two.write_bytes(one.read_bytes() * 2)
    single, double = decode(one), decode(two)
    first = begins(single.samples, SAMPLE_RATE)
    assert double.seconds == pytest.approx(2 * single.seconds, abs=0.1)
    assert heard(two) == pytest.approx([*first, *(single.seconds + at for at in first)], abs=0.1)
    assert double.warnings == ()


@pytest.mark.parametrize(("kind", "codec"), [("ts", "aac"), ("mp3", "libmp3lame")])
def test_a_file_that_changes_its_form_half_way(beeps: Path, make_media: Write, kind: str, codec: str) -> None:
    one = make_media(f"one.{kind}", "-i", str(beeps), "-c:a", codec)
    two = make_media(f"two.{kind}", "-i", str(beeps), "-c:a", codec, "-ac", "1", "-ar", "22050")
    both = one.with_name(f"both.{kind}")
    both.write_bytes(one.read_bytes() + two.read_bytes())
    assert decode(both).seconds == pytest.approx(2 * SECONDS, abs=0.2)
    assert len(heard(both)) == 2 * (SECONDS - 1)
    piece = cut(both, 4.5, 6.5)
    assert len(begins(np.array(piece.get_array_of_samples())[::2], piece.frame_rate)) == 2


def test_times_that_jump_by_hours_are_broken(beeps: Path, make_media: Write) -> None:
    jump = ("-af", "asetpts='PTS+gte(T,3.5)*9000/TB'")
    path = make_media("jump.mka", "-i", str(beeps), *jump, "-c:a", "flac")
    assert heard(path) == pytest.approx(range(1, SECONDS), abs=0.1)


def test_one_broken_time_does_not_stretch_the_whole(beeps: Path, make_media: Write) -> None:
    """A packet of an FLV file says that it is 1000 s later than it is; the header knows better."""
    path = make_media("a.flv", "-i", str(beeps), "-c:a", "aac")
    data = bytearray(path.read_bytes())
    at, tags = 13, list[int]()
    while at + 11 < len(data):
        tags.append(at)
        at += 15 + int.from_bytes(data[at + 1 : at + 4])
    middle = tags[len(tags) // 2]
    late = int.from_bytes(data[middle + 4 : middle + 7]) + 1_000_000
    data[middle + 4 : middle + 7] = late.to_bytes(3)
    path.write_bytes(data)
    decoded = decode(path)
    assert decoded.seconds == pytest.approx(SECONDS, abs=0.1)
    assert heard(path) == pytest.approx([at + ENCODER_DELAY["aac"] for at in range(1, SECONDS)], abs=0.03)


def test_a_track_shorter_than_the_picture_is_not_cut_off(beeps: Path, make_media: Write) -> None:
    path = make_media("short.mp4", *PICTURE, "-i", str(beeps), "-c:v", "libx264", "-c:a", "aac")
    decoded = decode(path)
    assert decoded.seconds == pytest.approx(SECONDS, abs=0.1)
    assert decoded.warnings == ()
    whole = path.read_bytes()
    front = make_media("front.mp4", "-i", str(path), "-c", "copy", "-movflags", "faststart")
    front.write_bytes(front.read_bytes()[: len(whole) // 2])
    assert "breaks off" in " ".join(decode(front).warnings)
