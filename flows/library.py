"""Finding things in a library: the feed of a show, the episodes to link to, the audio of an episode."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from models.errors import EpiscribeError, InputError
from models.transcript import Episode, Transcript
from outputs import read
from outputs.feed import Entry, Published, entry_of, publish
from outputs.formats import FORMATS
from outputs.search import episode_folders
from outputs.write import is_local


def show_feed(show: str) -> tuple[str, dict[str, str]]:
    """Where a show's feed is, and the headers that let us in.

    SHOW is its name in episcribe.toml, an address, or a file. InputError where it is none of these.
    """
    from flows import settings as configuration

    settings = configuration.load()
    if show in settings.shows:
        return settings.shows[show].url, settings.shows[show].secret()
    if "://" in show or Path(show).is_file():
        return show, {}
    raise InputError(
        f"{show}: neither a show in {configuration.config_path()} nor the address of a feed nor a file"
    )


def feed_bytes(feed: str, headers: Mapping[str, str] | None = None, *, allow_private: bool = False) -> bytes:
    """A feed as its host serves it. Raises InputError and DownloadError."""
    from audio.feed import MAX_FEED_BYTES
    from audio.ffmpeg import check_file

    if "://" in feed:
        from audio.web import fetch_bytes

        return fetch_bytes(feed, MAX_FEED_BYTES, allow_private=allow_private, secret=headers).data
    path = check_file(feed)
    if path.stat().st_size > MAX_FEED_BYTES:
        raise InputError(f"{feed} has over {MAX_FEED_BYTES // 1_000_000} MB: that is no podcast feed")
    return path.read_bytes()


def publish_feed(data: bytes, library: Path, base_url: str, source: str) -> tuple[Published, dict[str, str]]:
    """A feed with links to the transcripts of a library, and for folders that can't be read the reason.

    See `outputs.feed.publish`.
    """
    if not library.is_dir():
        raise InputError(f"{library}: no such folder; give the library, the folder that holds all shows")
    episodes, skipped = dict[str, Episode](), dict[str, str]()
    for folder in episode_folders(library):
        name = folder.relative_to(library).as_posix()
        try:
            episodes[name] = read.load_episode(folder)
        except EpiscribeError as error:
            skipped[name] = str(error)

    def describe(name: str) -> Entry:
        there = [form for form, entry in FORMATS.items() if (library / name / entry.file_name).is_file()]
        try:
            return entry_of(read.load(library / name), name, there)
        except EpiscribeError as error:
            skipped[name] = str(error)
            return Entry(episodes[name], name, "", ())

    return publish(data, episodes, describe, base_url, source), skipped


def audio_of(folder: Path, transcript: Transcript, given: Path | None = None) -> Path:
    """The audio of an episode: what is given, kept in its folder, was downloaded, or lies where we are.

    InputError where none of these is there.
    """
    if given is not None:
        return given
    kept = read.kept_audio(folder, transcript)
    if kept is not None and is_local(kept):
        return kept
    from audio.download import local_file
    from flows.steps import downloads_folder

    sha256 = transcript.audio.sha256
    found = sorted(downloads_folder().glob(f"{sha256}.*")) if sha256.isalnum() else []
    here = Path(transcript.audio.path)
    if not found and here.is_file() and local_file(str(here)).sha256 == sha256:
        found = [here]
    if found:
        return found[0]
    raise InputError(
        f"{folder}: its audio is not kept here: give it with --audio FILE, or run with --keep-audio"
    )
