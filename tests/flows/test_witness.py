"""Feeds that offer transcripts: which one is heard, what it does to names and words, and what it may not do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from flows import steps
from flows.local.compare import feed_transcript, print_comparison
from flows.offered import MAX_BYTES
from flows.options import RunOptions
from flows.witness import find_witness
from models.record.errors import InputError
from models.record.transcript import TranscriptLink
from models.record.utterances import Utterance
from outputs.library import read
from tests.audio.server import Reply, Server
from tests.flows.composed_shows import read_aloud
from tests.flows.conftest import Process
from tests.flows.shows import clip

SPACE = "xmlns:podcast='https://podcastindex.org/namespace/1.0'"
TYPES = {"json": "application/json", "vtt": "text/vtt", "srt": "application/x-subrip", "html": "text/html"}
VTT = "WEBVTT\n\n00:07.000 --> 00:09.000\n<v Diane Keys>Hello?\n"
SRT = "1\n00:00:07,000 --> 00:00:09,000\nHello?\n"


def feed(server: Server, transcripts: str, *, language: str = "", audio: str = "/1.wav") -> str:
    """The address of a feed of one episode with these tags."""
    item = (
        f"<item><title>Poison</title><guid>g1</guid><pubDate>Mon, 16 Nov 2026 06:00:00 +0000</pubDate>"
        f'<enclosure url="{server.url(audio)}" type="audio/wav" length="1"/>{transcripts}</item>'
    )
    told = f"<language>{language}</language>" if language else ""
    text = f"<rss version='2.0' {SPACE}><channel><title>Readers</title>{told}{item}</channel></rss>"
    server.routes["/feed.xml"] = Reply(200, text.encode(), {"Content-Type": "application/rss+xml"})
    server.routes.setdefault("/1.wav", Reply(200, clip(1), {"Content-Type": "audio/wav"}))
    return server.url("/feed.xml")


def link(server: Server, path: str, kind: str = "", **attributes: str) -> str:
    told = {"url": server.url(path), "type": TYPES.get(kind or path.rpartition(".")[2], kind), **attributes}
    return f"<podcast:transcript {' '.join(f'{name}={quoteattr(value)}' for name, value in told.items())}/>"


def serve(server: Server, path: str, text: str) -> None:
    server.routes[path] = Reply(200, text.encode())


def asked(server: Server) -> list[str]:
    return [path for path, _ in server.requests if path not in ("/feed.xml", "/1.wav")]


@pytest.fixture
def downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., steps.DownloadedEpisode]:
    """What is downloaded of the newest episode of a feed, with a cache of its own."""
    monkeypatch.setenv("EPISCRIBE_CACHE", str(tmp_path / "cache"))

    def download(url: str, **options: str) -> steps.DownloadedEpisode:
        library = {"allow_private": True, "library": str(tmp_path / "library")}
        return steps.download(url, RunOptions.model_validate({**library, **options}))

    return download


Downloaded = Callable[..., steps.DownloadedEpisode]


def test_the_one_that_names_speakers_is_heard(server: Server, downloaded: Downloaded) -> None:
    record = {"segments": [{"speaker": "Speaker 1", "startTime": 7, "body": "Hello?"}]}
    serve(server, "/t.json", json.dumps(record))
    serve(server, "/t.vtt", VTT)
    serve(server, "/t.srt", SRT)
    links = "".join(link(server, path) for path in ("/t.txt", "/t.srt", "/t.vtt", "/t.json"))
    found = downloaded(feed(server, links)).witness
    assert found.transcript is not None
    assert found.transcript.speakers == ("Diane Keys",)
    assert Path(found.file).read_text() == VTT
    assert asked(server) == ["/t.json", "/t.vtt"]


def test_without_names_anywhere_the_words_count(server: Server, downloaded: Downloaded) -> None:
    serve(server, "/t.srt", SRT)
    found = downloaded(feed(server, link(server, "/t.srt") + link(server, "/gone.vtt")))
    assert found.witness.transcript is not None
    assert [one.text for one in found.witness.transcript.utterances] == ["Hello?"]
    assert found.warnings == ()


def test_the_one_in_the_language_of_the_audio_is_heard(server: Server, downloaded: Downloaded) -> None:
    for path in ("/es.vtt", "/en.vtt", "/any.vtt"):
        serve(server, path, VTT)
    links = "".join(
        [
            link(server, "/es.vtt", language="es"),
            link(server, "/any.vtt"),
            link(server, "/en.vtt", language="en-GB"),
        ]
    )
    downloaded(feed(server, links, language="en-us"))
    downloaded(server.url("/feed.xml"), language="es")
    assert asked(server) == ["/en.vtt", "/es.vtt"]


def test_the_type_may_be_missing(server: Server, downloaded: Downloaded) -> None:
    serve(server, "/t.vtt?v=2", VTT)
    found = downloaded(feed(server, link(server, "/t.vtt?v=2", "application/octet-stream")))
    assert found.witness.transcript is not None


def test_captions_come_before_text_of_the_same_type(server: Server, downloaded: Downloaded) -> None:
    serve(server, "/b.vtt", VTT)
    downloaded(feed(server, link(server, "/a.vtt") + link(server, "/b.vtt", rel="captions")))
    assert asked(server) == ["/b.vtt"]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(404), "answered 404"),
        (Reply(200, b"WEBVTT\n\n" + b"x" * MAX_BYTES), f"is bigger than {MAX_BYTES:,} bytes"),
        (Reply(200, b"<!doctype html><html><body><p>Log in</p></body></html>"), "no transcript in it"),
        (Reply(200, b"\0" * 5000), "no"),
        (Reply(302, b"", {"Location": "file:///etc/passwd"}), "redirects where we don't follow"),
    ],
)
def test_what_fails_costs_one_warning(
    server: Server, downloaded: Downloaded, reply: Reply, said: str
) -> None:
    server.routes["/t.vtt"] = reply
    server.routes["/t.srt"] = reply
    found = downloaded(feed(server, link(server, "/t.vtt") + link(server, "/t.srt")))
    assert found.witness.transcript is None
    (warning,) = found.warnings
    assert warning.startswith("the feed's transcript was not heard: ")
    assert said in warning


def test_a_private_address_is_as_forbidden_as_for_the_feed(server: Server, downloaded: Downloaded) -> None:
    serve(server, "/t.vtt", VTT)
    found = downloaded(feed(server, link(server, "/t.vtt")))
    assert found.warnings == ()
    episode = found.episode
    refused = find_witness(episode, Path("library/show/episode"), RunOptions())
    assert refused.transcript is None
    assert "127.0.0.1" in refused.warnings[0]


def test_it_is_heard_from_the_cache_while_the_server_is_down(server: Server, downloaded: Downloaded) -> None:
    serve(server, "/t.vtt", VTT)
    url = feed(server, link(server, "/t.vtt"))
    first = downloaded(url).witness
    server.routes["/t.vtt"] = Reply(503)
    assert downloaded(url).witness == first
    serve(server, "/t.vtt", "<html><p>We are moving</p></html>")
    assert downloaded(url).witness.transcript is None
    server.routes["/t.vtt"] = Reply(503)
    assert downloaded(url).witness == first
    server.routes["/t.vtt"] = Reply(410)
    assert downloaded(url).witness.transcript is None


def test_it_is_left_alone_where_it_is_off(server: Server, downloaded: Downloaded) -> None:
    serve(server, "/t.vtt", VTT)
    assert downloaded(feed(server, link(server, "/t.vtt")), published_transcript="off").witness.file == ""
    assert asked(server) == []


def test_our_own_files_in_the_feed_are_not_even_asked_for(server: Server, downloaded: Downloaded) -> None:
    own = "/transcripts/readers/2026-11-16-poison/transcript.vtt"
    other = "/transcripts/readers/2026-11-17-poison/transcript.vtt"
    serve(server, own, VTT)
    serve(server, other, VTT)
    downloaded(feed(server, link(server, own)))
    assert asked(server) == []
    downloaded(feed(server, link(server, own) + link(server, other)))
    assert asked(server) == [other]


# What it does to a run.


@dataclass(frozen=True)
class Talk:
    """Two readers in turn: the recording, and what each says."""

    audio: bytes
    lines: Sequence[Utterance]


@pytest.fixture(scope="module")
def talk(read_speech: Path, tmp_path_factory: pytest.TempPathFactory) -> Talk:
    file = tmp_path_factory.mktemp("talk") / "talk.wav"
    order = [f"{reader}-000{n}" for n in (2, 3, 4, 5) for reader in ("1998-15444", "1688-142285")]
    _, lines = read_aloud(file, read_speech, order)
    return Talk(file.read_bytes(), lines)


NAMES = {"1998": "Anne Currie", "1688": "Gaël Duez"}


def as_json(lines: Iterable[Utterance], names: dict[str, str], shift: float = 12.0) -> str:
    segments = [
        {"speaker": names[line.speaker], "startTime": line.start + shift, "body": line.text} for line in lines
    ]
    return json.dumps({"version": "1.0.0", "segments": segments})


@pytest.fixture
def run(process: Process, server: Server, talk: Talk, tmp_path: Path) -> Callable[..., dict[str, object]]:
    server.routes["/talk.wav"] = Reply(200, talk.audio, {"Content-Type": "audio/wav"})

    def run(**options: object) -> dict[str, object]:
        url = feed(server, link(server, "/t.json"), audio="/talk.wav")
        return process(url, out=None, library=str(tmp_path / "library"), allow_private=True, **options)

    return run


Run = Callable[..., dict[str, object]]


def names(result: dict[str, object]) -> dict[str, str]:
    """Names and their sources."""
    return {s.name: s.source for s in read.load(str(result["folder"])).speakers}


def test_speakers_are_named_by_what_the_feed_offers(run: Run, server: Server, talk: Talk) -> None:
    serve(server, "/t.json", as_json(talk.lines, NAMES))
    result = run()
    assert names(result) == {"Anne Currie": "transcript", "Gaël Duez": "transcript"}
    assert result["warnings"] == []
    transcript = read.load(str(result["folder"]))
    first = transcript.segments[0]
    assert transcript.name_of(first.speaker) == "Anne Currie"
    assert all(e.words.endswith(" words") for e in transcript.evidence if e.kind == "transcript")
    # Nothing of theirs became ours: the words stay as they were heard.
    assert names(run(published_transcript="off")) == {"Speaker 1": "order", "Speaker 2": "order"}
    alone = read.load(str(result["folder"]))
    assert [word.text for word in alone.words] == [word.text for word in transcript.words]


def test_another_episodes_transcript_names_nobody(run: Run, server: Server, talk: Talk) -> None:
    other = [
        replace(line, text="nothing of this was said in the talk that they had " * 3) for line in talk.lines
    ]
    serve(server, "/t.json", as_json(other, NAMES))
    assert names(run()) == {"Speaker 1": "order", "Speaker 2": "order"}


def test_a_run_goes_on_without_it(run: Run, server: Server) -> None:
    server.routes["/t.json"] = Reply(404)
    result = run()
    assert names(result) == {"Speaker 1": "order", "Speaker 2": "order"}
    told = read.load(str(result["folder"])).warnings
    assert result["warnings"] == list(told)
    assert len(told) == 1
    assert "/t.json answered 404" in told[0]


def test_a_transcript_that_we_made_is_no_witness(run: Run, server: Server, talk: Talk) -> None:
    server.routes["/t.json"] = Reply(404)
    folder = Path(str(run()["folder"]))
    ours = (folder / "transcript.json").read_text()
    serve(server, "/t.json", ours.replace("Speaker 1", "Anne Currie").replace("Speaker 2", "Gaël Duez"))
    assert names(run()) == {"Speaker 1": "order", "Speaker 2": "order"}
    for suffix in ("vtt", "srt"):
        text = (folder / f"transcript.{suffix}").read_text()
        serve(server, "/t.json", text.replace("Speaker 1", "Anne Currie").replace("Speaker 2", "Gaël Duez"))
        assert names(run()) == {"Speaker 1": "order", "Speaker 2": "order"}


def test_terms_are_spelled_as_it_spells_them(run: Run, server: Server, talk: Talk) -> None:
    alone = run(published_transcript="off")
    assert "Helstone" not in said(alone)
    spelled = [replace(line, text=line.text.replace("helstone", "Helstone")) for line in talk.lines]
    serve(server, "/t.json", as_json(spelled, NAMES))
    result = run()
    assert "transcribe" in result["computed"]  # type: ignore[operator]
    assert "Helstone" in said(result)
    assert "transcribe" in run()["reused"]  # type: ignore[operator]


def said(result: dict[str, object]) -> str:
    return "".join(word.text for word in read.load(str(result["folder"])).words)


def test_what_the_feed_offers_is_compared(
    run: Run, server: Server, talk: Talk, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(server, "/t.json", as_json(talk.lines, NAMES))
    options = RunOptions(allow_private=True)
    for use in ("use", "off"):  # fetched once, for the comparison alone if need be
        before = asked(server).count("/t.json")
        result = run(published_transcript=use)
        print_comparison(str(result["folder"]), feed_transcript(result, options))
        assert asked(server).count("/t.json") == before + 1
        printed = capsys.readouterr().out
        assert " are the same (" in printed
        assert "Gaël Duez" in printed
        assert "helstone" in printed.casefold()
    assert "hardly any words" not in printed
    server.routes["/t.json"] = Reply(404)
    with pytest.raises(InputError, match=r"nothing to compare with: .*answered 404"):
        feed_transcript(run(published_transcript="off"), options)


def test_links_are_kept_in_the_record(run: Run, server: Server, talk: Talk) -> None:
    serve(server, "/t.json", as_json(talk.lines, NAMES))
    record = read.load(str(run()["folder"]))
    assert record.episode.transcripts == (TranscriptLink(server.url("/t.json"), "application/json"),)
