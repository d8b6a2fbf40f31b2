"""Attempts to sign in, counted by name and by address, with growing pauses between failures.

An attempt is counted before the password is looked at, so many at once gain nothing.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from flows.schedule.store import Store
from flows.schedule.tables import database_time, insert_or_leave, login_attempts

FORGET_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class Limit:
    """So many failures are free; then the pause doubles from a second up to `longest`."""

    free: int
    longest: float  # seconds

    def pause(self, failures: int) -> float:
        """Seconds between the last of so many failures and the next attempt.

        >>> [Limit(5, 60).pause(failures) for failures in (4, 5, 8, 100)]
        [0.0, 1.0, 8.0, 60]
        """
        return 0.0 if failures < self.free else min(2.0 ** min(failures - self.free, 30), self.longest)


NAME = Limit(5, 60)  # no longer: else whoever knows a name keeps its user out
ADDRESS = Limit(20, 900)  # more at first: an office has one address


class Throttle:
    """Kept in the store, so that all processes of the app count together."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def attempt(self, name: str, address: str) -> float:
        """Count an attempt, and give 0; or count none, and give the seconds to wait before one."""
        table, limits = login_attempts, {_by_name(name): NAME, _by_address(address): ADDRESS}
        with self._store.begin() as connection:
            now = database_time(connection)
            connection.execute(delete(table).where(table.c.last_at < now - FORGET_SECONDS))
            for who in sorted(limits):  # in order, so that nobody waits for each other
                insert_or_leave(connection, table, who=who, failures=0, last_at=now)
            rows = (
                connection.execute(select(table).where(table.c.who.in_(limits)).with_for_update())
                .mappings()
                .all()
            )
            waits = [row["last_at"] + limits[row["who"]].pause(row["failures"]) - now for row in rows]
            if (wait := max(waits, default=0.0)) > 0:
                return wait
            values = {"failures": table.c.failures + 1, "last_at": now}
            connection.execute(update(table).where(table.c.who.in_(limits)).values(**values))
        return 0.0

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of a name; the address loses only this attempt, or one good password would pay for
        guesses at others.
        """
        table = login_attempts
        with self._store.begin() as connection:
            connection.execute(delete(table).where(table.c.who == _by_name(name)))
            mine = (table.c.who == _by_address(address)) & (table.c.failures > 0)
            connection.execute(update(table).where(mine).values(failures=table.c.failures - 1))


def _by_name(name: str) -> str:
    return f"name {name.casefold()}"


def _by_address(address: str) -> str:
    """An address, or of IPv6 the network that one customer has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return f"address {address[:100]}"
    if found.version == 6 and found.ipv4_mapped is None:
        return f"address {ipaddress.ip_network((found, 64), strict=False)}"
    return f"address {found}"
