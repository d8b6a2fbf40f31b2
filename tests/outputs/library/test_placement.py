"""Where episodes go, and how libraries of before were put in order."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from models.naming.voices import VoiceRegistry, VoiceSample
from models.record.identity import audio_key, episode_id
from models.record.transcript import Episode, Transcript
from outputs.library import read, voices_file
from outputs.library.migration import MARKER, migrate
from outputs.library.placement import episode_folder, show_folder
from outputs.library.write import publish
from tests.outputs.samples import CONVERSATION

A, B = "https://a.example/feed.xml", "https://b.example/feed.xml"


def made(feed: str, guid: str, title: str, show: str = "Embedded", **more: str) -> Episode:
    audio = more.pop("audio", f"{feed}/{guid}.mp3")
    return Episode(
        id=episode_id(feed, guid),
        show=show,
        guid=guid,
        title=title,
        feed_url=feed,
        audio_url=audio,
        audio_key=audio_key(audio, query=False) if feed else "",
        published=more.pop("published", "2024-01-15T10:00:00+00:00"),
        **more,  # type: ignore[arg-type]
    )


def put(episode: Episode, folder: Path) -> Path:
    publish(transcript_of(episode), folder, [])
    return folder


def transcript_of(episode: Episode) -> Transcript:
    return replace(CONVERSATION, episode=episode)


def test_two_shows_of_one_title_have_a_folder_each(tmp_path: Path) -> None:
    first, second = made(A, "1", "Circuits at home"), made(B, "1", "Inside the newsroom")
    put(first, episode_folder(tmp_path, first))
    put(second, episode_folder(tmp_path, second))
    folders = sorted(path.name for path in tmp_path.iterdir())
    assert folders[0] == "embedded"
    assert folders[1].startswith("embedded-")
    assert episode_folder(tmp_path, first).parent.name == "embedded"
    assert episode_folder(tmp_path, second).parent.name == folders[1]


@pytest.mark.parametrize(("one", "other"), [("C++", "C#"), ("東京", "東京!"), ("🎙️", "🎙️ ")])
def test_titles_that_make_one_name_do_too(tmp_path: Path, one: str, other: str) -> None:
    first, second = made(A, "1", "x", show=one), made(B, "1", "x", show=other)
    put(first, episode_folder(tmp_path, first))
    assert show_folder(tmp_path, first) != show_folder(tmp_path, second)


def test_an_episode_stays_where_it_is_when_a_title_is_corrected(tmp_path: Path) -> None:
    before = made(A, "ty-1", "Interveiw with a baker")
    folder = put(before, episode_folder(tmp_path, before))
    assert episode_folder(tmp_path, replace(before, title="Our interview with a baker")) == folder
    renamed = replace(before, show="Embedded, the podcast", title="Our interview with a baker")
    assert episode_folder(tmp_path, renamed) == folder
    again = made(A, "another-guid", "Our interview with a baker", audio=before.audio_url)
    assert episode_folder(tmp_path, again) == folder


def test_a_show_that_moved_is_known_by_its_guid(tmp_path: Path) -> None:
    guid = "917393e3-1b1e-5cef-ace4-edaa54e1f810"
    here = made(A, "1", "Pilot", show_guid=guid)
    put(here, episode_folder(tmp_path, here))
    assert show_folder(tmp_path, made(B, "2", "Next", show="Renamed", show_guid=guid)).name == "embedded"


def test_a_show_that_got_its_guid_late_is_known_by_it(tmp_path: Path) -> None:
    guid = "917393e3-1b1e-5cef-ace4-edaa54e1f810"
    before, after = made(A, "1", "A pilot"), made(A, "2", "Then", show_guid=guid)
    for one in (before, after):
        put(one, episode_folder(tmp_path, one))
    moved = made(B, "1", "A pilot", show="Renamed", show_guid=guid, audio=before.audio_url)
    assert episode_folder(tmp_path, moved) == episode_folder(tmp_path, before)
    (tmp_path / MARKER).unlink(missing_ok=True)
    put(replace(moved, id="3", guid="3", audio_url="", title="New"), tmp_path / "embedded" / "new")
    assert migrate(tmp_path) == []


def test_an_address_that_is_used_again_overwrites_nothing(tmp_path: Path) -> None:
    latest = f"{A}/latest.mp3"
    days = [
        made(A, latest, "News", audio=latest, published=f"2024-01-1{n}T10:00:00+00:00") for n in (5, 6, 7)
    ]
    folders = [put(day, episode_folder(tmp_path, day)).name for day in days]
    assert folders == ["2024-01-15-news", "2024-01-16-news", "2024-01-17-news"]
    assert [episode_folder(tmp_path, day).name for day in days] == folders


def test_another_episode_of_the_same_name_gets_a_piece_of_its_id(tmp_path: Path) -> None:
    first, second = made(A, "1", "News"), made(A, "2", "News")
    second = replace(second, published="2024-01-15T18:00:00+00:00")
    put(first, episode_folder(tmp_path, first))
    assert episode_folder(tmp_path, second).name == f"2024-01-15-news-{second.id[:8]}"


def test_single_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    first, second = Episode(id="aaaaaaaa-1", title="talk"), Episode(id="bbbbbbbb-2", title="talk")
    folder = put(first, episode_folder(tmp_path, first))
    assert folder == tmp_path / "single-episodes" / "talk"
    assert episode_folder(tmp_path, second).name == "talk-bbbbbbbb"
    assert episode_folder(tmp_path, first) == folder


def sample(episode: Episode, embedding: tuple[float, float]) -> VoiceSample:
    return VoiceSample(episode.id, embedding, 30.0, "model", confirmed=True)


@pytest.fixture
def shared_folder(tmp_path: Path) -> tuple[Path, list[Episode]]:
    """A library as version 0.1.0 made it: episodes of two shows called "Embedded" in one folder."""
    episodes = [
        made(A, "1", "One"),
        made(A, "2", "Two"),
        made(B, "1", "Other"),
        made("", "x", "Old", audio=""),
    ]
    for episode in episodes:
        put(episode, tmp_path / "embedded" / f"2024-01-15-{episode.title.lower()}")
    registry = VoiceRegistry(forgotten=("Eve",))
    registry = registry.learnt("Ann", sample(episodes[0], (1.0, 0.0)))
    registry = registry.learnt("Bob", sample(episodes[2], (0.0, 1.0)))
    registry = registry.learnt("Ann", sample(episodes[2], (0.6, 0.8)))
    voices_file.change(tmp_path / "embedded", lambda now: registry)
    return tmp_path, episodes


def test_a_library_of_before_is_moved_apart_once(shared_folder: tuple[Path, list[Episode]]) -> None:
    library, episodes = shared_folder
    moved = migrate(library)
    assert [read.load(folder).episode for folder in moved] == [episodes[2]]
    assert moved[0].parent.name.startswith("embedded-")
    for episode in episodes:
        folder = episode_folder(library, episode)
        assert read.load(folder).episode == episode
        assert (folder.parent.name == "embedded") == (episode is not episodes[2])
    stays, goes = voices_file.load(library / "embedded"), voices_file.load(moved[0].parent)
    assert [(v.name, len(v.samples)) for v in stays.voices] == [("Ann", 1)]
    assert [(v.name, len(v.samples)) for v in goes.voices] == [("Ann", 1), ("Bob", 1)]
    assert stays.forgotten == goes.forgotten == ("Eve",)
    assert migrate(library) == []
    assert (library / MARKER).exists()


def test_records_that_version_0_1_0_wrote(tmp_path: Path) -> None:
    """Two shows called Embedded, each with an episode "Clip 1" and the guid g1, processed by that version."""
    library = tmp_path / "library"
    shutil.copytree(Path(__file__).parent / "version_0_1_0", library)
    kept = {folder.name: read.load(folder) for folder in (library / "embedded").iterdir()}
    (moved,) = migrate(library)
    assert (moved.parent.name[:9], moved.name) == ("embedded-", "2026-11-16-clip-1")
    for name, transcript in kept.items():
        folder = episode_folder(library, transcript.episode)
        assert folder == (moved if name == moved.name else library / "embedded" / name)
        assert read.load(folder) == transcript
        again = replace(
            transcript.episode, id="new", guid="new", audio_key=audio_key(transcript.episode.audio_url)
        )
        assert episode_folder(library, again) == folder
    assert migrate(library) == []


def test_a_move_that_was_cut_off_is_finished_the_next_time(
    shared_folder: tuple[Path, list[Episode]], monkeypatch: pytest.MonkeyPatch
) -> None:
    library, episodes = shared_folder

    def fail(self: Path, target: Path) -> Path:
        if self.name.endswith("-other"):
            raise OSError(28, "No space left on device")
        return real(self, target)

    real = Path.rename
    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(Exception, match="cannot move the shows"):
        migrate(library)
    assert not (library / MARKER).exists()
    monkeypatch.undo()
    assert len(migrate(library)) == 1
    goes = voices_file.load(show_folder(library, episodes[2]))
    assert [(v.name, len(v.samples)) for v in goes.voices] == [("Ann", 1), ("Bob", 1)]


def test_there_is_nothing_to_move_in_a_new_library(tmp_path: Path) -> None:
    assert migrate(tmp_path / "none") == []
    put(made(A, "1", "One"), tmp_path / "embedded" / "one")
    assert migrate(tmp_path) == []
