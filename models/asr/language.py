"""Which language is spoken, told over several places of a recording."""

from __future__ import annotations

from collections.abc import Sequence

from models.asr.engine import LOOP_COMPRESSION_RATIO, UNSURE_LOGPROB, Engine
from models.record.spans import Span

LANGUAGE_PLACES = 4  # chunks, spread over the episode, by which its language is told
UNSURE_LANGUAGE = 0.5  # mean probability under which a language is only guessed
CANDIDATES = 3  # languages that are then tried
SURE_LANGUAGE = 0.8  # mean probability over those places from which a language that was asked for is doubted


def detect_language(engine: Engine, chunks: Sequence[Span]) -> tuple[str, float]:
    """The language that is most probable over several places of the audio, and its mean probability.

    Where none is probable, the likeliest in which what is said makes sense.
    """
    count = min(LANGUAGE_PLACES, len(chunks))
    places = [chunks[(2 * i + 1) * len(chunks) // (2 * count)] for i in range(count)]
    total: dict[str, float] = {}
    for place in places:
        for code, probability in engine.language_probabilities(place).items():
            total[code] = total.get(code, 0.0) + probability / count
    if not total:
        return engine.language, 1.0  # a model for one language alone
    likely = sorted(total, key=lambda code: -total[code])[:CANDIDATES]
    heard = likely[0]
    if total[heard] < UNSURE_LANGUAGE:
        heard = next((code for code in likely if _makes_sense(engine.with_language(code), places)), heard)
    return heard, float(total[heard])


def _makes_sense(engine: Engine, places: Sequence[Span]) -> bool:
    """Whether the engine writes words in its language at most places, is sure of them and doesn't repeat itself."""
    found = engine.decode(places)
    good = [
        each.words and each.confidence >= UNSURE_LOGPROB and each.compression_ratio <= LOOP_COMPRESSION_RATIO
        for each in found
    ]
    return 2 * sum(map(bool, good)) > len(found)


def language_warning(asked: str | None, heard: str, probability: float) -> tuple[str, ...]:
    """One warning where another language is spoken than was asked for, or it is hard to tell which; or none."""
    if asked is not None and asked != heard and probability >= SURE_LANGUAGE:
        return (f"the language was set to {asked}, but what is spoken sounds like {heard}: see --language",)
    if asked is None and probability < UNSURE_LANGUAGE:
        return (f"the language is unsure: {heard} was taken, give it with --language if that is wrong",)
    return ()
