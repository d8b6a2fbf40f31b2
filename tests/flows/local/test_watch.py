"""A folder that is watched; shapes that were reported as bugs elsewhere are told by repository and number."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.local import watch
from flows.local.sources import Source, look_through
from flows.local.watch import Settling, appearing, is_being_written
from models.record.errors import EpiscribeError, InputError
from tests.flows.shows import clip
from tests.waiting import wait_until


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_file_is_ready_once_it_was_quiet_and_no_sooner(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "a.mp3"
    settling = Settling(clock)

    def ready(seconds: float) -> bool:
        clock.now += seconds
        settling.look(look_through(tmp_path))
        return settling.ready([file])

    file.write_bytes(b"x")
    assert not ready(0)
    assert not ready(1.9)
    file.write_bytes(b"xy")  # HaveAGitGat/HBBatchBeast#65
    assert not ready(0.2)
    assert not ready(1.9)
    assert ready(0.2)
    settling.decide()
    assert settling.quiet
    assert not ready(9)  # nothing twice
    file.write_bytes(b"xyz")  # chidiwilliams/buzz#1551: another recording under the same name
    assert not ready(0)
    assert ready(2)
    with file.open("ab"):
        assert is_being_written(file)
        settling.decide()
        file.write_bytes(b"xyzw")
        ready(0)
        assert not ready(3)
    assert ready(0)
    assert not is_being_written(tmp_path / "none")


def test_files_that_are_made_first_and_filled_later_are_waited_for_but_not_forever(tmp_path: Path) -> None:
    clock = Clock()
    settling = Settling(clock)
    (tmp_path / "a.mp3").touch()
    (tmp_path / "b.mp3").write_bytes(b"x")
    settling.look(look_through(tmp_path))
    clock.now += 3
    inside = settling.look(look_through(tmp_path))
    assert [file.name for file in inside.files] == ["a.mp3", "b.mp3"]
    assert not settling.ready(inside.files)
    clock.now += 60
    inside = settling.look(look_through(tmp_path))
    assert [file.name for file in inside.files] == ["b.mp3"]
    assert settling.ready(inside.files)


class Watched:
    """What has appeared in a folder, and what was said."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.found, self.said = folder, list[Source](), list[str]()
        self.error: Exception | None = None
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._collect)
        self.thread.start()

    def _collect(self) -> None:
        try:
            for source in appearing(self.folder, "auto", self.stopped, self.said.append):
                self.found.append(source)
        except Exception as error:
            self.error = error

    def waits_for(self, *called: str) -> None:
        wait_until(lambda: len(self.found) >= len(called), f"{called}")
        assert [source.called for source in self.found] == list(called)


@pytest.fixture(params=["told", "looked"])
def watched(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Watched]:
    monkeypatch.setattr(watch, "QUIET_SECONDS", 0.2)
    monkeypatch.setattr(watch, "TICK_SECONDS", 0.05)
    if request.param == "looked":
        monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "1")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "old.wav").write_bytes(b"x")
    made = Watched(tmp_path / "in")
    yield made
    made.stopped.set()
    made.thread.join()


def test_what_is_there_and_what_comes_is_found_once_however_it_comes(
    watched: Watched, tmp_path: Path
) -> None:
    folder = watched.folder
    watched.waits_for("old.wav")
    with (folder / "new.wav").open("wb") as file:  # gorakhargosh/watchdog#567, Pikselkroken/pixlstash#621
        file.write(b"x")
        file.flush()
        (tmp_path / "moved.wav").write_bytes(b"y")
        (tmp_path / "moved.wav").rename(folder / "moved.wav")  # govmeeting/govmeeting#54
        watched.waits_for("old.wav", "moved.wav")
        file.write(b"y")
    watched.waits_for("old.wav", "moved.wav", "new.wav")
    (tmp_path / "monday").mkdir()
    for number, name in enumerate(("anne", "bo")):
        (tmp_path / "monday" / f"{name}.wav").write_bytes(clip(number))
    (tmp_path / "monday").rename(folder / "monday")
    (folder / ".hidden.wav").write_bytes(b"x")
    (folder / "new.srt").write_bytes(b"x")
    watched.waits_for("old.wav", "moved.wav", "new.wav", "monday")
    assert watched.found[-1].kind == "folder"
    (folder / "old.wav").unlink()
    (folder / "last.wav").write_bytes(b"z")
    watched.waits_for("old.wav", "moved.wav", "new.wav", "monday", "last.wav")
    assert any("WATCHFILES_FORCE_POLLING" in line for line in watched.said) is bool(watched.said)


def test_a_folder_that_is_not_there_or_goes_away_is_told(watched: Watched, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        next(appearing(tmp_path / "none", "auto", threading.Event(), print))
    watched.waits_for("old.wav")
    watched.folder.rename(tmp_path / "away")
    (tmp_path / "away" / "late.wav").write_bytes(b"x")
    wait_until(lambda: watched.error is not None, "the error")
    assert isinstance(watched.error, EpiscribeError)
    assert "can't be watched any more" in str(watched.error)
