"""Which language is spoken, told over several places of a recording."""

from __future__ import annotations

from collections.abc import Sequence

from models.asr.engine import Engine
from models.record.spans import Span

LANGUAGE_PLACES = 4  # chunks, spread over the episode, by which its language is told
SURE_LANGUAGE = 0.8  # mean probability over those places from which a language that was asked for is doubted


def detect_language(engine: Engine, chunks: Sequence[Span]) -> tuple[str, float]:
    """The language that is most probable over several places of the audio, and its mean probability."""
    count = min(LANGUAGE_PLACES, len(chunks))
    places = [chunks[(2 * i + 1) * len(chunks) // (2 * count)] for i in range(count)]
    total: dict[str, float] = {}
    for place in places:
        for code, probability in engine.language_probabilities(place).items():
            total[code] = total.get(code, 0.0) + probability / count
    if not total:
        return engine.language, 1.0  # a model for one language alone
    heard = max(total, key=lambda code: total[code])
    return heard, float(total[heard])


def language_warning(asked: str | None, heard: str, probability: float) -> tuple[str, ...]:
    """One warning where another language is spoken than was asked for, or it is hard to tell which; or none."""
    if asked is not None and asked != heard and probability >= SURE_LANGUAGE:
        return (f"the language was set to {asked}, but what is spoken sounds like {heard}: see --language",)
    if asked is None and probability < 0.5:
        return (f"the language is unsure: {heard} was taken, give it with --language if that is wrong",)
    return ()
