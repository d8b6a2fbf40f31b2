"""Finished episodes in other formats, by `episcribe export` and what it stands on."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from docx import Document

from flows.library.exporting import Choices, export_files, exported, file_name
from models.record.errors import InputError
from outputs.captions.profiles import NETFLIX
from outputs.formats import plain_text, vtt
from outputs.formats.format import TextStyle
from outputs.library.corrections import NAME, Correction
from outputs.library.write import publish
from tests.flows.conftest import episcribe
from tests.outputs.samples import CONVERSATION, WITH_CHAPTERS
from tests.outputs.test_translations import bilingual

RENAMED = CONVERSATION.renamed("SPEAKER_00", "Zoë")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An episode in which somebody has corrected a name."""
    found = tmp_path / "library" / "the-show" / "2026-01-01-pilot"
    about = replace(CONVERSATION.episode, published="2026-01-01T06:00:00+00:00")
    rename = Correction(NAME, speaker="SPEAKER_00", now="Zoë")
    publish(replace(CONVERSATION, episode=about), found, ["srt"], amended=[rename])
    return found


def test_texts_are_printed_and_other_files_written_here(folder: Path, tmp_path: Path) -> None:
    done = episcribe("export", folder, "--format", "vtt", "--profile", "netflix", cwd=tmp_path)
    assert done.stdout == vtt.render(RENAMED, NETFLIX), done.stderr
    done = episcribe("export", folder, "--format", "docx", "--no-names", "--times", "none", cwd=tmp_path)
    assert done.stdout == "2026-01-01-pilot-co.docx\n", done.stderr
    document = Document(str(tmp_path / "2026-01-01-pilot-co.docx"))
    assert [one.text for one in document.paragraphs[2:4]] == [
        "Welcome back to the show, everybody. I'm Ann.", "And I'm Bob, hello!",
    ]  # fmt: skip
    again = episcribe("export", folder, "--format", "docx", cwd=tmp_path)
    assert (again.returncode, "--force replaces it" in again.stderr) == (2, True)


def test_choices_are_heeded(folder: Path) -> None:
    text = exported(folder, Choices("txt", times="none")).decode()
    assert text == plain_text.render(RENAMED, TextStyle(times="none"))
    assert text.startswith("Zoë\nWelcome")
    assert "Zoë" not in exported(folder, Choices("md", names=False)).decode()


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        (Choices("doc"), "unknown format 'doc'"),
        (Choices("json", names=False), "json has names and times of its own"),
        (Choices("txt", profile="netflix"), "no cues"),
        (Choices("srt", profile="cinema"), "unknown caption profile"),
        (Choices("txt", times="hourly"), "use every-turn, every-paragraph, none"),  # type: ignore[arg-type]
        (Choices("txt", language="fr"), "no translation into 'fr'; there is en"),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_is_told(folder: Path, choices: Choices, told: str) -> None:
    with pytest.raises(InputError, match=told):
        exported(folder, choices)


def test_chapters_where_there_are_some(folder: Path) -> None:
    with pytest.raises(InputError, match="has no chapters"):
        exported(folder, Choices("chapters"))
    publish(WITH_CHAPTERS, folder, [])
    assert json.loads(exported(folder, Choices("chapters")))["chapters"][2]["title"] == "What they found"
    assert file_name(WITH_CHAPTERS.episode, Choices("chapters-vtt")) == "pilot-co.chapters.vtt"


def test_a_translation(tmp_path: Path) -> None:
    publish(bilingual(), tmp_path / "episode", ["srt"])
    (file,) = export_files([tmp_path / "episode"], Choices("md", language="en"), tmp_path)
    assert isinstance(file, Path)
    assert file.name.endswith(".en.md")
    assert "*Machine translation by" in file.read_text()
    assert exported(tmp_path / "episode", Choices("txt", language="de")) == exported(
        tmp_path / "episode", Choices("txt")
    )
    with pytest.raises(InputError, match="holds all languages"):
        exported(tmp_path / "episode", Choices("episode", language="en"))


def test_many_episodes_go_to_a_folder_and_damaged_ones_are_told(folder: Path, tmp_path: Path) -> None:
    twin, broken = folder.with_name("twin"), folder.with_name("broken")
    publish(
        replace(CONVERSATION, episode=replace(CONVERSATION.episode, id="0c6f", published="2026-01-01")),
        twin,
        [],
    )
    shutil.copytree(folder, broken)
    (broken / "episode.json").write_text("{")
    done = episcribe("export", folder, twin, broken, "--format", "md", "--out", "texts", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == "texts/2026-01-01-pilot-co-0b5e.md\ntexts/2026-01-01-pilot-co-0c6f.md\n"
    assert done.stderr.startswith("warning: left out: ")
    assert "**Zoë** (00:00)" in (tmp_path / "texts/2026-01-01-pilot-co-0b5e.md").read_text()
    (tmp_path / "texts/2026-01-01-pilot-co-0c6f.md").unlink()
    (tmp_path / "texts/2026-01-01-pilot-co-0b5e.md").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        list(export_files([folder, twin], Choices("md"), tmp_path / "texts"))
    assert [path.name for path in (tmp_path / "texts").iterdir()] == ["2026-01-01-pilot-co-0b5e.md"]
    assert len(list(export_files([folder, twin], Choices("md"), tmp_path / "texts", force=True))) == 2


def test_no_episode_takes_the_place_of_another_or_of_itself(folder: Path, tmp_path: Path) -> None:
    copies = [shutil.copytree(folder, tmp_path / name / "the-show" / folder.name) for name in "ab"]
    files = list(export_files([folder, *copies, folder / "episode.json"], Choices("txt"), tmp_path / "texts"))
    assert [str(file).rpartition("-co-")[2] for file in files] == ["0b5e.txt", "0b5e-2.txt", "0b5e-3.txt"]
    assert set(files) == set((tmp_path / "texts").iterdir())
