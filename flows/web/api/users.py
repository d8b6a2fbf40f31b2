"""Signing in, the caller's own account, and all users."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from typing import Annotated, Literal, TypeVar

import anyio.to_thread
from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from flows.schedule.queue import OWNER
from flows.web import authentication, catalogs
from flows.web.access import Admin, Caller, Reader
from flows.web.accounts import accounts_of
from flows.web.episodes import config_of
from flows.web.paging import Page, Paging
from flows.web.problems import ProblemError
from flows.web.sessions import csrf_of
from flows.web.users import (
    MAX_PASSWORD_CHARS,
    MIN_PASSWORD_CHARS,
    ConflictError,
    UnknownUserError,
    User,
)

router = APIRouter(tags=["users"])
Role = Literal["reader", "editor", "admin"]
Name = Annotated[
    str, Field(min_length=1, max_length=40, description="a-z, 0-9, . _ and -; case doesn't count")
]
GivenPassword = Annotated[str, Field(max_length=MAX_PASSWORD_CHARS)]
NewPassword = Annotated[str, Field(min_length=MIN_PASSWORD_CHARS, max_length=MAX_PASSWORD_CHARS)]
Moment = Annotated[float, Field(description="seconds since 1970")]
HASHES_AT_ONCE = 2  # each takes 19 MiB and keeps a core busy
PRIVATE = {"Cache-Control": "no-store"}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Me(BaseModel):
    """The caller."""

    model_config = ConfigDict(from_attributes=True)

    name: str = Field(description='a user, or "owner": who started the app on their own machine')
    role: Role
    language: str = Field(description='what the app speaks with them; "": what their browser asks for')
    csrf: str = Field(description='X-CSRF-Token of unsafe requests of this browser; "" for programs')


class Login(_Model):
    """A user's name and password."""

    name: Annotated[str, Field(max_length=100)]
    password: GivenPassword


class MyChanges(_Model):
    """What is to change; a new password takes the old one."""

    language: str | None = Field(
        None, description='of the catalogs, such as "de"; "": what the browser asks for'
    )
    password: NewPassword | None = None
    old: GivenPassword = Field("", description="the password until now")

    @field_validator("language")
    @classmethod
    def _is_there(cls, language: str | None) -> str | None:
        if language and language not in catalogs.languages():
            raise ValueError(f"use one of {', '.join(catalogs.languages())}")
        return language


class UserOut(BaseModel):
    """A user."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    role: Role
    language: str
    created_at: Moment


class NewUser(_Model):
    """A user to be."""

    name: Name
    password: NewPassword
    role: Role = "editor"


class UserChanges(_Model):
    """What is to change; the user is signed out everywhere, and with a new password their tokens end, too."""

    role: Role | None = None
    password: NewPassword | None = None


class TokenOut(BaseModel):
    """A token of a program, without what lets it in."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    label: str
    created_at: Moment
    used_at: Moment | None = Field(None, description="to five minutes; null: never")


class NewToken(_Model):
    """A token to be."""

    label: Annotated[str, Field(min_length=1, max_length=100, description="what it is for")]


class MadeToken(TokenOut):
    """A new token."""

    token: str = Field(description="for Authorization: Bearer; to be had only now")


@router.get("/me")
def who_am_i(caller: Reader, response: Response) -> Me:
    """Who the caller is, and what unsafe requests of a browser must bear as X-CSRF-Token."""
    response.headers.update(PRIVATE)
    return Me.model_validate(caller)


@router.patch("/me", responses={403: {"description": "The old password is wrong."}})
async def change_me(changes: MyChanges, caller: Reader, request: Request, response: Response) -> Me:
    """Another language or password; with a new password all other sessions end, and `csrf` is a new one."""
    config, csrf = config_of(request), caller.csrf
    if changes.password is not None:
        _own_account(caller)
        if await _verified(request, caller.name, changes.old) is None:
            raise ProblemError(403, "password", "the old password is wrong")
        set_password = accounts_of(request).users.set_password
        await _hashing(partial(set_password, caller.name, changes.password, keep_tokens=True))
        accounts_of(request).forget()
        csrf = await _new_session(request, response, caller.name) if caller.csrf else ""
    if changes.language is not None:
        if caller.name == OWNER:
            name = authentication.language_cookie(config)
            response.set_cookie(
                name,
                changes.language,
                max_age=31_536_000,
                path=config.base or "/",
                secure=config.secure,
                httponly=True,
                samesite="strict",
            )
        else:
            set_language = partial(accounts_of(request).users.set_language, caller.name, changes.language)
            await anyio.to_thread.run_sync(set_language)
            accounts_of(request).forget()
    language = caller.language if changes.language is None else changes.language
    response.headers.update(PRIVATE)
    return Me.model_validate(replace(caller, language=language, csrf=csrf))


@router.post(
    "/login",
    responses={
        401: {"description": "No such user, or not their password."},
        429: {"description": "Too many attempts that failed; Retry-After says how long to wait."},
    },
)
async def login(given: Login, request: Request, response: Response) -> Me:
    """Sign in: the answer sets the cookie of a new session."""
    user = await _verified(request, given.name, given.password)
    if user is None:
        raise ProblemError(401, "login", "no such user, or another password")
    old = request.cookies.get(authentication.cookie_name(config_of(request)), "")
    await anyio.to_thread.run_sync(accounts_of(request).sessions.end, old)
    csrf = await _new_session(request, response, user.name)
    response.headers.update(PRIVATE)
    return Me(name=user.name, role=user.role, language=user.language, csrf=csrf)


@router.post("/logout", status_code=204)
def logout(_: Reader, request: Request, response: Response) -> None:
    """Sign out this browser."""
    if session := getattr(request.state, "session", ""):
        accounts_of(request).sessions.end(session)
    authentication.drop_cookie(response, config_of(request))


@router.get("/users")
def all_users(_: Admin, request: Request, paging: Paging) -> Page[UserOut]:
    """All users, by name."""
    return paging.slice([UserOut.model_validate(user) for user in accounts_of(request).users.all()])


@router.post("/users", status_code=201, responses={409: {"description": "There is one of this name."}})
async def add_user(new: NewUser, _: Admin, request: Request) -> UserOut:
    """Add a user."""
    with _conflicts():
        add = partial(accounts_of(request).users.add, new.name, new.password, new.role)
        return UserOut.model_validate(await _hashing(add))


@router.patch("/users/{name}", responses={409: {"description": "They are the last admin."}})
async def change_user(name: str, changes: UserChanges, _: Admin, request: Request) -> UserOut:
    """Give a user another role or password."""
    users = accounts_of(request).users
    with _conflicts():
        if changes.role is not None:
            await anyio.to_thread.run_sync(users.set_role, name, changes.role)
        if changes.password is not None:
            await _hashing(partial(users.set_password, name, changes.password))
        accounts_of(request).forget()
        return UserOut.model_validate(await anyio.to_thread.run_sync(users.get, name))


@router.delete("/users/{name}", status_code=204, responses={409: {"description": "They are the last admin."}})
def remove_user(name: str, _: Admin, request: Request) -> None:
    """Remove a user, with their sessions, tokens and webhooks."""
    with _conflicts():
        accounts_of(request).users.remove(name)
    accounts_of(request).forget()


@router.get("/tokens")
def my_tokens(caller: Reader, request: Request, paging: Paging) -> Page[TokenOut]:
    """The caller's tokens, newest first."""
    return paging.slice(
        [TokenOut.model_validate(token) for token in accounts_of(request).tokens.of(caller.name)]
    )


@router.post(
    "/tokens", status_code=201, responses={403: {"description": "A token asks, which makes no others."}}
)
def make_token(new: NewToken, caller: Reader, request: Request, response: Response) -> MadeToken:
    """A token with which a program may do what the caller may."""
    _own_account(caller)
    if not caller.csrf:
        raise ProblemError(403, "token", "a token makes no others: sign in for that")
    token, secret = accounts_of(request).tokens.make(caller.name, new.label)
    response.headers.update(PRIVATE)
    return MadeToken(**asdict(token), token=secret)


@router.delete("/tokens/{token}", status_code=204)
def drop_token(token: str, caller: Reader, request: Request) -> None:
    """Have one of the caller's tokens let nobody in any more."""
    if not accounts_of(request).tokens.drop(caller.name, token):
        raise HTTPException(404, "you have no such token")


Result = TypeVar("Result")
_hashes = anyio.CapacityLimiter(HASHES_AT_ONCE)


async def _hashing(work: Callable[[], Result]) -> Result:
    """Do what hashes a password, with not too many at once: strangers can ask for it."""
    return await anyio.to_thread.run_sync(work, limiter=_hashes)


async def _verified(request: Request, name: str, password: str) -> User | None:
    """The user if it is their password; ProblemError 429 where too many attempts failed."""
    accounts, address = accounts_of(request), request.client.host if request.client else ""
    wait = await anyio.to_thread.run_sync(accounts.throttle.attempt, name, address)
    if wait > 0:
        seconds = math.ceil(wait)
        told = f"too many attempts failed: try again in {seconds} s"
        headers = {"Retry-After": str(seconds)}
        raise ProblemError(429, "attempts", told, headers, retry_after=seconds)
    user = await _hashing(partial(accounts.users.verified, name, password))
    if user is not None:
        await anyio.to_thread.run_sync(accounts.throttle.succeeded, name, address)
    return user


async def _new_session(request: Request, response: Response, name: str) -> str:
    """Begin a session in the caller's browser; its X-CSRF-Token."""
    secret = await anyio.to_thread.run_sync(accounts_of(request).sessions.begin, name)
    authentication.set_cookie(response, config_of(request), secret)
    return csrf_of(secret)


def _own_account(caller: Caller) -> None:
    if caller.name == OWNER:
        raise ProblemError(409, "owner", "this takes a user: `episcribe users add NAME` makes one")


@contextmanager
def _conflicts() -> Iterator[None]:
    """What can't be done to users as failures of HTTP."""
    try:
        yield
    except UnknownUserError as error:
        raise HTTPException(404, str(error)) from None
    except ConflictError as error:
        raise ProblemError(409, "conflict", str(error)) from None
