from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from models.record.errors import InputError, OutputError
from models.record.transcript import Transcript
from outputs.formats.registry import CHOICES, FORMATS
from outputs.library import read
from outputs.library.write import keep_audio, publish
from tests.outputs.samples import CONVERSATION, WITH_CHAPTERS, said, talk, transcripts

ROOT = Path(__file__).parents[3]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_writes_every_format(tmp_path: Path) -> None:
    written = publish(WITH_CHAPTERS, tmp_path / "show" / "episode", FORMATS)
    assert sorted(path.name for path in written) == sorted(entry.file_name for entry in FORMATS.values())
    for entry in FORMATS.values():
        path = tmp_path / "show" / "episode" / entry.file_name
        assert path.read_bytes() == entry.render(WITH_CHAPTERS)
    assert len(contents(tmp_path / "show" / "episode")) == len(FORMATS)


def test_files_of_chapters_go_with_them(tmp_path: Path) -> None:
    publish(WITH_CHAPTERS, tmp_path, FORMATS)
    written = {path.name for path in publish(CONVERSATION, tmp_path, FORMATS)}
    assert written == contents(tmp_path).keys()
    assert written == {entry.file_name for entry in FORMATS.values() if not entry.needs}


def test_the_record_is_always_written_and_last(tmp_path: Path) -> None:
    assert [path.name for path in publish(CONVERSATION, tmp_path, ["episode", "srt", "srt"])] == [
        "transcript.srt",
        "episode.json",
    ]
    assert [path.name for path in publish(CONVERSATION, tmp_path, [])] == ["episode.json"]


@settings(max_examples=30)
@given(transcript=transcripts())
def test_anything_can_be_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, transcript: Transcript
) -> None:
    folder = tmp_path_factory.mktemp("episode")
    publish(transcript, folder, FORMATS)
    written = replace(transcript, review=None)  # of what nobody has corrected
    assert FORMATS["episode"].render(read.load(folder)) == FORMATS["episode"].render(written)


def test_file_names_that_are_not_utf8(tmp_path: Path) -> None:
    path = os.fsdecode(b"/audio/caf\xe9.mp3")
    transcript = replace(CONVERSATION, audio=replace(CONVERSATION.audio, path=path))
    publish(transcript, tmp_path, FORMATS)
    assert read.load(tmp_path).audio.path == path


def test_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"unknown format 'doc'; there are {', '.join(CHOICES)}"):
        publish(CONVERSATION, tmp_path / "new", ["srt", "doc"])
    assert not (tmp_path / "new").exists()


def test_others_can_read_the_files(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        (path,) = publish(CONVERSATION, tmp_path, [])
    finally:
        os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    count: int,
) -> None:
    publish(CONVERSATION, tmp_path, FORMATS)
    before = contents(tmp_path)
    synced: list[int] = []

    def full(descriptor: int) -> None:
        if len(synced) == count:
            raise error
        synced.append(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises((OutputError, KeyboardInterrupt)) as caught:
        publish(talk(said("Something else.")), tmp_path, FORMATS)
    assert contents(tmp_path) == before
    if isinstance(caught.value, OutputError):
        assert str(caught.value).startswith(f"cannot write {tmp_path}/")
        assert str(caught.value).endswith(": No space left on device")


def test_a_failed_rename_leaves_no_temporary_files(tmp_path: Path) -> None:
    (tmp_path / "transcript.vtt").mkdir()
    with pytest.raises(OutputError, match=r"cannot write .*transcript\.vtt: Is a directory"):
        publish(CONVERSATION, tmp_path, ["vtt", "srt"])
    assert contents_names(tmp_path) == ["transcript.vtt"]


def contents_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_a_really_full_disk(tmp_path: Path) -> None:
    """The system itself refuses to write more than 2000 bytes to a file."""
    publish(CONVERSATION, tmp_path, FORMATS)
    before = contents(tmp_path)
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from models.record.errors import OutputError\n"
        "from outputs.library.write import publish\n"
        "from tests.outputs.samples import said, talk\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "try: publish(talk(said('Much more text. ' * 500)), Path(sys.argv[1]), ['srt', 'vtt'])\n"
        "except OutputError as error: sys.exit(str(error))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip() == f"cannot write {tmp_path / 'transcript.srt'}: File too large"
    assert contents(tmp_path) == before


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(OutputError, match=r"cannot write .*x: File exists"):
        publish(CONVERSATION, tmp_path / "x", [])


def test_side_by_side_gives_the_same_files(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from outputs.library.write import publish\n"
        "from outputs.formats.registry import CHOICES, FORMATS\n"
        "from tests.outputs.samples import CONVERSATION\n"
        "publish(CONVERSATION, Path(sys.argv[1]), FORMATS, processes=3)"
    )
    publish(CONVERSATION, tmp_path / "one", FORMATS)
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "three")], cwd=ROOT, check=True)
    files = {path.name: path.read_bytes() for path in (tmp_path / "three").iterdir()}
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}


def test_audio_is_kept_beside_the_page(tmp_path: Path) -> None:
    audio, folder = tmp_path / "Talk.MP3", tmp_path / "show" / "episode"
    audio.write_bytes(b"first")
    assert keep_audio(audio, folder) == "audio.mp3"
    assert keep_audio(folder / "audio.mp3", folder) == "audio.mp3"
    other = tmp_path / "other.mp3"
    other.write_bytes(b"second")
    keep_audio(other, folder)
    assert contents(folder) == {"audio.mp3": b"second"}
    assert audio.read_bytes() == b"first"
    with pytest.raises(OutputError, match="cannot write"):
        keep_audio(tmp_path / "gone.mp3", folder)
    assert contents(folder) == {"audio.mp3": b"second"}
