"""Voices that a show knows: whose they are, how alike two are, and what that says about a speaker.

A voice is biometric data. It is kept only of people who are named, in one file a show
(`outputs/library/voices_file.py` reads and writes it), and can be forgotten for good.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from models.naming.person_names import same_person
from models.record.transcript import Evidence, Voice

REGISTRY_VERSION = 1
DIGITS = 4  # of an embedding's numbers; changes a cosine by less than 0.001
MIN_SECONDS = 5.0  # of clean speech, for a voice to be learnt
MAX_SAMPLES = 12  # episodes that a voice is learnt from
LIMIT = 6.0  # log-odds that a voice weighs at most
SURE = 3.0  # log-odds from which a voice is somebody's beyond doubt, whatever else speaks against it

# How a cosine is judged; docs/speakers.md tells how these were measured.
HALF_LIFE = 0.75  # seconds of speech at which voice and noise in an embedding weigh the same
MIDDLE = 0.55  # corrected cosine at which one person and two are equally likely
SLOPE = 25.0  # log-odds per 1.0 of corrected cosine


@dataclass(frozen=True, slots=True)
class VoiceSample:
    """A voice as it was in one episode. `confirmed`: the user said whose it is."""

    episode: str
    embedding: tuple[float, ...]
    seconds: float
    model: str
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class KnownVoice:
    """A person and the samples of his or her voice; each model's stand for themselves."""

    name: str
    samples: tuple[VoiceSample, ...] = ()

    def mean(self, model: str) -> Voice | None:
        """The mean embedding of the samples that `model` made, weighted by seconds; None without any."""
        samples = [sample for sample in self.samples if sample.model == model]
        if not samples:
            return None
        seconds = sum(sample.seconds for sample in samples)
        sums = (
            sum(s.seconds * value for s, value in zip(samples, column, strict=True))
            for column in zip(*(s.embedding for s in samples), strict=True)
        )
        return Voice(self.name, normalised(sums), seconds, model)


@dataclass(frozen=True, slots=True)
class VoiceRegistry:
    """The voices of one show. Whoever is in `forgotten` is not learnt again."""

    voices: tuple[KnownVoice, ...] = ()
    forgotten: tuple[str, ...] = ()
    version: int = field(default=REGISTRY_VERSION)

    def voice_of(self, name: str) -> KnownVoice | None:
        """The voice kept under exactly this name."""
        return next((voice for voice in self.voices if voice.name == name), None)

    def learnt(self, name: str, sample: VoiceSample) -> VoiceRegistry:
        """With one more sample of `name`; a sample of the same episode and model is replaced, whoever had it."""
        if self.is_forgotten(name) or sample.seconds < MIN_SECONDS:
            return self
        cleared = self.unlearnt(sample)
        known = cleared.voice_of(name) or KnownVoice(name)
        best = sorted((*known.samples, sample), key=lambda s: (s.confirmed, s.seconds), reverse=True)
        return cleared._with(replace(known, samples=tuple(best[:MAX_SAMPLES])))

    def learnt_all(self, samples: Iterable[tuple[str, VoiceSample]]) -> VoiceRegistry:
        """With each of these samples of a name, in order."""
        now = self
        for name, sample in samples:
            now = now.learnt(name, sample)
        return now

    def unlearnt(self, sample: VoiceSample) -> VoiceRegistry:
        """Without what was learnt from this very voice before, under whatever name."""
        voices = (
            replace(voice, samples=tuple(s for s in voice.samples if not _same_source(s, sample)))
            for voice in self.voices
        )
        return replace(self, voices=tuple(voice for voice in voices if voice.samples))

    def merged(self, name: str, into: str) -> VoiceRegistry:
        """With the voice of `name` as part of that of `into`. KeyError where there is no such voice."""
        gone, kept = self.voice_of(name), self.voice_of(into) or KnownVoice(into)
        if gone is None:
            raise KeyError(name)
        samples = (*kept.samples, *(s for s in gone.samples if s not in kept.samples))
        rest = replace(self, voices=tuple(voice for voice in self.voices if voice.name != name))
        return rest._with(replace(kept, samples=samples[:MAX_SAMPLES]))

    def forgot(self, name: str) -> VoiceRegistry:
        """Without the voice of `name`, never to be learnt again."""
        voices = tuple(voice for voice in self.voices if voice.name != name)
        return replace(self, voices=voices, forgotten=tuple(dict.fromkeys((*self.forgotten, name))))

    def is_forgotten(self, name: str) -> bool:
        """Whether the voice of `name`, however it is spelt, is not to be learnt."""
        return any(same_person(name, other) for other in self.forgotten)

    def allowed(self, name: str) -> VoiceRegistry:
        """With `name` taken off the list of those who are not to be learnt."""
        return replace(self, forgotten=tuple(other for other in self.forgotten if other != name))

    def _with(self, voice: KnownVoice) -> VoiceRegistry:
        others = (other for other in self.voices if other.name != voice.name)
        return replace(self, voices=tuple(sorted((*others, voice), key=lambda voice: voice.name)))


def _same_source(a: VoiceSample, b: VoiceSample) -> bool:
    """Whether two samples are one speaker's of one episode, perhaps from two runs."""
    return a.episode == b.episode and a.model == b.model and cosine(a.embedding, b.embedding) > 0.9


def sample_of(voice: Voice, episode: str, *, confirmed: bool) -> VoiceSample:
    """A voice that came out of a diarisation, as it is kept."""
    return VoiceSample(episode, normalised(voice.embedding), round(voice.seconds, 1), voice.model, confirmed)


def voice_matches(voices: Sequence[Voice], registry: VoiceRegistry) -> list[Evidence]:
    """How the voices of an episode compare with those the show knows, made by the same model."""
    found = []
    for voice in voices:
        for known in registry.voices:
            mean = known.mean(voice.model)
            if mean is not None and any(voice.embedding):
                weight = log_odds(voice, mean)
                said = (
                    f"cosine {cosine(voice.embedding, mean.embedding):.2f}, {voice.seconds:.0f} s against "
                    f"{mean.seconds:.0f} s from {len(known.samples)} episodes"
                )
                found.append(Evidence(voice.speaker, known.name, "voice", round(weight, 2), None, said))
    return found


def log_odds(a: Voice, b: Voice) -> float:
    """How much likelier two voices are one person's than two people's, as a natural logarithm.

    A cosine is divided by what the seconds of speech let it reach: little speech makes noisy embeddings.
    """
    reach = _reach(a.seconds) * _reach(b.seconds)
    corrected = cosine(a.embedding, b.embedding) / reach
    certainty = reach**2  # little speech proves little, either way
    return max(-LIMIT, min(LIMIT, SLOPE * (corrected - MIDDLE))) * certainty


def sounds_like(voice: Voice, known: KnownVoice) -> bool:
    """Whether a voice is more likely a known person's than not."""
    mean = known.mean(voice.model)
    return mean is not None and log_odds(voice, mean) > 0


def _reach(seconds: float) -> float:
    return 1 / math.sqrt(1 + HALF_LIFE / max(seconds, 1e-3))


def cosine(a: Iterable[float], b: Iterable[float]) -> float:
    """The cosine of the angle between two embeddings.

    >>> cosine((1.0, 0.0), (2.0, 0.0)), cosine((1.0, 0.0), (0.0, 3.0))
    (1.0, 0.0)
    """
    return sum(x * y for x, y in zip(normalised(a, 12), normalised(b, 12), strict=True))


def normalised(embedding: Iterable[float], digits: int = DIGITS) -> tuple[float, ...]:
    """The embedding at length 1, rounded.

    >>> normalised((3.0, 4.0))
    (0.6, 0.8)
    """
    values = tuple(embedding)
    length = math.sqrt(sum(value * value for value in values)) or 1.0
    return tuple(round(value / length, digits) for value in values)


def is_known(name: str, known_people: Iterable[str], registry: VoiceRegistry) -> bool:
    """Whether `name` is somebody whom the settings name, or whose voice the user confirmed."""
    confirmed = (voice.name for voice in registry.voices if any(s.confirmed for s in voice.samples))
    return any(same_person(name, other) for other in (*known_people, *confirmed))
