"""Cutting and encoding short pieces."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from audio.media import ffmpeg
from audio.media.clip import AudioSegment, cut, encode
from audio.media.decode import decode
from models.record.errors import InputError, OutputError
from tests.audio.conftest import Write, sine


def test_cut_is_exact(write_wav: Write) -> None:
    path = write_wav(sine(3, 44_100), 0 * sine(3, 44_100), rate=44_100)
    piece = cut(path, 1.0, 1.5)
    assert (len(piece), piece.frame_rate, piece.channels, piece.sample_width) == (500, 44_100, 2, 2)
    left, right = piece.split_to_mono()
    assert left.dBFS == pytest.approx(-9.0, abs=0.1)
    assert right.max == 0


def test_cut_hits_the_right_place_in_mp3(make_media: Write) -> None:
    tones = "sine=300:d=5[a];sine=700:d=5[b];[a][b]concat=v=0:a=1"
    path = make_media("a.mp3", "-f", "lavfi", "-i", tones)
    pieces = [np.array(cut(path, start, start + 1).get_array_of_samples()) for start in (3.5, 4.5, 5.5)]
    crossings = [np.count_nonzero((piece[:-1] < 0) & (piece[1:] >= 0)) for piece in pieces]
    assert crossings == [pytest.approx(hertz, abs=3) for hertz in (300, 500, 700)]


def test_cut_past_the_end_is_shorter(write_wav: Write) -> None:
    assert len(cut(write_wav(sine(1)), 0.5, 9)) == 500
    assert len(cut(write_wav(sine(1)), 5, 9)) == 0


@pytest.mark.parametrize(("start", "end"), [(1, 1), (2, 1), (-1, 1), (0, 10_000), (float("nan"), 1)])
def test_cut_refuses(write_wav: Write, start: float, end: float) -> None:
    with pytest.raises(InputError, match="can't cut"):
        cut(write_wav(sine(1)), start, end)


def test_encode_with_tags(speech: Path, tmp_path: Path) -> None:
    path = encode(cut(speech, 0, 5), tmp_path / "e.mp3", tags={"title": "Ünï; $(x)", "artist": "A = B"})
    said = subprocess.run(ffmpeg.command(path), capture_output=True, check=False).stderr.decode()
    assert "title           : Ünï; $(x)" in said
    assert "artist          : A = B" in said
    assert decode(path).seconds == pytest.approx(5, abs=0.1)
    assert [file.name for file in tmp_path.iterdir()] == ["e.mp3"]


def test_encode_refuses_an_unknown_format(tmp_path: Path) -> None:
    path = tmp_path / "e.mp3"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match="can't be encoded as nonsense"):
        encode(AudioSegment.silent(100), path, format="nonsense")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["e.mp3"]


def test_encode_into_no_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="can't be written"):
        encode(AudioSegment.silent(100), tmp_path / "none" / "e.mp3")


def test_importing_does_not_warn() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error::RuntimeWarning",
            "-c",
            "import audio.media.clip, audio.tracks.recording",
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/nowhere"},
    )
    assert (done.returncode, done.stderr) == (0, "")
