"""The steps of processing an episode, as plain functions that know nothing of Prefect.

Each takes and returns small values. Decoded audio, which is not small, is kept by `samples` for the
steps of one run and never handed around.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
from numpy.typing import NDArray

from audio.feeds.cleaning import MAX_FEED_BYTES
from audio.feeds.parse import listed_at, parse_feed, pick
from audio.media import decode as decoding
from audio.media.ffmpeg import check_file
from audio.media.probe import probe
from audio.transfer.addresses import checked_url, name_in, shown, without_login
from audio.transfer.download import Limits, Source, StoredFile, local_file
from flows.naming import published
from flows.options import RunOptions
from models.alignment.align import align
from models.asr.language import check_code
from models.asr.transcription import Transcription, WhisperOptions, transcribe
from models.asr.whisper_models import resolve as resolve_whisper
from models.diarisation import diariser
from models.diarisation.diariser import DiariserOptions, diarise
from models.naming.speakers import name_speakers
from models.record.errors import EpiscribeError, InputError
from models.record.progress import Progress, silent
from models.record.spans import Span
from models.record.transcript import AudioFile, Diarisation, Episode, Transcript
from models.runtime.cache import cache_folder
from models.runtime.device import resolve_device
from outputs.library import corrections, files, read, write
from outputs.library.corrections import carried
from outputs.library.folders import present_formats
from outputs.text.slug import slug

PAGE_MESSAGE = (
    "is neither audio nor a podcast feed (a web page?): give the address of the feed or of the audio file"
)
UNTITLED_SHOW = "single-episodes"  # the show folder of what came from no feed


@dataclass(frozen=True)
class Fetched:
    """An episode and where its audio lies; `fresh` is False where nothing had to be downloaded."""

    episode: Episode
    path: str
    sha256: str
    fresh: bool


@dataclass(frozen=True)
class Heard:
    """What decoding told: the length in seconds and what the listener should be warned of."""

    seconds: float
    mix: decoding.Mix
    warnings: tuple[str, ...]


def is_url(source: str) -> bool:
    """Whether a SOURCE is an address rather than a path."""
    return "://" in source


def check(source: str, options: RunOptions) -> None:
    """Refuse what can't work before any work is done; raises InputError."""
    write.formats_named(options.formats)
    for folder in (options.out, options.library):
        if (
            folder
            and files.is_local(files.place(folder))
            and Path(folder).exists()
            and not Path(folder).is_dir()
        ):
            raise InputError(f"{folder} is a file: results need a folder")
    check_code(options.language)
    if options.episode != "latest" and not is_url(source):
        raise InputError(f"--episode {options.episode} chooses from a feed, and {source} is a file")
    _check_models(options)
    try:
        source.encode()
    except UnicodeEncodeError:
        raise InputError(f"{source!r} is not a name in UTF-8: rename the file") from None
    if is_url(source):
        checked_url(source)
    else:
        check_file(source)


def _check_models(options: RunOptions) -> None:
    """Refuse models that aren't here or may not be used: ModelError with the command that helps."""
    device = resolve_device(options.device)
    resolve_whisper(options.model, device)
    diariser.require(options.diarisation(), device)


def fetch(source: str, options: RunOptions, progress: Progress = silent) -> Fetched:
    """Find the episode SOURCE means and bring its audio to this machine.

    SOURCE is a file, the URL of audio, or the URL of a feed, from which `options.episode` is taken.
    Raises InputError and DownloadError.
    """
    if not is_url(source):
        stored = local_file(source)
        episode = Episode(id=_identity(stored.sha256), title=Path(source).stem)
        return Fetched(episode, str(stored.path), stored.sha256, fresh=False)
    with Source(source, downloads_folder(), allow_private=options.allow_private) as opened:
        if opened.kind == "audio":
            address = without_login(source)
            episode = Episode(id=_identity(address), title=name_in(address), audio_url=address)
            return _fetched(episode, _save(opened, progress))
        if opened.kind == "page":
            raise InputError(f"{shown(source)} {PAGE_MESSAGE}")
        page = opened.read(MAX_FEED_BYTES)
    feed = listed_at(parse_feed(page.data, page.url), source)
    return fetch_audio(pick(feed, options.episode), options, progress)


def fetch_audio(
    episode: Episode,
    options: RunOptions,
    progress: Progress = silent,
    *,
    limits: Limits | None = None,
    secret: Mapping[str, str] | None = None,
) -> Fetched:
    """Bring the audio of a feed's episode to this machine. Raises InputError and DownloadError.

    secret: headers for the server of the audio, such as a login.
    """
    with Source(
        episode.audio_url,
        downloads_folder(),
        limits=limits,
        allow_private=options.allow_private,
        secret=secret,
    ) as opened:
        if opened.kind != "audio":
            raise InputError(f"{shown(episode.audio_url)} {PAGE_MESSAGE}")
        return _fetched(episode, _save(opened, progress))


def _save(source: Source, progress: Progress) -> StoredFile:
    return source.save(lambda done, total: progress("download", done, total or 0))


def _fetched(episode: Episode, stored: StoredFile) -> Fetched:
    return Fetched(episode, str(stored.path), stored.sha256, stored.fresh)


def _identity(what: str) -> str:
    """The id of an episode that came from no feed: the same for the same content or address."""
    return str(uuid5(NAMESPACE_URL, what))


def downloads_folder() -> Path:
    """Where downloaded audio is kept, by content."""
    return cache_folder() / "downloads"


def hear(path: str, sha256: str, progress: Progress = silent) -> Heard:
    """Decode the audio once, keep it for the steps after, and say what it is. Raises InputError."""
    found = probe(path)
    decoded = _decoded(path, sha256, found.mix, progress)
    warnings = [decoded.warning] if decoded.warning else []
    if found.tracks > 1:
        warnings.append(f"the file has {found.tracks} audio tracks: only its default one was heard")
    if found.mix != "mean":
        warnings.append(
            f"only the {found.mix} channel was heard: the other is silent or would have cancelled it out"
        )
    return Heard(decoded.seconds, found.mix, tuple(warnings))


def samples(audio: AudioFile, mix: decoding.Mix, progress: Progress = silent) -> NDArray[np.int16]:
    """The audio as (samples,) int16 mono at 16 kHz, decoded at most once while one run lasts."""
    return _decoded(audio.path, audio.sha256, mix, progress).samples


_decoded_last: dict[tuple[str, str], decoding.Decoded] = {}


def _decoded(path: str, sha256: str, mix: decoding.Mix, progress: Progress) -> decoding.Decoded:
    key = (sha256, mix)
    if key not in _decoded_last:
        release()
        _decoded_last[key] = decoding.decode(
            path, mix=mix, progress=lambda done, total: progress("decode", done, total or 0)
        )
    return _decoded_last[key]


def release() -> None:
    """Let go of decoded audio."""
    _decoded_last.clear()


def write_words(
    audio: AudioFile,
    mix: decoding.Mix,
    options: WhisperOptions,
    speech: Sequence[Span] | None = None,
    progress: Progress = silent,
) -> Transcription:
    """Transcribe; see `models.whisper.transcribe`."""
    return transcribe(samples(audio, mix, progress), options, progress, speech)


def find_turns(
    audio: AudioFile, mix: decoding.Mix, options: DiariserOptions, progress: Progress = silent
) -> Diarisation:
    """Diarise; see `models.diarisation.diariser.diarise`."""
    return diarise(samples(audio, mix, progress), options, progress)


def assemble(
    episode: Episode,
    audio: AudioFile,
    words: Transcription,
    turns: Diarisation,
    *,
    diariser_model: str,
    warnings: Iterable[str] = (),
) -> Transcript:
    """Align words and turns, name the speakers, and put everything that is known into one record."""
    segments = align(words.words, turns.exclusive, words.language, turns.turns)
    return Transcript(
        episode=replace(episode, audio_url=without_login(episode.audio_url)),
        audio=replace(audio, path=Path(audio.path).name),
        language=words.language,
        segments=segments,
        speakers=name_speakers(segments),
        turns=turns.turns,
        exclusive=turns.exclusive,
        engine=engine(words.model, diariser_model),
        warnings=(*warnings, *words.warnings),
        repairs=words.repairs,
    )


@lru_cache(maxsize=8)
def engine(whisper: str, diariser_model: str) -> dict[str, Any]:
    """Which models and versions a transcript was made with."""
    packages = ("episcribe", "faster-whisper", "pyannote.audio")
    return {
        "whisper": whisper,
        "diariser": diariser_model,
        **{package: version(package) for package in packages},
    }


def publish(transcript: Transcript, options: RunOptions, audio: str = "") -> tuple[Path, list[Path]]:
    """Write the episode's folder: its path and those of the files. `audio` is where its audio lies.

    Corrections are kept, and files of formats that are not asked for now but were before are written again
    too, so that all files of a folder tell the same.
    """
    folder = folder_for(transcript.episode, options)
    before = published(folder)
    formats, amended = list(options.formats), None
    if before is not None:
        made = corrections.load(folder)
        moved = carried(made, before, transcript)
        # Not written where nothing changes: the edit page may write another one meanwhile.
        amended = moved if moved != made else None
        formats += present_formats(folder)
    if options.keep_audio and audio:
        name = write.keep_audio(Path(audio), folder)
        transcript = replace(transcript, audio=replace(transcript.audio, path=name))
    elif (
        before is not None
        and before.audio.sha256 == transcript.audio.sha256
        and read.kept_audio(folder, before)
    ):
        transcript = replace(transcript, audio=before.audio)
    return folder, write.publish(transcript, folder, formats, amended)


def unplaced(folder: Path) -> tuple[str, ...]:
    """What to warn of when corrections no longer fit the words of an episode."""
    waiting = read.load_corrected(folder).waiting
    if not waiting:
        return ()
    which = f"{len(waiting)} corrections no longer fit" if len(waiting) > 1 else "a correction no longer fits"
    return (f"{which} the words: `episcribe edit {folder} --list` shows which",)


def keep_better(fetched: Fetched, options: RunOptions, reason: str) -> None:
    """EpiscribeError where a transcript without speakers would replace one of the same audio with them."""
    folder = folder_for(fetched.episode, options)
    before = published(folder)
    if before is not None and before.audio.sha256 == fetched.sha256 and before.speakers:
        raise EpiscribeError(f"{reason}; {folder} keeps the transcript with speakers that it has")


def folder_for(episode: Episode, options: RunOptions) -> Path:
    """Where the files of an episode go."""
    if options.out:
        return files.place(options.out)
    return episode_folder(files.place(options.library), episode)


def episode_folder(library: Path, episode: Episode) -> Path:
    """`<library>/<show>/<date>-<title>`; with a piece of the id where another episode has that name."""
    date = episode.published[:10]
    title = slug(episode.title)
    folder = library / slug(episode.show or UNTITLED_SHOW) / (f"{date}-{title}" if date else title)
    taken_by = _episode_id(folder)
    if taken_by is not None and taken_by != episode.id:
        return folder.with_name(f"{folder.name}-{slug(episode.id)[:8]}")
    return folder


def _episode_id(folder: Path) -> str | None:
    """Whose folder this is; None for nobody's, or nobody's that we can tell."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        record = json.loads((folder / "episode.json").read_text(encoding="utf-8"))
        return str(record["episode"]["id"])
    return None
