"""Many sources in one call: known again, done once, failures passed over."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.local import batch as batches
from flows.local.batch import Batch, Intake, Outcome, own_options, stamp_of
from flows.local.batch_report import line, print_outcomes, settled_one_by_one
from flows.local.sources import Source, expand
from flows.options import RunOptions
from flows.schedule import queue, settings
from flows.schedule.plan import ListedEpisode
from flows.schedule.store import Store, open_store
from models.record.errors import InputError
from models.record.transcript import AudioFile, Transcript
from outputs.library import write
from tests.audio.server import Reply, Server, ranged
from tests.flows.conftest import episcribe
from tests.flows.shows import clip, serve_show, write_config

SECONDS = 2.2  # unlike the clips of other tests, whose kept results would serve here, and ours there
QUICK = RunOptions(model="tiny.en", language="en", diariser="none", formats=("srt",))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(settings.CONFIG_VARIABLE, str(write_config(tmp_path, "")))
    for number, name in enumerate(("a/talk.wav", "b/talk.wav", "c.wav")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(clip(number, SECONDS))
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Store:
    return open_store(settings.load().store)


def options(**chosen: object) -> RunOptions:
    return QUICK.model_copy(update={"library": settings.load().library, **chosen})


def intake(store: Store, **chosen: object) -> Intake:
    return Intake(settings.load(), store, options(**chosen))


def taken(store: Store, *given: str, **chosen: object) -> list[str]:
    """What becomes of sources at first: their states, or "" where there is something to do."""
    made = intake(store, **chosen)
    outcomes = [made.take(source).outcome for source in expand(given)]
    return [outcome.state if outcome else "" for outcome in outcomes]


def finish(store: Store, place: Path) -> None:
    """Have what lies at a place done, without models."""
    chosen = options()
    made = Intake(settings.load(), store, chosen).take(Source(str(place), called=place.name))
    listed = store.lease(made.episode_id, "run", 60)
    assert listed is not None
    publish(store, listed, "run")


def publish(store: Store, listed: ListedEpisode, owner: str) -> None:
    folder = Path(settings.load().library) / "single-episodes" / listed.id
    write.publish(Transcript(listed.episode, AudioFile("a.wav", "0" * 64, 2.0), "en"), folder, ["srt"])
    with store.finishing(listed.id, owner) as finished:
        finished.folder = str(folder)


def test_files_are_known_again_and_what_is_done_is_not_done_again(store: Store, folder: Path) -> None:
    assert taken(store, "a", "c.wav") == ["", ""]
    finish(store, folder / "c.wav")
    assert taken(store, "a", "c.wav") == ["", "done before"]
    (folder / "c.wav").rename(folder / "renamed.wav")
    shutil.copyfile("renamed.wav", "copy.wav")
    assert taken(store, "renamed.wav", "copy.wav", "c.wav") == ["done before", "twice", "failed"]
    assert taken(store, "copy.wav", force=True) == [""]
    finish(store, folder / "copy.wav")
    assert taken(store, "copy.wav", language="de") == [""]
    finish(store, folder / "copy.wav")
    assert taken(store, "copy.wav") == ["done before"]
    shutil.rmtree("library")
    assert taken(store, "copy.wav") == [""]


def test_settings_that_change_no_words_leave_done_what_is_done(store: Store, folder: Path) -> None:
    given = RunOptions(model="tiny.en", language="en", diariser="none")
    made = Intake(settings.load(), store, given)
    finish(store, folder / "c.wav")
    write_config(folder, "", head='formats = ["srt", "vtt", "chapters"]\ndevice = "cpu"\nextractors = true')
    outcome = made.take(Source(str(folder / "c.wav"), called="c.wav")).outcome
    assert outcome is not None
    assert (outcome.state, outcome.why) == ("done before", "vtt written from it")
    assert (Path(outcome.folder) / "transcript.vtt").is_file()
    again = Intake(settings.load(), store, given).take(Source(str(folder / "c.wav"), called="c.wav")).outcome
    assert again is not None
    assert (again.state, again.why) == (
        "done before",
        "",
    )  # it has no chapters, of which a file could be written


def test_what_others_work_on_is_waited_for(store: Store, folder: Path) -> None:
    taken(store, "c.wav")
    (listed,) = store.episodes()
    assert listed.added_by == queue.OWNER
    assert listed.options["formats"] == ["srt"]
    assert store.lease(listed.id, "another", 60)
    told = []

    def tell(outcome: Outcome, number: int, count: int) -> None:
        told.append(outcome.state)
        if outcome.state == "elsewhere":
            publish(store, listed, "another")

    batch = Batch(settings.load(), store, options(), tell)
    batch.run(expand(["c.wav"]), 1)
    assert told == ["elsewhere", "done before"]
    assert [one.state for one in batch.outcomes] == ["done before"]


def test_a_file_that_is_renamed_before_its_turn_is_heard_by_its_new_name(store: Store, folder: Path) -> None:
    made = intake(store)
    first = made.take(Source(str(folder / "c.wav"), called="c.wav"))
    (folder / "c.wav").rename(folder / "d.wav")
    listed = store.lease(first.episode_id, "run", 60)
    assert listed is not None
    store.hold_back(listed, "run", "c.wav is not on this machine", pause=9999, waits_for="a.b.c", alike=False)
    again = made.take(Source(str(folder / "d.wav"), called="d.wav"))
    assert (again.episode_id, again.outcome) == (first.episode_id, None)
    assert [one.id for one in store.due(3)] == [first.episode_id]


def test_what_was_not_begun_is_wanted_no_longer_once_all_is_stopped(store: Store, folder: Path) -> None:
    taken(store, "c.wav")  # by another call

    def stop(outcome: Outcome, number: int, count: int) -> None:
        if outcome.state == "done before":
            raise KeyboardInterrupt

    finish(store, folder / "a" / "talk.wav")
    for number in range(20):
        (folder / f"{number}.wav").write_bytes(clip(number + 5))
    sources = [f"{number}.wav" for number in range(20)]
    with pytest.raises(KeyboardInterrupt):
        Batch(settings.load(), store, options(), stop).run(expand(["a", "c.wav", *sources]))
    assert queue.counts(store)["waiting"] == 1
    assert queue.counts(store).get("cancelled", 0) <= batches.AHEAD + 1


def test_what_fails_beside_is_no_success(store: Store, folder: Path) -> None:
    def full(outcome: Outcome, number: int, count: int) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        Batch(settings.load(), store, options(), full, jobs=2).run(expand(["gone.wav", "away.wav"]), 2)


def test_only_what_has_changed_is_read_again(store: Store, folder: Path) -> None:
    before = stamp_of(folder / "c.wav"), stamp_of(folder / "a")
    assert taken(store, "c.wav", "b") == ["", ""]
    ids = {listed.id for listed in store.episodes()}
    (folder / "c.wav").touch()
    (folder / "a" / "more.wav").write_bytes(b"x")
    assert before[0] != stamp_of(folder / "c.wav")
    assert before[1] != stamp_of(folder / "a")
    taken(store, "c.wav")
    assert {listed.id for listed in store.episodes()} == ids
    (folder / "c.wav").write_bytes(clip(7))
    taken(store, "c.wav")
    assert len(store.episodes()) == 3


def test_what_was_named_and_is_no_audio_is_told_at_once(store: Store, folder: Path) -> None:
    (folder / "notes.txt").write_text("Shopping list")
    (folder / "empty.mp3").touch()
    (folder / "no ending").write_bytes(clip(3))
    assert taken(store, "notes.txt", "empty.mp3", "no ending", "gone.mp3") == [
        "failed",
        "failed",
        "",
        "failed",
    ]
    made = intake(store).take(Source(str(folder / "notes.txt"), called="notes.txt")).outcome
    assert made is not None
    assert made.why.startswith("notes.txt is neither audio nor video")


def test_addresses_are_audio_or_feeds_and_known_again_without_asking(store: Store, server: Server) -> None:
    feed = serve_show(server, [1, 2])
    server.routes["/talk.mp3"] = ranged(clip(4), '"4"')
    address = server.url("/talk.mp3")
    assert taken(store, feed, address, server.url("/none"), allow_private=True) == ["", "", "failed"]
    assert sorted(one.episode.title for one in store.episodes()) == ["Clip 2", "talk"]


def test_what_only_yt_dlp_finds_goes_with_leave_to_ask_it(store: Store, server: Server) -> None:
    pytest.importorskip("yt_dlp")
    video = '<title>A talk</title><video><source src="/a.m3u8" type="application/x-mpegURL"></video>'
    server.routes["/page"] = Reply(200, f"<html>{video}</html>".encode(), {"Content-Type": "text/html"})
    server.routes["/a.m3u8"] = Reply(200, b"#EXTM3U\n#EXTINF:3,\n/1.ts\n#EXT-X-ENDLIST\n")
    assert taken(store, server.url("/page"), extractors="off") == ["failed"]
    assert taken(store, server.url("/page")) == [""]
    (listed,) = store.episodes()
    assert listed.options["extractors"] == "use"
    assert "allow_private" not in listed.options  # as the settings have it


def test_options_go_with_the_episode_for_whoever_goes_on_with_it(folder: Path) -> None:
    beside = settings.load()
    plain = RunOptions(force=True, episode="3")
    assert own_options(plain) == {}
    assert batches.in_effect(beside, plain).allow_private
    (folder / "model").mkdir()
    own = own_options(plain.model_copy(update={"library": "lib", "model": "model", "known_people": ("Ann",)}))
    assert own == {"library": str(folder / "lib"), "model": str(folder / "model"), "known_people": ["Ann"]}
    assert beside.run_options_for("", own).known_people == ("Ann",)


def test_each_is_heard_failures_are_passed_over_and_the_table_tells(
    prefect_server: str, store: Store, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.mp3").write_text("no sound")  # Purfview/whisper-standalone-win#67
    told: list[str] = []
    given = ["bad.mp3", "a", "b", "gone.wav", "a/talk.wav"]  # ml-explore/mlx-examples#1447: two of one name
    sources = list(expand(given))
    batch = Batch(settings.load(), store, options(), lambda one, number, count: told.append(line(one)))
    batch.run(sources, len(sources))
    assert [one.state for one in batch.outcomes] == ["failed", "done", "done", "failed"]
    assert "bad.mp3 is not audio" in told[0]
    assert len({one.folder for one in batch.outcomes if one.folder}) == 2
    assert batch.outcomes[1].audio == pytest.approx(SECONDS)
    again = Batch(settings.load(), store, options(), lambda *_: None)
    again.run(sources)
    assert [one.state for one in again.outcomes] == ["failed", "done before", "done before", "failed"]
    killed = store.episode(intake(store).take(Source(str(folder / "c.wav"))).episode_id)
    assert killed is not None
    store.lease(killed.id, "killed", 1.0)
    later = Batch(settings.load(), store, options(), lambda *_: None)
    later.run(expand(["c.wav"]), 1)
    assert [one.state for one in later.outcomes] == ["done"]
    wrong = Batch(settings.load(), store, options(model="lareg"), lambda *_: None)
    wrong.run(sources[:3])
    assert [one.state for one in wrong.outcomes] == ["waiting"] * 3
    assert len({one.why for one in wrong.outcomes}) == 1
    assert [bool(one.took) for one in wrong.outcomes] == [True, False, False]  # nobody has tried the others
    print_outcomes([*batch.outcomes, Outcome("x\x1b[2J.wav", "elsewhere")])
    table = capsys.readouterr().out
    assert "\x1b" not in table
    assert table.splitlines()[-1].startswith("5 sources: 2 failed, 2 done, 1 elsewhere; 00:04 of audio")
    assert "bad.mp3" in table.splitlines()[-3]  # those that failed are last
    with settled_one_by_one() as tell:
        tell(Outcome(":smile: [b]x[/b].wav", "done"), 1, 1)
    assert capsys.readouterr().err == "[1/1] :smile: [b]x[/b].wav: done\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["run", "a", "b", "--out", "x"], "--out is of one episode"),
        (["run", "--from", "empty.txt"], "empty.txt names no sources"),
        (["run", "--from", "none.txt"], "none.txt can't be read"),
        (
            ["run", "a", "c.wav", "--model", "lareg"],
            "no Whisper model called 'lareg'",
        ),  # once, not for each of them
        (["watch", "none", "--model", "tiny.en"], "none: no such folder"),
    ],
)
def test_what_can_be_told_before_is_refused_in_a_line(folder: Path, arguments: list[str], error: str) -> None:
    (folder / "empty.txt").write_text("# nothing\n")
    refused = CliRunner().invoke(app, arguments, obj={"debug": False})
    assert isinstance(refused.exception, InputError)
    assert error in str(refused.exception)


def test_the_command_fails_where_any_source_does(folder: Path) -> None:
    (folder / "list.txt").write_text("gone.wav\n")
    failed = episcribe("run", "--from", "list.txt", "--model", "tiny.en", cwd=folder)
    assert failed.returncode == 1
    assert "[1/1] gone.wav: failed: no such file or directory" in failed.stderr
    assert "1 source: 1 failed" in failed.stdout
