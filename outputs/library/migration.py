"""Libraries of earlier versions, moved over once: then two shows of one title shared a folder, and voices.

Each show gets a folder of its own; the one with most episodes keeps the old one. Voices go with the episodes that
they were learnt from. Whatever stops this in the middle, the next time goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from models.naming.voices import VoiceRegistry, VoiceSample
from models.record.errors import OutputError
from models.record.identity import of_show, show_id
from models.record.transcript import Episode
from outputs.formats.registry import EPISODE
from outputs.library import voices_file
from outputs.library.files import is_local, locked, replace_files
from outputs.library.folders import show_episodes
from outputs.library.placement import apart, episodes_in, show_folders

MARKER = ".episcribe-library"
LOCK_NAME = ".episcribe-library.lock"
LAYOUT = b"2\n"  # one show a folder; 1 had no marker

Placed = tuple[Path, Episode]


def migrate(library: Path) -> list[Path]:
    """Give every show of a library a folder of its own, if that was not seen to before; returns what was moved.

    OutputError where that can't be done: nothing is lost then.
    """
    marker = library / MARKER
    if not library.is_dir() or marker.exists():
        return []
    with locked(marker, LOCK_NAME):
        if marker.exists():  # another program has just done it
            return []
        try:
            moved = [folder for show in show_folders(library) for folder in _separated(show)]
        except OSError as error:
            raise OutputError(
                f"cannot move the shows of {library} apart: {error.strerror or error}"
            ) from error
        replace_files({marker: LAYOUT})
    return moved


def _separated(folder: Path) -> list[Path]:
    """Move the episodes of all shows but the greatest out of a folder; returns where they went."""
    placed = [one for one in episodes_in(show_episodes(folder)) if show_id(one[1])]  # others, of before, stay
    shows: list[list[Placed]] = []
    while placed:
        own = set(of_show(placed[0][1], [episode for _, episode in placed]))
        shows.append([one for i, one in enumerate(placed) if i in own])
        placed = [one for i, one in enumerate(placed) if i not in own]
    shows.sort(key=len, reverse=True)
    moved = []
    for show in shows[1:]:
        target = apart(folder, show[0][1])
        _share_voices(folder, target, {episode.id for _, episode in show})
        for episode_folder, _ in show:
            _move(episode_folder, target / episode_folder.name)
            moved.append(target / episode_folder.name)
    return moved


def _share_voices(folder: Path, target: Path, episodes: set[str]) -> None:
    """Give the samples that were learnt from these episodes to the show that gets them."""
    known = voices_file.load(folder)
    if known == VoiceRegistry():
        return
    if is_local(target):
        target.mkdir(parents=True, exist_ok=True)
    given = [
        (voice.name, sample)
        for voice in known.voices
        for sample in voice.samples
        if sample.episode in episodes
    ]
    voices_file.change(target, lambda now: _also_forgotten(now, known.forgotten).learnt_all(given))
    voices_file.change(folder, lambda now: _without(now, [sample for _, sample in given]))


def _also_forgotten(now: VoiceRegistry, names: Sequence[str]) -> VoiceRegistry:
    """Who was forgotten in one show of a folder was so in all of them."""
    return replace(now, forgotten=tuple(dict.fromkeys((*now.forgotten, *names))))


def _without(now: VoiceRegistry, samples: Sequence[VoiceSample]) -> VoiceRegistry:
    for sample in samples:
        now = now.unlearnt(sample)
    return now


def _move(source: Path, target: Path) -> None:
    """Move a folder; in a store with a URL, which knows no folders, file by file, the record last."""
    if is_local(source):
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        return
    files = sorted((path for path in source.iterdir() if path.is_file()), key=_record_last)
    for file in files:
        (target / file.name).write_bytes(file.read_bytes())
    for file in reversed(files):
        file.unlink()


def _record_last(file: Path) -> bool:
    return file.name == EPISODE.file_name
