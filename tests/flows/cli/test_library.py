"""The commands for finished transcripts, in processes of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import srt

from audio.media import ffmpeg
from audio.media.clip import cut, encode
from audio.media.decode import decode
from audio.media.loudness import loudness
from audio.transfer.download import local_file
from flows.local.demo import FEED
from models.record.transcript import BY_USER, Chapter, Chapters, Transcript
from outputs.formats.registry import FORMATS
from outputs.library import read
from outputs.library.corrections import CHAPTERS, WORDS, Correction
from outputs.library.write import keep_audio, publish
from tests.audio.server import Reply, Server
from tests.flows.conftest import Process, episcribe
from tests.outputs.samples import said, talk

PLACE = "strangers-on-the-line/2026-11-16-both-from-chicago"


def call() -> Transcript:
    found = talk(
        said("Hello. I did not know you were there.", 2.0, 0.4),
        said("Neither did I, originally from Chicago.", 6.5, 0.5, "SPEAKER_01"),
        said("So what about New Jersey now?", 11, 0.5),
        SPEAKER_00="Diane",
        SPEAKER_01="Sheila",
    )
    about = replace(
        found.episode, show="Strangers on the Line", guid="strangers-2", title="Both from Chicago",
        audio_url="https://example.org/both.mp3", published="2026-11-16T06:00:00+00:00",
    )  # fmt: skip
    return replace(found, episode=about, audio=replace(found.audio, seconds=30.0)).renamed(
        "SPEAKER_00", "Diane"
    )


@pytest.fixture
def library(tmp_path: Path, sample_wav: Path) -> Path:
    library = tmp_path / "library"
    name = keep_audio(sample_wav, library / PLACE)
    publish(replace(call(), audio=replace(call().audio, path=name)), library / PLACE, FORMATS)
    return library


def test_search(library: Path, tmp_path: Path) -> None:
    done = episcribe("search", "from chicago", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Both from Chicago  Strangers on the Line, 2026-11-16",
        "00:08  Sheila  Neither did I, originally from Chicago.",
        f"library/{PLACE}/transcript.html#t=8.5",
        "",
        "1 passage",
    ]
    assert done.stderr == "indexed 1 episode\n"
    found = episcribe(
        "search", "jersey", "--speaker", "dian", "--json", "--base-url", "https://x.org/t", cwd=tmp_path
    )
    assert json.loads(found.stdout) == []
    found = episcribe(
        "search", "jersey", "--speaker", "diane", "--json", "--base-url", "https://x.org/t", cwd=tmp_path
    )
    (hit,) = json.loads(found.stdout)
    assert (hit["link"], hit["seconds"]) == (f"https://x.org/t/{PLACE}/transcript.html#t=13", 13.0)
    assert episcribe("search", "nowhere", cwd=tmp_path).stdout == "nothing found\n"


def test_mentions(library: Path, tmp_path: Path) -> None:
    chapters = Chapters(BY_USER, (Chapter(10.0, "Home"),))
    publish(replace(read.load(library / PLACE), chapters=chapters), library / PLACE, [])
    done = episcribe("mentions", "origin*", "jersey", "--all", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "indexed 1 episode\n")
    page = f"library/{PLACE}/transcript.html"
    assert done.stdout.splitlines() == [
        "origin*: once in 1 episode",
        "",
        "Sheila  once",
        "  Both from Chicago  Strangers on the Line, 2026-11-16  once",
        "  00:08  Neither did I, originally from Chicago.",
        f"  {page}#t=8",
        "",
        "jersey: once in 1 episode",
        "",
        "Diane  once",
        "  Both from Chicago  Strangers on the Line, 2026-11-16  once",
        "  00:13  So what about New Jersey now? · Home",
        f"  {page}#t=13",
    ]
    found = episcribe("mentions", "you", "--json", "--base-url", "https://x.org/t", cwd=tmp_path)
    (term,) = json.loads(found.stdout)
    (said,) = term["people"][0]["episodes"][0]["said"]
    assert (term["count"], said["link"]) == (1, f"https://x.org/t/{PLACE}/transcript.html#t=4")
    assert said["chapter"] == ""
    assert episcribe("mentions", "nowhere", cwd=tmp_path).stdout == "nowhere: nobody says it\n"
    refused = episcribe("mentions", "!", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")


def test_search_by_meaning_reads_what_is_new_once(library: Path, tmp_path: Path) -> None:
    assert not (library / "meaning.db").exists()
    done = episcribe("search", "--meaning", "where she grew up", "--limit", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "Both from Chicago  Strangers on the Line, 2026-11-16"
    assert done.stderr == "indexed 1 episode\nReading for meaning ...\n"
    again = episcribe(
        "search", "--meaning", "where she grew up", "--speaker", "sheila", "--json", cwd=tmp_path
    )
    assert again.stderr == ""
    hits = json.loads(again.stdout)
    assert "Chicago" in hits[0]["text"]
    assert {hit["speaker"] for hit in hits} == {"Sheila"}


def test_search_lets_nothing_steer_the_terminal(tmp_path: Path) -> None:
    evil = talk(said("word \x1b[31mred\x1b[0m", 0), SPEAKER_00="\x1b]0;title\x07")
    evil = replace(evil, episode=replace(evil.episode, title="\x1b[2J", show="[bold]x[/bold]"))
    publish(evil, tmp_path / "library" / "a" / "b", [])
    done = episcribe("search", "word", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout
    assert "[bold]x[/bold]" in done.stdout


def test_site(library: Path, tmp_path: Path) -> None:
    done = episcribe("site", "--out", "site", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "1 show, 1 episode: site/index.html"
    assert (tmp_path / "site" / PLACE / "audio.wav").exists()


def test_publish_from_an_address(library: Path, tmp_path: Path, server: Server) -> None:
    feed = FEED.format(url="https://example.org", length=5).encode()
    server.routes["/feed.xml"] = Reply(200, feed, {"Content-Type": "application/rss+xml"})
    asked = ["publish", server.url("/feed.xml"), "--base-url", "https://x.org/t", "--out", "new.xml"]
    done = episcribe(*asked, "--allow-private", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 episode with transcripts, 1 without: new.xml\n")
    assert "Access-Control-Allow-Origin" in done.stdout
    data = (tmp_path / "new.xml").read_bytes()
    assert data.count(f'<podcast:transcript url="https://x.org/t/{PLACE}/transcript.'.encode()) == 4
    assert data.count(b"<podcast:person") == 1  # Sheila's name comes from the feed, nobody confirmed it
    assert b">Diane</podcast:person>" in data
    refused = episcribe(*asked, cwd=tmp_path)
    assert refused.returncode == 2
    assert (tmp_path / "new.xml").read_bytes() == data


def test_a_damaged_episode_is_told_and_keeps_no_other_from_the_feed(library: Path, tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(FEED.format(url="https://example.org", length=5))
    (library / PLACE / "corrections.json").write_text("damaged")
    done = episcribe("publish", "feed.xml", "--base-url", "https://x.org/", "--out", "new.xml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("0 episodes with transcripts, 2 without: new.xml\n")
    (line,) = done.stderr.splitlines()
    assert "corrections.json: damaged" in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["publish", "nofeed", "--base-url", "https://x.org/"],
            "nofeed: neither a show in episcribe.toml nor the address of a feed nor a file",
        ),
        (["publish", "feed.xml", "--base-url", "x.org"], "'x.org' is no base URL"),
        (["publish", "feed.xml", "--base-url", "https://x.org/"], "feed.xml is not well-formed XML"),
        (["publish", "feed.xml", "--base-url", "https://x.org/", "--library", "no"], "no: no such folder"),
        (["search", "word", "--library", "no"], "no: no such folder"),
        (["search", "!", "--library", "library"], "nothing to search for"),
        (["site", "--library", "no"], "no: no such folder"),
        (["site", "--library", "library", "--out", "."], "has other things in it"),
        (["clip", "library", "--from", "1", "--to", "2", "--out", "a.mp3"], "no episode.json"),
        (["clip", f"library/{PLACE}", "--from", "soon", "--to", "2", "--out", "a.mp3"], "'soon' is no time"),
        (
            ["clip", f"library/{PLACE}", "--from", "2", "--to", "1", "--out", "a.mp3"],
            "the end must come after",
        ),
        (
            ["clip", f"library/{PLACE}", "--from", "31", "--to", "40", "--out", "a.mp3"],
            "the episode ends at 00:30",
        ),
        (["clip", f"library/{PLACE}", "--from", "1", "--to", "2", "--out", "a.doc"], "unknown kind of audio"),
        (["edit", "library"], "no episode.json"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    library: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "feed.xml").write_text("<rss><channel>")
    done = episcribe(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert said in line
    assert not (tmp_path / "a.mp3").exists()


@pytest.mark.parametrize("kind", ["mp3", "m4a", "wav", "flac", "ogg", "opus"])
def test_a_clip_has_its_words(library: Path, tmp_path: Path, kind: str) -> None:
    from flows.library.clips import make_clip

    audio, captions = make_clip(library / PLACE, 6.4, 10.0, tmp_path / f"clip.{kind}")
    assert decode(audio).seconds == pytest.approx(3.6, abs=0.1)
    cues = list(srt.parse(captions.read_text()))
    assert (
        " ".join(cue.content.replace("\n", " ") for cue in cues)
        == "Sheila: Neither did I, originally from Chicago."
    )
    assert cues[0].start.total_seconds() == pytest.approx(0.1)
    assert cues[-1].end.total_seconds() <= 3.65


def test_a_clip_is_loud_enough_and_says_what_it_is(library: Path, tmp_path: Path) -> None:
    done = episcribe(
        "clip", library / PLACE, "--from", "0:10", "--to", "0:45", "--out", "clip.mp3", cwd=tmp_path
    )
    assert done.stdout.splitlines() == ["clip.mp3", "clip.srt"], done.stderr
    level, peak = loudness(cut(tmp_path / "clip.mp3", 0, 30))
    assert decode(tmp_path / "clip.mp3").seconds == pytest.approx(20, abs=0.1)  # the episode has 30 s
    assert level == pytest.approx(-19, abs=0.5) or peak == pytest.approx(-1, abs=0.6)
    said_of_it = subprocess.run(
        ffmpeg.command(tmp_path / "clip.mp3"), capture_output=True, check=False
    ).stderr
    assert "Both from Chicago (00:10–00:30)".encode() in said_of_it


def test_a_clip_needs_the_audio(library: Path, tmp_path: Path, sample_wav: Path) -> None:
    (library / PLACE / "audio.wav").unlink()
    asked = ["clip", library / PLACE, "--from", "1", "--to", "2", "--out", "a.wav"]
    done = episcribe(*asked, cwd=tmp_path)
    assert (done.returncode, "give it with --audio FILE" in done.stderr) == (2, True)
    assert episcribe(*asked, "--audio", sample_wav, cwd=tmp_path).returncode == 0


def test_a_clip_takes_the_file_that_was_run_where_it_lies(
    library: Path, tmp_path: Path, sample_wav: Path
) -> None:
    name, sha256 = "call.wav", local_file(str(sample_wav)).sha256
    publish(replace(call(), audio=replace(call().audio, path=name, sha256=sha256)), library / PLACE, FORMATS)
    asked = ["clip", library / PLACE, "--from", "1", "--to", "2", "--out", "a.wav"]
    (tmp_path / name).write_bytes(b"another file of that name")
    assert episcribe(*asked, cwd=tmp_path).returncode == 2
    shutil.copy(sample_wav, tmp_path / name)
    done = episcribe(*asked, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_run_keeps_corrections_and_audio(process: Process, sample_wav: Path, tmp_path: Path) -> None:
    """Corrections of what one model heard, then another model."""
    out = tmp_path / "out"
    mp3 = encode(cut(sample_wav, 0, 30), tmp_path / "call.MP3")
    result = process(mp3, model="tiny.en", language="en", keep_audio=True)
    assert result["warnings"] == []
    assert (out / "audio.mp3").read_bytes() == mp3.read_bytes()
    record = read.load_record(out)
    assert record.audio.path == "audio.mp3"
    assert '<source src="audio.mp3">' in (out / "transcript.html").read_text()
    chicago = next(word for word in record.words if "Chicago" in word.text)
    fits = Correction(WORDS, chicago.start, chicago.end, (chicago.text,), " Springfield,", edit=1)
    waits = Correction(WORDS, 1.0, 2.0, (" supercalifragilistic",), " nothing", edit=2)
    mine = Correction(
        CHAPTERS,
        end=100.0,
        chapters=(Chapter(0.0, "My beginning"), Chapter(99.0, "After the end")),
        edit=3,
    )
    publish(record, out, FORMATS, [fits, waits, mine])
    better = process(mp3, model="base", language="en")
    assert better["computed"] == ["transcribe", "overlaps"]
    assert better["warnings"] == [
        f"a correction no longer fits the words: `episcribe edit {out} --list` shows which",
        f"chapters that you set lie beyond the end: `episcribe chapters {out}` shows which",
        "chapters that you set were made for audio of 01:40, and this plays 00:30: they may be early or late; "
        f"`episcribe chapters {out}` shows them, `episcribe chapters keep {out}` says that they are right",
    ]
    again = read.load_corrected(out)
    assert again.waiting == (waits, mine)
    assert again.transcript.chapters == Chapters(BY_USER, (Chapter(0.0, "My beginning"),))
    assert "My beginning" in (out / "transcript.html").read_text()
    (word,) = [word for word in again.transcript.words if "Springfield" in word.text]
    assert word.start == pytest.approx(chicago.start, abs=0.5)
    assert "Springfield" in (out / "transcript.vtt").read_text()
    assert "Springfield" not in (out / "episode.json").read_text()
    assert '<source src="audio.mp3">' in (out / "transcript.html").read_text()
