"""Putting the files of an episode into its folder, each of them whole or not at all.

A folder is a Path, or a UPath where the library is an fsspec URL such as s3://bucket/shows.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from models.errors import InputError, OutputError
from models.transcript import Transcript
from outputs import corrections
from outputs.base import Format
from outputs.corrections import Correction
from outputs.formats import EPISODE, FORMATS
from outputs.html import KEPT_AUDIO

UPLOAD_BYTES = 8 << 20  # that are in memory at a time


def publish(
    transcript: Transcript,
    folder: Path,
    formats: Iterable[str],
    amended: Sequence[Correction] | None = None,
    *,
    processes: int = 1,
) -> list[Path]:
    """Write an episode in the named formats and return the paths, in the order written.

    episode.json is always among them and comes last, so a folder that has it has the others. All
    files are rendered, then written under temporary names, then renamed: an error on the way there
    leaves what was in the folder as it was. Files of formats that are not named stay untouched.
    `transcript` is the record; for all other files corrections are laid over it: those that lie in the
    folder, or `amended` ones, which then replace them. With more than one of `processes`, which are forked,
    formats are rendered side by side: only for programs that run no threads.
    Raises InputError for an unknown format, OutputError where the folder can't be written.
    """
    chosen = formats_named(formats)
    made = corrections.load(folder) if amended is None else amended
    corrected = corrections.correct(transcript, made).transcript
    texts = _rendered(transcript, corrected, chosen, processes)
    # A file name that is not UTF-8 reaches us with lone surrogates; JSON reads their escapes back.
    contents = {
        folder / entry.file_name: text.encode("utf-8", "backslashreplace")
        for entry, text in zip(chosen, texts, strict=True)
    }
    if amended is not None:
        text = corrections.render(amended)
        contents = {folder / corrections.FILE_NAME: text.encode("utf-8", "backslashreplace"), **contents}
    try:
        if is_local(folder):  # stores with URLs have no folders, and would make a bucket of a mistyped name
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}") from error
    replace_files(contents)
    return list(contents)


def place(location: str | os.PathLike[str]) -> Path:
    """A folder or file by its path, or by an fsspec URL. InputError for a kind of URL that can't be used."""
    if "://" not in str(location):
        return Path(location)
    from upath import UPath

    try:
        # Remembered listings don't tell what another machine has written since: files would seem damaged or absent.
        found: Any = UPath(str(location), use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise InputError(f"{location} can't be used as a library: {error}") from None
    return Path(found.path) if found.protocol in ("file", "local") else cast(Path, found)


def is_local(path: Path) -> bool:
    """Whether a path is of this machine's file system, rather than a store that has URLs."""
    return isinstance(path, Path)


def _rendered(
    record: Transcript, corrected: Transcript, chosen: Sequence[Format], processes: int
) -> list[str]:
    """The text of each format: the record's own file of what the models heard, all others corrected."""
    sources = (record, corrected)
    if processes == 1 or "fork" not in multiprocessing.get_all_start_methods():
        return [_render(entry, sources) for entry in chosen]
    forking = multiprocessing.get_context("fork")
    # Forked with the transcripts, which are too large to be sent about.
    with ProcessPoolExecutor(processes, forking, _inherit, sources) as pool:
        return list(pool.map(_render_inherited, [entry.name for entry in chosen]))


def _render(entry: Format, sources: Sequence[Transcript]) -> str:
    record, corrected = sources
    return entry.render(record if entry is EPISODE else corrected)


_inherited: list[Transcript] = []


def _inherit(*sources: Transcript) -> None:
    _inherited[:] = sources


def _render_inherited(name: str) -> str:
    return _render(FORMATS[name], _inherited)


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Write files into folders that are there: all under temporary names first, then renamed.

    A reader sees each file whole or as it was. Raises OutputError where one can't be written. Stores such as S3
    show a file only once it is whole, and can't rename: there each is written under its own name, in order.
    """
    if not all(map(is_local, contents)):
        _upload(contents)
        return
    parts = {target: target.with_name(f".{target.name}.{secrets.token_hex(4)}.part") for target in contents}
    target = Path()
    try:
        for target, part in parts.items():
            _write(part, contents[target])
        for target, part in parts.items():
            part.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        for part in parts.values():
            with suppress(OSError):
                part.unlink(missing_ok=True)


def formats_named(names: Iterable[str]) -> list[Format]:
    """The formats of these names, each once, the full record last. InputError for an unknown name."""
    wanted = dict.fromkeys(names)
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown:
        raise InputError(f"unknown format {', '.join(map(repr, unknown))}; there are {', '.join(FORMATS)}")
    return [*(FORMATS[name] for name in wanted if name != EPISODE.name), EPISODE]


def _upload(contents: Mapping[Path, bytes]) -> None:
    for target, data in contents.items():
        try:
            target.write_bytes(data)
        except Exception as error:  # each kind of store has its own
            raise OutputError(f"cannot write {target}: {error}") from error


def _upload_file(source: Path, target: Path) -> None:
    """As `_upload`, for a file that may be larger than memory."""
    try:
        with source.open("rb") as data, target.open("wb") as out:
            shutil.copyfileobj(data, out, UPLOAD_BYTES)
    except Exception as error:
        raise OutputError(f"cannot write {target}: {error}") from error


def keep_audio(audio: Path, folder: Path) -> str:
    """Put a copy of `audio` beside an episode's page; returns its name there. OutputError if it can't be."""
    target = folder / f"{KEPT_AUDIO}{audio.suffix.lower()}"
    if not is_local(folder):
        _upload_file(audio, target)
        return target.name
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        if target.exists() and target.samefile(audio):
            return target.name
        folder.mkdir(parents=True, exist_ok=True)
        try:
            os.link(audio.resolve(), part)  # costs no space on the same disk
        except OSError:
            shutil.copyfile(audio, part)
        part.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return target.name


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
