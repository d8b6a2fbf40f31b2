"""Rows of the tables as values, and changes of them; within a transaction of the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, select, update

from audio.transfer.http import Validators
from flows.schedule.plan import FeedState, ListedEpisode, is_ahead
from flows.schedule.tables import database_time, episodes, progress
from models.record.transcript import Chapter, Enclosure, Episode, Person, TranscriptLink

ACTIVE = ("queued", "running")


def listed_where(connection: Connection, wanted: Any, *order: Any) -> list[ListedEpisode]:
    """The episodes that meet a condition, newest first or in another order."""
    now = database_time(connection)
    by = order or (episodes.c.published_at.desc(), episodes.c.id)
    rows = connection.execute(select(episodes).where(wanted).order_by(*by)).mappings()
    return [listed(row, now) for row in rows]


def listed(row: RowMapping, now: float) -> ListedEpisode:
    """An episode by its row."""
    return ListedEpisode(
        show=row["show"],
        episode=decoded(row["record"]),
        state=row["state"],
        attempts=row["attempts"],
        handed_out=row["handed_out"],
        owner=row["owner"],
        error=row["error"],
        seconds=row["seconds"],
        folder=row["folder"],
        warnings=row["warnings"],
        held=row["state"] in ACTIVE and row["lease_until"] >= now,
        cancelling=row["state"] == "running" and bool(row["cancel"]),
        options=json.loads(row["options"] or "{}"),
        priority=row["priority"],
        added_by=row["added_by"],
        sorted_at=row["published_at"],
        found_at=row["found_at"],
        started_at=row["claimed_at"],
        done_at=row["done_at"],
    )


def feed_state(row: RowMapping) -> FeedState:
    """What is remembered of a feed."""
    names = ("show", "url", "moved_to", "title", "polled_at", "failures", "next_poll_at", "error", "ended_at")
    validators = Validators(row["etag"], row["last_modified"])
    return FeedState(validators=validators, **{name: row[name] for name in names})


def new_row(
    listed: ListedEpisode, now: float, moments: Mapping[tuple[str, str], float], *, backlog: bool
) -> dict[str, Any]:
    """The row of an episode that a feed lists."""
    moment = moments[listed.episode.guid, listed.episode.audio_url]
    return {
        "id": listed.id,
        "show": listed.show,
        "guid": listed.id,  # must be the only one in its show, and hosts use guids twice
        "published_at": now if is_ahead(listed.episode, now) and not backlog else moment,
        "record": encoded(listed.episode),
        "backlog": backlog,
        "state": listed.state,
        "error": listed.error,
        "found_at": now,
    }


def held_by(episode_id: str, owner: str) -> Any:
    """Whether an episode is worked on by `owner`."""
    return and_(episodes.c.id == episode_id, episodes.c.owner == owner, episodes.c.state == "running")


def spend(connection: Connection, episode_id: str, owner: str, **values: Any) -> bool:
    """Change an episode that `owner` no longer works on, and add up the time that was spent on it."""
    connection.execute(delete(progress).where(progress.c.episode == episode_id))
    spent = episodes.c.seconds + (database_time(connection) - episodes.c.claimed_at)
    return changed(connection, held_by(episode_id, owner), seconds=spent, lease_until=0.0, cancel=0, **values)


def changed(connection: Connection, where: Any, **values: Any) -> bool:
    """Whether one row met the condition and was changed."""
    return connection.execute(update(episodes).where(where).values(**values)).rowcount == 1


def change(connection: Connection, episode_id: str, **values: Any) -> None:
    """Change an episode, whatever it is at."""
    changed(connection, episodes.c.id == episode_id, **values)


def encoded(episode: Episode) -> str:
    """An episode as text: titles may hold lone surrogates, which no database takes, and JSON's escapes carry."""
    return json.dumps(asdict(episode))


def decoded(text: str) -> Episode:
    """The episode that was encoded, maybe by an older Episcribe."""
    record = json.loads(text)
    kinds = {
        "people": Person,
        "transcripts": TranscriptLink,
        "chapters": Chapter,
        "enclosures": Enclosure,
    }
    parts = {name: tuple(kind(**part) for part in record.get(name, ())) for name, kind in kinds.items()}
    return Episode(**{**record, **parts})
