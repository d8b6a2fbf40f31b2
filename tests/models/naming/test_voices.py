from __future__ import annotations

import math

import pytest

from models.naming.voices import (
    LIMIT,
    MAX_SAMPLES,
    MIN_SECONDS,
    SURE,
    KnownVoice,
    VoiceRegistry,
    VoiceSample,
    cosine,
    is_known,
    log_odds,
    sample_of,
    sounds_like,
    voice_matches,
)
from models.record.transcript import Voice


def voice(label: str, degrees: float, seconds: float = 60.0, model: str = "m") -> Voice:
    """A voice in two dimensions: those at one angle are the same."""
    angle = math.radians(degrees)
    return Voice(label, (3 * math.cos(angle), 3 * math.sin(angle)), seconds, model)


def sample(
    degrees: float, episode: str = "e1", *, confirmed: bool = True, seconds: float = 60.0
) -> VoiceSample:
    return sample_of(voice("x", degrees, seconds), episode, confirmed=confirmed)


def names(registry: VoiceRegistry) -> list[str]:
    return [known.name for known in registry.voices]


def test_the_same_voice_matches_and_another_does_not() -> None:
    registry = VoiceRegistry().learnt("Anne", sample(0)).learnt("Gael", sample(90))
    found = {(e.label, e.name): e.weight for e in voice_matches([voice("A", 10), voice("B", 80)], registry)}
    assert found["A", "Anne"] > SURE > 0 > found["A", "Gael"]
    assert found["B", "Gael"] > SURE > 0 > found["B", "Anne"]


def test_voices_of_another_model_never_compare() -> None:
    registry = VoiceRegistry().learnt("Anne", sample(0))
    assert voice_matches([voice("A", 0, model="other")], registry) == []
    assert KnownVoice("Anne", (sample(0),)).mean("other") is None


def test_little_speech_proves_little() -> None:
    long, short = voice("A", 20), voice("A", 20, seconds=2)
    assert LIMIT >= log_odds(long, voice("B", 0)) > log_odds(short, voice("B", 0)) > 0
    assert log_odds(voice("A", 85), voice("B", 0)) < log_odds(voice("A", 85, seconds=2), voice("B", 0)) < 0


def test_a_mean_is_weighted_by_speech() -> None:
    known = KnownVoice("Anne", (sample(0, seconds=90), sample(60, "e2", seconds=10)))
    mean = known.mean("m")
    assert mean is not None
    assert mean.seconds == 100
    assert cosine(mean.embedding, voice("x", 0).embedding) > 0.98


def test_an_episode_teaches_a_voice_once() -> None:
    registry = VoiceRegistry().learnt("Anne", sample(0)).learnt("Anne", sample(1))
    assert len(registry.voices[0].samples) == 1
    assert len(registry.learnt("Anne", sample(0, "e2")).voices[0].samples) == 2


def test_a_corrected_name_takes_the_voice_along() -> None:
    registry = VoiceRegistry().learnt("Anne", sample(0)).learnt("Zoe", sample(0))
    assert names(registry) == ["Zoe"]


def test_too_little_speech_teaches_nothing() -> None:
    assert VoiceRegistry().learnt("Anne", sample(0, seconds=MIN_SECONDS - 0.1)) == VoiceRegistry()


def test_the_best_samples_are_kept() -> None:
    registry = VoiceRegistry()
    for i in range(MAX_SAMPLES + 3):
        registry = registry.learnt("Anne", sample(0, f"e{i}", confirmed=i == 0, seconds=10 + i))
    samples = registry.voices[0].samples
    assert len(samples) == MAX_SAMPLES
    assert samples[0].episode == "e0"
    assert min(s.seconds for s in samples[1:]) > 13


def test_merging() -> None:
    registry = VoiceRegistry().learnt("Anne", sample(0)).learnt("Anne Currie", sample(5, "e2"))
    merged = registry.merged("Anne", "Anne Currie")
    assert names(merged) == ["Anne Currie"]
    assert {s.episode for s in merged.voices[0].samples} == {"e1", "e2"}
    assert names(registry.merged("Anne", "Zoe")) == ["Anne Currie", "Zoe"]
    with pytest.raises(KeyError):
        registry.merged("Tim", "Anne")


def test_who_is_forgotten_is_not_learnt_again_until_allowed() -> None:
    registry = VoiceRegistry().learnt("Anne", sample(0)).forgot("Anne")
    assert names(registry) == []
    assert registry.learnt("Anne", sample(0)) == registry
    assert registry.learnt("Anne Currie", sample(0)) == registry
    assert names(registry.allowed("Anne").learnt("Anne", sample(0))) == ["Anne"]


def test_who_is_known() -> None:
    registry = VoiceRegistry().learnt("Zoe", sample(0)).learnt("Tim", sample(90, confirmed=False))
    assert is_known("Gael", ["Gaël Duez"], registry)
    assert is_known("Zoe", [], registry)
    assert not is_known("Tim", [], registry)


def test_sounding_like_somebody() -> None:
    assert sounds_like(voice("A", 5), KnownVoice("Anne", (sample(0),)))
    assert not sounds_like(voice("A", 80), KnownVoice("Anne", (sample(0),)))
