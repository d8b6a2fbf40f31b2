"""The voices that shows of a library know: listed, merged, forgotten for good, allowed again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from flows.keeping import results_folder
from models.naming.person_names import fold
from models.naming.voices import KnownVoice, VoiceRegistry, sounds_like
from models.record.errors import EpiscribeError, InputError
from models.record.transcript import Transcript
from outputs.library import files, read, voices_file
from outputs.library.folders import show_episodes
from outputs.library.migration import migrate
from outputs.library.placement import show_folders


def shows(library: Path, show: str | None = None) -> list[Path]:
    """The folders of the library's shows, or the one that is named. InputError where there is none."""
    if show is not None:
        folder = library / show if (library / show).is_dir() else files.resolve_location(show)
        if not folder.is_dir():
            raise InputError(f"no show {show!r} in {library}: give the name of its folder")
        return [folder]
    if not library.is_dir():
        raise InputError(f"{library}: no such folder; give the library with --library")
    migrate(library)
    return show_folders(library)


def known_voices(library: Path, show: str | None = None) -> list[tuple[Path, VoiceRegistry]]:
    """The voices of each show that has any, or a list of people to stay out of it."""
    found = [(folder, voices_file.load(folder)) for folder in shows(library, show)]
    return [(folder, known) for folder, known in found if known != VoiceRegistry()]


def merge(library: Path, name: str, into: str, show: str | None = None) -> list[Path]:
    """Make the voice of `name` part of that of `into`; returns the shows that had it."""
    having = [folder for folder, known in known_voices(library, show) if known.voice_of(name)]
    if not having:
        raise InputError(f"no voice is kept of {name!r}; `episcribe voices list` shows whose are")
    if name == into:
        raise InputError(f"{name!r} can't be merged into itself: give two names")
    if any(voices_file.load(folder).is_forgotten(into) for folder in having):
        raise InputError(f"{into!r} was forgotten: `episcribe voices allow` comes first")
    for folder in having:
        voices_file.change(folder, lambda now: now.merged(name, into) if now.voice_of(name) else now)
    return having


def forget(library: Path, name: str, show: str | None = None) -> list[Path]:
    """Delete a person's voice wherever it is kept, and never learn it again; returns the shows concerned.

    That is the show's file, the voices heard on this machine in every episode where the name is given,
    and the kept results of their diarisation.
    """
    concerned = [folder for folder in shows(library, show) if _forget_in(folder, name)]
    if not concerned:
        raise InputError(
            f"nobody is called {name!r} in {library}; `episcribe voices list` shows whose voices are kept"
        )
    return concerned


def _forget_in(folder: Path, typed: str) -> bool:
    """Forget a person in one show; whether anybody there is called that."""
    episodes, known = list(_episodes(folder)), voices_file.load(folder)
    name = _as_spelled(typed, known, episodes)
    voice = known.voice_of(name)
    if not voice and not any(_labels_named(episode, name) for episode in episodes):
        return False
    voices_file.change(folder, lambda now: now.forgot(name))
    for transcript in episodes:
        _forget_heard(transcript, name, voice or KnownVoice(name))
    return True


def allow(library: Path, name: str, show: str | None = None) -> list[Path]:
    """Let a person's voice be learnt again after it was forgotten; returns the shows concerned."""
    concerned = [folder for folder, known in known_voices(library, show) if name in known.forgotten]
    if not concerned:
        raise InputError(f"{name!r} was not forgotten in {library}")
    for folder in concerned:
        voices_file.change(folder, lambda now: now.allowed(name))
    return concerned


def _episodes(show: Path) -> Iterator[Transcript]:
    """The episodes of a show that can be read."""
    for folder in show_episodes(show):
        with suppress(EpiscribeError):
            yield read.load(folder)


def _as_spelled(name: str, known: VoiceRegistry, episodes: Sequence[Transcript]) -> str:
    """The name as a show spells it, whatever the case and accents it was typed with."""
    there = [voice.name for voice in known.voices] + [s.name for each in episodes for s in each.speakers]
    return next((other for other in there if fold(other) == fold(name)), name) if name not in there else name


def _labels_named(transcript: Transcript, name: str) -> set[str]:
    return {speaker.label for speaker in transcript.speakers if speaker.name == name}


def _forget_heard(transcript: Transcript, name: str, voice: KnownVoice) -> None:
    """Delete what this machine keeps of a person's voice in an episode, called by the name there or not."""
    sha256, labels = transcript.audio.sha256, _labels_named(transcript, name)
    heard = voices_file.episode_voices(sha256)
    others = [v for v in heard if v.speaker not in labels and not sounds_like(v, voice)]
    if labels or len(others) < len(heard):
        voices_file.keep_episode_voices(sha256, others)
        drop_kept_diarisations(sha256)


def drop_kept_diarisations(sha256: str) -> None:
    """Delete the kept results of an audio's diarisation on this machine: they hold voices too."""
    for path in results_folder().glob(f"diarise-v*-{sha256}-*") if sha256.isalnum() else ():
        path.unlink(missing_ok=True)
