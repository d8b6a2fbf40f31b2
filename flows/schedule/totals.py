"""Sums that are kept in the store since it was made, and so are of all machines: what figures are made of."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from flows.schedule.tables import totals

OUTCOMES = "outcomes"  # of attempts, by event of flows.schedule.happenings
STAGE_SECONDS, STAGE_AUDIO, STAGE_RUNS = "stage_seconds", "stage_audio_seconds", "stage_runs"  # by stage
NOTICES = "notices"  # by target and outcome
DELIVERIES = "deliveries"  # of webhooks, by outcome


def add(connection: Connection, name: str, amounts: Mapping[str, float]) -> None:
    """Add amounts to a sum, by label."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    for label, amount in sorted(amounts.items()):  # in one order, so that none waits for another
        row = insert(totals).values(name=name, label=label, value=float(amount))
        more = {"value": totals.c.value + row.excluded.value}
        connection.execute(row.on_conflict_do_update(index_elements=["name", "label"], set_=more))


def read(connection: Connection, name: str) -> dict[str, float]:
    """A sum by label."""
    rows = connection.execute(select(totals.c.label, totals.c.value).where(totals.c.name == name))
    return dict(rows.tuples().all())
