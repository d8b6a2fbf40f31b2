"""Shows in episcribe.toml, added and removed without touching what else its user wrote there."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from audio.feeds.parse import Feed
from audio.transfer.addresses import checked_url, origin, redacted, web_address, without_login
from audio.transfer.download import Limits
from flows import finding
from flows.finding import FoundFeed
from flows.library.audio import downloads_folder
from flows.schedule import settings as configuration
from flows.schedule.rules import ALL
from flows.schedule.settings import NAME, Settings, Show
from flows.schedule.store import Store
from models.record.errors import InputError
from models.record.identity import feed_key
from outputs.library.files import locked, replace_files
from outputs.text.slug import slug

TABLE = "shows"
MAX_BASE = 72  # characters of a name before its number


def look(
    name: str, wanted: Mapping[str, Any], *, allow_private: bool = False
) -> tuple[str, dict[str, Any], FoundFeed]:
    """Read the feed of a show that may be added: its name, the keys of `Show` that say something, and its feed.

    Its address may be that of the feed, of a page of the show, or a link to it in a directory.

    name: "" to call it by the title of the feed. InputError where the feed can't be used, or the show is there already.
    """
    settings = configuration.load()
    told = {key: value for key, value in wanted.items() if value not in (None, "", [], ())}
    told |= {key: list(value) for key, value in told.items() if isinstance(value, tuple)}
    if told.get("types") == list(ALL.types):
        del told["types"]
    told["url"] = web_address(told["url"].strip())
    found = feed_of(checked(told), settings, allow_private=allow_private)
    told["url"] = without_login(found.url)
    _refuse_twice(settings, checked(told).url)
    return _free_name(name, found.feed, settings), told, found


def feed_of(show: Show, settings: Settings, *, allow_private: bool = False) -> FoundFeed:
    """The feed of a show, whose address may be that of its page, or a link to it. InputError where there is none.

    Its login goes to the server of its address only; a feed that lies elsewhere is refused to a show with one.
    """
    access = show.access(settings.proxy)
    reach = finding.Reach(
        downloads_folder(),
        allow_private or settings.allow_private,
        Limits(seconds=settings.limits.feed_seconds),
        lambda url: access,
    )
    found = finding.feed_at(show.url, reach)
    if access.secret and origin(checked_url(found.url)) != origin(checked_url(show.url)):
        raise InputError(
            f"{redacted(show.url)} leads to {redacted(found.url)}: give that address, if it is to be told the login"
        )
    return found


def add(name: str, wanted: Mapping[str, Any], *, allow_private: bool = False) -> tuple[str, FoundFeed]:
    """Write a show to the file, once `look` has read its feed; returns its name and the feed. InputError as there."""
    _, told, found = look(name, wanted, allow_private=allow_private)
    with _changing() as document:
        settings = configuration.load()  # others may have written while the feed was read
        _refuse_twice(settings, checked(told).url)
        name = _free_name(name, found.feed, settings)
        document.setdefault(TABLE, tomlkit.table(is_super_table=True))[name] = told
        if allow_private:
            document["allow_private"] = True
    return name, found


def add_all(wanted: Sequence[tuple[str, Mapping[str, Any]]], *, allow_private: bool = False) -> list[str]:
    """Write many shows to the file at once, each called by its title; returns their names.

    wanted: titles, and the keys of `Show` that say something. Those whose feeds are followed by then are left out.
    """
    with _changing() as document:
        settings = configuration.load()
        followed, taken = {feed_key(show.url) for show in settings.shows.values()}, set(settings.shows)
        table = document.setdefault(TABLE, tomlkit.table(is_super_table=True))
        names = list[str]()
        for title, told in wanted:
            if feed_key(told["url"]) not in followed:
                name = _name_for(title, taken)
                table[name] = dict(told)
                followed.add(feed_key(told["url"]))
                taken.add(name)
                names.append(name)
        if allow_private:
            document["allow_private"] = True
    return names


def remove(name: str, store: Store) -> None:
    """Take a show out of the file, and what waits of it out of the queue. InputError where it isn't there."""
    configuration.load().show(name)
    with _changing() as document:
        if name not in document.get(TABLE, {}):
            raise InputError(f"{name} is set by the environment, not by {configuration.config_path()}")
        del document[TABLE][name]
    store.skip_unfollowed(configuration.load().shows)


def _refuse_twice(settings: Settings, url: str) -> None:
    for other, known in settings.shows.items():
        if known.url == url:
            raise InputError(f"{other} has this feed already")


def checked(told: Mapping[str, Any]) -> Show:
    """A show of these keys. InputError where one can't be."""
    from pydantic import ValidationError

    try:
        return Show.model_validate(told)
    except ValidationError as error:
        raise InputError("; ".join(configuration.validation_message(one) for one in error.errors())) from None


def _free_name(name: str, feed: Feed, settings: Settings) -> str:
    name = name or _name_for(feed.title, settings.shows)
    if name in settings.shows:
        raise InputError(f"a show is called {name!r} already: give another --name")
    if not NAME.fullmatch(name):
        raise InputError(f"{name!r} is no name for a show: use a-z, 0-9, - and _")
    return name


def _name_for(title: str, taken: Container[str]) -> str:
    """The title as a name that is not taken; ASCII only, since names are also keys and variables."""
    plain = "-".join(slug(title).encode("ascii", "ignore").decode().split("-")).strip("-")
    base = plain if NAME.fullmatch(plain) else "show"
    numbered = (base if number == 1 else f"{base[:MAX_BASE]}-{number}" for number in count(1))
    return next(name for name in numbered if name not in taken)


@contextmanager
def _changing() -> Iterator[tomlkit.TOMLDocument]:
    """The file to change, while no other program of this machine does; written at the end."""
    path = configuration.config_path()
    with locked(path, f".{path.name}.lock"):
        try:
            document = tomlkit.parse(path.read_text("utf-8")) if path.exists() else tomlkit.document()
        except (OSError, ValueError, TOMLKitError) as error:
            raise InputError(f"{path} can't be read: {error}") from None
        yield document
        replace_files({path: tomlkit.dumps(document).encode()})
