"""Where an episode's files go: the folder that holds it already, else a new one in its show's folder.

`<library>/<show>/<date>-<title>/`, but what counts is the record inside, not the name: titles are corrected, and
two shows may have the same. A name that others have gets a piece of the id.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from models.record.errors import EpiscribeError
from models.record.identity import find, same_show, show_id
from models.record.transcript import Episode
from outputs.formats.registry import EPISODE
from outputs.library.files import is_local, stamp
from outputs.library.folders import show_episodes
from outputs.library.read import load_episode
from outputs.text.slug import slug

UNTITLED_SHOW = "single-episodes"  # the show folder of what came from no feed
ID_CHARS = 8  # of an id, to tell folders of one name apart
TELLING = 64  # records of a folder that are asked whose it is
REMEMBERED = 20_000  # records of which is known what they say of their episodes
READERS = 16  # records looked into at once: in a store with a URL each takes a while


def episode_folder(library: Path, episode: Episode) -> Path:
    """Where the files of an episode are, or are to go where it has none yet."""
    show = show_folder(library, episode)
    date, title = episode.published[:10], slug(episode.title)
    named = show / (f"{date}-{title}" if date else title)
    there = _episode_in(named)
    if there is not None and there.id == episode.id:
        return named
    records = list(episodes_in(show_episodes(show)))
    index = find(episode, [known for _, known in records])
    if index is not None:
        return records[index][0]
    return named if there is None else _told_apart(named, episode.id)


def show_folder(library: Path, episode: Episode) -> Path:
    """The folder of an episode's show, or where it is to be made."""
    named = library / slug(episode.show or UNTITLED_SHOW)
    if not show_id(episode):
        return named
    owner = show_of(named)
    if owner is not None and same_show(owner, episode):
        return named
    own = apart(named, episode)
    others = [own, *(folder for folder in show_folders(library) if folder != named)]
    for other in others:
        found = show_of(other)
        if found is not None and same_show(found, episode):
            return other
    if episode.show_guid:  # which a show that moved may have got when many of its records were written
        moved = (
            other for other in (named, *others) if any(same_show(one, episode) for one in _shows_in(other))
        )
        if there := next(moved, None):
            return there
    return named if owner is None else own


def holds(folder: Path, episode: Episode) -> bool:
    """Whether a folder has the files of this very episode."""
    there = _episode_in(folder)
    return there is not None and there.id == episode.id


def apart(named: Path, episode: Episode) -> Path:
    """The folder for an episode's show where another show has the folder of its name."""
    return _told_apart(named, str(uuid5(NAMESPACE_URL, show_id(episode))))


def show_of(folder: Path) -> Episode | None:
    """An episode that tells whose folder it is, by its feed if any does; None where no record can be read."""
    found: Episode | None = None
    for _, found in episodes_in(show_episodes(folder)[:TELLING]):
        if show_id(found):
            return found
    return found


def _shows_in(folder: Path) -> Iterator[Episode]:
    """The episodes of a folder that tell their feeds."""
    return (episode for _, episode in episodes_in(show_episodes(folder)) if show_id(episode))


def _told_apart(folder: Path, identity: str) -> Path:
    return folder.with_name(f"{folder.name}-{slug(identity)[:ID_CHARS]}")


def show_folders(library: Path) -> list[Path]:
    """The folders of a library's shows, in order of their names."""
    with suppress(OSError):
        return sorted(path for path in library.iterdir() if path.is_dir())
    return []


def episodes_in(folders: Sequence[Path]) -> Iterator[tuple[Path, Episode]]:
    """Those folders whose record can be read, and what it says of its episode; where it has a URL, a few at a time."""
    if all(map(is_local, folders)):
        told = ((folder, _episode_in(folder)) for folder in folders)
        yield from ((folder, episode) for folder, episode in told if episode is not None)
        return
    with ThreadPoolExecutor(READERS) as pool:
        for first in range(0, len(folders), READERS):
            some = folders[first : first + READERS]
            for folder, episode in zip(some, pool.map(_episode_in, some), strict=True):
                if episode is not None:
                    yield folder, episode


def _episode_in(folder: Path) -> Episode | None:
    if not is_local(folder):
        return _read(folder)
    written = stamp(folder / EPISODE.file_name)
    return _remembered(folder, written) if written is not None else None


def _read(folder: Path) -> Episode | None:
    with suppress(EpiscribeError):
        return load_episode(folder)
    return None


@lru_cache(maxsize=REMEMBERED)
def _remembered(folder: Path, written: Hashable) -> Episode | None:
    """The episode of a record that was written so; many episodes of one show would all be read for each of them."""
    return _read(folder)
