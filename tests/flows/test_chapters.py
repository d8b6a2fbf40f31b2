"""Which chapters are shown: who is trusted, what fits the audio, what is told of the rest, and what is proposed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from flows import episode, steps
from flows.chapters import LinkedFile, Selection, chosen, most_trusted, read_linked, with_chapters
from flows.options import RunOptions
from flows.pace import Work, chapters_stage
from models.record.errors import InterruptedRun, ModelError
from models.record.transcript import (
    FROM_AUDIO,
    FROM_FEED,
    FROM_FILE,
    FROM_NOTES,
    MAX_CHAPTERS,
    PROPOSED,
    Chapter,
    Chapters,
    Episode,
    Segment,
    Transcript,
    Word,
)
from outputs.library import read
from tests.audio.server import Reply, Server
from tests.flows.conftest import Process
from tests.flows.shows import clip
from tests.outputs.samples import CONVERSATION

HOUR = 3600.0
SPACES = (
    'xmlns:podcast="https://podcastindex.org/namespace/1.0" xmlns:psc="http://podlove.org/simple-chapters"'
)
STARTS = (0.0, 600.0, 1800.0, 3000.0)


def by(source: str, *starts: float, end: float | None = None) -> Chapters:
    listed = [Chapter(start, f"Title {number}") for number, start in enumerate(starts)]
    return Chapters(source, (*listed[:-1], replace(listed[-1], end=end)))


def taken(*told: Chapters, seconds: float = HOUR, duration: float = 0.0) -> tuple[str, list[str]]:
    found, warnings = most_trusted(told, seconds, duration)
    return found.source, list(warnings)


def test_the_most_trusted_is_taken_and_agreement_is_not_worth_a_word() -> None:
    all_four = [by(source, *STARTS) for source in (FROM_NOTES, FROM_AUDIO, FROM_FEED, FROM_FILE)]
    assert taken(*all_four) == (FROM_FILE, [])
    assert taken(*all_four[:3]) == (FROM_FEED, [])
    assert taken(*all_four[:2]) == (FROM_AUDIO, [])
    assert taken(*all_four[:1]) == (FROM_NOTES, [])
    assert taken(by(FROM_FILE, 0, 605, 1803, 2995), *all_four[:1]) == (FROM_FILE, [])
    assert taken(by(FROM_FILE, *STARTS, 3300), *all_four[:1]) == (FROM_FILE, [])
    assert taken(by(FROM_FILE, 0, 1800), *all_four[:1]) == (FROM_FILE, [])


def test_a_conflict_is_told() -> None:
    source, (warning,) = taken(by(FROM_FILE, *STARTS), by(FROM_NOTES, 0, 900, 1800, 2400, 3100))
    assert source == FROM_FILE
    assert warning == (
        "the notes and podcast:chapters tell different chapters (5 and 4): those of podcast:chapters are shown"
    )


@pytest.mark.parametrize(
    "found", [Chapters(FROM_FILE), by(FROM_FILE, 0), Chapters(FROM_FILE, (Chapter(0, ""),) * 5)]
)
def test_what_divides_nothing_counts_as_none(found: Chapters) -> None:
    assert taken(found, by(FROM_NOTES, *STARTS)) == (FROM_NOTES, [])


@pytest.mark.parametrize(
    ("seconds", "duration"),
    [
        (HOUR, 0.0),
        (3012.0, 0.0),
        (3613.0, 3601.0),
        (4000.0, 60.0),  # no audio with such chapters is so short
        (4000.0, 1801.0),
    ],
)
def test_chapters_that_may_fit_are_shown(seconds: float, duration: float) -> None:
    assert taken(by(FROM_FILE, *STARTS), seconds=seconds, duration=duration) == (FROM_FILE, [])


@pytest.mark.parametrize(
    ("seconds", "duration", "why"),
    [
        (2900.0, 0.0, "they go on to 50:00, and the audio ends at 48:20"),
        (3700.0, 3601.0, "they are of audio of 1:00:01, and this plays 1:01:40"),
        (3500.0, 3601.0, "they are of audio of 1:00:01, and this plays 58:20"),
        (4000.0, 3600.0, "they are of audio of 1:00:00, and this plays 1:06:40"),
    ],
)
def test_chapters_of_other_audio_are_told_and_not_shown(seconds: float, duration: float, why: str) -> None:
    found = taken(by(FROM_FILE, *STARTS), seconds=seconds, duration=duration)
    assert found == ("", [f"chapters of podcast:chapters are not shown: {why}"])


@pytest.mark.parametrize(
    ("seconds", "duration", "end", "why"),
    [
        (3655.0, 3600.0, None, "the feed tells of 1:00:00, and this plays 1:00:55"),  # rounded to minutes
        (3850.0, 3600.0, None, "the feed tells of 1:00:00, and this plays 1:04:10"),  # to five
        (3663.0, 0.0, 3601.0, "they end at 1:00:01, and the audio at 1:01:03"),
        (3663.0, 3663.0, 3601.0, "they end at 1:00:01, and the audio at 1:01:03"),
    ],
)
@pytest.mark.parametrize("source", [FROM_FILE, FROM_AUDIO])
def test_what_speaks_against_chapters_that_are_shown_is_told(
    source: str, seconds: float, duration: float, end: float | None, why: str
) -> None:
    shown, (warning,) = taken(by(source, *STARTS, end=end), seconds=seconds, duration=duration)
    assert shown == source
    assert warning.endswith(f" may be early or late: {why}")


def test_what_speaks_against_the_files_own_chapters_does_against_all_that_agree() -> None:
    both = by(FROM_FILE, *STARTS), by(FROM_AUDIO, *STARTS, end=3601.0)
    shown, (warning,) = taken(*both, seconds=3663.0, duration=3683.0)
    assert shown == FROM_FILE
    assert warning.endswith("they end at 1:00:01, and the audio at 1:01:03")


def test_where_both_the_end_and_the_feed_tell_of_other_audio_no_duration_is_rounded() -> None:
    found = taken(by(FROM_AUDIO, *STARTS, end=3595.0), seconds=3690.0, duration=3600.0)
    why = "they are of audio of 1:00:00, and this plays 1:01:30"
    assert found == ("", [f"chapters of the audio file are not shown: {why}"])


def test_chapters_that_end_with_the_audio_fit_it_whatever_the_feed_says() -> None:
    assert taken(by(FROM_FILE, *STARTS, end=3999), seconds=4000.0, duration=3601.0) == (FROM_FILE, [])


def test_the_files_own_chapters_take_the_place_of_those_of_a_version_without_ads() -> None:
    late = [start + 90 for start in STARTS]
    source, (warning,) = taken(
        by(FROM_FILE, *STARTS), by(FROM_AUDIO, *late, end=3690.0), seconds=3691.0, duration=3601.0
    )
    assert source == FROM_AUDIO
    assert "podcast:chapters are not shown" in warning


def test_where_the_files_own_chapters_agree_it_is_the_duration_that_is_wrong() -> None:
    both = by(FROM_FILE, *STARTS), by(FROM_AUDIO, *STARTS, end=3691.0)
    assert taken(*both, seconds=3691.0, duration=3601.0) == (FROM_FILE, [])


def test_chapters_that_came_with_the_version_without_ads_are_not_shown_either() -> None:
    both = by(FROM_FILE, *STARTS), by(FROM_AUDIO, *STARTS, end=3601.0)
    source, warnings = taken(*both, seconds=3691.0, duration=3601.0)
    assert (source, len(warnings)) == ("", 2)


def test_chapters_are_in_order_each_once_and_clean() -> None:
    listed = (
        Chapter(60.0, " Two\n lines\x00 ", 61.0, "javascript:x", "https://me:secret@a.example/b.jpg"),
        Chapter(0.0, "One", 60.0),
        Chapter(60.0, "Again"),
        Chapter(70.0, "", 80.0, image="https://a.example/c.jpg"),
        Chapter(80.0, ""),
        Chapter(90.0, "Three", 5.0),
        Chapter(99.5, "The end"),
    )
    found, warnings = most_trusted([Chapters(FROM_FEED, listed)], 100.0)
    assert warnings == ()
    assert found.chapters == (
        Chapter(0.0, "One"),
        Chapter(60.0, "Two lines", 61.0, "", "https://a.example/b.jpg"),
        Chapter(70.0, "", 80.0, image="https://a.example/c.jpg", listed=False),
        Chapter(90.0, "Three"),
    )


def test_as_many_as_anybody_may_send_are_chosen_from() -> None:
    many = tuple(Chapter(number / 100, "A") for number in range(300_000))
    found, _ = most_trusted([Chapters(FROM_FEED, many), Chapters(FROM_NOTES, many)], HOUR)
    assert (found.source, len(found.chapters)) == (FROM_FEED, MAX_CHAPTERS)


@pytest.fixture
def downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., steps.DownloadedEpisode]:
    """What is downloaded of the newest episode of a feed, with a cache of its own."""
    monkeypatch.setenv("EPISCRIBE_CACHE", str(tmp_path / "cache"))

    def download(url: str, **options: str) -> steps.DownloadedEpisode:
        library = {"allow_private": True, "library": str(tmp_path / "library")}
        return steps.download(url, RunOptions.model_validate({**library, **options}))

    return download


Downloaded = Callable[..., steps.DownloadedEpisode]
JSON = json.dumps(
    {"version": "1.2.0", "chapters": [{"startTime": 0, "title": "A"}, {"startTime": 0.5, "title": "B"}]}
)


def feed(server: Server, path: str = "/chapters.json", more: str = "", login: str = "") -> str:
    """The address of a feed of one episode that links to chapters; its audio is to be fetched with the login."""
    link = f"<podcast:chapters url={quoteattr(server.url(path))} type='application/json+chapters'/>"
    item = (
        f"<item><title>Poison</title><guid>g1</guid><pubDate>Mon, 16 Nov 2026 06:00:00 +0000</pubDate>"
        f'<enclosure url="{server.url("/1.wav").replace("//", f"//{login}")}" type="audio/wav" length="1"/>'
        f"{link}{more}</item>"
    )
    text = f"<rss version='2.0' {SPACES}><channel><title>Readers</title>{item}</channel></rss>"
    server.routes["/feed.xml"] = Reply(200, text.encode(), {"Content-Type": "application/rss+xml"})
    server.routes["/1.wav"] = Reply(200, clip(1), {"Content-Type": "audio/wav"})
    return server.url("/feed.xml")


def shown(found: steps.DownloadedEpisode, **options: str) -> Selection:
    return chosen(found.chapters, found.path, 2.5, found.episode, RunOptions.model_validate(options))


def test_the_file_that_a_feed_links_to_is_fetched_and_kept(server: Server, downloaded: Downloaded) -> None:
    server.routes["/chapters.json"] = Reply(200, JSON.encode())
    found = shown(downloaded(feed(server)))
    assert found == Selection(Chapters(FROM_FILE, (Chapter(0.0, "A"), Chapter(0.5, "B"))))
    server.routes["/chapters.json"] = Reply(503)
    assert shown(downloaded(feed(server))) == found
    simple = (
        "<psc:chapters><psc:chapter start='0' title='C'/><psc:chapter start='1' title='D'/></psc:chapters>"
    )
    server.routes["/chapters.json"] = Reply(404)
    other = shown(downloaded(feed(server, more=simple)))
    assert [chapter.title for chapter in other.chapters.chapters] == ["C", "D"]
    (warning,) = other.warnings
    assert warning.startswith("the feed's chapters were not read: ")
    assert warning.endswith("answered 404 Not Found")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(200, b"<html>"), "chapters.json: no JSON"),
        (Reply(302, b"", {"Location": "file:///etc/passwd"}), "redirects"),
    ],
)
def test_what_is_no_file_of_chapters_costs_one_warning(
    server: Server, downloaded: Downloaded, reply: Reply, said: str
) -> None:
    server.routes["/chapters.json"] = reply
    (warning,) = downloaded(feed(server)).chapters.warnings
    assert said in warning


def test_private_addresses_our_own_files_and_off(server: Server, downloaded: Downloaded) -> None:
    server.routes["/chapters.json"] = Reply(200, JSON.encode())
    found = downloaded(feed(server), chapters="off")
    assert (found.chapters, shown(found, chapters="off")) == (LinkedFile(), Selection())
    (warning,) = read_linked(found.episode, Path("library/readers/x"), RunOptions()).warnings
    assert "which is not a public address" in warning
    own = replace(found.episode, chapters_url="https://a.example/t/readers/2026-11-16-poison/chapters.json")
    assert read_linked(own, Path("library/readers/2026-11-16-poison"), RunOptions()) == LinkedFile()


def test_notes_and_audio_tell_chapters_of_any_file(make_media: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "meta").write_text(
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=2\ntitle=A\n[CHAPTER]\nTIMEBASE=1/1\nSTART=2\nEND=4\ntitle=B\n"
    )
    path = make_media(
        "a.m4a", "-f", "lavfi", "-i", "sine=d=4", "-i", str(tmp_path / "meta"), "-map_metadata", "1"
    )
    noted = Episode("1", notes="0:00 One\n0:02 Two\n")
    found = chosen(LinkedFile(), path, 4.0, noted, RunOptions())
    assert found.chapters.source == FROM_AUDIO
    assert [chapter.title for chapter in found.chapters.chapters] == ["A", "B"]
    assert chosen(LinkedFile(), tmp_path / "meta", 4.0, noted, RunOptions()).chapters.source == FROM_NOTES


@pytest.mark.parametrize(
    ("seconds", "option", "proposing"),
    [(240.0, "auto", True), (239.0, "auto", False), (900.0, "told", False)],
)
def test_what_is_told_by_nobody_is_proposed_for_what_is_long_enough(
    sample_wav: Path, seconds: float, option: str, proposing: bool
) -> None:
    options = RunOptions.model_validate({"chapters": option})
    assert chosen(LinkedFile(), sample_wav, seconds, Episode("1"), options).proposing is proposing


def test_a_proposal_never_fails_a_run() -> None:
    wanted = Selection(proposing=True)
    proposed = Chapters(PROPOSED, (Chapter(0.0, "A"), Chapter(2.0, "B")), "model")
    assert with_chapters(CONVERSATION, wanted, lambda _: proposed).chapters == proposed
    for error, reason in (
        (ModelError("no model"), "no model"),
        (ValueError("two\nlines"), "ValueError: two lines"),
    ):

        def fail(_: object, error: Exception = error) -> Chapters:
            raise error

        found = with_chapters(CONVERSATION, wanted, fail)
        assert found.warnings == (*CONVERSATION.warnings, f"no chapters were proposed: {reason}")
        assert not found.chapters

    def stop(_: object) -> Chapters:
        raise InterruptedRun("stopped")

    with pytest.raises(InterruptedRun):
        with_chapters(CONVERSATION, wanted, stop)


def test_a_run_writes_what_it_is_told_and_without_the_option_nothing(
    server: Server, process: Process, tmp_path: Path
) -> None:
    private = JSON.replace('"A"', '"A", "url": "a.html", "img": "/a.png?x=1"')
    private = private.replace('"B"', '"B", "url": "#b", "img": "https://you:secret@a.example/b.png"')
    server.routes["/chapters.json?token=hush"] = lambda headers: (
        Reply(200, private.encode()) if "Authorization" in headers else Reply(401)
    )
    more = (
        "<psc:chapters><psc:chapter start='0' title='C' href='https://you:secret@a.example/'/></psc:chapters>"
    )
    captions = quoteattr(server.url("/a.vtt").replace("//", "//you:secret@"))
    more += f"<podcast:transcript url={captions} type='text/vtt'/>"
    options = {"allow_private": True, "diariser": "none"}
    told = feed(server, "/chapters.json?token=hush", more, login="me:secret@")
    result = process(told, **options)
    assert "chapters" not in (*result["computed"], *result["reused"])  # type: ignore[misc]
    written = read.load(tmp_path / "out")
    assert written.chapters.source == FROM_FILE
    assert written.chapters.chapters == (
        Chapter(0.0, "A", None, server.url("/a.html"), server.url("/a.png?x=1")),
        Chapter(0.5, "B", None, server.url("/chapters.json"), "https://a.example/b.png"),
    )
    assert [chapter.url for chapter in written.episode.chapters] == ["https://a.example/"]
    assert [link.url for link in written.episode.transcripts] == [server.url("/a.vtt")]
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not [path for path in files if b"secret" in path.read_bytes()]
    assert "transcribe" in process(server.url("/feed.xml"), **options, chapters="off")["reused"]  # type: ignore[operator]
    assert not read.load(tmp_path / "out").chapters


def test_a_proposal_is_kept_until_other_words_are_heard(
    prefect_server: str, cache: Path, tmp_path: Path
) -> None:
    from prefect.settings import PREFECT_LOCAL_STORAGE_PATH, temporary_settings

    bread = "The dough of this bread rises for an hour before the baker puts the loaf into the oven."
    rails = "The railway line between both cities was electrified and trains leave the station hourly."
    said = [_sentence(number * 10.0, bread if number < 30 else rails) for number in range(60)]
    transcript = replace(CONVERSATION, segments=tuple(said))

    def proposed(transcript: Transcript) -> tuple[Chapters, list[str]]:
        run = episode._Run(force=False)
        run.work = Work(600.0, [chapters_stage()], "cpu")
        with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: cache / "results"}):
            return episode._propose_chapters(run, "0" * 64, tmp_path / "show" / "1", transcript), run.computed

    first, computed = proposed(transcript)
    assert (first.source, computed) == (PROPOSED, ["chapters"])
    assert [chapter.start for chapter in first.chapters] == [0.0, 300.0]
    assert proposed(transcript) == (first, [])
    assert proposed(transcript.renamed("SPEAKER_00", "Zoe")) == (first, [])
    assert proposed(replace(transcript, segments=transcript.segments[:-1]))[1] == ["chapters"]


def _sentence(start: float, text: str) -> Segment:
    words = text.split()
    step = 9.0 / len(words)
    said = (Word(start + n * step, start + (n + 1) * step, f" {word}") for n, word in enumerate(words))
    return Segment(start, start + 9.0, "SPEAKER_00", tuple(said))
