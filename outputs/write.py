"""Putting the files of an episode into its folder, each of them whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from models.errors import InputError, OutputError
from models.transcript import Transcript
from outputs import corrections
from outputs.base import Format
from outputs.corrections import Correction
from outputs.formats import EPISODE, FORMATS
from outputs.html import KEPT_AUDIO


def publish(
    transcript: Transcript,
    folder: Path,
    formats: Iterable[str],
    amended: Sequence[Correction] | None = None,
) -> list[Path]:
    """Write an episode in the named formats and return the paths, in the order written.

    episode.json is always among them and comes last, so a folder that has it has the others. All
    files are rendered, then written under temporary names, then renamed: an error on the way there
    leaves what was in the folder as it was. Files of formats that are not named stay untouched.
    `transcript` is the record; for all other files corrections are laid over it: those that lie in the
    folder, or `amended` ones, which then replace them.
    Raises InputError for an unknown format, OutputError where the folder can't be written.
    """
    # A file name that is not UTF-8 reaches us with lone surrogates; JSON reads their escapes back.
    chosen_corrections = corrections.load(folder) if amended is None else amended
    corrected = corrections.correct(transcript, chosen_corrections).transcript
    contents = {
        folder / chosen.file_name: chosen.render(transcript if chosen is EPISODE else corrected).encode(
            "utf-8", "backslashreplace"
        )
        for chosen in formats_named(formats)
    }
    if amended is not None:
        text = corrections.render(amended)
        contents = {folder / corrections.FILE_NAME: text.encode("utf-8", "backslashreplace"), **contents}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}") from error
    replace_files(contents)
    return list(contents)


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Write files into folders that are there: all under temporary names first, then renamed.

    A reader sees each file whole or as it was. Raises OutputError where one can't be written.
    """
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


def keep_audio(audio: Path, folder: Path) -> str:
    """Put a copy of `audio` beside an episode's page; returns its name there. OutputError if it can't be."""
    target = folder / f"{KEPT_AUDIO}{audio.suffix.lower()}"
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
