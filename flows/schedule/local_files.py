"""Files of this machine that are episodes of the store: where they lie, and by what they are known again.

An episode of one has the address `file:` and a path, which is believed only where this table says so too: feeds and
people who add addresses could name any file otherwise. Several paths may be one episode, which is known by its content.
"""

from __future__ import annotations

import platform
from pathlib import Path

from sqlalchemy import Connection, and_, select, update

from flows.schedule.store import Store
from flows.schedule.tables import insert_or_leave
from flows.schedule.tables import local_files as _files
from models.record.errors import AbsentFileError, InputError

SCHEME = "file:"  # of an Episode's audio_url, before an absolute path


def machine() -> str:
    """What this machine is called: on another one, the same path is another file."""
    return platform.node()


def known(store: Store) -> dict[str, tuple[str, str]]:
    """By the path of each file of this machine that is known, what it was like, and the id of its episode."""
    with store.look() as connection:
        told = select(_files.c.path, _files.c.stamp, _files.c.episode).where(_files.c.machine == machine())
        return {row.path: (row.stamp, row.episode) for row in connection.execute(told)}


def elsewhere(store: Store) -> set[str]:
    """The ids of episodes that are files of other machines and not of this one.

    None where all are on one machine: there this one may have been given another name.
    """
    if store.is_of_one_machine:
        return set()
    here = select(_files.c.episode).where(_files.c.machine == machine())
    with store.look() as connection:
        return set(
            connection.execute(select(_files.c.episode).where(_files.c.episode.not_in(here))).scalars()
        )


def remember(connection: Connection, path: str, stamp: str, episode_id: str) -> None:
    """Note that what is at a path, as long as it looks like this, is an episode."""
    values = {"stamp": stamp, "episode": episode_id}
    if not insert_or_leave(connection, _files, machine=machine(), path=path, **values):
        mine = and_(_files.c.machine == machine(), _files.c.path == path)
        connection.execute(update(_files).where(mine).values(**values))


def is_local(audio_url: str) -> bool:
    """Whether an episode claims to be a file of some machine."""
    return audio_url.startswith(SCHEME)


def path_of(audio_url: str) -> str:
    """Where the file of an episode was when it was added, on the machine of whoever did."""
    return audio_url.removeprefix(SCHEME)


def at_hand(store: Store, episode_id: str, audio_url: str) -> Path:
    """Where the file of an episode is on this machine.

    AbsentFileError where it isn't, or is no longer, InputError where nobody has added it on any.
    """
    told = path_of(audio_url)
    with store.look() as connection:
        rows = connection.execute(
            select(_files.c.machine, _files.c.path).where(_files.c.episode == episode_id)
        )
        places = rows.tuples().all()
    if not places:
        raise InputError(f"{audio_url} is no address that can be fetched")
    ours = sorted((path for where, path in places if where == machine()), key=lambda path: path != told)
    for path in ours:
        if Path(path).exists():
            return Path(path)
    raise AbsentFileError(
        f"{told} is not on this machine ({machine()}): process it where it is, or bring it back and try again",
        gone=bool(ours),
    )
