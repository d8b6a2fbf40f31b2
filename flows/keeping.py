"""What is kept in the cache folder, and room made there: within budgets, by what was not used for longest.

Downloads, kept results and models have budgets. What a run needs, in any process of this machine, it holds
(`models.runtime.cache`), and that stays whatever the budget. Voices go by their age, and so does what processes that
were killed left behind. Only what has a name that we give is ever removed, for the folder may be one that others use,
and no link is followed: not within the folders, nor where a folder of the cache folder is one itself.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from flows import logs
from flows.library.audio import downloads_folder
from models.record.errors import OutputError
from models.runtime import offline_models
from models.runtime.cache import (
    HUB_MODEL,
    KINDS,
    USED,
    Budgets,
    Kind,
    cache_folder,
    is_held,
    last_used,
    locked_file,
    unused,
)
from outputs.library import voices_file

DAY = 86_400.0
SPARED_SECONDS = (
    DAY  # after its last use that a model, or a download that was cut off, is kept whatever the budget
)
LEFT_SECONDS = DAY  # after which what should have been moved or removed was left by a process that was killed
NOTE_SECONDS = 400 * DAY  # that it is remembered when something was last used

DIGEST = re.compile(r"[0-9a-f]{64}")
AUDIO = re.compile(rf"({DIGEST.pattern})\.[a-z0-9]{{1,8}}")
OF_URL = re.compile(r"([0-9a-f]{32})\.(json|part|part\.json|lock)")
TRACKS = re.compile(r"zip-[0-9a-f]{32}")
RESULT = re.compile(
    rf"(decode|diarise|transcribe|overlaps|translate|chapters)-v\d+-({DIGEST.pattern})-[0-9a-f]{{16}}"
)
SENT = re.compile(r"[0-9a-f]{32}\.[a-z0-9]{1,8}")
VOICES = re.compile(rf"{DIGEST.pattern}\.json")
BESIDE = r"(-journal|-shm|-wal)?"  # what SQLite has beside a database
DATABASE = re.compile(rf"prefect-(\d[0-9a-z.]*)\.db{BESIDE}")
OFFLINE_MODELS = frozenset(model.name for model in offline_models.OFFLINE_SET)
# What is moved when it is whole or removed as a whole, and so has another name for a moment.
MOVED = "|".join(
    (
        r"pace\.json",
        DIGEST.pattern,
        VOICES.pattern,
        TRACKS.pattern,
        HUB_MODEL.pattern,
        *map(re.escape, sorted(OFFLINE_MODELS)),
    )
)
LEFT = re.compile(
    rf"\.(({MOVED})\.)?[0-9a-f]{{8}}\.part{BESIDE}"
    r"|[0-9a-f]{32}\.(part\.)?json\.new|(zip|extract)-[a-z0-9_]{8}|\.pull-[a-z0-9_]{8}"
)


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is kept, and removed as a whole: bytes on disk, last use in seconds since 1970.

    lock: what who needs it holds, None where a reader copes with its removal. spared: whether a budget leaves it alone
    as yet; expired: whether it goes whatever the budget.
    """

    paths: tuple[Path, ...]
    size: int
    used: float
    lock: Path | None = None
    spared: bool = False
    expired: bool = False


class Total(NamedTuple):
    """How much of a kind is kept, and where; since when the oldest of it is not used, None where there is nothing."""

    kind: str
    folder: str
    number: int
    size: int
    oldest: float | None
    budget: int | None = None


@dataclass
class Pruned:
    """What was removed, of one kind: how many things, and their bytes; how many are needed, or can't be removed.

    over: bytes that are kept beyond the budget all the same.
    """

    kind: Kind
    removed: int = 0
    freed: int = 0
    needed: int = 0
    over: int = 0


def results_folder() -> Path:
    """Where the results of steps are kept; not those that Prefect was told to keep in a store, such as S3."""
    configured = os.environ.get("PREFECT_LOCAL_STORAGE_PATH")
    return Path(configured).expanduser() if configured else cache_folder() / "results"


def tracks_folder() -> Path:
    """Where zips of tracks are unpacked."""
    return cache_folder() / "tracks"


def transcripts_folder() -> Path:
    """Where transcripts and chapters are kept that feeds offer."""
    return cache_folder() / "transcripts"


def fetched_folder() -> Path:
    """Where files that people sent to a store with a URL are while a run hears them."""
    return cache_folder() / "fetched"


def totals(budgets: Budgets) -> list[Total]:
    """How much is kept of each kind, and of what has no budget."""
    folders = {
        "downloads": downloads_folder(),
        "results": results_folder(),
        "models": offline_models.models_folder(),
    }
    counted = [_total(kind, folders[kind], _items(kind), budgets.get(kind)) for kind in KINDS]
    voices = [_item(entry) for entry in _entries(voices_file.voices_folder())]
    counted.append(_total("voices", voices_file.voices_folder(), voices))
    told = {total.folder for total in counted} | {str(tracks_folder()), str(transcripts_folder())}
    others = [entry for entry in _entries(cache_folder()) if entry.path not in told]
    return [*counted, _total("other", cache_folder(), map(_item, others))]


def prune(budgets: Budgets, *, spare: Collection[str] = KINDS, dry_run: bool = False) -> list[Pruned]:
    """Remove what is over the budgets, longest unused first, and what goes by its age; what was done of each kind.

    spare: kinds of which nothing that may be needed soon goes: models that were used within a day, and downloads that
    were cut off within one and go on where they were. Cheap where nothing is over. Of two
    at once one waits for the other. OutputError where nothing can be removed from the cache folder.
    """
    if not cache_folder().is_dir():
        return []
    try:
        with locked_file(cache_folder() / ".prune.lock"):
            pruned = [_prune(kind, budgets.get(kind), kind in spare, dry_run=dry_run) for kind in KINDS]
            if not dry_run:
                if pruned[0].removed:
                    _drop_records()
                _drop_what_is_old()
            return pruned
    except OSError as error:
        raise OutputError(f"cannot make room in {cache_folder()}: {error.strerror or error}") from error


def sweep(budgets: Budgets) -> None:
    """Prune now and then, beside other work, which goes on where that can't be done, and is told so."""
    try:
        prune(budgets)
    except OutputError as error:
        logs.warn(str(error), event="cache")


def _prune(kind: Kind, budget: int | None, spare: bool, *, dry_run: bool) -> Pruned:
    pruned, items = Pruned(kind), sorted(_items(kind), key=lambda item: (not item.expired, item.used))
    left = sum(item.size for item in items)
    for item in items:
        over = budget is not None and left > budget
        if not (item.expired or (over and item.size)):
            continue
        if (item.spared and spare) or not (_is_free(item) if dry_run else _removed(item)):
            pruned.needed += 1
            continue
        left -= item.size
        pruned.removed += 1
        pruned.freed += item.size
    pruned.over = max(0, left - budget) if budget is not None else 0
    return pruned


def _is_free(item: Item) -> bool:
    return item.lock is None or not is_held(item.lock)


def _removed(item: Item) -> bool:
    """Remove it unless somebody needs it, or it can't be; whether it is gone."""
    if item.lock is None:
        return all(map(_erased, item.paths))
    with unused(item.lock) as free:
        return free and all(map(_erased, item.paths))


def _erased(path: Path) -> bool:
    """Remove a file, or a folder, which is gone at once for who looks for it; False where that can't be done."""
    try:
        if not path.is_dir():
            path.unlink(missing_ok=True)
            return True
        gone = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        path.rename(gone)
    except OSError:
        return False
    shutil.rmtree(gone, ignore_errors=True)
    return True


def _items(kind: Kind) -> Iterator[Item]:
    """All that is kept of a kind."""
    kinds: dict[Kind, Callable[[], Iterator[Item]]] = {
        "downloads": _downloads,
        "results": _results,
        "models": _models,
    }
    return kinds[kind]()


def _downloads() -> Iterator[Item]:
    """Audio, what has come of it so far, tracks that were unpacked, and what feeds offer."""
    folder, recently = downloads_folder(), time.time() - SPARED_SECONDS
    used = last_used(folder)
    for entry in _entries(folder):
        if audio := AUDIO.fullmatch(entry.name):
            yield _item(entry, folder / USED / audio[1], used.get(audio[1], 0.0))
        elif (part := OF_URL.fullmatch(entry.name)) and part[2] == "part":
            item = _item(entry, folder / f"{part[1]}.lock")
            told = folder / f"{part[1]}.part.json"
            yield replace(item, paths=(*item.paths, told), spared=item.used > recently)
    folder = tracks_folder()
    used = last_used(folder)
    for entry in _entries(folder):
        if TRACKS.fullmatch(entry.name):
            yield _item(entry, folder / USED / entry.name, used.get(entry.name, 0.0))
    yield from (_item(entry) for entry in _entries(transcripts_folder()) if DIGEST.fullmatch(entry.name))


def _results() -> Iterator[Item]:
    """Results of steps, all of a recording together; those that hold voices expire as voices do."""
    folder, oldest = results_folder(), time.time() - voices_file.HEARD_DAYS * DAY
    used, of_audio = last_used(folder), defaultdict[str, list[Item]](list)
    for entry in _entries(folder):
        if result := RESULT.fullmatch(entry.name):
            item = _item(entry, folder / USED / result[2])
            if result[1] == "diarise" and item.used < oldest:
                yield replace(item, expired=True)
            else:
                of_audio[result[2]].append(item)
    for sha256, items in of_audio.items():
        last = max(used.get(sha256, 0.0), *(item.used for item in items))
        paths = tuple(path for item in items for path in item.paths)
        yield replace(items[0], paths=paths, size=sum(item.size for item in items), used=last)


def _models() -> Iterator[Item]:
    """The offline models, and those of the hub that were used here: its cache is other programs' too."""
    used, recently = last_used(cache_folder()), time.time() - SPARED_SECONDS
    for entry in _entries(offline_models.models_folder()):
        if entry.name in OFFLINE_MODELS:
            item = _item(entry, cache_folder() / USED / entry.name, used.get(entry.name, 0.0))
            yield replace(item, spared=item.used > recently)
    if not any(map(HUB_MODEL.fullmatch, used)):
        return
    for entry in _entries(_hub_folder()):
        if entry.name in used and HUB_MODEL.fullmatch(entry.name):
            last = max(used[entry.name], _used_by_others(Path(entry.path)))
            item = _item(entry, cache_folder() / USED / entry.name, last)
            yield replace(item, spared=item.used > recently)


def _hub_folder() -> Path:
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE)


def _used_by_others(model: Path) -> float:
    """When any program last fetched or read a model of the hub's cache, as far as the file system notes it.

    Linux notes that a file was read no more than once a day: one that was may have been read since, up to a day later.
    """
    newest, now = 0.0, time.time()
    for part in ("refs", "snapshots", "blobs"):
        for entry in _entries(model / part):
            with suppress(OSError):  # it is gone
                found = entry.stat(follow_symlinks=False)
                read = 0.0 if entry.is_dir(follow_symlinks=False) else min(found.st_atime + DAY, now)
                newest = max(newest, found.st_mtime, read)
    return newest


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What a folder holds but for links; nothing where it isn't there, or is itself a link in the cache folder."""
    if _is_elsewhere(folder):
        return
    with suppress(OSError), os.scandir(folder) as entries:
        yield from (entry for entry in entries if not entry.is_symlink())


def _is_elsewhere(folder: Path) -> bool:
    return folder.is_symlink() and folder.parent == cache_folder()


def _item(entry: os.DirEntry[str], lock: Path | None = None, used: float = 0.0) -> Item:
    changed, size = 0.0, 0
    with suppress(OSError):  # it is gone
        changed, size = entry.stat(follow_symlinks=False).st_mtime, _size(entry)
    return Item((Path(entry.path),), size, max(used, changed), lock)


def _size(entry: os.DirEntry[str]) -> int:
    """Bytes that removing it would free: none of a file that has another name, as audio kept in a library has."""
    if entry.is_dir(follow_symlinks=False):
        return sum(map(_size, _entries(Path(entry.path))))
    found = entry.stat(follow_symlinks=False)
    return found.st_size if found.st_nlink == 1 else 0


def _total(kind: str, folder: Path, items: Iterable[Item], budget: int | None = None) -> Total:
    listed = list(items)
    oldest = min((item.used for item in listed), default=None)
    return Total(kind, str(folder), len(listed), sum(item.size for item in listed), oldest, budget)


def _drop_records() -> None:
    """Drop what servers said of addresses whose audio is gone."""
    folder = downloads_folder()
    for entry in _entries(folder):
        of_url = OF_URL.fullmatch(entry.name)
        if not of_url or of_url[2] != "json":
            continue
        with unused(folder / f"{of_url[1]}.lock") as free, suppress(OSError, ValueError, TypeError, KeyError):
            record = Path(entry.path)
            if free and not (folder / Path(json.loads(record.read_bytes())["name"]).name).exists():
                record.unlink()


def _drop_what_is_old() -> None:
    """Drop voices, databases of other versions of Prefect, old notes of use, and what killed processes left."""
    voices_file.drop_old()
    for entry in _older(cache_folder(), LEFT_SECONDS):
        database = DATABASE.fullmatch(entry.name)
        if database and database[1] != version("prefect"):
            _erased(Path(entry.path))
    folders = (downloads_folder(), tracks_folder(), fetched_folder(), results_folder())
    others = (
        cache_folder(),
        transcripts_folder(),
        voices_file.voices_folder(),
        offline_models.models_folder(),
        _hub_folder(),
    )
    for folder in (*folders, *others):
        _drop_left(folder)
    for folder in folders:
        if not _is_elsewhere(folder):
            for entry in _older(folder / USED, NOTE_SECONDS):
                _removed(Item((), 0, 0.0, Path(entry.path)))


def _drop_left(folder: Path) -> None:
    """Drop what a process that was killed left in a folder."""
    for entry in _older(folder, LEFT_SECONDS):
        path, of_url = Path(entry.path), OF_URL.fullmatch(entry.name)
        if LEFT.fullmatch(entry.name):
            _erased(path)
        elif of_url and of_url[2] == "lock":  # of an address of which nothing is kept
            if not any(path.with_suffix(f".{other}").exists() for other in ("json", "part")):
                _removed(Item((), 0, 0.0, path))
        elif folder == fetched_folder() and SENT.fullmatch(entry.name):
            _removed(Item((path,), 0, 0.0, folder / USED / entry.name))


def _older(folder: Path, seconds: float) -> Iterator[os.DirEntry[str]]:
    since = time.time() - seconds
    for entry in _entries(folder):
        with suppress(OSError):
            if entry.stat(follow_symlinks=False).st_mtime < since:
                yield entry
