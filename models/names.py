"""Labels turned into what readers see: a name with its source and confidence, or "Speaker 1"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from models.name_assignment import Candidate, candidates
from models.name_evidence import (
    Credit,
    addresses,
    announcements,
    credited,
    hosting,
    introductions,
    priors,
    repeated,
    with_spelling,
)
from models.person_names import same_person
from models.transcript import Evidence, Segment, Speaker, Transcript, Turn, Voice
from models.voices import SURE, Registry, voice_matches

PHRASE_WORDS = 4  # by which what was said is known again in other audio
MIN_PHRASES = 3  # that somebody says again, to be taken for the same person


@dataclass(frozen=True, slots=True)
class Context:
    """What is known beyond an episode's own record.

    `known_people` from the show's settings, `voices` of the episode's labels, `registry` of the show,
    `others`: segments of other episodes, by which ads and jingles are told.
    """

    known_people: tuple[str, ...] = ()
    voices: tuple[Voice, ...] = ()
    registry: Registry = field(default_factory=Registry)
    others: tuple[tuple[Segment, ...], ...] = ()


def named(transcript: Transcript, context: Context, given: Mapping[str, Speaker] | None = None) -> Transcript:
    """The transcript with all evidence on who its speakers are, and the names that it makes sure of.

    given: speakers that the user named, by label.
    """
    return decided(replace(transcript, evidence=gathered(transcript, context)), given)


def renamed_by_voice(transcript: Transcript, context: Context) -> Transcript:
    """The transcript judged anew with the voices in `context`; what was said and written counts as it did."""
    by_voice = voice_matches(context.voices, context.registry)
    sure = {e.label for e in by_voice if e.weight >= SURE}
    kept = [
        e for e in transcript.evidence if e.kind != "voice" and not (e.kind == "repeated" and e.label in sure)
    ]
    ads = {e.label for e in kept if e.kind == "repeated"}
    credits = [Credit(name, "voices") for name in _voice_names(context)]
    credits += [Credit(e.name, e.words) for e in kept if e.kind == "prior" and e.words != "heard"]
    found = with_spelling([*kept, *(e for e in by_voice if e.label not in ads)], credits)
    judged = {(e.label, e.name): e for e in found if e.kind == "prior"}
    new = [e for e in priors(found, credits) if (e.label, e.name) not in judged]
    evidence = (*(e for e in found if e.kind != "prior"), *judged.values(), *new)
    given = {speaker.label: speaker for speaker in transcript.speakers if speaker.source == "user"}
    return decided(replace(transcript, evidence=evidence), given)


def gathered(transcript: Transcript, context: Context) -> tuple[Evidence, ...]:
    """All evidence on who speaks, names spelt as they are credited."""
    segments, language = transcript.segments, transcript.language
    credits = credited(transcript.episode, context.known_people, _voice_names(context))
    by_voice = voice_matches(context.voices, context.registry)
    ads = repeated(segments, context.others) - {e.label for e in by_voice if e.weight >= SURE}
    talk = [segment for segment in segments if segment.speaker not in ads]
    said = introductions(segments, language, transcript.episode.show)
    # Who introduced himself or was announced can be told by the name from then on, credited or not.
    told = [*said, *announcements(talk, language, credits)]
    heard = [*credits, *(Credit(e.name, "heard") for e in with_spelling(told, credits))]
    said += addresses(talk, language, heard) + announcements(talk, language, heard)
    said += hosting(talk, language, credits) + [e for e in by_voice if e.label not in ads]
    found = with_spelling(said, credits)
    marks = (_repeated(segments, label) for label in sorted(ads))
    return (*marks, *found, *priors(found, credits))


def _voice_names(context: Context) -> list[str]:
    return [voice.name for voice in context.registry.voices]


def _repeated(segments: Sequence[Segment], label: str) -> Evidence:
    start = min(segment.start for segment in segments if segment.speaker == label)
    return Evidence(label, "", "repeated", 0.0, start, "the same words as in another episode")


def decided(transcript: Transcript, given: Mapping[str, Speaker] | None = None) -> Transcript:
    """The transcript with the speakers that its evidence makes sure of, those in `given` as they are."""
    given = given or {}
    found = candidates(transcript.evidence, {label: speaker.name for label, speaker in given.items()})
    chosen = {candidate.label: candidate for candidate in found if candidate.chosen}
    speakers = tuple(
        given.get(speaker.label) or _speaker(speaker, chosen.get(speaker.label), transcript.evidence)
        for speaker in name_speakers(transcript.segments)
    )
    return replace(transcript, speakers=speakers)


def _speaker(numbered: Speaker, candidate: Candidate | None, evidence: Iterable[Evidence]) -> Speaker:
    """The chosen name, its strongest kind of evidence as the source; as numbered where none was chosen."""
    if candidate is None:
        return numbered
    own = [e for e in evidence if (e.label, e.name) == (candidate.label, candidate.name)]
    source = max(own, key=lambda e: e.weight).kind
    return Speaker(candidate.label, candidate.name, source, round(candidate.probability, 3))


def called(transcript: Transcript, labels: Iterable[str], name: str) -> Transcript:
    """The transcript in which the user calls these labels `name`.

    Another speaker who was taken for that person is judged anew.
    """
    for label in labels:
        transcript = transcript.renamed(label, name)
    given = {speaker.label: speaker for speaker in transcript.speakers if speaker.source == "user"}
    taken = [
        s for s in transcript.speakers if s.source not in ("user", "order") and same_person(s.name, name)
    ]
    return decided(transcript, given) if taken else transcript


def name_speakers(segments: Sequence[Segment]) -> tuple[Speaker, ...]:
    """One speaker a label, called "Speaker 1", "Speaker 2", ... in order of first words."""
    labels = dict.fromkeys(segment.speaker for segment in segments if segment.speaker is not None)
    return tuple(Speaker(label, f"Speaker {i}") for i, label in enumerate(labels, start=1))


def given_names(now: Transcript, before: Transcript) -> dict[str, Speaker]:
    """The names a user gave in `before`, an earlier transcript of the same episode, by the labels of `now`.

    A new diarisation may call people by other labels: a name goes to the label of the same person.
    """
    if now.audio.sha256 != before.audio.sha256 and now.episode.id != before.episode.id:
        return {}
    found = {}
    for speaker in (speaker for speaker in before.speakers if speaker.source == "user"):
        label = label_in(now, speaker.label, before)
        if label is not None:
            found[label] = replace(speaker, label=label)
    return found


def label_in(now: Transcript, label: str, before: Transcript) -> str | None:
    """What `now` calls the speaker that `before`, an earlier transcript of the same episode, calls `label`.

    That is who speaks where the earlier one spoke, for more than half of its time; None if nobody does. In
    other audio of the episode, such as with other ads, times tell nothing: there it is who says the same.
    """
    if now.audio.sha256 != before.audio.sha256:
        return _who_says_the_same(now, label, before)
    spoken = [turn for turn in before.turns if turn.speaker == label]
    shared = {speaker.label: _shared(spoken, now.turns, speaker.label) for speaker in now.speakers}
    most = max(shared, key=lambda one: shared[one], default=None)
    if most is None or shared[most] <= sum(turn.duration for turn in spoken) / 2:
        return None
    return most


def _who_says_the_same(now: Transcript, label: str, before: Transcript) -> str | None:
    """Who says most of the phrases that `label` says in `before`, of those that come just once in `now`."""
    said_by: dict[tuple[str, ...], str | None] = {}
    for speaker, phrase in _phrases(now):
        said_by[phrase] = None if phrase in said_by else speaker
    again = Counter(
        said_by[phrase] for speaker, phrase in _phrases(before) if speaker == label and said_by.get(phrase)
    )
    most, times = next(iter(again.most_common(1)), (None, 0))
    return most if times >= MIN_PHRASES and times > again.total() / 2 else None


def _phrases(transcript: Transcript) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every run of PHRASE_WORDS words in a sentence, without case and punctuation, and who says it."""
    for segment in transcript.segments:
        words = [re.sub(r"\W+", "", word.text).casefold() for word in segment.words]
        for first in range(len(words) - PHRASE_WORDS + 1):
            if segment.speaker is not None:
                yield segment.speaker, tuple(words[first : first + PHRASE_WORDS])


def _shared(spoken: Sequence[Turn], turns: Sequence[Turn], label: str) -> float:
    """Seconds of `spoken` in which `label` has a turn."""
    own = [turn for turn in turns if turn.speaker == label]
    return sum(
        max(0.0, min(a.end, b.end) - max(a.start, b.start)) for a in spoken for b in own if b.start < a.end
    )
