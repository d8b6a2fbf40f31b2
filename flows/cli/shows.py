"""Commands for shows that are followed: `feeds`, `poll`, `status`, `retry`, `serve`, `worker`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows import logs
from flows.cli.options import AsJson, field_values, option, print_json, takes_options
from flows.cli.web import Host, Port, PublicUrl
from flows.schedule.rules import EpisodeRules
from flows.schedule.settings import Show

if TYPE_CHECKING:
    from flows.schedule.feed_reading import FeedReading
    from flows.schedule.plan import ListedEpisode
    from flows.schedule.settings import Settings
    from flows.schedule.store import Store
    from models.record.transcript import Episode

feeds_app = typer.Typer(help="The shows that are followed, in episcribe.toml.", no_args_is_help=True)
OLDER = "older than back_fill asks for; episcribe retry takes it"
REHEARSED = 20  # episodes that are passed over, told by `poll --dry-run`
SHORT_ID = 8  # characters that tell episodes apart in a table
Names = Annotated[list[str] | None, typer.Argument(help="Names of shows.", show_default="all")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(feeds_app, name="feeds")
    app.command()(poll)
    app.command()(status)
    app.command()(retry)
    app.command()(serve)
    app.command()(worker)


@feeds_app.command("add")
@takes_options(
    Show,
    "back_fill",
    *EpisodeRules.model_fields,
    "quality",
    "model",
    "language",
    "speakers",
    "known_people",
    "login_from",
    "header_from",
)
def feeds_add(
    url: Annotated[
        str, typer.Argument(help="The address of a feed, of a show's page, or a link to it in a directory.")
    ],
    name: Annotated[str, typer.Option(help="What to call the show.", show_default="by its title")] = "",
    allow_private: Annotated[bool, option("allow_private")] = False,
    **given: Any,
) -> None:
    """Read a feed and follow its show from now on."""
    from flows.schedule import shows

    values = field_values(Show, given)
    people = list(values.pop("known_people"))
    added, found = shows.add(name, {"url": url, **values, "people": people}, allow_private=allow_private)
    feed, rules = found.feed, EpisodeRules(**{rule: values[rule] for rule in EpisodeRules.model_fields})
    let_through = sum(not rules.reason_against(episode) for episode in feed.episodes)
    taken = min(given["back_fill"], let_through)
    _print(f"{added}: {feed.title or url}, {len(feed.episodes)} episodes, of which {taken} are taken")
    for warning in (*found.warnings, *feed.warnings):
        _print(f"  {warning}")


@feeds_app.command("import")
@takes_options(Show, "back_fill", "quality", "model", "language", "speakers", "known_people")
def feeds_import(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL", help="A list of feeds as other apps export it: OPML, or an address a line."
        ),
    ],
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Don't read the feeds first, and leave out none of them.")
    ] = False,
    allow_private: Annotated[bool, option("allow_private")] = False,
    **given: Any,
) -> None:
    """Follow all shows of a list from now on."""
    from flows.local.progress_bars import bars
    from flows.progress import progress
    from flows.schedule import subscriptions

    values = field_values(Show, given)
    people = list(values.pop("known_people"))
    listed = subscriptions.read_list(source, allow_private=allow_private)
    with bars():
        done = subscriptions.follow_all(
            listed,
            {**values, "people": people},
            check=not no_check,
            allow_private=allow_private,
            progress=lambda count, total: progress("feeds", count, total),
        )
    for line in done.refused:
        _print(f"  left out: {line}")
    for line in done.unread:
        _print(f"  followed, but can't be read now: {line}")
    _print(f"{len(done.added)} shows added, {done.known} followed already, {len(done.refused)} left out")
    if done.refused:
        raise typer.Exit(1)


@feeds_app.command("export")
def feeds_export(
    file: Annotated[
        Path | None, typer.Argument(help="The file to write.", show_default="standard output")
    ] = None,
) -> None:
    """Write the shows that are followed as OPML, which other apps read."""
    from flows.schedule.subscriptions import followed_as_opml
    from outputs.library.files import replace_files

    settings, store = _opened()
    written = followed_as_opml(settings, store)
    if file is None:
        typer.echo(written.decode(), nl=False)
    else:
        replace_files({file: written})
        _print(f"{len(settings.shows)} shows: {file}")


@feeds_app.command("list")
def feeds_list(json: AsJson = False) -> None:
    """List the shows with what their feeds last said."""
    settings, store = _opened()
    told = _feeds_told(settings, store, settings.shows)
    if json:
        print_json({"shows": told})
        return
    _table(
        ("show", "feed", "last read", "episodes", "note"),
        [_feed_row(one) for one in told],
        f"no shows yet: episcribe feeds add URL writes them to {_config()}",
    )


@feeds_app.command("remove")
def feeds_remove(name: Annotated[str, typer.Argument(help="The show's name.")]) -> None:
    """Follow a show no longer. Its episodes stay in the library."""
    from flows.schedule import shows

    _, store = _opened()
    shows.remove(name, store)
    _print(f"{name} is not followed any more; its transcripts stay")


def poll(
    context: typer.Context,
    shows: Names = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is new; process and remember nothing.")
    ] = False,
) -> None:
    """Look for new episodes once, and process them here, one after the other."""
    if dry_run:
        _rehearse(shows)
    else:
        _poll(shows, debug=context.obj["debug"])


def status(
    shows: Names = None,
    every: Annotated[bool, typer.Option("--all", help="Skipped and old episodes too.")] = False,
    json: AsJson = False,
) -> None:
    """Show what was found and what became of it."""
    settings, store = _opened()
    names = [name for name in shows if settings.show(name)] if shows else None
    episodes = store.episodes(names)
    told = [_episode_told(listed) for listed in (episodes if every else _worth_telling(episodes))]
    if json:
        feeds = _feeds_told(settings, store, names or settings.shows)
        print_json({"episodes": told, "counts": _counts(episodes), "feeds": feeds})
        return
    _table(
        ("id", "show", "episode", "state", "attempts", "seconds", "last error or warning"),
        [_episode_row(one) for one in told],
        "no episodes yet: episcribe poll looks for them",
    )
    if episodes:
        _print(", ".join(f"{count} {state}" for state, count in _counts(episodes).items()))
    for one in _feeds_told(settings, store, names or settings.shows):
        if one["error"]:
            _print(f"{one['show']}: {_trouble(one)}")


def retry(
    episode: Annotated[str, typer.Argument(metavar="ID", help="The id, or its beginning, from status.")],
) -> None:
    """Have another go at an episode that failed, was skipped, or is to be done anew."""
    from flows.schedule.queue import OWNER

    _, store = _opened()
    listed = store.retry(episode, OWNER)
    _print(f"{listed.id[:SHORT_ID]} {listed.episode.title}: the next poll takes it")


def serve(
    at_once: Annotated[
        int | None,
        typer.Option(help="Episodes at once; 0: only polls.", min=0, show_default="limits.at_once"),
    ] = None,
    web: Annotated[
        bool, typer.Option("--web", help="Serve the app beside it, as `episcribe web` does.")
    ] = False,
    host: Host = "127.0.0.1",
    port: Port = 8300,
    public_url: PublicUrl = "",
    metrics_port: Annotated[
        int | None,
        typer.Option(
            help="Serve figures for Prometheus on this port.", min=0, max=65535, show_default="none"
        ),
    ] = None,
    metrics_host: Annotated[
        str, typer.Option(help="The address to serve them on; whoever reaches it may read them.")
    ] = "127.0.0.1",
) -> None:
    """Look for new episodes on the schedule and process them, until stopped."""
    from flows.schedule.settings import load

    settings = load()
    episodes = settings.limits.at_once if at_once is None else at_once
    with ExitStack() as stack:
        if metrics_port is not None:
            from flows.schedule.metrics import serving_metrics

            served = stack.enter_context(serving_metrics(metrics_host, metrics_port))
            logs.say(f"figures: http://{metrics_host}:{served}/metrics", event="serve")
        if web:
            from flows.web.engine import Engine, schedule_command
            from flows.web.serving import serve_web

            engine = Engine(schedule_command(episodes))
            serve_web(settings, host=host, port=port, public_url=public_url, engine=engine)
        else:
            from flows.schedule.serve import serve as serve_schedule

            serve_schedule(settings, episodes)


def worker(
    at_once: Annotated[
        int | None, typer.Option(help="Episodes at once.", min=1, show_default="limits.at_once")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What Prefect calls it.", show_default="random")] = None,
) -> None:
    """Process episodes that `episcribe serve` on another machine hands out, until stopped."""
    from flows.schedule.serve import work
    from flows.schedule.settings import load

    work(load().limits.at_once if at_once is None else at_once, name)


def _opened() -> tuple[Settings, Store]:
    from flows.schedule.settings import load
    from flows.schedule.store import open_store

    settings = load()
    return settings, open_store(settings.store)


def _config() -> str:
    from flows.schedule.settings import config_path

    return str(config_path())


def _rehearse(shows: list[str] | None) -> None:
    from flows.schedule import feed_reading

    settings, store = _opened()
    for reading in feed_reading.preview(settings, store, shows or settings.shows):
        _print(_told(reading))
        for warning in reading.warnings:
            _print(f"  {warning}")
        for episode in reading.plan.taken if reading.plan else ():
            _print(f"  {_dated(episode)}")
        passed_over = reading.plan.passed_over if reading.plan else ()
        for listed in passed_over[:REHEARSED]:
            _print(f"  {_dated(listed.episode)}: {listed.error}")
        if len(passed_over) > REHEARSED:
            _print(f"  {len(passed_over) - REHEARSED} more are passed over")


def _dated(episode: Episode) -> str:
    return f"{episode.published[:10] or 'undated'} {episode.title}"


def _poll(shows: list[str] | None, *, debug: bool) -> None:
    import logging

    from flows.local.run import run_poll
    from outputs.text.terminal import printable

    settings, _ = _opened()
    for name in shows or ():
        settings.show(name)
    result = run_poll(shows, debug=debug)
    for show, error in result["unreadable"].items():
        logs.say(printable(f"{show}: {error}"), level=logging.WARNING, event="feed.unreadable", show=show)
    for row in result["started"]:
        logs.say(
            printable(f"{row['show']}: {row['episode']}: {row['error'] or row['state'].lower()}"),
            level=logging.WARNING if _failed(row) else logging.INFO,
            event="episode.ended",
            show=row["show"],
            episode=row["id"],
        )
    counts = {name: len(result[name]) for name in ("new", "started")} | {"feeds": result["feeds"]}
    told = "{feeds} feeds read, {new} new episodes, {started} started".format_map(counts)
    logs.say(told, event="poll.ended", **counts)
    if result["unreadable"] or any(map(_failed, result["started"])):
        raise typer.Exit(1)


def _told(reading: FeedReading) -> str:
    if reading.plan is None:
        return f"{reading.show}: {reading.error}"
    new = len(reading.plan.taken)
    return f"{reading.show}: {'unchanged' if reading.unchanged else 'read'}, {new or 'nothing'} new"


def _failed(row: dict[str, Any]) -> bool:
    """Whether an episode that was started came to nothing, without its being passed over."""
    return bool(row["error"]) and row["state"] != "Skipped"


def _feeds_told(settings: Settings, store: Store, names: Iterable[str]) -> list[dict[str, Any]]:
    """What is known of shows that are followed and their feeds; moments as ISO 8601, None for what hasn't come."""
    from audio.transfer.addresses import redacted
    from flows.schedule.plan import FeedState

    urls = {name: settings.shows[name].url for name in names}
    known, counts = {feed.show: feed for feed in store.feeds()}, store.counts_by_show()
    # Of another address nothing is known.
    told = {name: feed for name, feed in known.items() if feed.url == urls.get(name)}
    states = [told.get(name) or FeedState(name, url) for name, url in urls.items()]
    return [
        {
            "show": one.show,
            "url": redacted(one.url),
            "title": one.title,
            "moved_to": redacted(one.moved_to) if one.moved_to else None,
            "last_read_at": _moment(one.polled_at),
            "episodes": counts.get(one.show, 0),
            "failures": one.failures,
            "next_poll_at": _moment(one.next_poll_at or None),
            "ended_at": _moment(one.ended_at),
            "complete": one.is_complete,
            "error": one.error,
        }
        for one in states
    ]


def _feed_row(told: dict[str, Any]) -> tuple[str, ...]:
    note = f"moved to {told['moved_to']}" if told["moved_to"] else ""
    if told["error"]:
        note = _trouble(told)
    elif told["complete"]:
        note = "complete: read once a day"
    if (read := told["last_read_at"]) is None:
        return told["show"], told["url"], "never", "", note
    return told["show"], told["url"], _minute(read), str(told["episodes"]), note


def _trouble(told: dict[str, Any]) -> str:
    """What is wrong with a feed, in words."""
    if ended := told["ended_at"]:
        return f"ended on {ended[:10]} (410 Gone): episcribe poll {told['show']} asks again"
    again = told["next_poll_at"]
    later = f"; asked again after {_minute(again)}" if again and again > str(_moment(time.time())) else ""
    return f"the feed could not be read, {told['failures']} times in a row: {told['error']}{later}"


def _minute(moment: str) -> str:
    return f"{moment[:10]} {moment[11:16]} UTC"


def _moment(seconds: float | None) -> str | None:
    from outputs.text.times import utc

    return None if seconds is None else utc(seconds)


def _worth_telling(episodes: list[ListedEpisode]) -> list[ListedEpisode]:
    """All that are not finished, and the newest finished ones of each show."""
    told, seen = [], dict[str, int]()
    for listed in episodes:
        seen[listed.show] = seen.get(listed.show, 0) + (listed.state == "done")
        if listed.state not in ("done", "skipped") or (listed.state == "done" and seen[listed.show] <= 5):
            told.append(listed)
    return told


def _episode_told(listed: ListedEpisode) -> dict[str, Any]:
    """What is known of an episode; moments as ISO 8601, None for what hasn't come."""
    return {
        "id": listed.id,
        "show": listed.show,
        "title": listed.episode.title,
        "published": listed.episode.published,
        "state": listed.state,
        "attempts": listed.attempts,
        "seconds": round(listed.seconds, 1),
        "error": listed.error,
        "warnings": listed.warnings,
        "folder": listed.folder,
        "added_by": listed.added_by,
        "found_at": _moment(listed.found_at),
        "started_at": _moment(listed.started_at),
        "done_at": _moment(listed.done_at),
    }


def _episode_row(told: dict[str, Any]) -> tuple[str, ...]:
    return (
        told["id"][:SHORT_ID],
        told["show"] or f"added by {told['added_by']}",
        told["title"],
        told["state"],
        str(told["attempts"]),
        f"{told['seconds']:.0f}" if told["seconds"] else "",
        told["error"] or {"skipped": OLDER, "done": told["warnings"]}.get(told["state"], ""),
    )


def _counts(episodes: list[ListedEpisode]) -> dict[str, int]:
    from collections import Counter

    return dict(Counter(listed.state for listed in episodes).most_common())


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]], empty: str) -> None:
    """A table as wide as the terminal; where there is none, as wide as it needs to be."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from outputs.text.terminal import printable

    if not rows:
        _print(empty)
        return
    console = Console()
    table = Table(*columns, box=None, padding=(0, 2, 0, 0), header_style="bold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    width = None if console.is_terminal else Console(width=10_000).measure(table).maximum
    Console(width=width).print(table)


def _print(text: Any) -> None:
    from outputs.text.terminal import printable

    # Leading spaces are ours.
    typer.echo(" " * (len(text) - len(text.lstrip())) + printable(text))
