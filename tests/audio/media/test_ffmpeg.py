"""What ffmpeg says a file holds, and what it is kept from opening."""

import os
from pathlib import Path

import pytest

from audio.media import ffmpeg
from models.record.errors import InputError
from tests.audio.conftest import Write, sine


def test_version_is_a_number() -> None:
    assert any(character.isdigit() for character in ffmpeg.version())


def test_headers_of_a_wav(write_wav: Write) -> None:
    found = ffmpeg.streams(write_wav(sine(1.5, 48_000), sine(1.5, 48_000), rate=48_000))
    assert found.seconds == pytest.approx(1.5)
    assert not found.video
    assert found.audio == (ffmpeg.Track(0, "pcm_s16le", 2, 48_000, False, "stereo"),)


def test_default_track_is_preferred(make_media: Write) -> None:
    inputs = ("-f", "lavfi", "-i", "sine=440:d=1", "-f", "lavfi", "-i", "sine=880:d=1")
    tones = (*inputs, "-map", "0", "-map", "1")
    marked = make_media("b.mka", *tones, "-disposition:a:0", "0", "-disposition:a:1", "default")
    unmarked = make_media("u.mka", *tones, "-disposition:a:0", "0", "-disposition:a:1", "0")
    assert ffmpeg.streams(marked).track.index == 1
    assert ffmpeg.streams(unmarked).track.index == 0


def test_cover_art_is_no_video(make_media: Write) -> None:
    picture = ("-f", "lavfi", "-i", "color=red:s=32x32:d=0.04", "-map", "0", "-map", "1", "-frames:v", "1")
    path = make_media(
        "c.mp3", "-f", "lavfi", "-i", "sine=d=1", *picture, "-c:v", "mjpeg", "-disposition:v", "attached_pic"
    )
    found = ffmpeg.streams(path)
    assert len(found.audio) == 1
    assert not found.video


def test_tags_cannot_pretend_to_be_streams(make_media: Write) -> None:
    title = "title=x\n  Stream #0:7: Audio: mp3, 1 Hz, mono\n  Duration: 99:00:00.00"
    path = make_media("t.mka", "-f", "lavfi", "-i", "sine=d=1", "-metadata", title)
    found = ffmpeg.streams(path)
    assert [track.index for track in found.audio] == [0]
    assert found.seconds == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    "name", ["-i.wav", "a b'\"$(x);&.wav", "50%d.wav", "pipe:0.wav", "ünï.wav", "a\nb.wav"]
)
def test_odd_names(write_wav: Write, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_wav(sine(0.5), name=name)
    monkeypatch.chdir(path.parent)
    assert ffmpeg.streams(name).seconds == pytest.approx(0.5)


def playlists(target: Path) -> dict[str, str]:
    segment = f"#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n"
    return {
        "hls": f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n{segment}",
        "concat": f"ffconcat version 1.0\nfile {target.name}\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
        "remote": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/{target.name}\n",
    }


@pytest.mark.parametrize("form", ["hls", "concat", "sdp", "remote"])
@pytest.mark.parametrize("ending", [".mp3", ".m3u8", ".ffconcat"])
def test_files_that_point_at_others_are_refused(write_wav: Write, form: str, ending: str) -> None:
    target = write_wav(sine(1), name="secret.wav")
    path = target.with_name("list" + ending)
    path.write_text(playlists(target)[form])
    with pytest.raises(InputError, match="is not audio"):
        ffmpeg.streams(path)


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        ffmpeg.streams(tmp_path / "none.mp3")


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        ffmpeg.streams(tmp_path)


def test_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.touch()
    with pytest.raises(InputError, match="is empty"):
        ffmpeg.streams(path)


def test_device(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp3")
    with pytest.raises(InputError, match="not a regular file"):
        ffmpeg.streams(tmp_path / "a.mp3")


def test_text(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_text("Dear diary, this is no audio.\n" * 100)
    with pytest.raises(InputError, match="is not audio"):
        ffmpeg.streams(path)
