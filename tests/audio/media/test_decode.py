"""Decoding real files: shapes, levels, pitch, memory, and files that are broken."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from audio.media import decode as module
from audio.media.decode import decode
from models.record.errors import InputError
from models.runtime.samples import SAMPLE_RATE, as_float
from tests.audio.conftest import Write, sine


def pitch(samples: np.ndarray) -> float:
    """The strongest frequency, in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * SAMPLE_RATE / len(samples))


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_rate_and_channels(write_wav: Write, rate: int, channels: int) -> None:
    decoded = decode(write_wav(*[sine(1, rate, amplitude=0.9)] * channels, rate=rate))
    assert decoded.samples.dtype == np.int16
    assert decoded.samples.shape == (pytest.approx(SAMPLE_RATE, abs=2),)
    assert pitch(decoded.samples) == pytest.approx(440, abs=2)
    assert decoded.warnings == ()


def test_values_of_16_khz_mono_are_kept_but_for_the_level(write_wav: Write) -> None:
    noise = np.random.default_rng(0).uniform(-0.9, 0.9, 5000)
    samples = as_float(decode(write_wav(noise)).samples)
    gain = np.dot(samples, noise) / np.dot(noise, noise)
    assert np.abs(samples - gain * noise).max() < 1e-4


def test_a_fifth_of_a_second(write_wav: Write) -> None:
    assert decode(write_wav(sine(0.2))).seconds == pytest.approx(0.2)


@pytest.mark.parametrize("name", ["a.mp3", "a.m4a", "a.ogg", "a.opus", "a.flac", "a.aac", "a.webm"])
def test_formats(make_media: Write, name: str) -> None:
    decoded = decode(make_media(name, "-f", "lavfi", "-i", "sine=440:d=2:r=48000"))
    assert decoded.seconds == pytest.approx(2, abs=0.1)
    assert pitch(decoded.samples) == pytest.approx(440, abs=2)


def test_video_with_audio(make_media: Write) -> None:
    inputs = ("-f", "lavfi", "-i", "testsrc=d=1:s=64x64", "-f", "lavfi", "-i", "sine=440:d=1")
    assert decode(make_media("v.mp4", *inputs)).seconds == pytest.approx(1, abs=0.1)


def test_default_track(make_media: Write) -> None:
    tones = ("-f", "lavfi", "-i", "sine=300:d=1", "-f", "lavfi", "-i", "sine=700:d=1")
    both = ("-map", "0", "-map", "1")
    path = make_media("t.mka", *tones, *both, "-disposition:a:0", "0", "-disposition:a:1", "default")
    assert pitch(decode(path).samples) == pytest.approx(700, abs=2)


def test_real_speech(speech: Path) -> None:
    decoded = decode(speech)
    assert decoded.seconds == pytest.approx(30, abs=0.01)
    assert decoded.declared_seconds == pytest.approx(30, abs=0.01)
    assert 0.005 < np.sqrt(np.mean(as_float(decoded.samples) ** 2)) < 0.1


def test_progress(write_wav: Write) -> None:
    calls: list[tuple[float, float | None]] = []
    decode(write_wav(sine(25)), progress=lambda done, total: calls.append((done, total)))
    assert calls == sorted(calls)
    assert calls[-1] == (25.0, 25.0)


def test_buffer_grows_where_no_length_is_declared(make_media: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_SECONDS", 1)
    path = make_media("p.mkv", "-f", "lavfi", "-i", "sine=440:d=30", "-c:a", "flac", "-live", "1")
    decoded = decode(path)
    assert decoded.declared_seconds is None
    assert decoded.seconds == pytest.approx(30, abs=0.01)
    assert pitch(decoded.samples) == pytest.approx(440, abs=1)


def test_memory_is_one_copy(make_media: Write) -> None:
    """Twenty minutes are 38 MB of samples: the process may grow by little more."""
    path = make_media("l.mp3", "-f", "lavfi", "-i", "sine=440:d=1200:r=16000", "-b:a", "16k")
    script = (
        "import resource, sys; from audio.media.decode import decode\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "before = peak(); size = decode(sys.argv[1]).samples.nbytes; print(size, peak() - before)"
    )
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    size, grown = map(int, done.stdout.split())
    assert size == pytest.approx(1200 * SAMPLE_RATE * 2, rel=0.001)
    assert grown < 1.25 * size


@pytest.mark.parametrize(("name", "codec"), [("a.mp3", "libmp3lame"), ("a.flac", "flac")])
def test_truncated(make_media: Write, name: str, codec: str) -> None:
    path = make_media(name, "-f", "lavfi", "-i", "sine=440:d=60", "-c:a", codec)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    decoded = decode(path)
    assert decoded.seconds == pytest.approx(30, abs=3)
    assert decoded.declared_seconds == pytest.approx(60, abs=1)
    assert "breaks off at" in " ".join(decoded.warnings)


def test_truncated_m4a_with_its_index_in_front(make_media: Write) -> None:
    path = make_media("a.m4a", "-f", "lavfi", "-i", "sine=440:d=60", "-movflags", "faststart")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    decoded = decode(path)
    assert 20 < decoded.seconds < 40
    assert "breaks off at" in " ".join(decoded.warnings)


@pytest.mark.parametrize("tags", [[], ["-metadata", "title=Odd"], ["-rf64", "always"]])
def test_truncated_wav(make_media: Write, tags: list[str]) -> None:
    path = make_media("a.wav", "-f", "lavfi", "-i", "sine=440:d=60", "-ar", "16000", *tags)
    assert decode(path).warnings == ()
    path.write_bytes(path.read_bytes()[:600_000])
    decoded = decode(path)
    assert decoded.seconds == pytest.approx(18.7, abs=0.2)
    if tags != ["-rf64", "always"]:  # that keeps its length elsewhere, for files of over 4 GB
        assert "breaks off at 18.7 s of 60.0 s" in " ".join(decoded.warnings)


def test_wav_from_a_pipe_says_nothing_of_its_length(write_wav: Write) -> None:
    path = write_wav(sine(2))
    data = bytearray(path.read_bytes())
    data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    decoded = decode(path)
    assert (decoded.seconds, decoded.warnings) == (2.0, ())


def test_a_length_that_is_only_guessed_is_no_promise(make_media: Write) -> None:
    """A bare AAC stream declares nothing; ffmpeg reckons 2 s too much from its size."""
    path = make_media("a.aac", "-f", "lavfi", "-i", "anoisesrc=d=120:a=0.3:r=16000", "-c:a", "aac")
    assert decode(path).warnings == ()


def test_garbage_in_the_middle(make_media: Write) -> None:
    path = make_media("a.mp3", "-f", "lavfi", "-i", "sine=440:d=20", "-b:a", "64k")
    data = bytearray(path.read_bytes())
    data[60_000:62_000] = np.random.default_rng(0).bytes(2_000)
    path.write_bytes(data)
    assert decode(path).seconds == pytest.approx(20, abs=1)


def test_video_without_audio(make_media: Write) -> None:
    path = make_media("v.mp4", "-f", "lavfi", "-i", "testsrc=d=0.2:s=64x64")
    with pytest.raises(InputError, match="video without an audio track"):
        decode(path)


def test_headers_without_audio(write_wav: Write) -> None:
    with pytest.raises(InputError, match="no audio could be decoded"):
        decode(write_wav(np.zeros(0)))


def test_too_long(write_wav: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SECONDS", 1)
    with pytest.raises(InputError, match="plays for over"):
        decode(write_wav(sine(20)))


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        decode(tmp_path / "none.mp3")


def test_interrupt_leaves_no_child(write_wav: Write) -> None:
    def interrupt(done: float, total: float | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        decode(write_wav(sine(60)), progress=interrupt)
    assert not [child for child in psutil.Process().children() if "ffmpeg" in child.name()]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.g722", ("-c:a", "g722")),
        ("a.rm", ("-ar", "44100", "-c:a", "ac3")),
        ("a.mxf", ("-ar", "48000", "-f", "mxf_opatom")),
        ("a.thd", ("-ar", "48000", "-c:a", "truehd", "-strict", "-2")),
        ("a.nut", ("-c:a", "aac")),
        ("a.w64", ()),
        ("a.tta", ()),
        ("a.sf", ("-f", "ircam")),
        ("a.amr", ("-ar", "8000", "-b:a", "12.2k")),
    ],
)
def test_formats_that_few_know(make_media: Write, name: str, options: tuple[str, ...]) -> None:
    decoded = decode(make_media(name, "-f", "lavfi", "-i", "sine=440:d=2:r=16000", *options))
    assert decoded.seconds == pytest.approx(2, abs=0.15)
    assert pitch(decoded.samples) == pytest.approx(440, abs=3)
    assert decoded.warnings == ()


def test_nist_sphere(tmp_path: Path) -> None:
    fields = ("sample_count -i 32000", "sample_rate -i 16000", "channel_count -i 1", "sample_n_bytes -i 2")
    coding = ("sample_byte_format -s2 01", "sample_sig_bits -i 16", "sample_coding -s3 pcm", "end_head")
    header = "\n".join(("NIST_1A", "   1024", *fields, *coding, "")).encode().ljust(1024, b"\0")
    (tmp_path / "a.sph").write_bytes(header + (sine(2) * 32767).astype("<i2").tobytes())
    assert pitch(decode(tmp_path / "a.sph").samples) == pytest.approx(440, abs=2)


def test_gsm(tmp_path: Path) -> None:
    frame = b"\xd2" + np.random.default_rng(0).bytes(32)
    (tmp_path / "a.gsm").write_bytes(frame * 500)
    assert decode(tmp_path / "a.gsm").seconds == pytest.approx(10, abs=0.1)


def test_dss(tmp_path: Path) -> None:
    """The header of a dictation, and blocks of whatever: what it sounds like is ffmpeg's affair."""
    header = bytearray(b"\x02dss".ljust(0x400, b"\0"))
    header[0x26:0x3E] = b"201127120000201127120100"
    random = np.random.default_rng(1)
    blocks = b"".join(b"\x00\x40\x0c\xff\xff\xff" + random.bytes(506) for _ in range(60))
    (tmp_path / "a.dss").write_bytes(bytes(header) + blocks)
    assert decode(tmp_path / "a.dss").seconds > 10


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.ds2", b"\x03ds2" + bytes(2000), "export it as DSS or WAV"),
        (
            "a.mp4",
            b"\0\0\0\x1cftypisom\0\0\2\0isomiso2mp41" + b"\0\0\x10\0mdat" + bytes(4000),
            "was not finished",
        ),
        ("a.mkv", b"\x1aE\xdf\xa3" + bytes(range(256)) * 8, "is damaged"),
        ("a.mp3", b"words, words", "no known audio format"),
    ],
)
def test_what_is_refused_says_why(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=reason):
        decode(tmp_path / name)


def test_a_format_that_is_not_read_is_not_called_unknown(make_media: Write) -> None:
    with pytest.raises(InputError, match="of a kind that isn't read"):
        decode(make_media("a.sox", "-f", "lavfi", "-i", "sine=440:d=1"))


def test_an_unfinished_m4a_says_so(make_media: Write) -> None:
    path = make_media("a.m4a", "-f", "lavfi", "-i", "sine=440:d=60")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="its index is missing: the recording was not finished"):
        decode(path)
    path.write_bytes(whole[:-2000])
    with pytest.raises(InputError, match="its header or index is damaged or cut off"):
        decode(path)


def test_a_complete_vbr_mp3_without_a_count_of_frames(speech: Path, make_media: Write) -> None:
    """ffmpeg takes the rate of the first frames for that of all, and reckons twice the length."""
    silent_start = ("-af", "adelay=20000:all=1,apad=pad_dur=20")
    path = make_media("a.mp3", "-i", str(speech), *silent_start, "-q:a", "6", "-write_xing", "0")
    decoded = decode(path)
    assert decoded.seconds == pytest.approx(70, abs=0.2)
    assert abs((decoded.declared_seconds or 0) - 70) > 5
    assert decoded.warnings == ()


@pytest.mark.parametrize(
    ("kind", "codec"),
    [
        ("flac", "flac"),
        ("mp3", "libmp3lame"),
        ("ogg", "libvorbis"),
        ("webm", "libopus"),
        ("mkv", "aac"),
        ("wav", "pcm_s16le"),
    ],
)
def test_a_file_of_which_little_is_there(make_media: Write, kind: str, codec: str) -> None:
    path = make_media(f"a.{kind}", "-f", "lavfi", "-i", "anoisesrc=d=200:a=0.1:r=16000", "-c:a", codec)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 100])
    decoded = decode(path)
    assert 3 < decoded.seconds < 9
    assert "breaks off at" in " ".join(decoded.warnings)
