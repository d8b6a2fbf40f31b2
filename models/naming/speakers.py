"""Labels turned into what readers see: a name with its source and confidence, or "Speaker 1"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from models.naming.addresses import addresses
from models.naming.assignment import Candidate, candidates
from models.naming.credits import Credit, credited_people
from models.naming.evidence import announcements, hosting, introductions, priors, with_spelling
from models.naming.exclusion import EXCLUSION, by_exclusion
from models.naming.person_names import same_person
from models.naming.repeats import repeated_labels
from models.naming.tracks import handle_evidence, people_of_tracks, track_evidence
from models.naming.voices import SURE, VoiceRegistry, voice_matches
from models.naming.witness import Statement, hear_witness
from models.record.transcript import Evidence, Segment, Speaker, Transcript, Voice
from models.record.utterances import PublishedTranscript

_NUMBERED = re.compile(r"Speaker \d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NamingContext:
    """What is known beyond an episode's own record.

    `known_people` from the show's settings, `voices` of the episode's labels, `registry` of the show,
    `others`: segments of other episodes, by which ads and jingles are told. `published`: what somebody else
    wrote down of this one.
    """

    known_people: tuple[str, ...] = ()
    voices: tuple[Voice, ...] = ()
    registry: VoiceRegistry = field(default_factory=VoiceRegistry)
    others: tuple[tuple[Segment, ...], ...] = ()
    published: PublishedTranscript | None = None


def name_by_evidence(
    transcript: Transcript, context: NamingContext, given: Mapping[str, Speaker] | None = None
) -> Transcript:
    """The transcript with all evidence on who its speakers are, and the names that it makes sure of.

    given: speakers that the user named, by label.
    """
    return decide_names(replace(transcript, evidence=gather_evidence(transcript, context)), given)


def rename_by_voice(transcript: Transcript, context: NamingContext) -> Transcript:
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
    return decide_names(replace(transcript, evidence=evidence), given)


def gather_evidence(transcript: Transcript, context: NamingContext) -> tuple[Evidence, ...]:
    """All evidence on who speaks, names spelt as they are credited."""
    segments = [replace(one, language=transcript.language_of(one)) for one in transcript.segments]
    by_voice = voice_matches(context.voices, context.registry)
    ads = repeated_labels(segments, context.others) - {e.label for e in by_voice if e.weight >= SURE}
    talk = [segment for segment in segments if segment.speaker not in ads]
    said = introductions(segments, transcript.episode.show)
    witness = hear_witness(talk, context.published, said) if context.published else Statement()
    credits = credited_people(
        transcript.episode,
        context.known_people,
        _voice_names(context),
        witness.names,
        people_of_tracks(transcript),
    )
    # Who introduced himself or was announced can be told by the name from then on, credited or not.
    told = [*said, *announcements(talk, credits)]
    heard = [*credits, *(Credit(e.name, "heard") for e in with_spelling(told, credits))]
    said += addresses(talk, heard) + announcements(talk, heard)
    said += hosting(talk, credits) + [e for e in by_voice if e.label not in ads]
    said += [*witness.evidence, *track_evidence(transcript, credits)]
    found = with_spelling([*said, *handle_evidence(transcript, credits, said)], credits)
    marks = (_repeated(segments, label) for label in sorted(ads))
    return (*marks, *found, *priors(found, credits))


def _voice_names(context: NamingContext) -> list[str]:
    return [voice.name for voice in context.registry.voices]


def _repeated(segments: Sequence[Segment], label: str) -> Evidence:
    start = min(segment.start for segment in segments if segment.speaker == label)
    return Evidence(label, "", "repeated", 0.0, start, "the same words as in another episode")


def decide_names(transcript: Transcript, given: Mapping[str, Speaker] | None = None) -> Transcript:
    """The transcript with the speakers that its evidence makes sure of, those in `given` as they are.

    What one name of a talk of two says of the other is judged anew, and is part of the evidence.
    """
    given = given or {}
    names = {label: speaker.name for label, speaker in given.items()}
    evidence = tuple(e for e in transcript.evidence if e.kind != EXCLUSION)
    evidence += by_exclusion(transcript, candidates(evidence, names), names)
    chosen = {candidate.label: candidate for candidate in candidates(evidence, names) if candidate.chosen}
    speakers = tuple(
        given.get(speaker.label) or _speaker(speaker, chosen.get(speaker.label), evidence)
        for speaker in numbered_speakers(transcript.segments)
    )
    return replace(transcript, speakers=speakers, evidence=evidence)


def _speaker(numbered: Speaker, candidate: Candidate | None, evidence: Iterable[Evidence]) -> Speaker:
    """The chosen name, its strongest kind of evidence as the source; as numbered where none was chosen."""
    if candidate is None:
        return numbered
    own = [e for e in evidence if (e.label, e.name) == (candidate.label, candidate.name)]
    source = max(own, key=lambda e: e.weight).kind
    return Speaker(candidate.label, candidate.name, source, round(candidate.probability, 3))


def rename_speaker(transcript: Transcript, labels: Iterable[str], name: str) -> Transcript:
    """The transcript in which the user calls these labels `name`.

    Another speaker who was taken for that person is judged anew.
    """
    for label in labels:
        transcript = transcript.renamed(label, name)
    given = {speaker.label: speaker for speaker in transcript.speakers if speaker.source == "user"}
    taken = [
        s for s in transcript.speakers if s.source not in ("user", "order") and same_person(s.name, name)
    ]
    return decide_names(transcript, given) if taken else transcript


def numbered_speakers(segments: Sequence[Segment]) -> tuple[Speaker, ...]:
    """One speaker a label, called "Speaker 1", "Speaker 2", ... in order of first words."""
    labels = dict.fromkeys(segment.speaker for segment in segments if segment.speaker is not None)
    return tuple(Speaker(label, f"Speaker {i}") for i, label in enumerate(labels, start=1))


def is_numbered(name: str) -> bool:
    """Whether a name is nobody's: it only tells speakers apart.

    >>> is_numbered("Speaker 2"), is_numbered("Speaker Pelosi")
    (True, False)
    """
    return _NUMBERED.fullmatch(name.strip()) is not None
