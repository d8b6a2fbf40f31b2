from dataclasses import replace
from pathlib import Path

from outputs.library import index
from outputs.library.background import background
from outputs.library.write import publish
from tests.outputs.samples import said, talk


def put(folder: Path, *sentences: str) -> None:
    spoken = talk(*(said(text, at * 5.0) for at, text in enumerate(sentences)))
    episode = replace(spoken.episode, id=folder.name, guid=folder.name, title=folder.name)
    publish(replace(spoken, episode=episode), folder, ["json"])


def test_words_are_counted_by_the_other_episodes_of_the_show(tmp_path: Path) -> None:
    put(tmp_path / "show" / "one", "Today harbours, and harbours again.", "And Ann’s boats.")
    put(tmp_path / "show" / "two", "Harbours it is.")
    put(tmp_path / "show" / "three", "Heat pumps.")
    put(tmp_path / "other" / "four", "Heat pumps.")
    index.update(tmp_path)
    found = background(tmp_path / "show" / "three")
    assert found is not None
    assert found.episodes == 2
    assert (found.said_in["harbours"], found.said_in["ann's"], found.said_in.get("heat", 0)) == (2, 1, 0)


def test_nothing_is_known_without_an_index_or_other_episodes(tmp_path: Path) -> None:
    put(tmp_path / "show" / "one", "Today harbours.")
    assert background(tmp_path / "show" / "two") is None
    index.update(tmp_path)
    assert background(tmp_path / "show" / "two") is not None
    assert background(tmp_path / "show" / "one") is None
    assert background(tmp_path / "elsewhere") is None
    (tmp_path / index.FILE_NAME).write_bytes(b"no database, but long enough to look like one" * 99)
    assert background(tmp_path / "show" / "two") is None
