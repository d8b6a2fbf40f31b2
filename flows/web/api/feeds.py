"""The shows that are followed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from audio.transfer.addresses import redacted
from flows.schedule import additions, feed_reading, shows
from flows.schedule import settings as configuration
from flows.schedule.plan import FeedState, plan
from flows.schedule.rules import EpisodeRules
from flows.schedule.settings import Settings
from flows.schedule.store import Store
from flows.web import fetching
from flows.web.access import Editor, Reader
from flows.web.episodes import config_of
from flows.web.idempotency import RESPONSES, Once
from flows.web.paging import Page, Paging

router = APIRouter(tags=["feeds"])


class Followed(BaseModel):
    """A show that is followed. Moments are seconds since 1970.

    `polled_at` is null where its feed was not read yet, `ended_at` unless its server says that it is gone for good.
    """

    name: str
    title: str
    url: str = Field(description="without its secrets")
    episodes: int
    polled_at: float | None
    error: str
    ended_at: float | None = None
    rules: EpisodeRules = EpisodeRules()


class Following(BaseModel):
    """A show to follow, by its feed, its page or a link to it; options as of GET /options, for all of its episodes."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(max_length=4000)
    name: str = Field("", max_length=80, description="a-z, 0-9, - and _; default by its title")
    back_fill: int = Field(1, ge=0, le=100_000, description="how many of its old episodes to take")
    options: dict[str, Any] = Field({})
    rules: EpisodeRules = Field(EpisodeRules(), description="which of its episodes to take; default all")


class FeedItem(BaseModel):
    """An episode of a feed."""

    title: str
    published: str = Field(description="ISO 8601; empty where unknown")


class Preview(BaseModel):
    """What would come of following a feed."""

    name: str
    title: str
    episodes: int = Field(description="that the feed has")
    taken: list[FeedItem] = Field(description="that would be processed now, newest first; the first hundred")
    passed_over: int = Field(0, description="how many the rules don't take")


@router.get("/feeds")
def list_feeds(request: Request, caller: Reader, paging: Paging) -> Page[Followed]:
    """The shows that are followed, by name."""
    config = config_of(request)
    settings = config.settings_now()
    return paging.slice(_followed(settings, config.store, sorted(settings.shows)))


@router.post(
    "/feeds", status_code=201, response_model=Followed, responses={**RESPONSES, **fetching.RESPONSES}
)
async def follow(request: Request, caller: Editor, following: Following, once: Once) -> Response:
    """Read a feed, follow its show from now on, and take the newest episodes that there are."""
    config = config_of(request)

    def act() -> Followed:
        wanted = additions.checked_options(following.options)
        if "known_people" in wanted:
            wanted["people"] = wanted.pop("known_people")  # as people write it there
        rules = following.rules.model_dump(exclude_defaults=True)
        told = {"url": following.url.strip(), "back_fill": following.back_fill, **rules, **wanted}
        name, _ = shows.add(following.name, told)
        settings = config.settings_now()
        feed_reading.read_feeds(settings, config.store, [name])
        return _followed(settings, config.store, [name])[0]

    return await fetching.fetches_of(request).do(partial(once, act))


@router.post("/feeds/preview", responses=fetching.RESPONSES)
async def preview(request: Request, caller: Editor, following: Following) -> Preview:
    """Read a feed, and tell what following it would do; nothing is changed."""
    return await fetching.fetches_of(request).do(partial(_previewed, following))


def _previewed(following: Following) -> Preview:
    wanted = additions.checked_options(following.options)
    name, _, looked = shows.look(following.name, {"url": following.url.strip(), **wanted})
    found = [item.episode for item in looked.feed.items]
    made = plan(name, (), found, back_fill=following.back_fill, new_per_poll=0, rules=following.rules)
    return Preview(
        name=name,
        title=looked.feed.title,
        episodes=len(found),
        taken=[FeedItem(title=one.title, published=one.published) for one in made.taken[:100]],
        passed_over=len(made.passed_over),
    )


@router.delete("/feeds/{name}", status_code=204)
def unfollow(request: Request, caller: Editor, name: str) -> Response:
    """Follow a show no longer: what waits of it is skipped, and its episodes stay in the library."""
    if name not in configuration.load().shows:
        raise HTTPException(404, f"no show that is followed is called {name[:80]!r}")
    shows.remove(name, config_of(request).store)
    return Response(status_code=204)


def _followed(settings: Settings, store: Store, names: Sequence[str]) -> list[Followed]:
    """Shows as the API tells them, by two looks at the store however many they are."""
    known, counts = {feed.show: feed for feed in store.feeds()}, store.counts_by_show()
    told = list[Followed]()
    for name in names:
        show = settings.show(name)
        url = show.url
        feed = known.get(name)
        if feed is None or feed.url != url:  # it was of no show, or of another address
            feed = FeedState(name, url)
        told.append(
            Followed(
                name=name,
                title=feed.title or name,
                url=redacted(url),
                episodes=counts.get(name, 0),
                polled_at=feed.polled_at,
                error=feed.error,
                ended_at=feed.ended_at,
                rules=show.rules,
            )
        )
    return told
