"""Who speaks when, where each person has a track: the diariser says what of a track is speech, and who shares it.

A track has one person until a second voice in it is sure: people laugh and play roles. Turns begin and end where the
track's own sound does, which is known better there than in any mix.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.record.spans import Span, exclusive_turns, total, union, within
from models.record.transcript import Diarisation, Turn, Voice

SECOND_SECONDS = 5.0  # that another voice on a track has to speak ...
SECOND_COSINE = 0.4  # ... and be that unlike the first: two people reach 0.45, one person acting falls to 0.5
SAME_COSINE = 0.6  # of voices in two tracks that are one person's
HEARD_ELSEWHERE = (
    0.5  # share of a turn at another's microphone that its person's own track holds, too: it is bleed
)
NEAR_SPEECH = 0.3  # seconds around what the diariser calls speech in which a track's sound belongs to it
LEAST_SPEECH = 0.2  # share of a sound that has to be speech


@dataclass(frozen=True, slots=True)
class TrackSpeech:
    """What is known of one track: its own sounds, in order, and what the diariser found in them."""

    sounds: tuple[Span, ...]
    found: Diarisation


@dataclass(frozen=True, slots=True)
class TracksDiarisation:
    """Turns of all tracks together, and of each of them, in order; of what no track explains of a mix last."""

    found: Diarisation
    turns: tuple[tuple[Turn, ...], ...]

    @property
    def labels(self) -> tuple[tuple[str, ...], ...]:
        """Who speaks on each, who speaks most first."""
        return tuple(_by_amount(turns) for turns in self.turns)


Person = tuple[int, str]  # the track that is theirs, and their label there


@dataclass(frozen=True, slots=True)
class _Part:
    """What a person says on a track."""

    person: Person
    track: int
    turns: tuple[Turn, ...]
    voice: Voice | None

    @property
    def at_home(self) -> bool:
        """Whether it is the person's own track."""
        return self.person[0] == self.track


def join_tracks(tracks: Sequence[TrackSpeech], mix: TrackSpeech | None = None) -> TracksDiarisation:
    """One diarisation of all tracks. mix: what no track explains of it, whose people may be those of tracks.

    Times are those of the mix. Labels are SPEAKER_00, SPEAKER_01, ... in order of first speech.
    """
    parts = [part for i, track in enumerate(tracks) for part in _parts_of(i, track)]
    first = {part.track: part for part in reversed(parts)}
    parts = [_known(part, first) for part in parts]
    if mix is not None:
        parts += (_known(part, first) for part in _voices_of(len(tracks), mix.found))
    parts = [part for part in (_without_bleed(part, parts) for part in parts) if part.turns]
    order = sorted(parts, key=lambda part: part.turns[0])
    names = {
        person: f"SPEAKER_{i:02d}" for i, person in enumerate(dict.fromkeys(part.person for part in order))
    }
    heard = [*tracks, *([mix] if mix else [])]
    own = tuple(
        tuple(
            sorted(
                replace(turn, speaker=names[part.person])
                for part in parts
                if part.track == i
                for turn in part.turns
            )
        )
        for i in range(len(heard))
    )
    turns = tuple(sorted(turn for each in own for turn in each))
    warnings = dict.fromkeys(warning for track in heard for warning in _of_no_voice(track.found))
    return TracksDiarisation(
        Diarisation(turns, exclusive_turns(turns), _voices(parts, names), tuple(warnings)), own
    )


def _by_amount(turns: Sequence[Turn]) -> tuple[str, ...]:
    amounts: dict[str, float] = {}
    for turn in turns:
        amounts[turn.speaker] = amounts.get(turn.speaker, 0.0) + turn.duration
    return tuple(sorted(amounts, key=lambda speaker: -amounts[speaker]))


def _of_no_voice(found: Diarisation) -> Iterator[str]:
    """Warnings but for those that doubt a voice: voices of a track are judged anew here."""
    labels = {turn.speaker for turn in found.turns}
    return (warning for warning in found.warnings if not any(label in warning for label in labels))


def _parts_of(number: int, track: TrackSpeech) -> list[_Part]:
    """The people of a track, who speaks most first: one, unless other voices are sure to be others."""
    voices = sorted(_voices_of(number, track.found), key=lambda part: -total(_spans(part.turns)))
    if not voices:
        return []
    first, others = voices[0], [voice for voice in voices[1:] if _is_second(voice, voices[0])]
    if not others:
        turns = _turns_of_sounds(track)
        return [replace(first, turns=turns)] if turns else []
    apart = {other.person for other in others}
    own = [turn for part in voices if part.person not in apart for turn in part.turns]
    return [replace(first, turns=tuple(sorted(own))), *others]


def _voices_of(number: int, found: Diarisation) -> list[_Part]:
    """Each label of a diarisation by itself."""
    voices = {voice.speaker: voice for voice in found.voices}
    turns: dict[str, list[Turn]] = {}
    for turn in found.turns:
        turns.setdefault(turn.speaker, []).append(turn)
    return [_Part((number, label), number, tuple(own), voices.get(label)) for label, own in turns.items()]


def _is_second(part: _Part, first: _Part) -> bool:
    """Whether a voice on a track is surely not that of the one who speaks most there."""
    return total(_spans(part.turns)) >= SECOND_SECONDS and _cosine(part, first, 1.0) < SECOND_COSINE


def _cosine(one: _Part, other: _Part, unknown: float) -> float:
    """How much two voices resemble each other; `unknown` where one of them isn't known."""
    if one.voice is None or other.voice is None or one.voice.model != other.voice.model:
        return unknown
    a, b = np.array(one.voice.embedding), np.array(other.voice.embedding)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def _known(part: _Part, first: dict[int, _Part]) -> _Part:
    """The same as a person who has a track elsewhere, where the voice is theirs."""
    if first.get(part.track) is part:
        return part
    others = [(_cosine(part, other, -1.0), i) for i, other in first.items() if i != part.track]
    cosine, nearest = max(others, default=(-1.0, -1))
    return replace(part, person=first[nearest].person) if cosine >= SAME_COSINE else part


def _without_bleed(part: _Part, parts: Sequence[_Part]) -> _Part:
    """The same without turns that its person's own track holds as well."""
    if part.at_home:
        return part
    home = (other for other in parts if other.at_home and other.person == part.person)
    own = union(span for other in home for span in _spans(other.turns))
    kept = (
        turn
        for turn in part.turns
        if total(within(own, Span(turn.start, turn.end))) < HEARD_ELSEWHERE * turn.duration
    )
    return replace(part, turns=tuple(kept))


def _turns_of_sounds(track: TrackSpeech) -> tuple[Turn, ...]:
    """The sounds of a track that are speech, as turns of nobody yet."""
    speech = union(_spans(track.found.turns))
    near = union(Span(span.start - NEAR_SPEECH, span.end + NEAR_SPEECH) for span in speech)
    return tuple(
        Turn(part.start, part.end, "")
        for sound in track.sounds
        if total(within(speech, sound)) >= LEAST_SPEECH * sound.duration
        for part in within(near, sound)
    )


def _spans(turns: Sequence[Turn]) -> list[Span]:
    return [Span(turn.start, turn.end) for turn in turns]


def _voices(parts: Sequence[_Part], names: dict[Person, str]) -> tuple[Voice, ...]:
    """One voice a person: as it sounds on its own track."""
    voices: dict[str, Voice] = {}
    for part in sorted(parts, key=lambda part: not part.at_home):
        if part.voice is not None:
            voices.setdefault(names[part.person], replace(part.voice, speaker=names[part.person]))
    return tuple(voices[name] for name in sorted(voices))
