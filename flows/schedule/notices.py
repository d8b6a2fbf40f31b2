"""Telling people what happened, by mail, chat or push: Apprise sends what is told of `flows.schedule.happenings`.

Each address of `[notify]` remembers in the store how far it was told, so it does not matter which process tells, and
of several one does: it moves the address's next time on before it sends. If it dies between sending and noting that,
the same is told once more. What happens is gathered and told as one message when nothing waits to be worked on, or
after a while. A service that is down is tried again with growing pauses, for a day.

An address holds secrets. It comes from the environment, and goes to nobody but the process that sends.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from sqlalchemy import update

from audio.transfer.addresses import without_secrets
from flows.schedule import happenings, totals
from flows.schedule import settings as configuration
from flows.schedule.happenings import Happening
from flows.schedule.settings import Notify, Occasion, Settings
from flows.schedule.store import Store, open_store
from flows.schedule.tables import database_time, readers
from models.record.errors import InputError
from models.runtime.children import child_command, child_environment
from outputs.text.terminal import plain

LOOK_SECONDS = 2.0  # between two looks at the store
SEND_SECONDS = 30.0  # for one message
CLAIM_SECONDS = 90.0  # more than sending takes: until then nobody else sends the same
PAUSES = (60.0, 300.0, 1800.0, 7200.0)  # after each failed attempt, the last one again and again
GIVE_UP_SECONDS = 24 * 3600.0  # after what is told happened
SHOWN = 10  # episodes that a message names
TITLE_CHARS, ERROR_CHARS = 100, 200
STEERING = re.compile(r"[@*_~]|:(?=//)|(?<=\bwww)\.", re.IGNORECASE)
TO_WIDE = 0xFF01 - 0x21  # from a character of ASCII to the wide one
PAGE = "transcript.html"
WORDS: dict[Occasion, str] = {
    "given_up": "given up",
    "held_back": "waiting for other settings",
    "failed": "failed and tried again",
    "review": "to review",
    "done": "done",
}
URGENT = tuple(WORDS)  # what is told first
BAD: tuple[Occasion, ...] = ("given_up", "held_back")
When = Literal["late", "idle", "now"]
"""To tell what is older than `every` of who is told, also where nothing waits to be worked on, or in any case."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to send: `name` is the target's with a number, fit to be shown, as `service` is; `url` is not."""

    name: str
    target: Notify
    url: str = field(repr=False)

    @property
    def service(self) -> str:
        """The kind of service, such as "slack"."""
        return self.url.partition("://")[0].lower()


@dataclass(frozen=True, slots=True)
class Message:
    """Plain text, and whether it is good news: info, warning or failure."""

    title: str
    body: str
    kind: str = "info"


@dataclass(frozen=True, slots=True)
class _Claim:
    """A message that is ours to send: what it tells ends with the happening `last`.

    lapsed: the last happening for which this is the last attempt, 0 where there will be more for all.
    """

    address: Address
    message: Message
    last: int
    attempt: int
    lapsed: int


def tell(settings: Settings, store: Store, when: When = "idle") -> list[str]:
    """Tell what is to be told; returns what is wrong, in lines without secrets. Takes SEND_SECONDS at most."""
    problems, claims = list[str](), list[_Claim]()
    for name, target in settings.notify.items():
        try:
            for address in addresses(name, target):
                if (claim := _claimed(settings, store, address, when)) is not None:
                    claims.append(claim)
        except InputError as error:
            problems.append(f"notify.{name}: {error}")
    if claims:
        with ThreadPoolExecutor(len(claims)) as pool:
            problems += filter(None, pool.map(lambda claim: _told(store, claim), claims))
    return problems


@contextmanager
def telling(say: Callable[[str], None], *, at_end: bool = True) -> Iterator[None]:
    """Within, what happens is told, in a thread of its own; problems are said once each.

    at_end: whether what was gathered is told at the end of the block, which waits for that, and not before that when
    nothing happens to wait to be worked on.
    """
    ended, said = threading.Event(), set[str]()

    def look(when: When = "late" if at_end else "idle") -> None:
        try:
            settings = configuration.current()
            problems = tell(settings, open_store(settings.store), when) if settings.notify else []
        except Exception as error:  # a store that can't be reached now, or a file that is being changed
            problems = [f"nobody can be told now: {error}"]
        for problem in problems:
            if problem not in said:
                say(problem)
        said.update(problems)

    def keep_looking() -> None:
        while not ended.wait(LOOK_SECONDS):
            look()

    look()  # so that all that happens from now on is news
    teller = threading.Thread(target=keep_looking, name="notices", daemon=True)
    teller.start()
    try:
        yield
    except BaseException:
        ended.set()
        raise
    ended.set()
    if at_end:
        teller.join()
        look("now")


def try_out(settings: Settings, names: Sequence[str]) -> list[tuple[str, str]]:
    """Send a test message to all addresses, or those of some targets; each with what is wrong, "" where it was taken.

    InputError where there is nobody to tell, or a variable is missing.
    """
    for name in names:
        if name not in settings.notify:
            known = ", ".join(settings.notify) or "nobody yet"
            raise InputError(f"[notify.{name}] is not in {configuration.config_path()}; there is {known}")
    if not settings.notify:
        raise InputError(f"{configuration.config_path()} has no [notify.NAME]: docs/monitoring.md")
    message = Message(
        "Episcribe: a test", "This is what a message of Episcribe looks like. Nothing has happened."
    )
    found = [one for name in names or settings.notify for one in addresses(name, settings.notify[name])]
    with ThreadPoolExecutor(len(found)) as pool:
        reasons = list(pool.map(lambda one: send(one, message), found))
    return [(f"{one.name} ({plain(one.service)})", why) for one, why in zip(found, reasons, strict=True)]


def addresses(name: str, target: Notify) -> list[Address]:
    """The addresses of a target. InputError where its variable is missing."""
    return [Address(f"{name}/{number}", target, url) for number, url in enumerate(target.addresses(), 1)]


def send(address: Address, message: Message) -> str:
    """Send a message, in a process of its own that can't take longer than it may; why it was not taken, else "".

    Apprise and what it stands on write addresses into their logs, and wait as long as an address says: neither gets
    out of that process.
    """
    given = {"url": address.url, "title": message.title, "body": message.body, "kind": message.kind}
    try:
        done = subprocess.run(
            child_command("flows.schedule.sending"),
            input=json.dumps(given).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(),
            timeout=SEND_SECONDS,
            check=True,
            start_new_session=True,  # Ctrl-C is for us
        )
        return str(json.loads(done.stdout))
    except subprocess.TimeoutExpired:
        return f"no answer within {SEND_SECONDS:.0f} s"
    except (OSError, subprocess.CalledProcessError, ValueError):  # whose words may hold the address
        return "the process that sends failed"


def _claimed(settings: Settings, store: Store, address: Address, when: When) -> _Claim | None:
    """What is to be sent to an address now, where it is for us to send.

    What is more than a day old and was not tried yet is passed over: nobody told that address anything in that time.
    """
    with store.look() as connection:
        known, moment = happenings.reader_of(connection, address.name), database_time(connection)
        first = happenings.moment_after(connection, known["last"]) if known else None
    if known and (first is None or known["next_try_at"] > moment):
        return None
    ripe = when == "now" or (when == "idle" and _is_idle(store))
    if first is not None and not ripe and first + address.target.every > moment:
        return None
    with store.begin() as connection:
        reader, moment = happenings.read_to(connection, address.name), database_time(connection)
        if reader["next_try_at"] > moment:
            return None
        news = happenings.since(connection, reader["last"])
        old = 0.0 if reader["attempts"] else moment - GIVE_UP_SECONDS - address.target.every
        told = [
            (one, occasion)
            for one in news
            if one.moment > old and (occasion := occasion_of(one, address.target))
        ]
        if not told:
            if news:
                happenings.move(connection, address.name, news[-1].id)
            return None
        if not ripe and told[0][0].moment + address.target.every > moment:
            if not reader["attempts"]:  # what nobody is told needn't be read again
                happenings.move(connection, address.name, told[0][0].id - 1)
            return None
        attempt = reader["attempts"] + 1
        claimed = update(readers).where(readers.c.name == address.name)
        connection.execute(claimed.values(attempts=attempt, next_try_at=moment + CLAIM_SECONDS))
    lapsed = max((one.id for one in news if one.moment + GIVE_UP_SECONDS <= moment), default=0)
    return _Claim(address, message_of(told, settings), news[-1].id, attempt, lapsed if attempt > 1 else 0)


def _is_idle(store: Store) -> bool:
    """Whether nothing waits to be worked on, nor is."""
    due, *_, active = store.bustle()
    return not due and not active


def _told(store: Store, claim: _Claim) -> str:
    """Send what is ours to send and note what came of it; why it was not taken, else ""."""
    why = send(claim.address, claim.message)
    outcome = "failed" if why and not claim.lapsed else "given_up" if why else "sent"
    name = claim.address.name
    with store.begin() as connection:
        if why and claim.lapsed < claim.last:
            pause = PAUSES[min(claim.attempt, len(PAUSES)) - 1]
            own = update(readers).where(
                readers.c.name == name,
                readers.c.attempts == claim.attempt,
                readers.c.last < (claim.lapsed or claim.last),
            )
            values = {"next_try_at": database_time(connection) + pause}
            connection.execute(own.values(values | ({"last": claim.lapsed} if claim.lapsed else {})))
        else:
            happenings.move(connection, name, claim.last)
        totals.add(connection, totals.NOTICES, {f"{name} {outcome}": 1})
    given_up = "; it is given up" if outcome == "given_up" else ""
    return f"notify.{name} ({plain(claim.address.service)}): {why}{given_up}" if why else ""


# What a message says


def occasion_of(one: Happening, target: Notify) -> Occasion | None:
    """As what a target is told of something that happened; None where it isn't."""
    if target.shows and one.show not in target.shows:
        return None
    if one.event == "done" and "review" in target.on and max(one.words, one.speakers) > target.doubtful:
        return "review"
    return one.event if one.event in target.on else None


def message_of(told: Sequence[tuple[Happening, Occasion]], settings: Settings) -> Message:
    """One message of all that happened: how much of what, and the first few episodes.

    Titles, names and errors come from strangers: they are one line of plain text each, in which nothing marks a link,
    an address or a person. A service may still make a link of a bare name such as example.org.
    """
    counts = Counter(occasion for _, occasion in told)
    title = f"Episcribe: {', '.join(f'{counts[one]} {WORDS[one]}' for one in URGENT if counts[one])}"
    by_urgency = sorted(told, key=lambda one: URGENT.index(one[1]))
    lines = [line for one, occasion in by_urgency[:SHOWN] for line in _lines(one, occasion, settings)]
    if (more := len(told) - SHOWN) > 0:
        lines.append(f"... and {more} more")
    kind = (
        "failure"
        if any(counts[one] for one in BAD)
        else "warning"
        if counts["failed"] or counts["review"]
        else "info"
    )
    return Message(title, "\n".join(lines), kind)


def _lines(one: Happening, occasion: Occasion, settings: Settings) -> Iterable[str]:
    show = _quoted(one.episode.show or one.show, TITLE_CHARS)
    title = _quoted(one.episode.title, TITLE_CHARS) or one.episode.id
    yield f"{WORDS[occasion].capitalize()}: {f'{show}: ' if show else ''}{title}"
    if occasion == "review":
        yield f"  in doubt: {one.words:.0%} of its words, {one.speakers:.0%} of its talk by who speaks"
    if one.error:
        yield f"  {_quoted(without_secrets(one.error), ERROR_CHARS)}"
    if one.place and settings.base_url and "html" in settings.formats:
        yield f"  {settings.base_url.rstrip('/')}/{quote(one.place)}/{PAGE}"


def _quoted(text: str, most: int) -> str:
    """Text from outside, so long at most, with wide characters for those by which chats call, link and mark.

    >>> _quoted("@all: *see* https://x.example or www.x.example", 100)
    '＠all: ＊see＊ https：//x.example or www．x.example'
    """
    made = STEERING.sub(lambda found: chr(ord(found[0]) + TO_WIDE), plain(text))
    return made if len(made) <= most else f"{made[: most - 3].rstrip()}..."
