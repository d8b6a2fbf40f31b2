"""Telling other programs that an episode is done or has failed: webhooks, signed as Standard Webhooks says.

What is to be told is found in the store (`flows.schedule.happenings`), so it does not matter who worked on an
episode, nor whether an app ran at that time. Each delivery is a row of the store and is tried until it is taken, with
growing pauses, for about a day; it has the same id every time. An app that tries it first moves its next time on, so of
several apps one does. https://www.standardwebhooks.com
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from sqlalchemy import RowMapping, and_, delete, func, insert, or_, select, update

from audio.transfer.addresses import checked_url
from audio.transfer.network import check_name
from audio.transfer.post import post
from flows.schedule import happenings, totals
from flows.schedule.happenings import Happening
from flows.schedule.store import Store
from flows.schedule.tables import database_time, deliveries, insert_or_leave, webhooks
from flows.web.config import WebConfig
from flows.web.lasting import Lasting
from models.record.errors import EpiscribeError, InputError
from outputs.text.terminal import printable

EVENTS_OF: dict[happenings.Event, str] = {
    "done": "episode.done",
    "failed": "episode.attempt_failed",
    "held_back": "episode.attempt_failed",
    "given_up": "episode.failed",
}
EVENTS = tuple(dict.fromkeys(EVENTS_OF.values()))
READER = "webhooks"
PREFIX = "whsec_"
SECRET_BYTES = 32
PAUSES = (
    5.0,
    300.0,
    1800.0,
    7200.0,
    18_000.0,
    36_000.0,
    36_000.0,
)  # after each failed attempt; then it is given up
LOOK_SECONDS = 1.0  # between two looks at the store
SEND_SECONDS = 15.0  # for one attempt
CLAIM_SECONDS = 60.0  # more than a try takes: until then no other app tries the same
END_SECONDS = 1.0  # for what is being sent when the app ends
AT_ONCE = 16  # webhooks that are being told something
KEEP_SECONDS = 30 * 24 * 3600.0  # that deliveries are remembered
MAX_HOOKS = 50  # of one user
ANSWER_CHARS = 200
GONE = 410  # the receiver wants no more of it


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a user wants to be told of which events; created_at in seconds since 1970."""

    id: str
    user: str
    url: str
    events: tuple[str, ...]
    created_at: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event told to one webhook: `state` is waiting, delivered or failed; `answer` what came back last."""

    id: str
    event: str
    state: str
    attempts: int
    next_try_at: float
    answer: str
    created_at: float


class Webhooks:
    """The webhooks of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, user: str, url: str, events: Sequence[str], *, allow_private: bool) -> tuple[Webhook, str]:
        """Subscribe; returns the secret, too, which nobody is shown again. InputError for what can't be told."""
        target = checked_url(url)
        if target.userinfo:
            raise InputError("a login does not belong in the address: what is sent is signed")
        if not allow_private:
            check_name(target.host, target.port or (443 if target.scheme == "https" else 80))
        secret = PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        with self._store.begin() as connection:
            own = select(func.count()).select_from(webhooks).where(webhooks.c.user == user)
            if connection.execute(own).scalar_one() >= MAX_HOOKS:
                raise InputError(f"{user} has {MAX_HOOKS} webhooks already")
            hook = Webhook(f"wh_{uuid4().hex}", user, url, tuple(events), database_time(connection))
            values = {"id": hook.id, "user": user, "url": url, "created_at": hook.created_at}
            connection.execute(insert(webhooks).values(**values, events=",".join(events), secret=secret))
        return hook, secret

    def all(self) -> list[Webhook]:
        """Whoever made them, the oldest first."""
        wanted = select(webhooks).order_by(webhooks.c.created_at, webhooks.c.id)
        with self._store.look() as connection:
            return [_webhook(row) for row in connection.execute(wanted).mappings()]

    def remove(self, hook: str) -> None:
        """Tell it nothing more."""
        with self._store.begin() as connection:
            connection.execute(delete(deliveries).where(deliveries.c.webhook == hook))
            connection.execute(delete(webhooks).where(webhooks.c.id == hook))

    def deliveries(self, hook: str, limit: int, after: tuple[float, str] | None = None) -> list[Delivery]:
        """What was told to a webhook, the last first; `after`: created_at and id of one, to go on behind it."""
        wanted = select(deliveries).where(deliveries.c.webhook == hook)
        if after is not None:
            then, last = after
            same = and_(deliveries.c.created_at == then, deliveries.c.id > last)
            wanted = wanted.where(or_(deliveries.c.created_at < then, same))
        wanted = wanted.order_by(deliveries.c.created_at.desc(), deliveries.c.id).limit(limit)
        with self._store.look() as connection:
            return [_delivery(row) for row in connection.execute(wanted).mappings()]


class Announcer:
    """Tells webhooks of what happens, in threads of its own."""

    def __init__(self, config: WebConfig) -> None:
        self._store, self._url, self._settings = config.store, config.url, config.settings
        self._ended, self._woken = threading.Event(), threading.Event()
        self._busy: set[str] = set()  # webhooks that are being told something
        self._looking, self._sending = Lasting("webhooks"), Lasting("a webhook")
        self._thread = threading.Thread(target=self._watch, name="webhooks", daemon=True)

    def __enter__(self) -> Announcer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """What is being sent now is sent again by the next app, if it doesn't get there in a moment."""
        self._ended.set()
        self._woken.set()
        self._thread.join(END_SECONDS)

    def _watch(self) -> None:
        while not self._ended.is_set():
            self._woken.wait(LOOK_SECONDS)
            self._woken.clear()
            with self._looking.once():
                if _has_news(self._store):
                    announce(self._store, self._url)
                for one in _due(self._store, self._busy.copy()):
                    self._busy.add(one["webhook"])
                    threading.Thread(target=self._deliver, args=(one,), daemon=True).start()

    def _deliver(self, delivery: RowMapping) -> None:
        """One at a time of a webhook, so that those that never answer hold up no others."""
        try:
            with self._sending.once():
                self._try(delivery)
                self._woken.set()  # there may be more for it
        finally:
            self._busy.discard(delivery["webhook"])

    def _try(self, delivery: RowMapping) -> None:
        """Try a delivery once, if no other app has it, and note what came of it."""
        number = delivery["attempts"] + 1
        mine = and_(deliveries.c.id == delivery["id"], deliveries.c.attempts == delivery["attempts"])
        last = number > len(PAUSES)
        with self._store.begin() as connection:
            then = database_time(connection) + CLAIM_SECONDS
            statement = update(deliveries).where(mine, deliveries.c.state == "waiting")
            if not connection.execute(statement.values(attempts=number, next_try_at=then)).rowcount:
                return
        status, said = self._send(delivery)
        taken = 200 <= status < 300
        state = "delivered" if taken else "failed" if last or status == GONE else "waiting"
        pause = PAUSES[min(number, len(PAUSES)) - 1] * (1 + secrets.randbelow(100) / 1000)
        with self._store.begin() as connection:
            own = update(deliveries).where(deliveries.c.id == delivery["id"], deliveries.c.attempts == number)
            then = database_time(connection) + pause
            connection.execute(own.values(state=state, answer=said, next_try_at=then))
            outcome = "sent" if taken else "given_up" if state == "failed" else "failed"
            totals.add(connection, totals.DELIVERIES, {outcome: 1})

    def _send(self, delivery: RowMapping) -> tuple[int, str]:
        """The status of the answer, 0 where there was none, and the beginning of what it says."""
        body, sent_at = delivery["body"].encode(), int(time.time())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": delivery["id"],
            "webhook-timestamp": str(sent_at),
            "webhook-signature": signature(delivery["secret"], delivery["id"], sent_at, body),
        }
        try:
            answer = post(
                delivery["url"],
                body,
                headers,
                allow_private=self._settings.allow_private,
                proxy=self._settings.proxy,
                seconds=SEND_SECONDS,
            )
        except EpiscribeError as error:
            return 0, printable(str(error))[:ANSWER_CHARS]
        said = printable(answer.data.decode("utf-8", "replace"))
        return answer.status, f"{answer.status} {said}".strip()[:ANSWER_CHARS]


def signature(secret: str, message: str, sent_at: int, body: bytes) -> str:
    """The signature of a message by its id, time in seconds since 1970 and body.

    >>> secret, message = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    >>> signature(secret, message, 1614265330, b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    key = base64.b64decode(secret.removeprefix(PREFIX))
    told = f"{message}.{sent_at}.".encode() + body
    return f"v1,{base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()}"


def announce(store: Store, url: str) -> None:
    """Make deliveries of what happened since the last time, to each webhook of what came after it."""
    with store.begin() as connection:
        now = database_time(connection)
        news = happenings.since(connection, happenings.read_to(connection, READER, begin=0)["last"])
        hooks = list(connection.execute(select(webhooks)).mappings()) if news else []
        for one in news:
            event = EVENTS_OF[one.event]
            body = json.dumps({"type": event, "timestamp": _moment(one.moment), "data": _data(one, url)})
            for hook in hooks:
                if event in hook["events"].split(",") and hook["created_at"] <= one.moment:
                    key = f"{hook['id']} {event} {one.episode.id} {one.moment}"
                    values = {"id": f"msg_{uuid5(NAMESPACE_URL, key).hex}", "webhook": hook["id"]}
                    values |= {"event": event, "body": body, "state": "waiting", "answer": ""}
                    insert_or_leave(
                        connection, deliveries, **values, attempts=0, next_try_at=now, created_at=now
                    )
        if news:
            happenings.move(connection, READER, news[-1].id)
        old = and_(deliveries.c.state != "waiting", deliveries.c.created_at < now - KEEP_SECONDS)
        connection.execute(delete(deliveries).where(old))


def _has_news(store: Store) -> bool:
    with store.look() as connection:
        return happenings.has_news(connection, READER)


def _due(store: Store, busy: AbstractSet[str]) -> list[RowMapping]:
    """What is to be sent now: one delivery of each webhook that is not busy, as many as may be sent beside those."""
    with store.look() as connection:
        due = and_(deliveries.c.state == "waiting", deliveries.c.next_try_at <= database_time(connection))
        order = (deliveries.c.next_try_at, deliveries.c.id)
        turn = func.row_number().over(partition_by=deliveries.c.webhook, order_by=order).label("turn")
        first = select(deliveries.c.id, turn).where(due, deliveries.c.webhook.not_in(busy)).subquery()
        wanted = (
            select(deliveries, webhooks.c.url, webhooks.c.secret)
            .join(first, first.c.id == deliveries.c.id)
            .join(webhooks, webhooks.c.id == deliveries.c.webhook)
            .where(first.c.turn == 1)
            .order_by(*order)
            .limit(max(0, AT_ONCE - len(busy)))
        )
        return list(connection.execute(wanted).mappings())


def _data(one: Happening, url: str) -> dict[str, Any]:
    return {
        "id": one.episode.id,
        "show": one.show,
        "title": one.episode.title,
        "published": one.episode.published,
        "episode": one.place,
        "url": f"{url}/episodes/{one.place}" if one.place else None,
        "error": one.error,
        "warnings": one.warnings,
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _webhook(row: RowMapping) -> Webhook:
    return Webhook(row["id"], row["user"], row["url"], tuple(row["events"].split(",")), row["created_at"])


def _delivery(row: RowMapping) -> Delivery:
    names = ("id", "event", "state", "attempts", "next_try_at", "answer", "created_at")
    return Delivery(**{name: row[name] for name in names})
