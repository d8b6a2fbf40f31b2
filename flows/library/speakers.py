"""Giving speakers names after the run: in all files of the episode, and by voice in the show's others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.naming.person_names import fold
from models.naming.speakers import NamingContext, is_numbered, rename_by_voice, rename_speaker
from models.naming.voices import VoiceRegistry, VoiceSample, sample_of
from models.record.errors import EpiscribeError, InputError
from models.record.identity import same_show
from models.record.transcript import Transcript
from outputs.library import corrections, files, read, voices_file, write
from outputs.library.corrections import MAX_NAME, NAME, Correction
from outputs.library.folders import present_formats, show_episodes
from outputs.text.characters import one_line


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
    the voices known then. `processes` as in `outputs.library.write.publish`. Raises InputError for a speaker who
    isn't there or a bad name.
    """
    name = _checked_name(name)
    file = read.record_file(folder)
    folder = file.parent
    if not files.is_local(folder):
        processes = 1  # its client has threads
    with corrections.locked(folder):
        record, before = read.load_record(file), corrections.load(folder)
        labels = labels_of(corrections.apply_corrections(record, before).transcript, speaker, folder)
        transcript = rename_speaker(record, labels, name)
        made = _corrected_names(before, transcript, labels, name)
        amended = made if made != before else None
        written = write.publish(transcript, folder, present_formats(folder), amended, processes=processes)
    show = folder.absolute().parent
    learnt = learn_confirmed(transcript, labels, name, show)
    others, unheard = name_others_by_voice(folder) if back_fill else ((), 0)
    return Renamed(tuple(written), learnt, _displaced(record, transcript, labels), others, unheard)


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
    if not clean or len(clean) > MAX_NAME:
        raise InputError(f"a name has 1 to {MAX_NAME} characters, {name[:40]!r} has not")
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


def learn_confirmed(transcript: Transcript, labels: Sequence[str], name: str | None, show: Path) -> bool:
    """Learn voices that somebody put a name to, or forget what they taught; whether there was one to learn from.

    labels: whose voices, which this machine has kept. name: None where the name was taken back; under a numbered one
    nothing is learnt. show: the folder.
    """
    voices = [
        voice for voice in voices_file.episode_voices(transcript.audio.sha256) if voice.speaker in labels
    ]
    samples = [(name or "", sample_of(voice, transcript.episode.id, confirmed=True)) for voice in voices]
    if not samples:
        return False
    taught = samples if name and not is_numbered(name) else []
    after = voices_file.change(show, lambda now: _corrected(now, samples).learnt_all(taught))
    return bool(taught) and after.voice_of(str(name)) is not None


def _corrected(now: VoiceRegistry, samples: Sequence[tuple[str, VoiceSample]]) -> VoiceRegistry:
    """Without what these voices taught under a wrong name before, even where they teach nothing now."""
    for _, sample in samples:
        now = now.unlearnt(sample)
    return now


def name_others_by_voice(folder: Path) -> tuple[tuple[Path, ...], int]:
    """Name the other episodes of the show anew by the voices it knows.

    Returns the folders of those that changed, and how many could not be judged because this machine has
    not kept their voices.
    """
    show = folder.absolute().parent
    episode, known = read.load_episode(folder), voices_file.load(show)
    changed, unheard = [], 0
    for other in show_episodes(show):
        if other == folder.absolute():
            continue
        try:
            before = read.load_record(other)
        except EpiscribeError:
            continue  # a damaged neighbour is no reason to stop
        if not same_show(before.episode, episode):
            continue  # in a library of before, where shows of one title share a folder
        voices = voices_file.episode_voices(before.audio.sha256)
        unheard += bool(before.speakers) and not voices
        after = rename_by_voice(before, NamingContext(voices=voices, registry=known)) if voices else before
        if after.speakers != before.speakers:
            write.publish(after, other, present_formats(other))
            changed.append(other)
    return tuple(changed), unheard
