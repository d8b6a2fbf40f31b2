"""The naming step of a run: names from what is said, written and known, and voices learnt from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from models.naming.label_matching import given_names
from models.naming.speakers import NamingContext, name_by_evidence
from models.naming.tracks import TRACK
from models.naming.voices import VoiceRegistry, is_known, sample_of
from models.naming.witness import is_own
from models.record.errors import EpiscribeError
from models.record.identity import same_show
from models.record.transcript import Segment, Speaker, Transcript, Voice
from models.record.utterances import PublishedTranscript
from outputs.library import read, voices_file

if TYPE_CHECKING:
    from flows.options import RunOptions
from flows.library.voices import drop_kept_diarisations
from outputs.library.folders import show_episodes

RECENT_EPISODES = 6  # by which ads and jingles are told
STRONG = 0.95  # probability from which a name nobody confirmed is sure enough for its voice to be learnt
# A voice that only sounds like somebody teaches nothing new. Tracks are called after people by users, or by services as
# people call themselves there.
STRONG_SOURCES = ("introduction", TRACK)


def name_speakers(
    transcript: Transcript,
    voices: Sequence[Voice],
    folder: Path,
    options: RunOptions,
    witness: PublishedTranscript | None = None,
) -> Transcript:
    """The transcript with its speakers named, as one to be written into `folder`.

    witness: what somebody else wrote down of the episode; one that was made from ours isn't heard.
    Names that the user gave in what the folder has now are kept. A show's voices that can't be read cost
    the names that they would give, and a warning says so.
    """
    if not transcript.speakers:
        return transcript
    before = published(folder)
    known, warnings = VoiceRegistry(), transcript.warnings
    if options.voices != "off":
        try:
            known = voices_file.load(folder.absolute().parent)
        except EpiscribeError as error:
            warnings = (*warnings, f"no speaker was told by voice: {error}")
    context = NamingContext(
        known_people=options.known_people,
        voices=tuple(voices),
        registry=known,
        others=tuple(_recent(folder, transcript)),
        published=_independent(witness, before, transcript),
    )
    given = given_names(transcript, before) if before else {}
    return name_by_evidence(replace(transcript, warnings=warnings), context, given)


def _independent(witness: PublishedTranscript | None, *ours: Transcript | None) -> PublishedTranscript | None:
    """The witness, unless it only repeats what a transcript of ours had said."""
    made = (transcript.segments for transcript in ours if transcript is not None)
    return None if witness is None or any(is_own(witness, segments) for segments in made) else witness


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
            voices_file.keep_episode_voices(transcript.audio.sha256, ())
        else:
            _learn_voices(transcript, voices, folder.absolute(), options)
    except EpiscribeError as error:
        return (f"voices were not kept: {error}",)
    return ()


def _learn_voices(transcript: Transcript, voices: Sequence[Voice], folder: Path, options: RunOptions) -> None:
    show = folder.parent
    sha256, known = transcript.audio.sha256, voices_file.load(show)
    speakers = {speaker.label: speaker for speaker in transcript.speakers}
    # Who was forgotten may have the name from the edit page.
    corrected = read.load(folder).speakers if known.forgotten else ()
    gone = {one.label for one in (*speakers.values(), *corrected) if known.is_forgotten(one.name)}
    heard = [voice for voice in voices if voice.speaker not in gone]
    voices_file.keep_episode_voices(sha256, heard)
    if len(heard) < len(voices):
        drop_kept_diarisations(sha256)
    learnt = []
    for voice in heard:
        speaker = speakers.get(voice.speaker)
        if speaker and (speaker.source == "user" or _strong(speaker, known, options)):
            confirmed = speaker.source == "user"
            learnt.append((speaker.name, sample_of(voice, transcript.episode.id, confirmed=confirmed)))
    if learnt:
        voices_file.change(show, lambda now: now.learnt_all(learnt))


def _strong(speaker: Speaker, known: VoiceRegistry, options: RunOptions) -> bool:
    """Whether nobody has to confirm the speaker's name for the voice to be learnt."""
    sure = speaker.source in STRONG_SOURCES and speaker.confidence >= STRONG
    return sure and (options.voices == "all" or is_known(speaker.name, options.known_people, known))


def _recent(folder: Path, transcript: Transcript) -> Iterator[tuple[Segment, ...]]:
    """The segments of the newest other episodes of the same show."""
    others = [other for other in show_episodes(folder.absolute().parent) if other != folder.absolute()]
    for other in others[: -RECENT_EPISODES - 1 : -1]:
        with suppress(EpiscribeError):
            if same_show(read.load_episode(other), transcript.episode) and (found := published(other)):
                yield found.segments
