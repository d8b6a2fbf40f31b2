"""What the run of an episode that somebody sent gets to hear."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.options import RunOptions
from flows.schedule import leases, queue, settings
from flows.schedule.leases import Lease
from flows.schedule.store import Store, open_store
from flows.schedule.uploads import Upload, Uploads
from models.record.errors import InputError, InterruptedRun
from models.record.transcript import AudioFile, Episode, Transcript
from outputs.library import write
from tests.flows.shows import clip, write_config

SENT = Episode("sent", title="Talk", audio_url="upload:gone")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv(settings.CONFIG_VARIABLE, str(write_config(tmp_path, "")))
    return open_store(settings.load().store)


def leased(store: Store, episode: Episode, **options: object) -> Lease:
    queue.add(store, episode, options=options, by="ann")
    listed = store.lease(episode.id, "run", 60)
    assert listed is not None
    return Lease(listed, "run", store, settings.load())


def sent(store: Store, number: int, name: str) -> Upload:
    kept = Uploads(settings.load(), store)
    upload = kept.create("ann", name, len(clip(number)))
    kept.part(upload).write_bytes(clip(number))
    return kept.finish(upload)


def test_it_hears_the_files_and_tells_of_them_by_the_names_they_came_with(store: Store) -> None:
    anne, bo = sent(store, 1, "anne.wav"), sent(store, 2, "bo.wav")
    tracks = (f"Anne=upload:{anne.id}", f"upload:{bo.id}")
    lease = leased(store, Episode("tracks", title="Talk"), track=list(tracks))
    assert lease.is_sent

    def fail() -> None:
        with lease.files(RunOptions(track=tracks)) as (source, options):
            assert source == ""
            assert options.track[0] == f"Anne={settings.load().uploads}/{anne.file_name}"
            raise InputError(f"{options.track[1]} holds no audio")

    with pytest.raises(InputError, match=r"^bo\.wav holds no audio$"):
        fail()
    assert leased(store, Episode("web", audio_url="https://example.org/1.mp3")).is_sent is False


def test_what_was_done_and_is_to_be_done_again_is_heard_from_what_was_kept(
    store: Store, tmp_path: Path
) -> None:
    lease = leased(store, SENT)
    with pytest.raises(InputError, match="there is no upload gone"), lease.files(RunOptions()):
        pass
    folder = tmp_path / "library" / "single-episodes" / "talk"
    (tmp_path / "talk.wav").write_bytes(clip(1))
    kept = write.keep_audio(tmp_path / "talk.wav", folder)
    write.publish(Transcript(SENT, AudioFile(kept, "0" * 64, 2.0), "en"), folder, ["json"])
    with store.finishing("sent", "run") as finished:
        finished.folder = str(folder)
    store.retry("sent")
    with leased(store, SENT).files(RunOptions()) as (source, _):
        assert Path(source).read_bytes() == clip(1)


def test_an_episode_that_is_cancelled_is_no_failure(store: Store) -> None:
    queue.add(store, SENT, options={}, by="ann")

    def work() -> None:
        with leases.leased("sent", "run", RunOptions()):
            raise InterruptedRun("cancelled")

    with pytest.raises(InterruptedRun):
        work()
    listed = store.episode("sent")
    assert listed is not None
    assert (listed.state, listed.error) == ("cancelled", "")
