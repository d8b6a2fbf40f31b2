from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import InputError, OutputError
from outputs.read import load
from outputs.write import publish
from tests.outputs.samples import CONVERSATION


def test_folder_and_file(tmp_path: Path) -> None:
    (path,) = publish(CONVERSATION, tmp_path, [])
    assert load(tmp_path) == load(path) == CONVERSATION


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no episode\.json in it"):
        load(tmp_path)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"ID3\x04mp3", b"{}", b"null"])
def test_damaged(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "episode.json").write_bytes(data)
    with pytest.raises(OutputError, match=r"episode\.json: ") as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_in_the_records_place(tmp_path: Path) -> None:
    (tmp_path / "episode.json").mkdir()
    with pytest.raises(OutputError, match=r"cannot read .*episode\.json: Is a directory"):
        load(tmp_path)


def test_byte_order_mark(tmp_path: Path) -> None:
    (path,) = publish(CONVERSATION, tmp_path, [])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load(path) == CONVERSATION
