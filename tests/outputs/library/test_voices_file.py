from __future__ import annotations

import json
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from models.naming.voices import VoiceRegistry, VoiceSample
from models.record.errors import OutputError
from models.record.transcript import Voice
from outputs.library import files, voices_file
from outputs.library.voices_file import (
    FILE_NAME,
    HEARD_DAYS,
    change,
    episode_voices,
    keep_episode_voices,
    load,
)

SHA = "ab" * 32


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("EPISCRIBE_CACHE", str(folder))
    return folder


def sample(episode: str) -> VoiceSample:
    return VoiceSample(episode, (0.6, 0.8), 30.0, "m", True)


def test_a_show_without_voices_has_none_and_no_file(tmp_path: Path) -> None:
    assert load(tmp_path) == VoiceRegistry()
    change(tmp_path, lambda now: now)
    assert not (tmp_path / FILE_NAME).exists()


def test_round_trip(tmp_path: Path) -> None:
    after = change(tmp_path, lambda now: now.learnt("Gaël Duez", sample("e1")).forgot("Anne"))
    assert load(tmp_path) == after
    assert after.voices[0].samples == (sample("e1"),)
    assert json.loads((tmp_path / FILE_NAME).read_text())["version"] == 1


def test_others_on_the_machine_cannot_read_voices(tmp_path: Path) -> None:
    change(tmp_path, lambda now: now.forgot("Ann"))
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0


def test_the_file_goes_with_the_last_voice(tmp_path: Path) -> None:
    change(tmp_path, lambda now: now.learnt("Anne", sample("e1")))
    change(tmp_path, lambda _: VoiceRegistry())
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"voices": [{"name": 5}]}', '{"voices": [{"samples": []}]}']
)
def test_a_damaged_file_is_told_and_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(OutputError, match=r"voices\.json: damaged"):
        change(tmp_path, lambda now: now.learnt("Anne", sample("e1")))
    assert (tmp_path / FILE_NAME).read_text() == text


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('{"voices": [], "forgotten": [], "version": 2}')
    with pytest.raises(OutputError, match="version 2, this Episcribe reads 1"):
        load(tmp_path)


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    def learn(i: int) -> None:
        change(tmp_path, lambda now: now.learnt(f"Speaker {i}", sample(f"e{i}")))

    threads = [threading.Thread(target=learn, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(load(tmp_path).voices) == 12


def test_a_lock_that_nobody_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    monkeypatch.setattr(files, "LOCK_SECONDS", 0.1)
    with (
        FileLock(tmp_path / voices_file.LOCK_NAME),
        pytest.raises(OutputError, match="in use by another program"),
    ):
        change(tmp_path, lambda now: now.forgot("Anne"))


def test_a_folder_that_cannot_be_written() -> None:
    with pytest.raises(OutputError, match="cannot write /proc/"):
        change(Path("/proc/episcribe"), lambda now: now.forgot("Anne"))


VOICES = (Voice("SPEAKER_00", (0.25, -1.5), 12.5, "m"), Voice("SPEAKER_01", (1.0, 0.0), 3.0, "m"))


def test_heard_voices_stay_on_this_machine_for_its_user_alone(cache: Path) -> None:
    keep_episode_voices(SHA, VOICES)
    assert episode_voices(SHA) == VOICES
    assert stat.S_IMODE((cache / "voices").stat().st_mode) == 0o700
    keep_episode_voices(SHA, ())
    assert episode_voices(SHA) == ()
    assert list((cache / "voices").iterdir()) == []


def test_nothing_was_heard() -> None:
    assert episode_voices(SHA) == ()
    keep_episode_voices(SHA, ())
    assert episode_voices(SHA) == ()


def test_heard_voices_go_after_a_while(cache: Path) -> None:
    keep_episode_voices(SHA, VOICES)
    old = time.time() - (HEARD_DAYS + 1) * 24 * 3600
    os.utime(cache / "voices" / f"{SHA}.json", (old, old))
    keep_episode_voices("cd" * 32, VOICES)
    assert episode_voices(SHA) == ()
    assert episode_voices("cd" * 32) == VOICES


def test_damaged_heard_voices(cache: Path) -> None:
    keep_episode_voices(SHA, VOICES)
    (cache / "voices" / f"{SHA}.json").write_text("[{")
    with pytest.raises(OutputError, match="delete it"):
        episode_voices(SHA)
