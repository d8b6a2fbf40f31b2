from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from faster_whisper import BatchedInferencePipeline
from hypothesis import given
from hypothesis import strategies as st

from audio.media.decode import decode
from models.asr import faster_whisper
from models.asr.chunking import CHUNK_SECONDS
from models.asr.faster_whisper import FasterWhisperEngine, context_frames, hypothesis_of
from models.asr.log_mel import LogMel
from models.asr.repair import bare_word
from models.asr.word_times import FRAME
from models.record.errors import InputError
from models.record.graphemes import graphemes
from models.record.spans import Span
from models.runtime.samples import SAMPLE_RATE

CHUNKS = [Span(6.3, 14.4), Span(14.4, 17.9), Span(14.4, 29.0)]


@pytest.fixture(scope="module")
def engine(sample_wav: Path) -> FasterWhisperEngine:
    return faster_whisper.load("base", "cpu", batch_size=3).with_samples(decode(sample_wav).samples)


def test_chunks_decoded_together_are_the_same_as_one_by_one(engine: FasterWhisperEngine) -> None:
    together, alone = engine.decode(CHUNKS), replace(engine, batch_size=1).decode(CHUNKS)
    assert {context_frames(chunk) for chunk in CHUNKS} == {1500, 1800}
    assert [hypothesis.chunk for hypothesis in together] == CHUNKS
    assert [hypothesis.text for hypothesis in together] == [hypothesis.text for hypothesis in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.words
        assert [word.start for word in one.words] == pytest.approx([w.start for w in other.words], abs=0.1)


def test_with_all_silence_encoded_words_are_those_of_faster_whisper(
    engine: FasterWhisperEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faster_whisper, "SILENCE", CHUNK_SECONDS)
    lead = 3.0  # seconds, after which faster-whisper shortens a first word that is stretched
    for mine in replace(engine, batch_size=1).decode(CHUNKS):
        waveform = engine.samples_of(mine.chunk)
        end = lead + len(waveform) / SAMPLE_RATE
        segments, _ = BatchedInferencePipeline(engine.model).transcribe(
            np.concatenate([np.zeros(round(lead * SAMPLE_RATE), dtype=np.float32), waveform]),
            language="en",
            word_timestamps=True,
            clip_timestamps=[{"start": lead, "end": end}],
        )
        theirs = hypothesis_of(mine.chunk, list(segments), mine.chunk.start - lead)
        assert [word.text for word in mine.words] == [word.text for word in theirs.words]
        assert mine.confidence == pytest.approx(theirs.confidence, abs=1e-4)
        assert mine.no_speech_probability == pytest.approx(theirs.no_speech_probability, abs=1e-4)
        for one, other in zip(mine.words, theirs.words, strict=True):
            assert (one.start, one.end) == pytest.approx((other.start, other.end), abs=0.011)
            assert one.probability == pytest.approx(other.probability, abs=0.002)


def test_features_of_torch_give_the_same_words(
    engine: FasterWhisperEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = engine.decode(CHUNKS)
    log_mel = LogMel(engine.model.feature_extractor.mel_filters, "cpu")
    monkeypatch.setattr(engine.model, "_log_mel", log_mel)
    found = engine.decode(CHUNKS)
    for one, other in zip(found, expected, strict=True):
        assert [bare_word(word.text) for word in one.words] == [bare_word(word.text) for word in other.words]
    assert [each.confidence for each in found] == pytest.approx(
        [each.confidence for each in expected], abs=0.05
    )


def test_languages_of_stretches_are_told_with_the_words(engine: FasterWhisperEngine) -> None:
    """From the encodings of chunks, as from encodings of their own."""
    stretches = [[Span(chunk.start + 1, chunk.start + 5), chunk] for chunk in CHUNKS]
    with_languages, without = engine.decode(CHUNKS, stretches=stretches), engine.decode(CHUNKS)
    assert with_languages == without
    for hypothesis, parts in zip(with_languages, stretches, strict=True):
        for languages, part in zip(hypothesis.languages, parts, strict=True):
            assert languages["en"] == pytest.approx(engine.language_probabilities(part)["en"], abs=0.25)
            assert max(languages, key=lambda code: languages[code]) == "en"
    assert not any(hypothesis.languages for hypothesis in without)


def test_chunks_of_several_languages_are_decoded_at_once(engine: FasterWhisperEngine) -> None:
    first, second, *_ = CHUNKS
    together = engine.decode([first, second, first], languages=["en", "de", "de"])
    alone = [engine.with_language(each.language).decode([each.chunk])[0] for each in together]
    assert [each.language for each in together] == ["en", "de", "de"]
    assert [each.text for each in together] == [each.text for each in alone]


def test_a_chunk_waits_where_it_is_told_to_by_its_languages(engine: FasterWhisperEngine) -> None:
    first, second, *_ = CHUNKS
    told: list[int] = []

    def waits(heard: Sequence[Mapping[str, float]]) -> bool:
        told.append(len(heard))
        return len(heard) == 2

    stretches = [[first], [Span(second.start, second.start + 3), second]]
    found = engine.decode([first, second], stretches=stretches, waits=waits)
    assert sorted(told) == [1, 2]
    assert [each.undecoded for each in found] == [False, True]
    assert found[0] == engine.decode([first])[0]
    assert len(found[1].languages) == 2
    assert not found[1].words


def test_no_other_languages_are_heard_than_may_be_chosen(engine: FasterWhisperEngine) -> None:
    chosen = engine.with_choice(["de", "cy"]).language_probabilities(CHUNKS[0])
    assert set(chosen) == {"de", "cy"}
    assert sum(chosen.values()) == pytest.approx(1)
    with pytest.raises(InputError, match="no language 'xx'"):
        engine.with_choice(["xx"])


def segment(*words: tuple[str, float, float]) -> SimpleNamespace:
    """What of a segment of faster-whisper is read: its words, and how sure it is."""
    timed = [SimpleNamespace(word=text, start=a, end=b, probability=0.5) for text, a, b in words]
    return SimpleNamespace(words=timed, tokens=[1] * len(words), avg_logprob=-0.3, no_speech_prob=0.1)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("th", "ที่นี่มีน้ำ"),
        ("lo", "ຂ້ອຍຢູ່ນີ້"),
        ("my", "ကျွန်တော်ကမ္ဘာ"),
        ("ja", "か\u3099っこう"),
        ("zh", "你好👩\u200d👩\u200d👧🇨🇳"),
    ],
)
def test_what_faster_whisper_cuts_at_code_points_is_whole_letters(language: str, text: str) -> None:
    from faster_whisper.tokenizer import Tokenizer

    model = faster_whisper.load("base", "cpu").model
    tokenizer = Tokenizer(model.hf_tokenizer, True, task="transcribe", language=language)
    cut, _ = tokenizer.split_to_word_tokens(tokenizer.encode(text))
    letters = set(accumulate(map(len, graphemes(text))))
    assert not letters.issuperset(accumulate(map(len, cut)))
    hypothesis = hypothesis_of(Span(0, 9), [segment(*((word, 1.0, 1.0) for word in cut))])
    assert hypothesis.text == text
    assert letters.issuperset(accumulate(len(word.text) for word in hypothesis.words))


def test_a_letter_cut_by_the_end_of_a_segment_is_whole() -> None:
    segments = [segment((" มี", 0.5, 0.9), ("ท", 0.9, 1.0)), segment(("ี่", 1.0, 1.3), ("นี่", 1.3, 1.5))]
    words = hypothesis_of(Span(10, 20), segments, offset=10).words
    assert [(word.text, word.start, word.end) for word in words] == [
        (" มี", 10.5, 10.9),
        ("ที่", 10.9, 11.3),
        ("นี่", 11.3, 11.5),
    ]


def test_punctuation_that_hangs_on_nothing_is_left_out() -> None:
    hypothesis = hypothesis_of(Span(0, 9), [segment(("...", 0, 1), (" Yes", 1, 2), (" -", 2, 2))])
    assert [word.text for word in hypothesis.words] == [" Yes", " -"]
    assert hypothesis.words[0].start == 1
    assert hypothesis_of(Span(0, 9), [segment(("...", 0, 1))]).words == ()


times = st.floats(-1, 32, allow_nan=False)
pieces = st.text(min_size=1, max_size=4) | st.sampled_from([*"ที่กำक्षக்ကမ္ဘာ👩🇩🇪\u200d\u0301", " a", ".", "한"])


@given(
    st.lists(st.lists(st.tuples(pieces, times, times), max_size=20), max_size=3),
    st.sampled_from([Span(2, 30), Span(0, 0.5), Span(4, 4.03), Span(5, 5)]),
    st.sampled_from([0.0, -1.5, 2.7]),
)
def test_any_words_become_whole_letters_whose_times_hold_together(
    said: list[list[tuple[str, float, float]]], chunk: Span, offset: float
) -> None:
    said = [[("A", 3.0, 3.0)], *said]
    text = "".join(word for words in said for word, _, _ in words)
    words = hypothesis_of(chunk, [segment(*words) for words in said], offset).words
    assert "".join(word.text for word in words) == text
    assert set(accumulate(map(len, graphemes(text)))).issuperset(accumulate(len(w.text) for w in words))
    assert all(word.start <= word.end for word in words)
    assert all(one.end <= two.start for one, two in pairwise(words))
    assert chunk.start <= words[0].start
    assert words[-1].end <= chunk.end
    shortest = min(FRAME, chunk.duration / len(words))
    assert all(word.end - word.start >= shortest - 1e-9 for word in words)
