"""Failures that settings are at fault for: they wait, and go on when the settings are others."""

from __future__ import annotations

from pathlib import Path

import pytest

from audio.transfer.http import LoginError
from flows.episode import process_episode
from flows.options import RunOptions
from flows.schedule import leases, local_files, queue, settings
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
    with pytest.raises(AbsentFileError, match="is not on this machine"):
        local_files.at_hand(store, "a", url)
    with store.begin() as connection:
        local_files.remember(connection, f"{tmp_path}/new.wav", "1-1", "a")
    assert local_files.at_hand(store, "a", url) == tmp_path / "new.wav"
    assert set(local_files.known(store)) == {f"{tmp_path}/old.wav", f"{tmp_path}/new.wav"}
    monkeypatch.setattr("platform.node", lambda: "another")
    assert local_files.known(store) == {}
    with pytest.raises(AbsentFileError, match=r"\(another\)"):
        local_files.at_hand(store, "a", url)


def test_which_errors_are_of_settings() -> None:
    assert isinstance(unwritable(Path("x"), PermissionError(13, "Permission denied")), SettingsError)
    assert not isinstance(unwritable(Path("x"), OSError(36, "File name too long")), SettingsError)
    assert ModelError("away", soon=True).soon
    assert WrongSettingError("x").exit_code == MachineError("x").exit_code == 2
