"""What is done with finished transcripts on the command line: search, mentions, site, publish, edit, clip, mcp."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import EpisodeFolder, Library

if TYPE_CHECKING:
    from outputs.library.index import IndexChanges
    from outputs.library.mentions import Mentions
    from outputs.library.search import Hit, SearchResult
    from outputs.publishing.changes import Changes

AudioFile = Annotated[
    Path | None, typer.Option(help="The episode's audio.", show_default="the one it was made from")
]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (search, mentions, site, publish, edit, clip, mcp):
        app.command()(command)


def search(
    words: Annotated[str, typer.Argument(help='Words; "a phrase" in quotes; the begin* of a word.')],
    library: Library = None,
    speaker: Annotated[str, typer.Option(help="Only what this speaker says.")] = "",
    show: Annotated[str, typer.Option(help="Only this show.")] = "",
    meaning: Annotated[
        bool, typer.Option("--meaning", help="Find what is about this, whatever its words; the best first.")
    ] = False,
    limit: Annotated[int, typer.Option(help="Hits to print.", min=1, max=1000)] = 20,
    base_url: Annotated[str, typer.Option(help="Print links to the library as it is served there.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the hits as JSON.")] = False,
) -> None:
    """Find words in all transcripts, or what they are about; each hit is a link to the second it is said."""
    from flows.schedule.settings import local_library
    from outputs.library import search
    from outputs.publishing.feed import checked_base_url

    library = local_library(library)
    base = checked_base_url(base_url) if base_url else f"{library}/"
    search.query_terms(words)  # before the index is brought up to date, which may take a while
    _report(search.update(library))
    look = _by_meaning(library) if meaning else search.search
    found = look(library, words, speaker, show, limit)
    if json:
        typer.echo(_as_json(found.hits, base))
        return
    for hit in found.hits:
        _print_hit(hit, base)
    if meaning and found.hits:
        return  # all there is was ranked: there is nothing to count
    more = f"more than {search.COUNTED}" if found.count > search.COUNTED else str(found.count)
    typer.echo(f"{more} passage{'' if found.count == 1 else 's'}" if found.count else "nothing found")


def _by_meaning(library: Path) -> Callable[..., SearchResult]:
    """What searches a library by meaning; embeds what is new in it."""
    from functools import partial

    from flows.local.progress_bars import bars
    from flows.progress import progress
    from models.topics.embedding import load_embedder
    from outputs.library import meaning
    from outputs.library.hybrid import search_by_meaning

    embedder = load_embedder()
    with bars():
        meaning.update(library, embedder, partial(progress, "embed"))
    return partial(search_by_meaning, embedder=embedder)


def mentions(
    terms: Annotated[list[str], typer.Argument(help="Words in a row; the begin* of the last.")],
    library: Library = None,
    speaker: Annotated[str, typer.Option(help="Only what this speaker says.")] = "",
    show: Annotated[str, typer.Option(help="Only this show.")] = "",
    since: Annotated[str, typer.Option(help="Published on this day or later.")] = "",
    until: Annotated[str, typer.Option(help="Published on this day or before.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Print each place, with what is said there.")] = False,
    base_url: Annotated[str, typer.Option(help="Print links to the library as it is served there.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print all as JSON.")] = False,
) -> None:
    """Who says a term, how often and when; each link leads to the second."""
    from flows.schedule.settings import local_library
    from outputs.library import search
    from outputs.library.mentions import mentions
    from outputs.publishing.feed import checked_base_url

    library = local_library(library)
    base = checked_base_url(base_url) if base_url else f"{library}/"
    for term in terms:
        search.phrase_of(term)  # before the index is brought up to date, which may take a while
    _report(search.update(library))
    wanted = search.Wanted(speaker, show, since=since, until=until)
    found = [mentions(library, term, wanted) for term in terms]
    if json:
        typer.echo(_dumped([_mentions_told(one, base) for one in found]))
        return
    for number, one in enumerate(found):
        _print_mentions(one, base, every=every, first=not number)


def site(
    library: Library = None,
    out: Annotated[Path, typer.Option(help="The folder of the site, one of its own.")] = Path("site"),
    to: Annotated[
        str, typer.Option(help="Send it there, too: an fsspec URL such as s3://bucket/folder.")
    ] = "",
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove what was sent earlier and is not in the site any more.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what building it would change.")
    ] = False,
) -> None:
    """Build a static site of the library: shows, episodes, search in the browser."""
    from flows.schedule.settings import local_library
    from outputs.publishing.site import build_site, site_files
    from outputs.publishing.upload import upload

    built = build_site(local_library(library), out, dry_run=dry_run)
    _warn_of(built.skipped)
    shows = f"{built.shows} show{'' if built.shows == 1 else 's'}"
    episodes = f"{built.episodes} episode{'' if built.episodes == 1 else 's'}"
    typer.echo(f"{shows}, {episodes}: {out / 'index.html'}")
    if dry_run:
        for line in _told(built.changes):
            typer.echo(line)
        return
    if to:
        sent = upload({name: out / name for name in site_files(out)}, to, remove=remove)
        typer.echo(f"{len(sent.added) + len(sent.changed)} files sent, {sent.unchanged} were there")
        if sent.removed:
            typer.echo(f"{len(sent.removed)} {'removed' if remove else 'not in it any more: see --remove'}")
        return
    typer.echo(f"To look at it: python -m http.server --bind 127.0.0.1 --directory {out}")


def publish(
    show: Annotated[
        str, typer.Argument(help="A show of episcribe.toml, or its feed: the address, or a file.")
    ],
    base_url: Annotated[
        str,
        typer.Option(help="Where the library, or its site, is served.", show_default="of episcribe.toml"),
    ] = "",
    library: Library = None,
    out: Annotated[Path, typer.Option(help="The feed to write.")] = Path("feed.xml"),
    proposed_chapters: Annotated[
        bool, typer.Option("--proposed-chapters", help="Link to chapters that no person made, too.")
    ] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Accept URLs of this machine and of private networks.")
    ] = False,
) -> None:
    """Write a show's feed with links to its transcripts and chapters put in, and nothing else changed."""
    from audio.transfer.addresses import redacted
    from flows.library.publishing import locate_feed, publish_feed, read_feed
    from flows.schedule import settings as configuration
    from outputs.library.files import replace_files
    from outputs.publishing.feed import checked_base_url

    settings = configuration.load()
    base = checked_base_url(base_url or settings.base_url)
    allow_private = allow_private or settings.allow_private
    feed, access = locate_feed(show, allow_private=allow_private)
    data = read_feed(feed, access, allow_private=allow_private)
    remote = "://" in feed
    told, address = (redacted(feed), feed) if remote else (feed, "")
    published, skipped = publish_feed(
        data,
        configuration.local_library(library),
        base,
        told,
        address,
        proposed_chapters=proposed_chapters or settings.publish.proposed_chapters,
    )
    _warn_of(skipped)
    replace_files({out: published.data})
    linked, without = len(published.linked), published.without
    typer.echo(f"{linked} episode{'' if linked == 1 else 's'} with transcripts, {without} without: {out}")
    typer.echo(
        f"Players on other sites read the transcripts only if {base} answers with "
        "Access-Control-Allow-Origin: * (docs/publishing.md shows how)."
    )


def edit(
    folder: EpisodeFolder,
    audio: AudioFile = None,
    port: Annotated[int, typer.Option(help="0: any free one.", min=0, max=65535)] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in your browser.")] = True,
    listed: Annotated[
        bool, typer.Option("--list", help="Only list the corrections, and whether each still fits.")
    ] = False,
) -> None:
    """Correct and review an episode on a page in your browser."""
    if listed:
        for line in _corrections_of(folder):
            typer.echo(line)
        return
    from flows.web.serving import serve_episode

    serve_episode(folder, audio, port, open_browser=browser)


def _corrections_of(folder: Path) -> list[str]:
    """The corrections of an episode in words, those that wait for their words marked."""
    from outputs.library import corrections, read
    from outputs.text.terminal import printable
    from outputs.text.times import clock

    waiting = read.load_corrected(folder).waiting
    lines = []
    for one in corrections.load(read.folder_of(folder)):
        if one.kind != corrections.UNDO:
            time = clock(one.start) if one.was else ""
            waits = "no longer fits: " if one in waiting else ""
            lines.append(f"{time:5}  {waits}{printable(str(one))}")
    return lines or ["no corrections"]


def clip(
    folder: EpisodeFolder,
    start: Annotated[str, typer.Option("--from", help="Where it begins: 83.5, 1:23 or 1:02:03.")],
    end: Annotated[str, typer.Option("--to", help="Where it ends.")],
    out: Annotated[Path, typer.Option(help="The audio to write: .mp3, .m4a, .wav, .flac, .ogg or .opus.")],
    audio: AudioFile = None,
) -> None:
    """Cut a piece out of an episode, with captions of its own beside it."""
    from flows.library.clips import make_clip
    from outputs.text.times import parse_time

    for path in make_clip(folder, parse_time(start), parse_time(end), out, audio):
        typer.echo(path)


def mcp(
    library: Library = None,
    base_url: Annotated[
        str,
        typer.Option(
            help="Cite by links to the library, or its site, as it is served there.",
            show_default="of episcribe.toml, else links to files",
        ),
    ] = "",
) -> None:
    """Let a language model search, read and cite the library: a Model Context Protocol server on stdio."""
    from flows.library.mcp_server import make_server
    from flows.schedule import settings as configuration
    from flows.web.indexing import Indexer
    from outputs.publishing.feed import checked_base_url

    library = configuration.local_library(library)
    base = base_url or configuration.load().base_url
    server = make_server(library, checked_base_url(base) if base else "")
    with Indexer(library):
        server.run()


def _told(changes: Changes) -> Iterator[str]:
    """What publishing would change, a line a file."""
    for sign, names in (("+", changes.added), ("~", changes.changed), ("-", changes.removed)):
        yield from (f"{sign} {name}" for name in names)
    yield f"{changes.unchanged} files stay as they are"


def _report(changes: IndexChanges) -> None:
    if changes.indexed:
        typer.echo(f"indexed {changes.indexed} episode{'' if changes.indexed == 1 else 's'}", err=True)
    _warn_of(changes.skipped)


def _warn_of(skipped: dict[str, str]) -> None:
    from outputs.text.terminal import printable

    for reason in skipped.values():
        typer.echo(f"warning: left out: {printable(reason)}", err=True)


def _print_hit(hit: Hit, base: str) -> None:
    from rich.console import Console
    from rich.text import Text

    from outputs.text.terminal import printable
    from outputs.text.times import clock

    console = Console(highlight=False, soft_wrap=True)
    about = ", ".join(part for part in (hit.show, hit.published[:10]) if part)
    chapter = f" · {printable(hit.chapter)}" if hit.chapter else ""
    console.print(Text.assemble((printable(hit.title), "bold"), f"{chapter}  {printable(about)}"))
    text = Text(hit.text)
    for first, last in hit.marks:
        text.stylize("bold reverse", first, last)
    name = f"{printable(hit.speaker)}  " if hit.speaker else ""
    console.print(Text.assemble((clock(hit.seconds), "cyan"), "  ", (name, "italic")) + text)
    console.print(Text(f"{base}{hit.link}\n", style="dim"))


def _as_json(hits: tuple[Hit, ...], base: str) -> str:
    from dataclasses import asdict

    return _dumped([{**asdict(hit), "link": base + hit.link} for hit in hits])


def _dumped(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, indent=2)


def _mentions_told(found: Mentions, base: str) -> dict[str, object]:
    """All mentions of a term as plain values, with links."""
    return {
        "term": found.term,
        "count": found.count,
        "people": [
            {
                "name": person.name,
                "count": person.count,
                "episodes": [
                    {
                        "folder": episode.folder,
                        "show": episode.show,
                        "title": episode.title,
                        "published": episode.published,
                        "count": len(episode.said),
                        "said": [
                            {
                                "seconds": hit.seconds,
                                "chapter": hit.chapter,
                                "text": hit.text,
                                "marks": hit.marks,
                                "link": base + hit.link,
                            }
                            for hit in episode.said
                        ],
                    }
                    for episode in person.episodes
                ],
            }
            for person in found.people
        ],
    }


def _print_mentions(found: Mentions, base: str, *, every: bool, first: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    from outputs.text.terminal import printable
    from outputs.text.times import clock

    console = Console(highlight=False, soft_wrap=True)
    episodes = len(found.folders)
    told = f"{_times(found.count)} in {episodes} episode{'' if episodes == 1 else 's'}"
    lead = "" if first else "\n"
    term = (printable(found.term), "bold")
    console.print(Text.assemble(lead, term, f": {told if episodes else 'nobody says it'}"))
    for person in found.people:
        name = printable(person.name) or "speakers without a name"
        console.print(Text.assemble("\n", (name, "italic"), f"  {_times(person.count)}"))
        for episode in person.episodes:
            about = ", ".join(filter(None, (episode.show, episode.published[:10])))
            told = f"  {printable(about)}  {_times(len(episode.said))}"
            console.print(Text.assemble("  ", (printable(episode.title), "bold"), told))
            for hit in episode.said if every else episode.said[:1]:
                text = Text(hit.text) if every else Text("")
                for start, stop in hit.marks if every else ():
                    text.stylize("bold reverse", start, stop)
                if every:
                    chapter = f" · {printable(hit.chapter)}" if hit.chapter else ""
                    time = (clock(hit.seconds), "cyan")
                    console.print(Text.assemble("  ", time, "  ", text, (chapter, "dim")))
                console.print(Text(f"  {base}{hit.link}", style="dim"))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
