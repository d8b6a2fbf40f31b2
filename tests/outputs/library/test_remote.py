"""A library that is not a folder of this machine: in memory, and on a server that speaks S3."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows import steps
from flows.naming import published
from flows.options import DEFAULT_FORMATS, RunOptions
from models.record.errors import InputError, OutputError
from models.record.transcript import Voice
from outputs.formats.registry import FORMATS
from outputs.library import read, voices_file
from outputs.library.files import resolve_location
from outputs.library.folders import show_episodes
from outputs.library.write import publish
from outputs.publishing.changes import Changes
from outputs.publishing.upload import public_files, upload
from tests.flows.conftest import episcribe
from tests.outputs.samples import CONVERSATION, WITH_CHAPTERS

ALL_FILES = {FORMATS[name].file_name for name in ("episode", *DEFAULT_FORMATS) if not FORMATS[name].needs}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty bucket; moto's server stands in for MinIO and S3, over real HTTP."""
    pytest.importorskip("s3fs", reason="s3fs is not installed (pip install -e '.[scale]')")
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    _, port = running.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().makedirs("shows", exist_ok=True)
    yield "s3://shows/library"
    s3fs.S3FileSystem.clear_instance_cache()
    running.stop()


@pytest.fixture(params=["memory", "s3"])
def library(request: pytest.FixtureRequest) -> str:
    if request.param == "s3":
        found: str = request.getfixturevalue("bucket")
        return found
    return f"memory://{request.node.name}"


def names(folder: Any) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_episode_is_episodeand_read_back(library: str) -> None:
    episode = steps.publish(CONVERSATION, RunOptions(library=library))
    folder, files = episode.folder, episode.files
    assert str(folder).startswith(library)
    assert names(folder) == ALL_FILES == {file.name for file in files}
    assert read.load(str(folder)) == CONVERSATION
    renamed = CONVERSATION.renamed(CONVERSATION.speakers[0].label, "Ann")
    again = steps.publish(renamed, RunOptions(library=library)).folder
    assert again == folder
    assert read.load(str(folder)).speakers[0].name == "Ann"


def test_names_and_voices_by_url_from_the_command_line(bucket: str, tmp_path: Path) -> None:
    folder = steps.publish(CONVERSATION, RunOptions(library=bucket)).folder
    voice = Voice("SPEAKER_01", (0.6, 0.8), 30.0, "model")
    voices_file.keep_episode_voices(CONVERSATION.audio.sha256, [voice])
    done = episcribe("speakers", "rename", folder, "Bob", "Bobby", cwd=tmp_path)
    assert "the voice of Bobby is known" in done.stdout, done.stderr
    assert "Bobby" in episcribe("export", folder, "--format", "srt", cwd=tmp_path).stdout
    (tmp_path / "episcribe.toml").write_text(f'library = "{bucket}"\n')
    assert "Bobby" in episcribe("voices", "list", cwd=tmp_path).stdout
    done = episcribe("voices", "forget", "Bobby", "--library", bucket, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert voices_file.load(folder.parent).voices == ()
    for command in (["search", "word"], ["site", "--library", bucket]):
        refused = episcribe(*command, cwd=tmp_path)
        assert refused.returncode == 2
        assert "is no folder of this machine" in refused.stderr


def test_what_another_machine_has_written_since_is_seen(bucket: str) -> None:
    folder = steps.publish(CONVERSATION, RunOptions(library=bucket)).folder
    assert show_episodes(folder.parent) == [folder]  # which a client might remember
    elsewhere = (
        "from flows.library.speakers import rename; from outputs.library.files import resolve_location; "
        f"rename(resolve_location({str(folder)!r}), 'Bob', 'Bartholomew of a longer name')"
    )
    subprocess.run([sys.executable, "-c", elsewhere], check=True, timeout=60)
    found = published(folder)
    assert found is not None
    assert found.speakers[1].name == "Bartholomew of a longer name"


def test_audio_is_kept_in_the_library(library: str, tmp_path: Path) -> None:
    audio = tmp_path / "talk.mp3"
    audio.write_bytes(b"sound" * 1000)
    folder = steps.publish(CONVERSATION, RunOptions(library=library, keep_audio=True), str(audio)).folder
    kept = read.kept_audio(folder, read.load_audio(folder))
    assert kept is not None
    assert kept.read_bytes() == audio.read_bytes()


def test_a_library_that_cannot_be_had() -> None:
    with pytest.raises(InputError, match="nope://x can't be used"):
        resolve_location("nope://x")
    with pytest.raises(InputError, match=r"no episode\.json|no such file"):
        read.load("memory://nothing/here")


def test_a_store_that_refuses(bucket: str) -> None:
    with pytest.raises(OutputError, match="cannot write s3://no-such-bucket"):
        steps.publish(CONVERSATION, RunOptions(library="s3://no-such-bucket/library"))


def test_paths_stay_paths(tmp_path: Path) -> None:
    assert resolve_location(str(tmp_path)) == tmp_path
    assert resolve_location(tmp_path.as_uri()) == tmp_path


def test_what_is_for_everybody_is_sent_there_once(library: str, tmp_path: Path) -> None:
    shelf, show = tmp_path / "library", "the-show/pilot"
    public = ("html", "json", "srt", "txt", "vtt")
    publish(WITH_CHAPTERS, shelf / show, (*public, "chapters", "rttm"))
    (shelf / "the-show" / "voices.json").write_text("{}")
    files, skipped = public_files(shelf)
    sent = {f"{show}/chapters.json", *(f"{show}/transcript.{kind}" for kind in public)}
    assert (set(files), skipped) == (sent, {})
    assert upload(files, library, dry_run=True) == upload(files, library) == Changes(tuple(sorted(sent)))
    there = resolve_location(f"{library}/{show}")
    assert names(there) == {Path(name).name for name in sent}
    if library.startswith("s3:"):
        import s3fs

        bucket = s3fs.S3FileSystem()
        types = {name: bucket.info(f"{library}/{show}/{name}")["ContentType"] for name in names(there)}
        assert types["transcript.vtt"].startswith("text/vtt")
        assert types["transcript.json"].startswith("application/json;")
        assert types["chapters.json"].startswith("application/json+chapters")
    assert upload(files, library) == Changes(unchanged=6)
    for file in files.values():  # written again, the same: read, and not sent
        file.write_bytes(file.read_bytes())
    assert upload(files, library, dry_run=True) == Changes(unchanged=6)

    files[f"{show}/transcript.txt"].write_text("other")
    (there / "transcript.vtt").write_bytes(b"somebody else's")
    (there / "notes.md").write_bytes(b"not ours")
    gone = f"{show}/transcript.srt"
    del files[gone]
    text, captions = f"{show}/transcript.txt", f"{show}/transcript.vtt"
    changes = Changes(changed=(text, captions), removed=(gone,), unchanged=3)
    assert upload(files, library, dry_run=True) == changes
    assert upload(files, library) == changes
    assert "transcript.srt" in names(there)
    assert upload(files, library, remove=True).removed == (gone,)
    assert names(there) == {"notes.md", *(Path(name).name for name in files)}


def test_a_place_that_is_not_there_is_told_and_not_made(bucket: str, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("a")
    with pytest.raises(OutputError, match="cannot send files to s3://no-such-bucket"):
        upload({"a.txt": file}, "s3://no-such-bucket/folder")
    with pytest.raises(InputError, match="can't be used"):
        upload({"a.txt": file}, "nothing://me:secret@place")
