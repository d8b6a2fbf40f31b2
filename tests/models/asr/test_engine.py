"""What is made of hypotheses, with an engine that has nothing but what `Engine` promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from numpy.typing import NDArray

from audio.media.decode import decode
from models.asr.engine import Engine, Hypothesis, Waits
from models.asr.language import detect_language
from models.asr.language_path import Stretch
from models.asr.multilingual import decode_in_languages
from models.asr.repair import repair_hypotheses
from models.asr.vocabulary import correct_spelling
from models.record.progress import Heard, Report, no_report
from models.record.spans import Span
from models.record.transcript import Repair, Word
from models.runtime.samples import SAMPLE_RATE, Samples, as_float

CHUNK = Span(6, 30)


def said(text: str, start: float = 7.0, probability: float = 1.0) -> tuple[Word, ...]:
    return tuple(
        Word(start + i * 0.4, start + (i + 1) * 0.4, f" {word}", probability)
        for i, word in enumerate(text.split())
    )


class ScriptedEngine:
    """An engine that says what it was told to: `fast` at first, `hinted` with hotwords, `slow` sequentially."""

    name = "scripted"

    def __init__(self, fast: str = "", hinted: str = "", slow: Mapping[str, str] | None = None) -> None:
        self.language = "en"
        self._texts = {"": fast, "hotwords": hinted}
        self._slow = slow or {}
        self._samples: Samples = np.zeros(0, dtype=np.float32)
        self._report: Report = no_report

    def with_samples(self, samples: Samples) -> Self:
        other = copy(self)
        other._samples = samples
        return other

    def with_language(self, language: str) -> Self:
        other = copy(self)
        other.language = language
        return other

    def with_report(self, report: Report) -> Self:
        other = copy(self)
        other._report = report
        return other

    def with_listener(self, heard: Heard) -> Self:
        return self

    def translating(self) -> Self:
        return self

    def with_choice(self, languages: Sequence[str]) -> Self:
        return self

    @property
    def multilingual(self) -> bool:
        return len(self._slow) > 1

    def decode(
        self,
        chunks: Sequence[Span],
        hotwords: str | None = None,
        *,
        languages: Sequence[str] = (),
        stretches: Sequence[Sequence[Span]] = (),
        waits: Waits | None = None,
    ) -> list[Hypothesis]:
        text = self._texts["hotwords" if hotwords else ""]
        self._report(len(chunks), len(chunks))
        return [
            Hypothesis(
                chunk,
                said(text, chunk.start + 1),
                -0.2,
                0.1,
                language=languages[i] if languages else self.language,
                languages=tuple(
                    self.language_probabilities(chunk) for _ in (stretches[i] if stretches else ())
                ),
            )
            for i, chunk in enumerate(chunks)
        ]

    def decode_sequentially(self, chunk: Span, language: str | None = None) -> Hypothesis:
        self._report(1, 1)
        language = language or self.language
        return Hypothesis(chunk, said(self._slow[language], chunk.start + 1), -0.2, 0.1, language=language)

    def language_probabilities(self, chunk: Span) -> Mapping[str, float]:
        return {language: 0.9 if language != self.language else 0.1 for language in self._slow}

    def samples_of(self, chunk: Span) -> NDArray[np.float32]:
        return as_float(self._samples[int(chunk.start * SAMPLE_RATE) : int(chunk.end * SAMPLE_RATE)])


@pytest.fixture(scope="module")
def voices(sample_wav: Path) -> Samples:
    """A telephone call, in which the voice detector hears somebody."""
    return decode(sample_wav).samples


def test_a_loop_is_decoded_sequentially(voices: Samples) -> None:
    engine: Engine = ScriptedEngine(slow={"en": "So I am from Chicago."}).with_samples(voices)
    loop = Hypothesis(CHUNK, said("thank you. " * 10), -0.2, 0.1, language="en")
    hypotheses, repairs = repair_hypotheses(engine, [loop], [])
    assert [hypothesis.text for hypothesis in hypotheses] == ["So I am from Chicago."]
    assert [(repair.reason, repair.before, repair.after) for repair in repairs] == [
        ("loop", loop.text, "So I am from Chicago.")
    ]


def test_speech_left_out_is_decoded_as_a_chunk_of_its_own(voices: Samples) -> None:
    engine: Engine = ScriptedEngine(fast="and so it went on and on").with_samples(voices)
    first = Hypothesis(CHUNK, said("it ended here"), -0.2, 0.1, language="en")
    hypotheses, repairs = repair_hypotheses(engine, [first], [Span(7, 8.2), Span(12, 15)])
    assert [each.text for each in hypotheses if each.words] == ["it ended here", "and so it went on and on"]
    assert [repair.reason for repair in repairs] == ["lost"]


def test_what_the_batched_decoder_does_not_find_the_sequential_one_looks_for(voices: Samples) -> None:
    engine: Engine = ScriptedEngine(slow={"en": "and so it went on and on"}).with_samples(voices)
    hypotheses, repairs = repair_hypotheses(
        engine,
        [Hypothesis(CHUNK, said("it ended here"), -0.2, 0.1, language="en")],
        [Span(7, 8.2), Span(17, 21)],
    )
    assert [each.text for each in hypotheses if each.words] == ["it ended here", "and so it went on and on"]
    assert [repair.reason for repair in repairs] == ["lost"]


def test_a_doubtful_chunk_is_decoded_in_the_language_that_is_heard(voices: Samples) -> None:
    engine: Engine = ScriptedEngine(slow={"en": "", "de": "Guten Tag."}).with_samples(voices)
    hypotheses, repairs = repair_hypotheses(
        engine, [Hypothesis(CHUNK, said("Good dog"), -1.2, 0.1, language="en")], []
    )
    assert [hypothesis.text for hypothesis in hypotheses] == ["Guten Tag."]
    assert [repair.reason for repair in repairs] == ["language"]


def test_doubtful_words_where_no_voice_is_heard_are_removed() -> None:
    engine: Engine = ScriptedEngine().with_samples(np.zeros(30 * SAMPLE_RATE, dtype=np.float32))
    hypotheses, repairs = repair_hypotheses(
        engine, [Hypothesis(CHUNK, said("Thank you."), -1.2, 0.1, language="en")], []
    )
    assert [hypothesis.text for hypothesis in hypotheses] == [""]
    assert [repair.reason for repair in repairs] == ["wordless"]


def test_a_term_is_spelled_right_by_a_decoding_with_hotwords() -> None:
    engine: Engine = ScriptedEngine(hinted="we met Nuzhat there")
    first = Hypothesis(CHUNK, said("we met Nusat there", probability=0.5))
    hypotheses, repairs = correct_spelling(engine, [first], ["Nuzhat"])
    assert [hypothesis.text for hypothesis in hypotheses] == ["we met Nuzhat there"]
    assert repairs == [Repair(first.words[2].start, first.words[2].end, "vocabulary", "Nusat", "Nuzhat")]


def test_what_was_written_for_a_term_before_is_known_again() -> None:
    engine: Engine = ScriptedEngine(hinted="we met Gaël Duez there")
    first = Hypothesis(CHUNK, said("we met Gale Dewey there", probability=0.5))
    assert correct_spelling(engine, [first], ["Gaël Duez"])[1] == []  # too far from how it sounds
    hypotheses, repairs = correct_spelling(engine, [first], ["Gaël Duez"], [("Gale Dewey", "Gaël Duez")])
    assert [hypothesis.text for hypothesis in hypotheses] == ["we met Gaël Duez there"]
    assert [(repair.before, repair.after) for repair in repairs] == [("Gale Dewey", "Gaël Duez")]


def test_a_term_that_is_not_heard_again_stays_out_whatever_was_written_for_it_before() -> None:
    engine: Engine = ScriptedEngine(hinted="we met Gale Dewey there")
    first = Hypothesis(CHUNK, said("we met Gale Dewey there", probability=0.5))
    assert correct_spelling(engine, [first], ["Gaël Duez"], [("Gale Dewey", "Gaël Duez")])[1] == []


def test_each_decoding_is_reported_and_can_be_stopped(voices: Samples) -> None:
    told: list[tuple[int, int]] = []

    def stop(completed: int, total: int) -> None:
        told.append((completed, total))
        raise KeyboardInterrupt

    engine: Engine = ScriptedEngine(slow={"en": "yes"}).with_samples(voices).with_report(stop)
    with pytest.raises(KeyboardInterrupt):
        repair_hypotheses(engine, [Hypothesis(CHUNK, said("thank you. " * 10), language="en")], [])
    assert told == [(1, 1)]


def test_the_language_is_the_one_most_probable() -> None:
    engine: Engine = ScriptedEngine(slow={"en": "", "de": ""})
    assert detect_language(engine, [CHUNK]) == ("de", 0.9)


def test_a_model_for_one_language_hears_that() -> None:
    engine: Engine = ScriptedEngine().with_language("fi")
    assert detect_language(engine, [CHUNK]) == ("fi", 1.0)


class Babel(ScriptedEngine):
    """Hears French alone, whatever it writes, and makes no more sense of it than of anything."""

    def language_probabilities(self, chunk: Span) -> Mapping[str, float]:
        return {"fr": 1.0}


def test_where_no_language_that_is_heard_makes_sense_the_engines_is_written() -> None:
    told: list[float] = []
    engine: Engine = Babel(fast="So I am from Chicago.").with_report(lambda done, _: told.append(done))
    said_there = [Stretch(Span(6.5, 12), "A"), Stretch(Span(12, 29), "B")]
    (found,), sure = decode_in_languages(engine, [CHUNK], said_there)
    assert (found.language, found.text) == ("en", "So I am from Chicago.")
    assert sure == 0.0
    assert told == [1]
