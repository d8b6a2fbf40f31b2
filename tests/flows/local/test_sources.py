"""What sources mean; shapes that were reported as bugs elsewhere are told by repository and number."""

from __future__ import annotations

import io
import os
import unicodedata
from pathlib import Path

import pytest

from flows.local.sources import episodes_in, expand, is_pattern, look_through, natural, read_list
from models.record.errors import InputError
from outputs.formats.registry import EPISODE
from tests.flows.shows import clip

LISTS = [
    # ytdl-org/youtube-dl#10274: what PowerShell writes is UTF-16
    ("a b.mp3\r\nhttps://example.org/1.mp3\r\n".encode("utf-16"), ["a b.mp3", "https://example.org/1.mp3"]),
    # ytdl-org/youtube-dl#26813: a byte order mark became part of the first line; blank lines became sources
    (b"\xef\xbb\xbf# my list\r\n\r\n  a.mp3  \r\n", ["a.mp3"]),
    # SYSTRAN/faster-whisper#341, yt-dlp/yt-dlp#15189: lines in quotes
    (b"\"C:\\talks\\a b.mp3\"\n'c d.mp3'\n", ["C:\\talks\\a b.mp3", "c d.mp3"]),
    # of `find -print0`: names with line breaks
    (b"one\ntwo.mp3\x00#3.mp3\x00", ["one\ntwo.mp3", "#3.mp3"]),
    ("K\xf6ln.mp3\n".encode("latin-1"), [os.fsdecode(b"K\xf6ln.mp3")]),
    (b"#EXTM3U\n#EXTINF:60,Talk\ntalk.mp3", ["talk.mp3"]),
]


@pytest.mark.parametrize(("data", "sources"), LISTS)
def test_lists_are_read_however_they_were_written(data: bytes, sources: list[str]) -> None:
    assert read_list(io.BytesIO(data), "list.txt") == sources


def test_a_list_that_is_no_list_is_refused_before_memory_is_full() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return b"\0" * size

    with pytest.raises(InputError, match="is no list of sources"):
        read_list(Endless(), "movie.mkv")  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def found(*sources: str, tracks: str = "auto") -> list[str]:
    return [os.path.relpath(one.place) for one in expand(sources, tracks) if not one.error]


def errors(*sources: str) -> list[str]:
    return [one.error for one in expand(sources) if one.error]


def test_folders_hold_episodes_in_the_order_in_which_people_count(folder: Path) -> None:
    make(
        folder,
        "in/ep 10.mp3",
        "in/ep 9.mp3",
        "in/notes.txt",
        "in/cover.jpg",
        "in/2026/ep 1.mp3",
        "in/B ep 2.ogg",
    )
    assert found("in") == ["in/B ep 2.ogg", "in/ep 9.mp3", "in/ep 10.mp3", "in/2026/ep 1.mp3"]
    assert found("in", tracks="separate") == ["in"]
    assert natural("e\u0301 2") == natural("é 2")


# Each a file that must not be taken, by the report of a program that did.
NOT_TAKEN = [
    "._talk.mp3",  # purpleturtle21/echo-list#2
    ".AppleDouble/talk.mp3",  # rembo10/headphones#796
    "__MACOSX/talk.mp3",  # ethanwheatthin/All-In-One-Snapchat-Downloader#5
    "@eaDir/talk.mp3",
    ".talk.mp3.Xy12Ab",
    "talk.mp3.part",
    "talk.mp3.crdownload",
    "talk.temp.mp3",
    "talk.f140.m4a",
    "~syncthing~talk.mp3.tmp",
    "talk.srt",  # chidiwilliams/buzz#1329
]


@pytest.mark.parametrize("name", NOT_TAKEN)
def test_what_systems_and_other_programs_leave_is_passed_over(folder: Path, name: str) -> None:
    make(folder, f"in/{name}", "in/real.mp3")
    assert found("in") == ["in/real.mp3"]


def test_a_file_that_is_being_downloaded_beside_its_part_is_not_taken(folder: Path) -> None:
    make(folder, "in/a.mp4", "in/a.mp4.aria2", "in/b.mp4", "in/b.mp4.part", "in/c.mp4")  # BGmi/BGmi#8
    assert found("in") == ["in/c.mp4"]


def test_the_library_is_no_source(folder: Path) -> None:
    make(
        folder, "in/a.mp3", "in/library/.episcribe-library", "in/library/show/1/audio.mp3"
    )  # chidiwilliams/buzz#1550
    make(folder, f"in/own/{EPISODE.file_name}", "in/own/audio.mp3")
    assert found("in") == ["in/a.mp3"]


def test_what_is_ours_is_no_source(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPISCRIBE_CACHE", str(folder / "cache"))
    make(folder, "a.mp3", "library/show/1/audio.mp3", "uploads/1.mp3", "cache/downloads/1.mp3")
    make(folder, "old/.episcribe-library", "old/show/1/audio.mp3")
    assert found(".") == found("**/*.mp3") == found("**") == ["a.mp3"]
    assert found("uploads") == ["uploads/1.mp3"]


def test_links_in_circles_end(folder: Path) -> None:
    make(folder, *(f"in/{name}/{name}.mp3" for name in "abcdefgh"))
    for one in "abcdefgh":
        for other in "abcdefgh":
            (folder / "in" / one / f"to {other}").symlink_to(folder / "in" / other)
    assert len(found("in/**/*.mp3")) == len(found("in")) == 8


def test_addresses_of_files_are_of_this_machine(folder: Path) -> None:
    make(folder, "a b.mp3")
    path = f"{folder}/a%20b.mp3"
    assert (
        found(f"file://{path}") == found(f"FILE://{path}") == found(f"file://localhost{path}") == ["a b.mp3"]
    )
    assert errors("file://other/etc/passwd") == ["/etc/passwd is a file of other, and not of this machine"]
    assert errors("file://[other/etc/passwd")


def test_addresses_are_called_by_what_everybody_may_know(folder: Path) -> None:
    given = [
        "https://me:pw@example.org/1.mp3?token=abc",
        "feed://example.org/rss?key=1",
        "ftp://me:pw@example.org/",
    ]
    told = list(expand(given))
    assert [one.place for one in told] == given
    assert [one.called for one in told] == [
        "https://example.org/1.mp3",
        "http://example.org/rss",
        "ftp://...",
    ]


def test_names_that_begin_like_comments_are_names_where_there_are_such(folder: Path) -> None:
    make(folder, "#3.mp3")
    assert read_list(io.BytesIO(b"# talks\n#3.mp3\n#4.mp3\n"), "list.txt") == ["#3.mp3"]


def test_links_are_followed_but_in_no_circle(folder: Path) -> None:
    make(folder, "in/a.mp3", "elsewhere/b.mp3")
    (folder / "in" / "loop").symlink_to(folder / "in")  # jellyfin/jellyfin#10687
    (folder / "in" / "more").symlink_to(folder / "elsewhere")
    (folder / "in" / "again.mp3").symlink_to(folder / "in" / "a.mp3")
    (folder / "in" / "gone.mp3").symlink_to(folder / "nowhere.mp3")
    assert found("in", "in/a.mp3", str(folder / "in")) == ["in/a.mp3", "in/gone.mp3", "in/more/b.mp3"]


def test_patterns_are_ours_where_no_shell_has_expanded_them(folder: Path) -> None:
    make(folder, "x/b.mp3", "x/a.mp3", "x/y/c.mp3", "x/n.txt")  # slhck/ffmpeg-normalize#281
    assert found("x/*.mp3") == ["x/a.mp3", "x/b.mp3"]
    assert found("x/**/*.mp3") == ["x/a.mp3", "x/b.mp3", "x/y/c.mp3"]
    assert errors("x/*.flac") == ["nothing is called x/*.flac"]


def test_brackets_in_names_are_no_patterns(folder: Path) -> None:
    make(
        folder, "[test].mp3", "t.mp3", "Live [14 Tracks]/09 Song [Live].mp3"
    )  # squell/id3#7, jherby2k/AudioWorks#45
    assert not is_pattern("[test].mp3")
    assert found("[test].mp3") == ["[test].mp3"]
    assert found("Live [14 Tracks]/*.mp3") == ["Live [14 Tracks]/09 Song [Live].mp3"]


def test_odd_names_are_names(folder: Path) -> None:
    names = [
        "-v.mp3",
        "a\nb.mp3",
        " c .mp3",
        unicodedata.normalize("NFD", "é.mp3"),
        "x" * 240 + ".mp3",
        "no ending",
    ]
    make(folder, *names)
    assert found(*names) == names
    (folder / "album.mp3").mkdir()
    make(folder, "album.mp3/1.mp3")
    assert found("album.mp3") == ["album.mp3/1.mp3"]


def test_what_is_not_there_is_told_and_others_are_found(folder: Path) -> None:
    make(folder, "a.mp3", "empty/notes.txt")
    assert found("a.mp3", "file://" + str(folder / "a.mp3")) == ["a.mp3"]
    assert errors("a.mp3", "empty") == ["empty is a folder without audio files"]
    (first, second) = expand(["https://ann:secret@example.org/x*.mp3?a=[1]", "feed:example.org/feed.xml"])
    assert (first.kind, second.kind) == ("address", "address")
    assert "secret" not in first.called


def test_sessions_are_found_below_a_folder_and_told(folder: Path) -> None:
    for number, name in enumerate(("monday/anne.wav", "monday/bo.wav", "tuesday/ep 1.wav")):
        make(folder, f"in/{name}")
        (folder / "in" / name).write_bytes(clip(number))
    told = list(episodes_in(Path("in")))
    assert [os.path.relpath(one.place) for one in told] == ["in/monday", "in/tuesday/ep 1.wav"]
    assert "heard as the tracks of one recording" in told[0].note


def test_thousands_of_files_take_no_time(folder: Path) -> None:
    make(folder, *(f"in/{n // 100}/{n}.mp3" for n in range(4000)))
    assert len(found("in")) == 4000
    assert sum(1 for _ in look_through(Path("in")).everything()) == 4000
