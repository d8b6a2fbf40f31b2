"""BagIt bags, as an archive checks them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import bagit
import pytest

from flows.library.bags import _alone, make_bag
from models.record.errors import InputError
from outputs.library.corrections import FILE_NAME
from outputs.library.write import publish
from tests.flows.conftest import episcribe
from tests.outputs.samples import CONVERSATION

SOUND = b"what was heard" * 1000


def episode(library: Path, name: str, audio: bytes | None = None) -> Path:
    """An episode of "the-show"; its audio lies beside the library."""
    folder, heard = library / "the-show" / name, library.parent / f"{name}.mp3"
    if audio is not None:
        heard.write_bytes(audio)
    about = replace(
        CONVERSATION.episode, id=name, guid=f"guid of\n{name}", feed_url="https://example.org/feed"
    )
    sound = replace(CONVERSATION.audio, path=str(heard), sha256=hashlib.sha256(audio or b"gone").hexdigest())
    publish(replace(CONVERSATION, episode=about, audio=sound), folder, ["srt", "txt"], amended=[])
    return folder


def test_a_library_in_a_bag(tmp_path: Path) -> None:
    library, out = tmp_path / "library", tmp_path / "bag"
    first = episode(library, "2026-01-01-pilot", SOUND)
    episode(library, "2026-01-02-second")
    (first / "Notes?.txt").write_text("own")
    (first / ".corrections.lock").touch()
    (first / "link.txt").symlink_to("/etc/hostname")
    done = episcribe("bag", "--library", library, "--out", out, "--organization", "An Archive", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "warning: left out: the-show/2026-01-01-pilot/link.txt: a link, which may lead anywhere",
        "warning: left out: the-show/2026-01-02-second: its audio is not kept here",
    ]
    bag = bagit.Bag(str(out))
    assert bag.validate()
    assert (bag.version_info, set(bag.algorithms)) == ((1, 0), {"sha256", "sha512"})
    names = {
        name.removeprefix("data/the-show/2026-01-01-pilot/")
        for name in bag.payload_files()
        if "01-01" in name
    }
    ours = {"episode.json", FILE_NAME, "transcript.srt", "transcript.txt", "audio.mp3"}
    (own,) = names - ours
    assert names == {*ours, own}
    assert own.startswith("notes-")
    assert (out / "data/the-show/2026-01-01-pilot/audio.mp3").read_bytes() == SOUND
    info = bag.info
    assert info["External-Identifier"] == [
        "https://example.org/feed", "guid of 2026-01-01-pilot", "guid of 2026-01-02-second",
    ]  # fmt: skip
    assert info["Missing-Audio"] == "the-show/2026-01-02-second"
    assert (info["Source-Organization"], info["External-Description"]) == ("An Archive", "The Show")
    assert info["Bag-Software-Agent"].startswith("episcribe ")
    payload = [path for path in (out / "data").rglob("*") if path.is_file()]
    assert info["Payload-Oxum"] == f"{sum(path.stat().st_size for path in payload)}.{len(payload)}"

    sound = bytearray(SOUND)
    sound[5000] ^= 1
    (out / "data/the-show/2026-01-01-pilot/audio.mp3").write_bytes(sound)
    with pytest.raises(bagit.BagValidationError, match=r"audio\.mp3"):
        bagit.Bag(str(out)).validate()


def test_a_bag_is_replaced_where_that_is_asked_for_and_nothing_else_ever(tmp_path: Path) -> None:
    folder, out = episode(tmp_path / "library", "pilot", SOUND), tmp_path / "bag"
    make_bag([folder], out)
    (folder / "transcript.txt").write_text("changed")
    with pytest.raises(InputError, match="--force to replace"):
        make_bag([folder], out)
    with pytest.raises(InputError, match="no such file"):
        make_bag([folder, tmp_path / "nowhere"], out, force=True)
    assert "changed" not in (out / "data/the-show/pilot/transcript.txt").read_text()
    make_bag([folder], out, force=True)
    assert (out / "data/the-show/pilot/transcript.txt").read_text() == "changed"
    with pytest.raises(InputError, match="is no bag"):
        make_bag([folder], tmp_path / "library", force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bag", "library", "pilot.mp3"]


def test_audio_that_is_not_what_was_heard_is_not_taken(tmp_path: Path) -> None:
    folder = episode(tmp_path / "library", "pilot")
    (folder / "audio.mp3").symlink_to("/etc/hostname")
    record = json.loads((folder / "episode.json").read_text())
    record["audio"]["path"] = "audio.mp3"
    (folder / "episode.json").write_text(json.dumps(record))
    made = make_bag([folder], tmp_path / "bag")
    assert [one.partition(": ")[0] for one in made.missing] == ["the-show/pilot/audio.mp3", "the-show/pilot"]
    assert not (tmp_path / "bag/data/the-show/pilot/audio.mp3").exists()


def test_episodes_of_one_name_have_a_folder_each_and_one_given_twice_has_one(tmp_path: Path) -> None:
    folders = [episode(tmp_path / name / "library", "pilot") for name in "abc"]
    made = make_bag([*folders, folders[0] / "episode.json"], tmp_path / "bag")
    assert made.episodes == len(list((tmp_path / "bag/data/the-show").iterdir())) == 3


def test_shows_are_told_apart_where_case_makes_no_difference(tmp_path: Path) -> None:
    first, second = episode(tmp_path / "a", "pilot"), episode(tmp_path / "b", "second")
    make_bag([first, second.parent.rename(tmp_path / "The-Show") / "second", first], tmp_path / "bag")
    one, two = sorted(path.name.casefold() for path in (tmp_path / "bag/data").iterdir())
    assert one == "the-show"
    assert two.startswith("the-show-")


def test_no_bag_is_made_within_what_it_holds_nor_replaces_that(tmp_path: Path) -> None:
    folder = episode(tmp_path / "library", "pilot")
    with pytest.raises(InputError, match="in the folder of an episode"):
        make_bag([folder], folder / "own" / "bag")
    make_bag([folder], tmp_path / "bag")
    with pytest.raises(InputError, match="would replace"):
        make_bag([tmp_path / "bag/data/the-show/pilot"], tmp_path / "bag", force=True)
    assert not (folder / "own").exists()
    assert bagit.Bag(str(tmp_path / "bag")).validate()


def test_a_link_to_a_bag_is_replaced_and_not_what_it_leads_to(tmp_path: Path) -> None:
    folder = episode(tmp_path / "library", "pilot")
    make_bag([folder], tmp_path / "elsewhere")
    (tmp_path / "bag").symlink_to(tmp_path / "elsewhere")
    (folder / "transcript.txt").write_text("changed")
    make_bag([folder], tmp_path / "bag", force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bag", "elsewhere", "library"]
    assert not (tmp_path / "bag").is_symlink()
    assert (tmp_path / "elsewhere/data/the-show/pilot/transcript.txt").read_text() != "changed"


def test_what_a_killed_process_left_is_put_right(tmp_path: Path) -> None:
    folder, out = episode(tmp_path / "library", "pilot"), tmp_path / "bag"
    make_bag([folder], out)
    out.rename(tmp_path / ".bag.0123abcd.old")
    (tmp_path / ".bag.0123abcd.part").mkdir()
    (tmp_path / ".bag.mine.part").mkdir()
    with pytest.raises(InputError, match="--force to replace"):
        make_bag([folder], out)
    assert bagit.Bag(str(out)).validate()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".bag.mine.part", "bag", "library"]


def test_two_do_not_make_the_same_bag_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPISCRIBE_CACHE", str(tmp_path / "cache"))
    folder, out = episode(tmp_path / "library", "pilot"), tmp_path / "bag"
    with _alone(out), pytest.raises(InputError, match="is being made by another program"):
        make_bag([folder], out)
    assert make_bag([folder], out).episodes == 1
    assert not list((tmp_path / "cache/locks").iterdir())
