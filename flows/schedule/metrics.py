"""Figures of the store for Prometheus, read when it asks: of all machines, whoever did the work.

https://prometheus.io/docs/practices/naming, https://openmetrics.io
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, get_args

from sqlalchemy import Connection, case, func, or_, select

from flows.schedule import queue, totals
from flows.schedule import settings as configuration
from flows.schedule.happenings import Event
from flows.schedule.store import open_store
from flows.schedule.tables import database_time, episodes
from models.record.errors import EpiscribeError

if TYPE_CHECKING:
    from prometheus_client.core import Metric

STATES = ("waiting", "queued", "running", "done", "failed", "cancelled", "skipped")
OUTCOMES = get_args(Event)
SENT = ("sent", "failed", "given_up")


class StoreCollector:
    """The figures of the store that the settings name, in the form of `prometheus_client`."""

    def collect(self) -> Iterator[Metric]:
        """All of them; where the store can't be read only that it can't."""
        from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

        yield InfoMetricFamily(
            "episcribe_build", "The Episcribe that tells this.", value={"version": version("episcribe")}
        )
        try:
            settings = configuration.current()
            store = open_store(settings.store)
            counts = queue.counts(store)
            with store.look() as connection:
                found = [*_of_episodes(connection, counts), *_of_work(connection), *_of_telling(connection)]
            found += _of_feeds(
                {one.show: (one.polled_at, one.failures) for one in store.feeds()}, settings.shows
            )
        except EpiscribeError:
            found = []
        yield GaugeMetricFamily("episcribe_store_up", "Whether the store could be read: 1 or 0.", bool(found))
        yield from found


@contextmanager
def serving_metrics(host: str, port: int) -> Iterator[int]:
    """Within, the figures are served by HTTP; yields the port. EpiscribeError where that can't be. port 0: any."""
    import os

    from prometheus_client import CollectorRegistry, start_http_server

    registry = CollectorRegistry(auto_describe=False)
    registry.register(StoreCollector())
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        number = error.errno or 0  # below 0 where the host's name is not known
        reason = os.strerror(number) if number > 0 else error.strerror
        raise EpiscribeError(
            f"figures can't be served on {host}, port {port}: {reason}; see --metrics-host and --metrics-port"
        ) from None
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _of_episodes(connection: Connection, counts: Mapping[str, int]) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    states = GaugeMetricFamily(
        "episcribe_episodes", "Episodes that the store lists, by state.", labels=["state"]
    )
    for state in STATES:
        states.add_metric([state], counts.get(state, 0))
    yield states
    now = database_time(connection)
    ready = or_(
        episodes.c.state == "queued", (episodes.c.state == "waiting") & (episodes.c.next_try_at <= now)
    )
    latest: Any = episodes.c.found_at
    for moment in (episodes.c.next_try_at, func.coalesce(episodes.c.claimed_at, 0.0)):
        latest = case((moment > latest, moment), else_=latest)
    oldest = connection.execute(select(func.min(latest)).where(ready)).scalar()
    yield GaugeMetricFamily(
        "episcribe_queue_age_seconds",
        "How long the episode that could be worked on has waited that has waited longest; 0 where none waits.",
        0.0 if oldest is None else max(0.0, now - oldest),
    )


def _of_work(connection: Connection) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    outcomes = totals.read(connection, totals.OUTCOMES)
    attempts = CounterMetricFamily(
        "episcribe_attempts",
        "Attempts at episodes that have ended: done, failed and to be tried again, held back, or given up.",
        labels=["outcome"],
    )
    for outcome in OUTCOMES:
        attempts.add_metric([outcome], outcomes.get(outcome, 0.0))
    yield attempts
    seconds, audio = (totals.read(connection, name) for name in (totals.STAGE_SECONDS, totals.STAGE_AUDIO))
    for name, told, found in (
        ("seconds", "Time that a stage took; results that were kept take none.", seconds),
        ("audio_seconds", "Length of the audio that a stage worked on.", audio),
        ("runs", "How often a stage was worked through.", totals.read(connection, totals.STAGE_RUNS)),
    ):
        family = CounterMetricFamily(f"episcribe_stage_{name}", told, labels=["stage"])
        for stage, value in sorted(found.items()):
            family.add_metric([stage], value)
        yield family
    published = audio.get("publish", 0.0)
    yield CounterMetricFamily("episcribe_audio_seconds", "Length of the audio that was published.", published)
    if published:
        yield GaugeMetricFamily(
            "episcribe_real_time_factor",
            "Time that all stages took for each second of audio that was published, since the store was made.",
            sum(seconds.values()) / published,
        )


def _of_telling(connection: Connection) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily

    notices = CounterMetricFamily(
        "episcribe_notices", "Messages by [notify], by address and outcome.", labels=["address", "outcome"]
    )
    for label, value in sorted(totals.read(connection, totals.NOTICES).items()):
        notices.add_metric(label.split(" "), value)
    yield notices
    sent = totals.read(connection, totals.DELIVERIES)
    deliveries = CounterMetricFamily(
        "episcribe_webhook_deliveries", "Attempts at telling webhooks, by outcome.", labels=["outcome"]
    )
    for outcome in SENT:
        deliveries.add_metric([outcome], sent.get(outcome, 0.0))
    yield deliveries


def _of_feeds(known: Mapping[str, tuple[float | None, int]], shows: Mapping[str, object]) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    read = GaugeMetricFamily(
        "episcribe_feed_last_read_timestamp_seconds",
        "When the feed of a show was last read, since 1970; none where it never was.",
        labels=["show"],
    )
    failures = GaugeMetricFamily(
        "episcribe_feed_failures", "How often in a row a feed could not be read.", labels=["show"]
    )
    for show in sorted(shows):
        polled_at, failed = known.get(show, (None, 0))
        if polled_at is not None:
            read.add_metric([show], polled_at)
        failures.add_metric([show], failed)
    yield read
    yield failures
