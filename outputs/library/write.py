"""Putting the files of an episode into its folder: the record and every format, together or not at all."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from models.record.errors import InputError
from models.record.transcript import Transcript
from outputs.formats.format import Format
from outputs.formats.html import KEPT_AUDIO
from outputs.formats.registry import CHOICES, EPISODE, FORMATS, TRANSLATED
from outputs.library import corrections
from outputs.library.corrections import Correction
from outputs.library.files import is_local, replace_files, unwritable, upload_file
from outputs.library.review import reviewed
from outputs.text.translations import translated, translations_of

RENDERINGS = (
    5  # before what was rendered is written although somebody has written meanwhile, and writes again
)


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
    formats are rendered side by side: only for programs that run no threads. Subtitles and text are written in the
    languages of its translations, too. A format for which the episode lacks what it needs has no file: one from before
    is removed.
    Raises InputError for an unknown format, OutputError where the folder can't be written.
    """
    contents = contents_of(transcript, folder, formats, amended, processes)
    try:
        if is_local(folder):  # stores with URLs have no folders, and would make a bucket of a mistyped name
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    replace_files(contents)
    return [file for file, data in contents.items() if data is not None]


def contents_of(
    transcript: Transcript,
    folder: Path,
    formats: Iterable[str],
    amended: Sequence[Correction] | None = None,
    processes: int = 1,
) -> dict[Path, bytes | None]:
    """The files that `publish` writes, in that order, None for those that are not to be there. Raises as it does."""
    chosen = [
        (entry, language)
        for entry in formats_named(formats)
        for language in ("", *(translations_of(transcript) if entry.translated else ()))
    ]
    made = corrections.load(folder) if amended is None else amended
    corrected = corrections.apply_corrections(transcript, made).transcript
    unheard = (corrections.CHAPTERS, corrections.UNDO)
    heard = any(one.kind not in unheard for one in made)  # by somebody who corrected what was said
    transcript = replace(transcript, review=reviewed(transcript, corrected) if heard else None)
    rendered = _rendered(transcript, corrected, chosen, processes)
    contents = {
        folder / (entry.translated_name(language) if language else entry.file_name): (
            data if data or not entry.needs else None
        )
        for (entry, language), data in zip(chosen, rendered, strict=True)
    }
    return (
        contents
        if amended is None
        else {folder / corrections.FILE_NAME: corrections.render(amended), **contents}
    )


def _rendered(
    record: Transcript, corrected: Transcript, chosen: Sequence[tuple[Format, str]], processes: int
) -> list[bytes]:
    """The content of each format: the record's own file of what the models heard, all others corrected.

    chosen: the formats, each with the language of a translation, "" for what was said.
    """
    sources = (record, corrected)
    if processes == 1 or "fork" not in multiprocessing.get_all_start_methods():
        return [_render(entry, language, sources) for entry, language in chosen]
    forking = multiprocessing.get_context("fork")
    # Forked with the transcripts, which are too large to be sent about.
    with ProcessPoolExecutor(processes, forking, _inherit, sources) as pool:
        return list(
            pool.map(_render_inherited, *zip(*((one.name, code) for one, code in chosen), strict=True))
        )


def _render(entry: Format, language: str, sources: Sequence[Transcript]) -> bytes:
    record, corrected = sources
    if language:
        corrected = translated(corrected, translations_of(corrected)[language])
    return entry.render(record if entry is EPISODE else corrected)


_inherited: list[Transcript] = []


def _inherit(*sources: Transcript) -> None:
    _inherited[:] = sources


def _render_inherited(name: str, language: str) -> bytes:
    return _render(FORMATS[name], language, _inherited)


def remove_translations(folder: Path, languages: Iterable[str]) -> None:
    """Remove the files of translations into these languages. What can't be removed stays: all else is done by then."""
    for file in (folder / one.translated_name(code) for code in languages for one in TRANSLATED):
        with suppress(Exception):  # each kind of store has its own
            file.unlink(missing_ok=True)


def formats_named(names: Iterable[str]) -> list[Format]:
    """The formats of these names, each once, the full record last. InputError for an unknown name."""
    wanted = dict.fromkeys(names)
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown:
        raise InputError(f"unknown format {', '.join(map(repr, unknown))}; there are {', '.join(CHOICES)}")
    return [*(FORMATS[name] for name in wanted if name != EPISODE.name), EPISODE]


def keep_audio(audio: Path, folder: Path) -> str:
    """Put a copy of `audio` beside an episode's page; returns its name there. OutputError if it can't be."""
    target = folder / f"{KEPT_AUDIO}{audio.suffix.lower()}"
    if not is_local(folder):
        upload_file(audio, target)
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
        raise unwritable(target, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return target.name
