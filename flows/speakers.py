"""Speakers and voices as steps of a run and as commands; knows nothing of Prefect."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import EpiscribeError, InputError
from models.files import cache_folder
from models.names import Context, called, given_names, named, renamed_by_voice
from models.person_names import fold
from models.transcript import Segment, Speaker, Transcript, Voice
from models.voices import KnownVoice, Registry, Sample, is_known, sample_of, sounds_like
from outputs import corrections, read, registry, write
from outputs.characters import one_line
from outputs.corrections import NAME, Correction
from outputs.formats import EPISODE, FORMATS

if TYPE_CHECKING:
    from flows.options import RunOptions

RECENT_EPISODES = 6  # by which ads and jingles are told
STRONG = 0.95  # probability from which a name nobody confirmed is sure enough for its voice to be learnt
STRONG_SOURCES = ("introduction",)  # a voice that only sounds like somebody teaches nothing new
MAX_NAME_CHARS = 200


def name_speakers(
    transcript: Transcript, voices: Sequence[Voice], folder: Path, options: RunOptions
) -> Transcript:
    """The transcript with its speakers named, as one to be written into `folder`.

    Names that the user gave in what the folder has now are kept. A show's voices that can't be read cost
    the names that they would give, and a warning says so.
    """
    if not transcript.speakers:
        return transcript
    before = published(folder)
    known, warnings = Registry(), transcript.warnings
    if options.voices != "off":
        try:
            known = registry.load(folder.absolute().parent)
        except EpiscribeError as error:
            warnings = (*warnings, f"no speaker was told by voice: {error}")
    context = Context(
        known_people=options.known_people,
        voices=tuple(voices),
        registry=known,
        others=tuple(_recent(folder, transcript)),
    )
    given = given_names(transcript, before) if before else {}
    return named(replace(transcript, warnings=warnings), context, given)


def published(folder: Path) -> Transcript | None:
    """The transcript that the folder has; None where there is none, or one that is damaged.

    OutputError where it can't be read for now: names that were given there must not be lost.
    """
    try:
        return read.load_record(folder)
    except EpiscribeError as error:
        if isinstance(error.__cause__, OSError):
            raise
        return None


def learn_voices(
    transcript: Transcript, voices: Sequence[Voice], folder: Path, options: RunOptions
) -> tuple[str, ...]:
    """Keep the voices of a written transcript: on this machine all, in its show those of known people.

    With `options.voices` "off" none are kept anywhere, with "all" the show keeps everybody's who is named
    by strong evidence. Returns a warning where they can't be kept: the transcript is worth having.
    """
    try:
        if options.voices == "off":
            registry.keep_heard(transcript.audio.sha256, ())
        else:
            _learn_voices(transcript, voices, folder.absolute(), options)
    except EpiscribeError as error:
        return (f"voices were not kept: {error}",)
    return ()


def _learn_voices(transcript: Transcript, voices: Sequence[Voice], folder: Path, options: RunOptions) -> None:
    show = folder.parent
    sha256, known = transcript.audio.sha256, registry.load(show)
    speakers = {speaker.label: speaker for speaker in transcript.speakers}
    # Who was forgotten may have the name from the edit page.
    corrected = read.load(folder).speakers if known.forgotten else ()
    gone = {one.label for one in (*speakers.values(), *corrected) if known.is_forgotten(one.name)}
    heard = [voice for voice in voices if voice.speaker not in gone]
    registry.keep_heard(sha256, heard)
    if len(heard) < len(voices):
        _drop_kept_turns(sha256)
    learnt = []
    for voice in heard:
        speaker = speakers.get(voice.speaker)
        if speaker and (speaker.source == "user" or _strong(speaker, known, options)):
            confirmed = speaker.source == "user"
            learnt.append((speaker.name, sample_of(voice, transcript.episode.id, confirmed=confirmed)))
    if learnt:
        registry.change(show, lambda now: _learnt(now, learnt))


def _strong(speaker: Speaker, known: Registry, options: RunOptions) -> bool:
    """Whether nobody has to confirm the speaker's name for the voice to be learnt."""
    sure = speaker.source in STRONG_SOURCES and speaker.confidence >= STRONG
    return sure and (options.voices == "all" or is_known(speaker.name, options.known_people, known))


def _learnt(now: Registry, samples: Sequence[tuple[str, Sample]]) -> Registry:
    for name, sample in samples:
        now = now.learnt(name, sample)
    return now


@dataclass(frozen=True)
class Renamed:
    """What a renaming did: files written, whether the voice was learnt, who lost the name, episodes named anew."""

    files: tuple[Path, ...]
    learnt: bool
    displaced: tuple[tuple[str, str], ...] = ()  # who else had the name, by label and what it is called now
    others: tuple[Path, ...] = ()
    unheard: int = 0  # episodes of the show whose voices this machine has not kept


def rename(folder: Path, speaker: str, name: str, *, back_fill: bool = False, processes: int = 1) -> Renamed:
    """Call a speaker of an episode by another name, in all its files, and learn the voice.

    speaker: the name or the label as it is now. With `back_fill` the show's other episodes are named anew by
    the voices known then. `processes` as in `outputs.write.publish`. Raises InputError for a speaker who
    isn't there or a bad name.
    """
    name = _checked_name(name)
    record = read.load_record(folder)
    folder = read.folder_of(folder)
    before = corrections.load(folder)
    labels = labels_of(corrections.correct(record, before).transcript, speaker, folder)
    transcript = called(record, labels, name)
    made = _corrected_names(before, transcript, labels, name)
    amended = made if made != before else None
    if not write.is_local(folder):
        processes = 1  # its client has threads
    files = write.publish(transcript, folder, present_formats(folder), amended, processes=processes)
    show = folder.absolute().parent
    learnt = _learn_confirmed(transcript, labels, name, show)
    others, unheard = back_filled(folder) if back_fill else ((), 0)
    return Renamed(tuple(files), learnt, _displaced(record, transcript, labels), others, unheard)


def _displaced(before: Transcript, now: Transcript, labels: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Speakers other than those of `labels` who are called otherwise than before."""
    names = {speaker.label: speaker.name for speaker in now.speakers}
    return tuple(
        (s.label, names[s.label])
        for s in before.speakers
        if s.label not in labels and names.get(s.label, s.name) != s.name
    )


def _corrected_names(
    made: Sequence[Correction], transcript: Transcript, labels: Sequence[str], name: str
) -> tuple[Correction, ...]:
    """Corrections in which these labels are not called otherwise: the record's new name is what counts.

    A label that only corrections have, of a speaker whom no model found, is called `name` there.
    """
    found = {speaker.label for speaker in transcript.speakers}
    kept = (one for one in made if one.kind != NAME or one.speaker not in labels or one.speaker not in found)
    return tuple(
        replace(one, now=name) if one.kind == NAME and one.speaker in labels else one for one in kept
    )


def _checked_name(name: str) -> str:
    clean = one_line(name).strip()
    if not clean or len(clean) > MAX_NAME_CHARS:
        raise InputError(f"a name has 1 to {MAX_NAME_CHARS} characters, {name[:40]!r} has not")
    return clean


def labels_of(transcript: Transcript, speaker: str, folder: Path) -> list[str]:
    """The labels of a speaker given by label or name. InputError, with who there is, for nobody."""
    wanted = fold(speaker)
    exact = [s.label for s in transcript.speakers if speaker in (s.label, s.name)]
    found = exact or [s.label for s in transcript.speakers if fold(s.name) == wanted]
    if not found:
        there = ", ".join(repr(s.name) for s in transcript.speakers) or "nobody: it has no speakers"
        raise InputError(f"{folder}: no speaker {speaker!r}; there is {there}")
    return found


def present_formats(folder: Path) -> list[str]:
    """The formats of which the folder has a file."""
    return [entry.name for entry in FORMATS.values() if (folder / entry.file_name).exists()]


def _learn_confirmed(transcript: Transcript, labels: Sequence[str], name: str, show: Path) -> bool:
    """Learn a voice that the user put a name to; whether there was one to learn from."""
    voices = [voice for voice in registry.heard(transcript.audio.sha256) if voice.speaker in labels]
    samples = [(name, sample_of(voice, transcript.episode.id, confirmed=True)) for voice in voices]
    if not samples:
        return False
    after = registry.change(show, lambda now: _learnt(_corrected(now, samples), samples))
    return after.voice_of(name) is not None


def _corrected(now: Registry, samples: Sequence[tuple[str, Sample]]) -> Registry:
    """Without what these voices taught under a wrong name before, even where they teach nothing now."""
    for _, sample in samples:
        now = now.unlearnt(sample)
    return now


def back_filled(folder: Path) -> tuple[tuple[Path, ...], int]:
    """Name the other episodes of the show anew by the voices it knows.

    Returns the folders of those that changed, and how many could not be judged because this machine has
    not kept their voices.
    """
    show = folder.absolute().parent
    known = registry.load(show)
    changed, unheard = [], 0
    for other in episode_folders(show):
        if other == folder.absolute():
            continue
        try:
            before = read.load_record(other)
        except EpiscribeError:
            continue  # a damaged neighbour is no reason to stop
        voices = registry.heard(before.audio.sha256)
        unheard += bool(before.speakers) and not voices
        after = renamed_by_voice(before, Context(voices=voices, registry=known)) if voices else before
        if after.speakers != before.speakers:
            write.publish(after, other, present_formats(other))
            changed.append(other)
    return tuple(changed), unheard


def episode_folders(show: Path) -> list[Path]:
    """The folders of a show's episodes, in order of their names, which begin with the date."""
    with suppress(OSError):
        return sorted(path.parent for path in show.glob(f"*/{EPISODE.file_name}"))
    return []


def _recent(folder: Path, transcript: Transcript) -> Iterator[tuple[Segment, ...]]:
    """The segments of the newest other episodes of the same show."""
    others = [other for other in episode_folders(folder.absolute().parent) if other != folder.absolute()]
    for other in others[: -RECENT_EPISODES - 1 : -1]:
        with suppress(EpiscribeError):
            found = published(other)
            if found is not None and found.episode.show == transcript.episode.show:
                yield found.segments


# Voices


def shows(library: Path, show: str | None = None) -> list[Path]:
    """The folders of the library's shows, or the one that is named. InputError where there is none."""
    if show is not None:
        folder = library / show if (library / show).is_dir() else write.place(show)
        if not folder.is_dir():
            raise InputError(f"no show {show!r} in {library}: give the name of its folder")
        return [folder]
    if not library.is_dir():
        raise InputError(f"{library}: no such folder; give the library with --library")
    return sorted(path for path in library.iterdir() if path.is_dir())


def known_voices(library: Path, show: str | None = None) -> list[tuple[Path, Registry]]:
    """The voices of each show that has any, or a list of people to stay out of it."""
    found = [(folder, registry.load(folder)) for folder in shows(library, show)]
    return [(folder, known) for folder, known in found if known != Registry()]


def merge(library: Path, name: str, into: str, show: str | None = None) -> list[Path]:
    """Make the voice of `name` part of that of `into`; returns the shows that had it."""
    having = [folder for folder, known in known_voices(library, show) if known.voice_of(name)]
    if not having:
        raise InputError(f"no voice is kept of {name!r}; `episcribe voices list` shows whose are")
    if name == into:
        raise InputError(f"{name!r} can't be merged into itself: give two names")
    if any(registry.load(folder).is_forgotten(into) for folder in having):
        raise InputError(f"{into!r} was forgotten: `episcribe voices allow` comes first")
    for folder in having:
        registry.change(folder, lambda now: now.merged(name, into) if now.voice_of(name) else now)
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
    episodes, known = list(_episodes(folder)), registry.load(folder)
    name = _as_spelled(typed, known, episodes)
    voice = known.voice_of(name)
    if not voice and not any(_labels_named(episode, name) for episode in episodes):
        return False
    registry.change(folder, lambda now: now.forgot(name))
    for transcript in episodes:
        _forget_heard(transcript, name, voice or KnownVoice(name))
    return True


def allow(library: Path, name: str, show: str | None = None) -> list[Path]:
    """Let a person's voice be learnt again after it was forgotten; returns the shows concerned."""
    concerned = [folder for folder, known in known_voices(library, show) if name in known.forgotten]
    if not concerned:
        raise InputError(f"{name!r} was not forgotten in {library}")
    for folder in concerned:
        registry.change(folder, lambda now: now.allowed(name))
    return concerned


def _episodes(show: Path) -> Iterator[Transcript]:
    """The episodes of a show that can be read."""
    for folder in episode_folders(show):
        with suppress(EpiscribeError):
            yield read.load(folder)


def _as_spelled(name: str, known: Registry, episodes: Sequence[Transcript]) -> str:
    """The name as a show spells it, whatever the case and accents it was typed with."""
    there = [voice.name for voice in known.voices] + [s.name for each in episodes for s in each.speakers]
    return next((other for other in there if fold(other) == fold(name)), name) if name not in there else name


def _labels_named(transcript: Transcript, name: str) -> set[str]:
    return {speaker.label for speaker in transcript.speakers if speaker.name == name}


def _forget_heard(transcript: Transcript, name: str, voice: KnownVoice) -> None:
    """Delete what this machine keeps of a person's voice in an episode, called by the name there or not."""
    sha256, labels = transcript.audio.sha256, _labels_named(transcript, name)
    heard = registry.heard(sha256)
    others = [v for v in heard if v.speaker not in labels and not sounds_like(v, voice)]
    if labels or len(others) < len(heard):
        registry.keep_heard(sha256, others)
        _drop_kept_turns(sha256)


def _drop_kept_turns(sha256: str) -> None:
    """Delete the kept results of an audio's diarisation on this machine: they hold voices too."""
    results = Path(os.environ.get("PREFECT_LOCAL_STORAGE_PATH", cache_folder() / "results"))
    for path in results.glob(f"diarise-v*-{sha256}-*") if sha256.isalnum() else ():
        path.unlink(missing_ok=True)
