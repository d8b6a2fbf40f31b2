"""Sessions of browsers and tokens of programs: what lets a user in without the password.

Both are 256 random bits, of which the store holds only the SHA-256: who reads it can't come in. What was found is
remembered for some seconds, so that most requests ask the store nothing; what this process changes counts at once, what
another one changes (`episcribe users`) within that time.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Update, delete, insert, select, update

from flows.schedule.store import Store
from flows.schedule.tables import database_time, sessions, tokens, users
from flows.web.users import User
from models.record.errors import EpiscribeError

IDLE_SECONDS = 7 * 86400.0  # after which a session that nobody used has ended
LIFE_SECONDS = 30 * 86400.0  # after which every session has
SEEN_SECONDS = 300.0  # how exactly the store knows when something was used last
REMEMBER_SECONDS = 5.0
REMEMBER_MOST = 10_000
TOKEN_PREFIX = "epi_"  # by which scanners of published code know them


def digest(secret: str) -> str:
    """What the store holds of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def csrf_of(secret: str) -> str:
    """What unsafe requests of a browser with this cookie must bear; the cookie can't be told from it."""
    return hmac.digest(secret.encode("utf-8", "replace"), b"csrf", "sha256").hex()


class _Recent:
    """What was looked up lately, by the digest of what lets in."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[User, float]] = {}
        self._changes = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> User | None:
        user, until = self._known.get(key, (None, 0.0))
        return user if until > time.monotonic() else None

    def look_up(self, key: str, find: Callable[[], User | None]) -> User | None:
        changes, found = self._changes, find()
        with self._lock:
            if found is not None and changes == self._changes:
                if len(self._known) >= REMEMBER_MOST:
                    self._known.clear()
                self._known[key] = found, time.monotonic() + REMEMBER_SECONDS
        return found

    def forget(self) -> None:
        with self._lock:
            self._changes += 1
            self._known.clear()


class _Notes:
    """When something was used last, written by a thread of its own: no request waits for a store that is busy."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="seen")

    def write(self, note: Update) -> None:
        self._writer.submit(self._write, note)

    def _write(self, note: Update) -> None:
        with suppress(EpiscribeError), self._store.begin() as connection:
            connection.execute(note)


class Sessions:
    """Sessions of browsers."""

    def __init__(self, store: Store) -> None:
        self._store, self._recent, self._notes = store, _Recent(), _Notes(store)

    def begin(self, user: str) -> str:
        """A new session; what its cookie holds."""
        secret = secrets.token_urlsafe(32)
        with self._store.begin() as connection:
            now = database_time(connection)
            connection.execute(delete(sessions).where(_over(now)))
            values = {"user": user, "created_at": now, "seen_at": now}
            connection.execute(insert(sessions).values(hash=digest(secret), **values))
        return secret

    def known(self, secret: str) -> User | None:
        """Whose session it is, without asking the store: None also where only it can tell."""
        return self._recent.get(digest(secret))

    def find(self, secret: str) -> User | None:
        """Whose session it is; None where there is none or it has ended."""
        key = digest(secret)
        return self._recent.look_up(key, lambda: self._find(key))

    def end(self, secret: str) -> None:
        """Sign out."""
        with self._store.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.hash == digest(secret)))
        self.forget()

    def forget(self) -> None:
        """Ask the store again, since users have changed."""
        self._recent.forget()

    def _find(self, key: str) -> User | None:
        query = (
            select(users, sessions.c.seen_at, sessions.c.created_at.label("began_at"))
            .join_from(sessions, users, sessions.c.user == users.c.name)
            .where(sessions.c.hash == key)
        )
        with self._store.look() as connection:
            row = connection.execute(query).mappings().first()
            now = database_time(connection)
        if row is None or now - row["seen_at"] > IDLE_SECONDS or now - row["began_at"] > LIFE_SECONDS:
            return None
        if now - row["seen_at"] > SEEN_SECONDS:
            self._notes.write(update(sessions).where(sessions.c.hash == key).values(seen_at=now))
        return User(row["name"], row["role"], row["language"], row["created_at"])


def _over(now: float) -> ColumnElement[bool]:
    return (sessions.c.seen_at < now - IDLE_SECONDS) | (sessions.c.created_at < now - LIFE_SECONDS)


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret; times in seconds since 1970, used_at None where it never was."""

    id: str
    label: str
    created_at: float
    used_at: float | None


class Tokens:
    """Tokens of programs."""

    def __init__(self, store: Store) -> None:
        self._store, self._recent, self._notes = store, _Recent(), _Notes(store)

    def make(self, user: str, label: str) -> tuple[Token, str]:
        """A new token and its secret, which is to be had only now."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        with self._store.begin() as connection:
            token = Token(uuid.uuid4().hex, label, database_time(connection), None)
            values = {"id": token.id, "label": label, "created_at": token.created_at}
            connection.execute(insert(tokens).values(hash=digest(secret), user=user, **values))
        return token, secret

    def of(self, user: str) -> list[Token]:
        """A user's tokens, newest first."""
        query = select(tokens).where(tokens.c.user == user).order_by(tokens.c.created_at.desc(), tokens.c.id)
        with self._store.look() as connection:
            rows = connection.execute(query).mappings().all()
        return [Token(row["id"], row["label"], row["created_at"], row["used_at"]) for row in rows]

    def drop(self, user: str, token: str) -> bool:
        """Have a user's token let nobody in any more; False where they have no such."""
        with self._store.begin() as connection:
            mine = (tokens.c.user == user) & (tokens.c.id == token)
            dropped = connection.execute(delete(tokens).where(mine)).rowcount
        self.forget()
        return bool(dropped)

    def known(self, secret: str) -> User | None:
        """As Sessions.known."""
        return self._recent.get(digest(secret))

    def find(self, secret: str) -> User | None:
        """Whose token it is; None where it is nobody's."""
        key = digest(secret)
        return self._recent.look_up(key, lambda: self._find(key))

    def forget(self) -> None:
        """As Sessions.forget."""
        self._recent.forget()

    def _find(self, key: str) -> User | None:
        query = (
            select(users, tokens.c.used_at)
            .join_from(tokens, users, tokens.c.user == users.c.name)
            .where(tokens.c.hash == key)
        )
        with self._store.look() as connection:
            row = connection.execute(query).mappings().first()
            now = database_time(connection)
        if row is None:
            return None
        if now - (row["used_at"] or 0.0) > SEEN_SECONDS:
            self._notes.write(update(tokens).where(tokens.c.hash == key).values(used_at=now))
        return User(row["name"], row["role"], row["language"], row["created_at"])
