"""The users of the app: names, passwords (argon2id), roles, languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, delete, select, update

from flows.schedule.queue import OWNER
from flows.schedule.store import Store
from flows.schedule.tables import (
    database_time,
    deliveries,
    insert_or_leave,
    sessions,
    tokens,
    users,
    webhooks,
)
from flows.web.access import ROLES
from models.record.errors import InputError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

NAME = r"[a-z0-9][a-z0-9._-]{0,39}"
HASH_PASSES, HASH_KIB = 2, 19 * 1024  # as OWASP asks for at least; the app answers others meanwhile
MIN_PASSWORD_CHARS, MAX_PASSWORD_CHARS = 10, 1000


@dataclass(frozen=True, slots=True)
class User:
    """Who may sign in. language: "" for what their browser asks for; created_at: seconds since 1970."""

    name: str
    role: str
    language: str = ""
    created_at: float = 0.0


class UnknownUserError(InputError):
    """There is no such user."""


class ConflictError(InputError):
    """What was asked for does not go with what is there."""


class Users:
    """All users of a store. Who changes or goes is signed out everywhere."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[User]:
        """By name."""
        with self._store.look() as connection:
            rows = connection.execute(select(users).order_by(users.c.name)).mappings().all()
        return [_user(row) for row in rows]

    def find(self, name: str) -> User | None:
        """The user of this name."""
        with self._store.look() as connection:
            row = _row(connection, name.casefold())
        return None if row is None else _user(row)

    def get(self, name: str) -> User:
        """The same; UnknownUserError where there is none."""
        if (found := self.find(name)) is None:
            raise UnknownUserError(f"there is no user {name}")
        return found

    def any(self) -> bool:
        """Whether there is one."""
        with self._store.look() as connection:
            return connection.execute(select(users.c.name).limit(1)).first() is not None

    def add(self, name: str, password: str, role: str | None = None) -> User:
        """A new user; without a role the first becomes admin, others editor. Raises InputError."""
        name, password = checked_name(name), checked_password(password)
        if role is not None:
            checked_role(role)
        hashed = _hasher().hash(password)
        with self._store.begin() as connection:
            first = connection.execute(select(users.c.name).limit(1)).first() is None
            user = User(name, role or ("admin" if first else "editor"), "", database_time(connection))
            values = {"role": user.role, "language": "", "created_at": user.created_at}
            if not insert_or_leave(connection, users, name=name, password=hashed, **values):
                raise ConflictError(f"there is a user {name} already")
        return user

    def remove(self, name: str) -> None:
        """Take a user away, with their sessions, tokens and webhooks. Raises InputError."""
        with self._changing(name) as (connection, user):
            _keep_an_admin(connection, user)
            connection.execute(delete(tokens).where(tokens.c.user == user.name))
            _drop_webhooks(connection, user)
            connection.execute(delete(users).where(users.c.name == user.name))

    def set_role(self, name: str, role: str) -> None:
        """Who isn't admin any more has no webhooks either. Raises InputError."""
        checked_role(role)
        with self._changing(name) as (connection, user):
            if role != "admin":
                _keep_an_admin(connection, user)
                _drop_webhooks(connection, user)
            connection.execute(update(users).where(users.c.name == user.name).values(role=role))

    def set_password(self, name: str, password: str, *, keep_tokens: bool = False) -> None:
        """Their tokens go, too, unless it is they who ask for it. Raises InputError."""
        hashed = _hasher().hash(checked_password(password))
        with self._changing(name) as (connection, user):
            connection.execute(update(users).where(users.c.name == user.name).values(password=hashed))
            if not keep_tokens:
                connection.execute(delete(tokens).where(tokens.c.user == user.name))

    def set_language(self, name: str, language: str) -> None:
        """The language to speak with a user, "" for what their browser asks for."""
        with self._store.begin() as connection:
            connection.execute(update(users).where(users.c.name == name).values(language=language))

    def verified(self, name: str, password: str) -> User | None:
        """The user, if it is their password; takes as long where there is no such user."""
        from argon2.exceptions import Argon2Error, InvalidHashError

        name, password = name.casefold(), unicodedata.normalize("NFKC", password)
        with self._store.look() as connection:
            row = _row(connection, name)
        hashed = row["password"] if row is not None else _nobody()
        try:
            _hasher().verify(hashed, password)
        except (Argon2Error, InvalidHashError):
            return None
        if row is None:
            return None
        if _hasher().check_needs_rehash(hashed):
            with self._store.begin() as connection:
                values = {"password": _hasher().hash(password)}
                same = (users.c.name == name) & (users.c.password == hashed)
                connection.execute(update(users).where(same).values(**values))
        return _user(row)

    @contextmanager
    def _changing(self, name: str) -> Iterator[tuple[Connection, User]]:
        with self._store.begin() as connection:
            row = _row(connection, name.casefold())
            if row is None:
                raise UnknownUserError(f"there is no user {name}")
            yield connection, _user(row)
            connection.execute(delete(sessions).where(sessions.c.user == row["name"]))


def checked_name(name: str) -> str:
    """A name as it is kept; InputError for one that can't be had."""
    folded = name.casefold()
    if not re.fullmatch(NAME, folded):
        raise InputError(
            f"{name!r} is no name for a user: up to 40 of a-z, 0-9, . _ and -, a letter or digit first"
        )
    if folded == OWNER:
        raise InputError(f"{OWNER} is what the app calls who starts it: take another name")
    return folded


def checked_password(password: str) -> str:
    """A password in the form that is hashed, the same from all keyboards; InputError where it is too short."""
    password = unicodedata.normalize("NFKC", password)
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise InputError(f"a password has at least {MIN_PASSWORD_CHARS} characters")
    return password


def checked_role(role: str) -> str:
    """A role; InputError for what is none."""
    if role not in ROLES:
        raise InputError(f"no role {role!r}: use {', '.join(ROLES)}")
    return role


def _row(connection: Connection, name: str) -> RowMapping | None:
    return connection.execute(select(users).where(users.c.name == name)).mappings().first()


def _user(row: RowMapping | Any) -> User:
    return User(row["name"], row["role"], row["language"], row["created_at"])


def _keep_an_admin(connection: Connection, user: User) -> None:
    admins = select(users.c.name).where(users.c.role == "admin").with_for_update()
    if connection.execute(admins).scalars().all() == [user.name]:
        raise ConflictError(f"{user.name} is the last admin: make another user admin first")


def _drop_webhooks(connection: Connection, user: User) -> None:
    own = select(webhooks.c.id).where(webhooks.c.user == user.name)
    connection.execute(delete(deliveries).where(deliveries.c.webhook.in_(own)))
    connection.execute(delete(webhooks).where(webhooks.c.user == user.name))


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(HASH_PASSES, HASH_KIB, parallelism=1)


@cache
def _nobody() -> str:
    """The hash of a password that nobody has."""
    import secrets

    return _hasher().hash(secrets.token_urlsafe())
