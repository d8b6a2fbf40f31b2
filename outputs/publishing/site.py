"""A library as a static site: shows, episodes, and search over every word, for any web server.

Files keep the places that they have in the library, so links to a moment hold whichever of the two is
served. What Pagefind indexes is made for it: a heading with the time for each segment, so that a hit is
a link to the second. https://pagefind.app
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import shutil
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from models.record.errors import EpiscribeError, InputError, OutputError
from models.record.transcript import Segment, Transcript
from outputs.formats.html import KEPT_AUDIO, SITE_LINK, render
from outputs.formats.registry import EPISODE, FORMATS, TRANSLATED, is_our_file
from outputs.library import corrections, read
from outputs.library.files import replace_files
from outputs.library.folders import library_episodes
from outputs.pages import templates
from outputs.pages.speaking_time import speaking_times
from outputs.publishing.changes import Changes, changes_of
from outputs.text.chapters import length_of, listed_chapters
from outputs.text.characters import one_line
from outputs.text.document import title_of
from outputs.text.languages import language_tag
from outputs.text.times import clock, fragment_seconds
from outputs.text.translations import translations_of

MARKER = ".episcribe-site"  # says that a folder is ours to write over
UNFINISHED = ".episcribe-new-"  # how the name of a site begins that is being made
INDEX = "pagefind.index"  # the dot keeps it apart from the folders of shows
UNTITLED = "Single episodes"
SAME_WRITE_SECONDS = 1.0
UNKNOWN_INDEX = "en"  # the language of the index in which words of an unknown one are
NEWEST = 30  # episodes on the first page
SHARED = tuple(one.file_name for one in FORMATS.values() if one.name not in ("episode", "html", "rttm"))
HEADERS = """\
/*
  X-Content-Type-Options: nosniff
  Referrer-Policy: no-referrer
/*.vtt
  Access-Control-Allow-Origin: *
/*.srt
  Access-Control-Allow-Origin: *
/*.json
  Access-Control-Allow-Origin: *
/*.ttml
  Access-Control-Allow-Origin: *
"""
_STYLES = ("tokens.css", "page.css", "site.css")
_SCRIPTS = ("site.js",)


@dataclass(frozen=True, slots=True)
class SiteEpisode:
    """An episode in a list. `folder` is relative to the site; `indexed` is what is searched, a document a language."""

    folder: str
    show: str
    title: str
    published: str
    seconds: float
    people: tuple[str, ...]
    indexed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuiltSite:
    """What a site holds, what building it changed, and for folders that could not be read the reason."""

    shows: int
    episodes: int
    skipped: dict[str, str]
    changes: Changes


def build_site(library: Path, out: Path, *, dry_run: bool = False) -> BuiltSite:
    """Write the site of a library into `out`, a folder of its own; a dry run only tells what that would change.

    It is made beside what is there; then the files that differ take the place of the old ones, each in one step.
    Raises InputError where there is no library, or `out` is a folder with other things in it; OutputError
    where it can't be written.
    """
    folders = _checked(library, out)
    try:
        with TemporaryDirectory(prefix=UNFINISHED, dir=_nearest(out)) as made:
            listed, skipped = list[SiteEpisode](), dict[str, str]()
            files = dict[str, Path]()
            for folder in folders:
                name = folder.relative_to(library).as_posix()
                try:
                    one, its_files = _episode(read.load(folder), folder, name, Path(made))
                except EpiscribeError as error:
                    skipped[name] = str(error)
                else:
                    listed.append(one)
                    files |= its_files
            listed.sort(key=lambda one: (one.published, one.title), reverse=True)
            shows = _write_lists(listed, Path(made))
            files |= {
                file.relative_to(made).as_posix(): file for file in Path(made).rglob("*") if file.is_file()
            }
            changes = changes_of(files, _own_files(site_files(out)), out)
            fresh = _fingerprint(listed)
            same, indexed = _indexed_before(out) == fresh, (out / INDEX).is_dir()
            if not dry_run:
                _replace(out, files, changes)
                if not same:
                    _write_index(listed, out, Path(made))
                _mark(out, fresh)
            changes = changes.also(INDEX, there=indexed, same=same)
    except OSError as error:
        raise OutputError(f"cannot write the site {out}: {error.strerror or error}") from error
    return BuiltSite(shows, len(listed), skipped, changes)


def site_files(out: Path) -> list[str]:
    """The names of the files of a site, relative to its folder, without hidden ones; none where it was not built."""
    if not (out / MARKER).exists():
        return []
    names = (file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file())
    return sorted(name for name in names if not name.startswith(".") and "/." not in name)


def _own_files(names: Sequence[str]) -> list[str]:
    """Those of a site's files that `build_site` wrote, and may remove: others may lie beside them."""
    parts = {name: name.split("/") for name in names}
    page = FORMATS["html"].file_name
    shows = {found[0] for found in parts.values() if len(found) == 3 and found[2] == page}
    return [name for name, found in parts.items() if _is_ours(found, shows)]


def _is_ours(parts: Sequence[str], shows: Container[str]) -> bool:
    match parts:
        case ["index.html" | "_headers"]:
            return True
        case [show, "index.html"]:
            return show in shows
        case [_, _, name]:
            return is_our_file(name) or name.partition(".")[0] == KEPT_AUDIO
    return False


def _nearest(out: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    return next(folder for folder in (out, *out.absolute().parents) if folder.is_dir())


def _mark(out: Path, index: str) -> None:
    """Say that a folder is ours, and of what its index is."""
    told = f"Written by `episcribe site`, which may replace what is here.\n{index}\n"
    replace_files({out / MARKER: told.encode()})


def _fingerprint(listed: Sequence[SiteEpisode]) -> str:
    """Changes with all that Pagefind indexes, and with it: its files never come out the same."""
    found = hashlib.sha256(version("pagefind").encode())
    for one in listed:
        found.update(json.dumps((one.folder, one.indexed)).encode())
    return found.hexdigest()


def _indexed_before(out: Path) -> str:
    """The fingerprint of the index that is there, "" for none."""
    with suppress(OSError, UnicodeDecodeError):
        lines = (out / MARKER).read_text("utf-8").splitlines()
        return lines[1] if len(lines) > 1 and (out / INDEX).is_dir() else ""
    return ""


def _replace(out: Path, files: Mapping[str, Path], changes: Changes) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if not (out / MARKER).exists():
        _mark(out, "")
    for name in (*changes.added, *changes.changed):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        _copy(files[name], out / name)
    for name in changes.removed:
        (out / name).unlink(missing_ok=True)
        for folder in (out / name).parents:
            if folder == out or any(folder.iterdir()):
                break
            folder.rmdir()


def _checked(library: Path, out: Path) -> list[Path]:
    if not library.is_dir():
        raise InputError(f"{library}: no such folder; give the library, the folder that holds all shows")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file: a site needs a folder")
    if out.is_dir() and any(out.iterdir()) and not (out / MARKER).exists():
        raise InputError(f"{out} has other things in it: give an empty or new folder, or an earlier site")
    inside, around = out.resolve(), library.resolve()
    if inside == around or inside in around.parents:
        raise InputError(f"{out} holds the library: give the site a folder of its own")
    return [folder for folder in library_episodes(library) if inside not in folder.resolve().parents]


def _episode(
    transcript: Transcript, folder: Path, name: str, made: Path
) -> tuple[SiteEpisode, dict[str, Path]]:
    """What the lists say of an episode, and its files as they are in the library; its page is written anew."""
    page = made / name / FORMATS["html"].file_name
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_bytes(_page(transcript, folder).encode("utf-8", "replace"))
    show = one_line(transcript.episode.show).strip() or UNTITLED
    listed = SiteEpisode(
        folder=name,
        show=show,
        title=title_of(transcript),
        published=one_line(transcript.episode.published).strip(),
        seconds=length_of(transcript),
        people=tuple(one.name for one in speaking_times(transcript)),
        indexed=tuple(_indexed(transcript, show)),
    )
    return listed, {f"{name}/{file.name}": file for file in shared_files(transcript, folder)}


def shared_files(transcript: Transcript, folder: Path) -> list[Path]:
    """The files of an episode that are for everybody and are served as they are: captions, text, kept audio."""
    languages = translations_of(transcript)
    translated = [one.translated_name(code) for code in languages for one in TRANSLATED]
    audio = read.kept_audio(folder, transcript.audio)
    found = [folder / shared for shared in (*SHARED, *translated)]
    return [file for file in found if file.is_file()] + ([audio] if audio is not None else [])


def _page(transcript: Transcript, folder: Path) -> str:
    """The episode's page with a way back: the one in its folder, or rendered where that is missing or older."""
    page, text = folder / FORMATS["html"].file_name, ""
    made_of = (folder / name for name in (EPISODE.file_name, corrections.FILE_NAME))
    with suppress(OSError, UnicodeDecodeError):
        # The files of a folder are written together, the record last.
        newest = max(file.stat().st_mtime for file in made_of if file.exists()) - SAME_WRITE_SECONDS
        if page.stat().st_mtime >= newest:
            text = page.read_text(encoding="utf-8")
    if SITE_LINK not in text:
        text = render(transcript)
    way_back = (
        '<nav class="site" aria-label="Site" lang="en"><a href="../index.html">← All episodes</a></nav>'
    )
    return text.replace(SITE_LINK, way_back, 1)


def _copy(source: Path, target: Path) -> None:
    """A copy that costs no space where it can."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        os.link(source, part)
    except OSError:
        shutil.copyfile(source, part)
    part.replace(target)


def _write_lists(listed: Sequence[SiteEpisode], out: Path) -> int:
    """The first page and one for each show; returns the number of shows."""
    shows: dict[str, list[SiteEpisode]] = defaultdict(list)
    for one in listed:
        shows[one.folder.partition("/")[0]].append(one)
    cards = [
        {"href": f"{quote(folder)}/index.html", "title": entries[0].show, "facts": _facts(entries)}
        for folder, entries in sorted(shows.items(), key=lambda item: item[1][0].show.casefold())
    ]
    contents = {out / "index.html": _list_page("Transcripts", listed, "", cards), out / "_headers": HEADERS}
    for folder, entries in shows.items():
        contents[out / folder / "index.html"] = _list_page(entries[0].show, entries, folder, [])
    replace_files({path: text.encode("utf-8", "replace") for path, text in contents.items()})
    return len(shows)


def _list_page(title: str, listed: Sequence[SiteEpisode], show: str, cards: list[dict[str, str]]) -> str:
    style, script = templates.asset(*_STYLES), templates.asset(*_SCRIPTS)
    # Pagefind is a module with a worker and WebAssembly; it may reach nothing but this site.
    policy = templates.content_security_policy(
        style,
        script_src=f"'sha256-{templates.digest(script)}' 'self' 'wasm-unsafe-eval'",
        connect_src="'self'",
        worker_src="'self' blob:",
        trusted=False,
    )
    return templates.render_template(
        "site.html",
        policy=policy,
        style=style,
        script=script,
        icon=templates.ICON,
        root="../" if show else "./",
        show=title if show else "",
        title=title,
        facts=_facts(listed),
        shows=cards,
        episodes=[_row(one, show) for one in (listed if show else listed[:NEWEST])],
    )


def _row(one: SiteEpisode, show: str) -> dict[str, str]:
    place = one.folder.partition("/")[2] if show else one.folder
    facts = clock(one.seconds) if show else f"{one.show} · {clock(one.seconds)}"
    return {
        "href": f"{quote(place)}/{FORMATS['html'].file_name}",
        "title": one.title,
        "date": one.published[:10],
        "facts": facts,
        "people": ", ".join(one.people),
    }


def _facts(listed: Sequence[SiteEpisode]) -> str:
    hours = sum(one.seconds for one in listed) / 3600
    length = f"{hours:,.0f} hours" if hours >= 2 else clock(hours * 3600)
    return f"{len(listed):,} episode{'' if len(listed) == 1 else 's'} · {length}"


def _indexed(transcript: Transcript, show: str) -> Iterator[str]:
    """What Pagefind is given of an episode: a heading with time and name for each segment, and its words.

    Each language has an index of its own, which knows its stems. So there is a document for each that is spoken, of
    which that of the main language has the title, and those of the chapters, each with its time.
    """
    main = language_tag(transcript.language) or UNKNOWN_INDEX
    spoken: dict[str, list[Segment]] = {main: []}
    for segment in transcript.segments:
        spoken.setdefault(language_tag(transcript.language_of(segment)) or main, []).append(segment)
    for language, segments in spoken.items():
        title = "" if language == main else ' data-pagefind-ignore="index"'
        facts = _facts_of(transcript, show, title)
        moments = _moments(transcript, segments)
        titles = _titles(transcript) if language == main else ()
        yield f'<html lang="{language}"><body>{"".join([*facts, *titles, *moments])}</body></html>'


def _facts_of(transcript: Transcript, show: str, title: str) -> list[str]:
    """What is told of an episode. title: attributes of its title."""
    facts = [
        f'<h1 data-pagefind-meta="title"{title}>{escape(title_of(transcript))}</h1>',
        f'<p data-pagefind-ignore="index" data-pagefind-meta="show" data-pagefind-filter="show">{escape(show)}</p>',
        f'<p data-pagefind-ignore="index" data-pagefind-meta="date">{escape(transcript.episode.published[:10])}</p>',
    ]
    facts += [
        f'<p data-pagefind-ignore="index" data-pagefind-filter="speaker">{escape(one.name)}</p>'
        for one in speaking_times(transcript)
    ]
    return facts


def _titles(transcript: Transcript) -> Iterator[str]:
    for one in listed_chapters(transcript):
        # With its milliseconds written out it is another anchor than that of what is said then.
        yield f'<h2 id="t={one.start:.3f}">{escape(one.title)}</h2>'


def _moments(transcript: Transcript, segments: Iterable[Segment]) -> Iterator[str]:
    used: set[str] = set()
    for segment in segments:
        text, at = one_line(segment.text).strip(), fragment_seconds(segment.start)
        if text and at not in used:
            used.add(at)
            # A heading without text would be no place to link to.
            name = one_line(transcript.name_of(segment.speaker)).strip() or clock(segment.start)
            yield f'<h3 id="t={at}">{escape(name)}</h3>'
        if text:
            yield f"<p>{escape(text)}</p>"


def _write_index(listed: Sequence[SiteEpisode], out: Path, made: Path) -> None:
    """Pagefind's index of all episodes, in place of an earlier one."""
    # In a thread of its own: a caller may have an event loop, as notebooks do.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, _pagefind(listed, made / INDEX)).result()
    if (out / INDEX).is_dir():
        (out / INDEX).rename(made / f"{INDEX}.before")
    (made / INDEX).rename(out / INDEX)


async def _pagefind(listed: Sequence[SiteEpisode], target: Path) -> None:
    from pagefind.index import IndexConfig, PagefindIndex

    async with PagefindIndex(config=IndexConfig(output_path=str(target.resolve()))) as index:
        for one in listed:
            for number, document in enumerate(one.indexed):
                page = f"{quote(one.folder)}/transcript.html"
                # What has the address of another takes its place; site.js takes the number off again.
                await index.add_html_file(content=document, url=f"{page}?{number}" if number else page)
