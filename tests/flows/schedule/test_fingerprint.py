"""Failures that settings are at fault for: they wait, and go on when the settings are others."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select, update

from audio.transfer.http import LoginError
from flows import steps
from flows.episode import process_episode
from flows.options import RunOptions
from flows.schedule import happenings, leases, local_files, queue, settings, tables, totals
from flows.schedule.fingerprint import fingerprint, release
from flows.schedule.plan import ListedEpisode
from flows.schedule.poll import parameters_of
from flows.schedule.store import Store
from models.record.errors import (
    AbsentFileError,
    InputError,
    MachineError,
    ModelError,
    SettingsError,
    UnwritableError,
    WrongSettingError,
)
from models.record.transcript import Episode
from outputs.library.files import unwritable
from tests.flows.schedule import test_store
from tests.flows.schedule.test_store import due, episode, read
from tests.flows.shows import show_table, write_config

place, store = test_store.place, test_store.store  # fixtures
SHOW = "https://feeds.example/talk"


@pytest.fixture
def config(tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_config(
        tmp_path, show_table("show", SHOW, 'login_from = "TALK_LOGIN"'), head=f'store = "{place}"'
    )
    monkeypatch.setenv(settings.CONFIG_VARIABLE, str(path))
    monkeypatch.delenv("TALK_LOGIN", raising=False)
    return path


def work(episode_id: str, error: Exception) -> None:
    options = settings.load().run_options_for("show")

    def fail() -> None:
        with leases.leased(episode_id, "run", options):
            raise error

    with pytest.raises(type(error)):
        fail()


def now(store: Store, episode_id: str) -> ListedEpisode:
    listed = store.episode(episode_id)
    assert listed is not None
    return listed


def test_all_with_a_wrong_setting_wait_until_it_is_another(store: Store, config: Path) -> None:
    read(store, episode(3), episode(2), episode(1), back_fill=3)
    work("id-3", WrongSettingError("no Whisper model called 'lareg'"))
    assert (now(store, "id-3").state, now(store, "id-3").attempts) == ("waiting", 0)
    assert due(store) == []  # one try has told what all others would
    assert now(store, "id-1").error == "no Whisper model called 'lareg'"
    release(settings.load(), store)
    assert due(store) == []
    config.write_text(config.read_text().replace('"tiny.en"', '"base"'))
    release(settings.load(), store)
    assert due(store) == ["id-3", "id-2", "id-1"]
    assert now(store, "id-1").error == ""


def rounds(store: Store, processes: list[Callable[[], None]], count: int = 20) -> int:
    """How often an episode is tried where processes look, release and work in turn, and a setting is always wrong."""
    tried = 0
    for number in range(count):
        processes[number % len(processes)]()
        release(settings.load(), store)
        if due(store):
            work("id-1", WrongSettingError("no such model"))
            tried += 1
    return tried


@pytest.mark.parametrize(
    ("variable", "most"),
    [("NO_PROXY", 1), ("EPISCRIBE_LIMITS__QUEUE", 1), ("HF_TOKEN", 2), ("EPISCRIBE_PROXY", 2)],
)
def test_processes_with_other_variables_try_once_each(
    store: Store, config: Path, monkeypatch: pytest.MonkeyPatch, variable: str, most: int
) -> None:
    monkeypatch.setattr("flows.schedule.store.RELEASE_SECONDS", 0.0)
    read(store, episode(1))
    one, other = (lambda: monkeypatch.setenv(variable, "7")), (lambda: monkeypatch.setenv(variable, "8"))
    assert rounds(store, [one, other]) == most


def test_what_changes_without_end_is_no_hot_loop(
    store: Store, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(store, episode(2), episode(1), back_fill=2)
    numbers = count()
    change = lambda: monkeypatch.setenv("EPISCRIBE_PROXY", f"p{next(numbers)}.example")  # noqa: E731
    assert rounds(store, [change]) == 2
    assert len(store.waiting_for_settings()) <= 1
    with store.begin() as connection:  # a minute passes, and what was released meanwhile counts once
        connection.execute(update(tables.episodes).values(claimed_at=0.0, next_try_at=0.0))
    assert rounds(store, [change]) == 1


def test_what_is_held_back_as_before_is_no_news(
    store: Store, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(store, episode(3), episode(2), episode(1), back_fill=3)
    (queued,) = [listed for listed in store.due(3) if listed.id == "id-2"]
    store.hand_out(queued, "run", 1, 60)
    for episode_id in ("id-1", "id-1", "id-2", "id-1"):  # id-2 is alike
        work(episode_id, WrongSettingError("no such model"))
    work("id-1", WrongSettingError("no such language"))
    with store.begin() as connection:
        told = [(one.episode.id, one.error) for one in happenings.since(connection, 0)]
        assert totals.read(connection, totals.OUTCOMES) == {"held_back": 5}
    assert told == [("id-1", "no such model"), ("id-1", "no such language")]


def test_a_failure_of_its_own_is_not_wiped_by_settings_of_others(store: Store, config: Path) -> None:
    read(store, episode(2), episode(1), back_fill=2)
    listed = store.lease("id-1", "run", 60)
    assert listed is not None
    store.fail("id-1", "run", "the line was cut", pause=3600)
    work("id-2", WrongSettingError("no such model"))
    assert now(store, "id-1").error == "the line was cut"
    config.write_text(config.read_text().replace('"tiny.en"', '"base"'))
    release(settings.load(), store)
    assert due(store) == ["id-2"]


def test_what_may_be_tried_again_waits_from_then_on(store: Store, config: Path) -> None:
    read(store, episode(2), episode(1), back_fill=2)
    began = time.time() - 60  # clocks may differ
    work("id-2", WrongSettingError("no such model"))
    config.write_text(config.read_text().replace('"tiny.en"', '"base"'))
    release(settings.load(), store)
    with store.begin() as connection:
        assert all(
            moment > began for moment in connection.execute(select(tables.episodes.c.next_try_at)).scalars()
        )
        connection.execute(update(tables.episodes).values(next_try_at=0.0))
    store.retry("id-1")
    queue.add(store, episode(2), options={}, by="owner")
    with store.begin() as connection:
        assert all(
            moment > began for moment in connection.execute(select(tables.episodes.c.next_try_at)).scalars()
        )


def test_a_file_that_is_gone_is_given_up_in_the_end(store: Store, config: Path) -> None:
    read(store, episode(1))
    for attempt in (1, 2):
        work("id-1", AbsentFileError("x.wav is not on this machine", gone=True))
        assert (now(store, "id-1").state, now(store, "id-1").attempts) == ("waiting", attempt)
    work("id-1", AbsentFileError("x.wav is not on this machine", gone=True))
    assert now(store, "id-1").state == "failed"
    store.retry("id-1")
    for _ in range(4):
        work("id-1", AbsentFileError("x.wav is not on this machine"))  # another machine has it
    assert (now(store, "id-1").state, now(store, "id-1").attempts) == ("waiting", 0)


def test_a_login_that_comes_lets_its_episodes_go_on(
    store: Store,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read(store, episode(2), episode(1), back_fill=2)
    work("id-2", LoginError("https://feeds.example answered 401", 401))
    assert due(store) == ["id-1"]  # which may lie elsewhere
    logins = 0
    for guess in ("ann:secret", "bo:secret", "cleo:secret"):  # one in 256 looks like none
        monkeypatch.setenv("TALK_LOGIN", guess)
        release(settings.load(), store)
        logins += due(store) == ["id-2", "id-1"]
        with store.begin() as connection:
            connection.execute(update(tables.episodes).values(claimed_at=0.0))  # long ago
        if due(store) != ["id-1"]:
            work("id-2", LoginError("https://feeds.example answered 401", 401))
    assert logins
    work("id-1", SettingsError("cleo:secret is refused"))
    assert "secret" not in fingerprint(settings.load(), "show", RunOptions())


def test_what_somebody_tries_again_is_tried_at_once_and_what_is_input_is_not(
    store: Store,
    config: Path,
) -> None:
    read(store, episode(2), episode(1), back_fill=2)
    work("id-2", UnwritableError("cannot write library: No space left on device"))
    assert due(store) == ["id-1"]
    store.retry("id-2")
    assert due(store) == ["id-2", "id-1"]
    work("id-1", InputError("it is a page"))
    leases.record_failure("id-1", "run", InputError("it is a page"))
    assert now(store, "id-1").state == "failed"


def test_a_machine_among_many_holds_back_no_others(store: Store, config: Path) -> None:
    read(store, episode(2), episode(1), back_fill=2)
    work("id-2", MachineError("--device cuda, but there is no GPU"))
    assert due(store) == ([] if store.is_of_one_machine else ["id-1"])
    (before,) = {was for _, _, was in store.waiting_for_settings()}
    said, machine, here = before.split(".")
    for was, freed in ((f"{said}.0000.{here}", False), (f"{said}.{machine}.0000000000", True)):
        store.retry("id-2")
        listed = store.lease("id-2", "run", 60)
        assert listed is not None
        store.hold_back(listed, "run", "no GPU", pause=3600, waits_for=was, alike=False)
        release(settings.load(), store)
        assert ("id-2" in due(store)) is freed


def test_a_misspelt_model_of_a_run_is_no_failure(
    prefect_server: str,
    store: Store,
    config: Path,
    tmp_path: Path,
) -> None:
    queue.add(
        store, Episode("added", title="Talk", audio_url="file:/x.wav"), options={"model": "lareg"}, by="owner"
    )
    state = process_episode(**parameters_of(now(store, "added"), settings.load()), return_state=True)
    assert isinstance(state.result(raise_on_failure=False), InputError)
    listed = now(store, "added")
    assert (listed.state, listed.attempts) == ("waiting", 0)
    assert "no Whisper model called 'lareg'" in listed.error
    queue.add(store, listed.episode, options={"model": "tiny.en", "library": str(tmp_path)}, by="owner")
    assert due(store) == ["added"]
    state = process_episode(**parameters_of(now(store, "added"), settings.load()), return_state=True)
    assert now(store, "added").state == "failed"  # nobody has added such a file
    assert "no address" in now(store, "added").error


def test_files_of_this_machine_are_only_those_that_were_added_here(
    store: Store,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "new.wav").write_bytes(b"x")
    url = f"file:{tmp_path}/old.wav"
    with pytest.raises(InputError, match="no address"):
        local_files.at_hand(store, "a", f"file:{tmp_path}/new.wav")  # of a feed that wants to hear our files
    with store.begin() as connection:
        local_files.remember(connection, f"{tmp_path}/old.wav", "1-1", "a")
    with pytest.raises(AbsentFileError, match="is not on this machine") as caught:
        local_files.at_hand(store, "a", url)
    assert caught.value.counts
    with store.begin() as connection:
        local_files.remember(connection, f"{tmp_path}/new.wav", "1-1", "a")
    assert local_files.at_hand(store, "a", url) == tmp_path / "new.wav"
    assert set(local_files.known(store)) == {f"{tmp_path}/old.wav", f"{tmp_path}/new.wav"}
    monkeypatch.setattr("platform.node", lambda: "another")
    assert local_files.known(store) == {}
    with pytest.raises(AbsentFileError, match=r"\(another\)") as caught:
        local_files.at_hand(store, "a", url)
    assert not caught.value.counts
    assert local_files.elsewhere(store) == (set() if store.is_of_one_machine else {"a"})


def test_a_language_that_the_model_does_not_know_is_a_wrong_setting() -> None:
    for spoken in ({"language": "de"}, {"languages": ("en", "de")}):
        with pytest.raises(WrongSettingError, match="knows English only, not 'de'"):
            steps.check_options(RunOptions(model="tiny.en", diariser="none", **spoken))
    steps.check_options(RunOptions(model="tiny.en", diariser="none", language="en"))
    steps.check_options(RunOptions(model="base", diariser="none", language="de"))


def test_which_errors_are_of_settings() -> None:
    assert isinstance(unwritable(Path("x"), PermissionError(13, "Permission denied")), SettingsError)
    assert not isinstance(unwritable(Path("x"), OSError(36, "File name too long")), SettingsError)
    assert ModelError("away", soon=True).soon
    assert WrongSettingError("x").exit_code == MachineError("x").exit_code == 2
