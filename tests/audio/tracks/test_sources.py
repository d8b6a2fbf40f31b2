"""Where tracks are found, whose they are, and what is refused: real files, made by ffmpeg."""

import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from audio.media import ffmpeg
from audio.tracks import archive
from audio.tracks.signals import read_signals
from audio.tracks.sources import FoundTracks, check_sources, find_sources, given_tracks, tracks_in
from models.record.errors import InputError
from models.runtime.cache import USED
from tests.audio.conftest import Write, sine

TONES = ("-f", "lavfi", "-i", "sine=440:d=1", "-f", "lavfi", "-i", "sine=880:d=1", "-map", "0", "-map", "1")


def files(found: FoundTracks) -> list[tuple[str, str]]:
    return [(track.name, track.file) for track in found.tracks]


@pytest.fixture
def tone(write_wav: Write) -> bytes:
    return write_wav(sine(0.5), name="tone.wav").read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tracks").mkdir()
    return tmp_path / "tracks"


def put(folder: Path, tone: bytes, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(tone)


def packed(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as made:
        for name, data in entries.items():
            made.writestr(name, data)
    return path


# given one by one


def test_tracks_that_are_given(folder: Path, tone: bytes) -> None:
    put(folder, tone, "a=b.wav", "gaël-duez-raw.wav", "Currie, Anne.wav")
    entries = [
        f"Bob=={folder}/a=b.wav",
        f"{folder}/gaël-duez-raw.wav",
        f" Anne  Currie={folder}/Currie, Anne.wav",
    ]
    entries[0] = f"Bob={folder}/a=b.wav"
    found = given_tracks(entries)
    assert [track.name for track in found] == ["Bob", "Gaël Duez", "Anne Currie"]
    assert [track.file for track in found] == ["a=b.wav", "gaël-duez-raw.wav", "Currie, Anne.wav"]


def test_a_file_with_an_equals_sign_needs_no_name(
    folder: Path, tone: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, tone, "anne=1.wav")
    monkeypatch.chdir(folder)
    assert given_tracks(["anne=1.wav"])[0].path == "anne=1.wav"


def test_tracks_in_any_format(write_wav: Write, make_media: Write) -> None:
    first = write_wav(sine(0.5, 48_000), sine(0.5, 48_000), rate=48_000, name="anne.wav")
    second = make_media("bob.m4a", "-f", "lavfi", "-i", "sine=d=1:r=22050")
    assert len(given_tracks([str(first), str(second)])) == 2


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (["Anne=missing.wav"], r"^missing\.wav: no such file"),
        (["Anne=empty.wav"], r"^empty\.wav is empty"),
        (["Anne=text.wav"], r"^text\.wav is not audio"),
        (["Anne=."], r"^\. is a folder"),
        (["Anne=a.wav", "Bob=./a.wav"], r"--track has a\.wav twice"),
        (["Anne=a.wav", "Bob=link.wav"], r"--track has link\.wav twice"),
        (["Anne=a.wav", "anne=b.wav"], r"a\.wav, b\.wav are all of Anne"),
        (["anne_0001.wav", "anne_0002.wav"], r"parts of one recording of Anne: join them"),
    ],
)
def test_given_tracks_that_are_refused(
    folder: Path, tone: bytes, monkeypatch: pytest.MonkeyPatch, entries: list[str], said: str
) -> None:
    put(folder, tone, "a.wav", "b.wav", "anne_0001.wav", "anne_0002.wav")
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("this is a text\n" * 99)
    (folder / "link.wav").symlink_to("a.wav")
    monkeypatch.chdir(folder)
    with pytest.raises(InputError, match=said) as raised:
        given_tracks(entries)
    assert "\n" not in str(raised.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_track_that_may_not_be_read(folder: Path, tone: bytes) -> None:
    put(folder, tone, "a.wav")
    (folder / "a.wav").chmod(0)
    with pytest.raises(InputError, match="permission denied"):
        given_tracks([str(folder / "a.wav")])


# folders


def test_a_folder_of_tracks(folder: Path, tone: bytes, tmp_path: Path) -> None:
    put(
        folder, tone, "Gaël.wav", "anne.flac", "sub/cem.WAV", ".hidden.wav", "__MACOSX/._anne.wav", "e0001.au"
    )
    for name in ("readme.txt", "info.txt", "raw.dat", "session.aup", "x.json"):
        (folder / name).write_text("no audio")
    found = tracks_in(folder, tmp_path)
    assert sorted(files(found)) == [("Anne", "anne.flac"), ("Cem", "cem.WAV"), ("Gaël", "Gaël.wav")]
    assert (found.mode, found.mix) == ("separate", None)


@pytest.mark.parametrize(
    "mix", ["audio_only.m4a", "episode 12 - final mix.wav", "Master.wav", "260721_TrLR.wav"]
)
def test_the_mix_of_a_folder(folder: Path, tone: bytes, tmp_path: Path, mix: str) -> None:
    put(folder, tone, mix, "audioAnneCurrie21234567890.wav", "audioGaëlDuez11234567890.wav")
    found = tracks_in(folder, tmp_path)
    assert found.mix is not None
    assert found.mix.file == mix
    assert [name for name, _ in files(found)] == ["Anne Currie", "Gaël Duez"]


def test_the_folder_of_a_zoom_meeting(folder: Path, tone: bytes, tmp_path: Path) -> None:
    tracks = ("Audio Record/audioAnneCurrie21234567890.m4a", "Audio Record/audioGaëlDuez11234567890.m4a")
    put(folder, tone, "zoom_0.mp4", "audio_only.m4a", *tracks)
    found = tracks_in(folder, tmp_path)
    assert found.mix is not None
    assert found.mix.file == "audio_only.m4a"
    assert [name for name, _ in files(found)] == ["Anne Currie", "Gaël Duez"]


def test_videos_beside_the_audio_of_the_same_people(folder: Path, tone: bytes, tmp_path: Path) -> None:
    kinds = ("raw-audio_io_0012.wav", "raw-video-cfr_io_0012.mp4")
    put(folder, tone, *(f"riverside_{name}_{kind}" for name in ("anne", "gaël") for kind in kinds))
    assert {file[-4:] for _, file in files(tracks_in(folder, tmp_path))} == {".wav"}


def test_people_who_are_told_by_their_folders(folder: Path, tone: bytes, tmp_path: Path) -> None:
    put(folder, tone, "anne currie/track.wav", "gaël/track.wav")
    assert [name for name, _ in files(tracks_in(folder, tmp_path))] == ["Anne Currie", "Gaël"]


def test_tracks_without_names(folder: Path, tone: bytes, tmp_path: Path) -> None:
    put(folder, tone, "TRACK1.WAV", "TRACK2.WAV", "TRACK3.WAV")
    assert [name for name, _ in files(tracks_in(folder, tmp_path))] == ["", "", ""]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "is a folder without audio files"),
        (("anne.wav",), r"is a folder with one audio file, anne\.wav: give the file itself"),
        (("anne_0001.wav", "anne_0002.wav", "bob.wav"), "parts of one recording of Anne: join them"),
        (("anne.wav", "anne-backup.wav", "bob.wav"), "are all of Anne: leave one"),
        (tuple(f"{n}.wav" for n in range(40)), "has 40 audio files"),
        (("anne.wav", "anne.mp4"), "give the file itself"),
    ],
)
def test_folders_that_are_refused(
    folder: Path, tone: bytes, tmp_path: Path, names: tuple[str, ...], said: str
) -> None:
    put(folder, tone, *names)
    with pytest.raises(InputError, match=said):
        tracks_in(folder, tmp_path)


def test_a_text_among_the_tracks(folder: Path, tone: bytes, tmp_path: Path) -> None:
    put(folder, tone, "anne.wav")
    (folder / "bob.wav").write_text("this is a text\n" * 99)
    with pytest.raises(InputError, match=r"tracks: bob\.wav is not audio"):
        tracks_in(folder, tmp_path)


def test_a_track_that_is_far_shorter_is_warned_of(write_wav: Write, folder: Path, tmp_path: Path) -> None:
    for name, seconds in (("anne", 3.0), ("bob", 1.0), ("cem", 2.9)):
        write_wav(sine(seconds), name=f"tracks/{name}.wav")
    found = find_sources(str(folder), (), "auto", tmp_path)
    assert [warning.split()[0] for warning in found.warnings] == ["bob.wav"]
    assert len(found.tracks) == 3


# zips


FIVE = ("1-anne.flac", "2-gaël_1234.flac", "3-cem.flac", "4-dora.flac", "5-émile.flac")


@pytest.fixture
def five(make_media: Write) -> dict[str, bytes]:
    data = make_media("t.flac", "-f", "lavfi", "-i", "sine=d=1").read_bytes()
    return {**dict.fromkeys(FIVE, data), "info.txt": b"Craig", "raw.dat": b"0" * 99}


def test_a_zip_of_five(tmp_path: Path, five: dict[str, bytes]) -> None:
    work = tmp_path / "work"
    found = tracks_in(packed(tmp_path / "craig.zip", five), work)
    assert files(found) == list(zip(("Anne", "Gaël", "Cem", "Dora", "Émile"), FIVE, strict=True))
    assert all(Path(track.path).is_relative_to(work) for track in found.tracks)
    assert ffmpeg.streams(found.tracks[1].path).seconds == pytest.approx(1)


def unpacked_in(work: Path) -> list[Path]:
    """What lies there, but for the notes of what is in use."""
    return [path for path in work.iterdir() if path.name != USED]


def test_the_same_zip_is_unpacked_once(tmp_path: Path, five: dict[str, bytes]) -> None:
    work = tmp_path / "work"
    first = tracks_in(packed(tmp_path / "craig.zip", five), work)
    before = [Path(track.path).stat().st_ino for track in first.tracks]
    (tmp_path / "craig.zip").rename(tmp_path / "again.zip")
    second = tracks_in(tmp_path / "again.zip", work)
    assert second.tracks == first.tracks
    assert [Path(track.path).stat().st_ino for track in second.tracks] == before
    assert len(unpacked_in(work)) == 1


def test_names_in_zips_of_macs(tmp_path: Path, tone: bytes) -> None:
    """Their names are UTF-8 without the flag that says so."""
    path = packed(tmp_path / "mac.zip", {"gaXXl.wav": tone, "anne.wav": tone})
    path.write_bytes(path.read_bytes().replace(b"gaXXl", "gaël".encode()))
    assert files(tracks_in(path, tmp_path))[1] == ("Gaël", "gaël.wav")


def test_names_in_zips_lead_nowhere(tmp_path: Path, tone: bytes) -> None:
    evil = {"../../anne.wav": tone, "/etc/bob.wav": tone, "..\\cem.wav": tone, "a/../../dora.wav": tone}
    work = tmp_path / "deep" / "work"
    found = tracks_in(packed(tmp_path / "evil.zip", evil), work)
    assert len(found.tracks) == 4
    assert all(Path(track.path).resolve().is_relative_to(work) for track in found.tracks)
    assert {path.name for path in tmp_path.iterdir()} == {"deep", "evil.zip", "tone.wav"}


def test_links_in_zips_are_passed_over(tmp_path: Path, tone: bytes) -> None:
    link = zipfile.ZipInfo("link.wav")
    link.external_attr = 0o120777 << 16
    path = packed(tmp_path / "link.zip", {"anne.wav": tone, "bob.wav": tone})
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr(link, "/etc/passwd")
    assert [file for _, file in files(tracks_in(path, tmp_path))] == ["anne.wav", "bob.wav"]


def test_what_a_zip_holds_is_counted_while_it_is_unpacked(
    tmp_path: Path, tone: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its header may say that it is small."""
    monkeypatch.setattr(archive, "MAX_BYTES", 1000_000)
    path = packed(tmp_path / "bomb.zip", {"anne.wav": tone, "bob.wav": bytes(5_000_000)})
    size = (5_000_000).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (1000).to_bytes(4, "little")))
    with pytest.raises(InputError, match=r"bomb\.zip"):
        tracks_in(path, tmp_path / "work")
    assert unpacked_in(tmp_path / "work") == []


def test_too_many_files_in_a_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_ENTRIES", 10)
    path = packed(tmp_path / "many.zip", dict.fromkeys(map(str, range(11)), b""))
    with pytest.raises(InputError, match="holds 11 files"):
        tracks_in(path, tmp_path)


def test_the_list_of_a_zip_is_not_read_whatever_its_size(tmp_path: Path) -> None:
    entries = b"PK\x01\x02".ljust(46, b"\0") * 70_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, len(entries), 4, 0)
    path = tmp_path / "list.zip"
    path.write_bytes(b"PK\x03\x04" + entries + end)
    with pytest.raises(InputError, match=r"list\.zip holds too many files"):
        archive.check(path)


def test_an_encrypted_zip(tmp_path: Path, tone: bytes) -> None:
    path = packed(tmp_path / "locked.zip", {"anne.wav": tone, "bob.wav": tone})
    data = bytearray(path.read_bytes())
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := data.find(sign, place + 1)) >= 0:
            data[place + at] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="is encrypted: unpack it and give the folder"):
        tracks_in(path, tmp_path / "work")


@pytest.mark.parametrize("keep", [0.5, 0.9, 0.99])
def test_a_zip_that_breaks_off(tmp_path: Path, tone: bytes, keep: float) -> None:
    path = packed(tmp_path / "cut.zip", {"anne.wav": tone, "bob.wav": tone})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(InputError, match="is a damaged zip"):
        tracks_in(path, tmp_path / "work")


def test_a_zip_with_damaged_bytes(tmp_path: Path, tone: bytes) -> None:
    path = packed(tmp_path / "bad.zip", {"anne.wav": tone, "bob.wav": tone}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[1000] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(InputError, match="is a damaged zip"):
        tracks_in(path, tmp_path / "work")
    assert unpacked_in(tmp_path / "work") == []


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "is a zip without audio files"),
        (("readme.txt",), "is a zip without audio files"),
        (("anne.wav",), "is a zip with one audio file"),
    ],
)
def test_zips_that_are_refused(tmp_path: Path, tone: bytes, names: tuple[str, ...], said: str) -> None:
    path = packed(tmp_path / "a.zip", dict.fromkeys(names, tone))
    with pytest.raises(InputError, match=said):
        tracks_in(path, tmp_path / "work")
    with pytest.raises(InputError, match=said):
        check_sources(str(path), (), "auto")


def test_a_text_in_a_zip_is_called_by_its_name(tmp_path: Path, tone: bytes) -> None:
    path = packed(tmp_path / "a.zip", {"anne.wav": tone, "bob.wav": b"this is a text\n" * 99})
    with pytest.raises(InputError, match=r"a\.zip: bob\.wav is not audio"):
        tracks_in(path, tmp_path / "work")


# streams and channels of one file


@pytest.mark.parametrize("container", ["mkv", "mp4", "mov"])
def test_streams_with_titles(make_media: Write, tmp_path: Path, container: str) -> None:
    titles = ("-metadata:s:a:0", "title=Anne Currie", "-metadata:s:a:1", "title=Guest: Gaël Duez")
    video = ("-f", "lavfi", "-i", "testsrc=s=64x64:d=1", "-map", "2", "-c:v", "mpeg4")
    path = make_media(f"two.{container}", *TONES[:8], *video[:4], *TONES[8:], *video[4:], *titles)
    found = tracks_in(path, tmp_path)
    assert [track.name for track in found.tracks] == ["Anne Currie", "Gaël Duez"]
    assert [track.stream for track in found.tracks] == [0, 1]


def test_streams_whose_handlers_have_names(make_media: Write, tmp_path: Path) -> None:
    handlers = ("-metadata:s:a:0", "handler_name=Anne", "-metadata:s:a:1", "handler_name=SoundHandler")
    found = tracks_in(make_media("two.m4a", *TONES, *handlers), tmp_path)
    assert [track.name for track in found.tracks] == ["Anne", ""]


def test_a_stream_that_is_the_mix_by_its_title(make_media: Write, tmp_path: Path) -> None:
    titles = ("-metadata:s:a:0", "title=Mix", "-metadata:s:a:1", "title=Anne", "-metadata:s:a:2", "title=Bob")
    found = tracks_in(make_media("three.mka", *TONES, "-map", "1", *titles), tmp_path)
    assert [track.name for track in found.tracks] == ["Anne", "Bob"]
    assert found.mix is not None
    assert found.mix.stream == 0


@pytest.mark.parametrize("count", [2, 3, 6, 8])
def test_channels_of_a_wav(write_wav: Write, tmp_path: Path, count: int) -> None:
    path = write_wav(*[sine(0.5, hertz=200 + 100 * n) for n in range(count)])
    found = tracks_in(path, tmp_path)
    assert [track.channel for track in found.tracks] == list(range(count))
    signals = read_signals(found.tracks)
    assert signals.shape == (count, 8000)
    for number, row in enumerate(signals):
        assert np.abs(np.fft.rfft(row)).argmax() == (200 + 100 * number) // 2


def test_a_mono_file_has_no_tracks(write_wav: Write, tmp_path: Path) -> None:
    path = write_wav(sine(0.5))
    assert tracks_in(path, tmp_path).tracks == ()
    found = find_sources(str(path), (), "auto", tmp_path)
    assert (found.mode, found.why, found.warnings) == ("mix", "", ())
    asked = find_sources(str(path), (), "separate", tmp_path)
    assert asked.mode == "mix"
    assert "no tracks or channels of two people" in asked.warnings[0]


def test_a_wanted_stream_is_looked_into_alone(make_media: Write, tmp_path: Path) -> None:
    path = make_media("two.mka", *TONES, "-ac", "2", "-c:a", "flac")
    found = tracks_in(path, tmp_path, "2")
    assert [(track.stream, track.channel) for track in found.tracks] == [(1, 0), (1, 1)]


def test_soft_and_overloud_signals_get_one_gain(make_media: Write, tmp_path: Path) -> None:
    for gain in ("0.001", "10"):
        arguments = (
            "-f",
            "lavfi",
            "-i",
            f"sine=d=1,volume={gain}:precision=float,aformat=flt,pan=stereo|c0=c0|c1=.5*c0",
        )
        path = make_media("float.wav", *arguments, "-c:a", "pcm_f32le")
        left, right = read_signals(tracks_in(path, tmp_path).tracks)
        assert np.abs(left).max() == pytest.approx(0.9 * 32768, rel=0.05)
        assert np.abs(right).max() == pytest.approx(0.45 * 32768, rel=0.05)


# what is asked for


def test_what_contradicts_itself(folder: Path, tone: bytes) -> None:
    put(folder, tone, "anne.wav", "bob.wav")
    given = [f"Anne={folder}/anne.wav"]
    with pytest.raises(InputError, match="--track and --tracks mix contradict"):
        check_sources("", given, "mix")
    with pytest.raises(InputError, match="holds tracks, and so does --track"):
        check_sources(str(folder), given, "auto")
    with pytest.raises(InputError, match="nothing to hear"):
        check_sources("", (), "auto")
    check_sources("https://example.org/feed.xml", given, "separate")
    check_sources(str(folder), (), "mix")


def test_a_source_beside_given_tracks_is_the_mix(folder: Path, tone: bytes, tmp_path: Path) -> None:
    put(folder, tone, "anne.wav", "bob.wav", "episode.wav")
    given = [f"{folder}/anne.wav", f"{folder}/bob.wav"]
    found = find_sources(str(folder / "episode.wav"), given, "auto", tmp_path)
    assert found.mix is not None
    assert (found.mode, found.mix.file, len(found.tracks)) == ("separate", "episode.wav", 2)
    assert find_sources("", given, "auto", tmp_path).mix is None


def test_a_folder_that_is_to_be_heard_as_one(folder: Path, tone: bytes, tmp_path: Path) -> None:
    put(folder, tone, "anne.wav", "bob.wav")
    found = find_sources(str(folder), (), "mix", tmp_path)
    assert (found.mode, found.mix, len(found.tracks)) == ("mix", None, 2)
    put(folder, tone, "mix.wav")
    found = find_sources(str(folder), (), "mix", tmp_path)
    assert found.mix is not None
    assert (found.mode, found.mix.file, found.tracks) == ("mix", "mix.wav", ())
