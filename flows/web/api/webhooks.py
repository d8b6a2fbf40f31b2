"""Who is told when an episode is done or has failed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from flows.web.access import Admin
from flows.web.episodes import config_of
from flows.web.paging import Page, Paging, bad_cursor
from flows.web.webhooks import Delivery, Webhook, Webhooks

router = APIRouter(tags=["webhooks"])
Event = Literal["episode.done", "episode.attempt_failed", "episode.failed"]


class NewWebhook(BaseModel):
    """Whom to tell what."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(
        max_length=2000, description="Gets a POST for each event; private addresses are refused."
    )
    events: Annotated[list[Event], Field(min_length=1, max_length=3)] = ["episode.done", "episode.failed"]


class WebhookTold(BaseModel):
    """A webhook."""

    id: str
    url: str
    events: list[Event]
    created_by: str
    created_at: datetime


class WebhookMade(WebhookTold):
    """A webhook just made, with its secret."""

    secret: str = Field(
        description="What messages are signed with (Standard Webhooks); it is not shown again."
    )


class DeliveryTold(BaseModel):
    """An event as it was told."""

    id: str = Field(description="The header webhook-id of every attempt.")
    event: Event
    state: Literal["waiting", "delivered", "failed"]
    attempts: int
    next_try_at: datetime | None
    answer: str = Field(description="What the receiver answered last, or why nothing could be sent.")
    created_at: datetime


@router.get("/webhooks")
def list_webhooks(request: Request, caller: Admin, paging: Paging) -> Page[WebhookTold]:
    """All webhooks, whoever made them."""
    return paging.slice([_told(hook) for hook in _webhooks(request).all()])


@router.post("/webhooks", status_code=201)
def add_webhook(request: Request, caller: Admin, hook: NewWebhook) -> WebhookMade:
    """Be told of events from now on."""
    events = list(dict.fromkeys(hook.events))
    allow_private = config_of(request).settings.allow_private
    made, secret = _webhooks(request).add(caller.name, hook.url, events, allow_private=allow_private)
    return WebhookMade(**_told(made).model_dump(), secret=secret)


@router.delete("/webhooks/{hook}", status_code=204)
def remove_webhook(request: Request, caller: Admin, hook: str) -> None:
    """Be told no more."""
    _webhooks(request).remove(_found(request, hook).id)


@router.get("/webhooks/{hook}/deliveries")
def list_deliveries(request: Request, caller: Admin, hook: str, paging: Paging) -> Page[DeliveryTold]:
    """What a webhook was told in the last 30 days, the last first."""
    after = _position(paging.after)
    found = _webhooks(request).deliveries(_found(request, hook).id, paging.limit + 1, after)
    shown = found[: paging.limit]
    more = (shown[-1].created_at, shown[-1].id) if len(found) > paging.limit else None
    return paging.answer([_delivered(one) for one in shown], more)


def _position(after: Any) -> tuple[float, str] | None:
    if after is None:
        return None
    if not isinstance(after, list) or [type(one) for one in after] != [float, str]:
        raise bad_cursor()
    return after[0], after[1]


def _webhooks(request: Request) -> Webhooks:
    return Webhooks(config_of(request).store)


def _found(request: Request, hook: str) -> Webhook:
    found = next((one for one in _webhooks(request).all() if one.id == hook), None)
    if found is None:
        raise HTTPException(404, f"there is no webhook {hook}")
    return found


def _told(hook: Webhook) -> WebhookTold:
    return WebhookTold.model_validate(
        {
            "id": hook.id,
            "url": hook.url,
            "events": hook.events,
            "created_by": hook.user,
            "created_at": _moment(hook.created_at),
        }
    )


def _delivered(one: Delivery) -> DeliveryTold:
    return DeliveryTold.model_validate(
        {
            "id": one.id,
            "event": one.event,
            "state": one.state,
            "attempts": one.attempts,
            "next_try_at": _moment(one.next_try_at) if one.state == "waiting" else None,
            "answer": one.answer,
            "created_at": _moment(one.created_at),
        }
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
