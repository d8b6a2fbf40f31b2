"""Models with random weights: their text is noise, but it comes by the same way as that of real ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("sentencepiece")

from models.record.errors import InputError
from models.translation import by_text, translator
from models.translation.by_text import TranslatorOptions
from tests.models.translation.random_models import make_model
from tests.outputs.samples import said

SENTENCES = ("Die Höhle liegt allein.", "Wer hat die Insel verlassen?")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def m2m(folder: Path) -> Path:
    return make_model(folder / "m2m", ["__de__", "__en__", "__no__"])


@pytest.fixture(scope="module")
def opus(folder: Path) -> Path:
    return make_model(folder / "opus-mt-de-fr", [], pair=True)


def test_every_family_loads_and_writes(folder: Path, m2m: Path, opus: Path) -> None:
    nllb = make_model(folder / "nllb", ["deu_Latn", "zsm_Latn"])
    many = make_model(folder / "many", [">>es<<", ">>pt<<"], pair=True)
    for model, target, family in (
        (m2m, "no", "M2M-100"),
        (nllb, "ms", "NLLB"),  # which calls it Standard Malay
        (opus, "fr", "OPUS-MT"),
        (many, "pt", "OPUS-MT"),
    ):
        translator.check(str(model), target)
        loaded = translator.load(str(model), "cpu")
        assert loaded.languages.family == family
        texts = loaded.translate(SENTENCES, "de", target)
        assert len(texts) == 2
        assert any(texts)
        assert not any(token in text for text in texts for token in ("</s>", "zsm_Latn", "__no__"))


def test_what_a_model_reads_and_writes_is_told_before_it_is_loaded(m2m: Path, opus: Path) -> None:
    known = translator.languages_of("m2m", m2m)
    assert (known.reads("de"), known.writes("nb"), known.writes("fr")) == (True, True, False)
    pair = translator.languages_of("gaudi/opus-mt-de-fr-ctranslate2", opus)
    assert (pair.reads("de"), pair.reads("es"), pair.writes("fr")) == (True, False, True)
    with pytest.raises(InputError, match="m2m doesn't translate into 'fr'"):
        translator.check(str(m2m), "fr")


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("opus-mt-mul-en", ("", "en")),
        ("gaudi/opus-mt-gem-en-ctranslate2", ("", "en")),
        ("opus-mt-jap-en", ("", "en")),
        ("opus-mt-tc-big-zle-en", ("", "en")),
        ("opus-mt-tc-bible-big-mul-mul", ("", "")),
        ("opus-mt-tc-bible-big-gmw-deu_eng_nld", ("", "")),
        ("opus-mt-tc-big-cat_oci_spa-en", ("", "")),
        ("opus-mt-tc-big-en-pt", ("en", "pt")),
        ("opus-mt-bcl-en", ("", "en")),
        ("opus-mt-deu-eng", ("deu", "eng")),
    ],
)
def test_groups_of_languages_are_any(name: str, pair: tuple[str, str], opus: Path) -> None:
    known = translator.languages_of(name, opus)
    assert known.pair == pair
    assert known.reads("de") == (pair[0] in ("", "deu"))
    assert known.reads("uk") == (pair[0] == "")
    assert known.writes("pt-BR") == (pair[1] in ("", "pt"))


def test_a_sentence_ends_once(m2m: Path, folder: Path) -> None:
    """Some conversions have CTranslate2 put the end there itself."""
    ends = make_model(folder / "ends", ["__de__", "__en__"], eos_is_added=True)
    assert json.loads((ends / "config.json").read_text())["add_source_eos"]
    assert translator.load(str(ends), "cpu").translate(SENTENCES[:1], "de", "en")


@pytest.mark.parametrize(
    ("missing", "what"),
    [
        ("model.bin", "holds no model.bin"),
        ("sentencepiece.bpe.model", "holds no source.spm"),
        ("shared_vocabulary.json", "holds no vocabulary"),
    ],
)
def test_a_folder_that_lacks_a_file_is_refused_in_a_line(missing: str, what: str, tmp_path: Path) -> None:
    model = make_model(tmp_path / "model", ["__de__"])
    (model / missing).unlink()
    with pytest.raises(InputError, match=what) as refused:
        translator.check(str(model), "de")
    assert "\n" not in str(refused.value)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(InputError, match="neither a folder nor a hub id"):
        translator.check("nowhere", "de")


def test_what_is_in_the_language_stays_whatever_the_region(m2m: Path) -> None:
    (kept,) = by_text.translate([said("Yes.")], TranslatorOptions(str(m2m)), "en", "en-GB").segments
    assert (kept.text, kept.language) == ("Yes.", "en-GB")


def test_segments_keep_speakers_and_times(m2m: Path) -> None:
    first, answer, last = said("Wer hat?"), said("Yes.", 5, speaker="SPEAKER_01"), said("Die Insel.", 7)
    told: list[tuple[str, float, float]] = []
    segments = [first, replace(answer, language="en"), last]
    found = by_text.translate(
        segments, TranslatorOptions(str(m2m)), "de", "en", lambda *one: told.append(one)
    )
    assert found.engine == "m2m"
    assert told == [("translate", 2, 2)]
    assert [one.text for one in found.segments if one.speaker == "SPEAKER_01"] == ["Yes."]
    for segment in found.segments:
        source = next(one for one in segments if one.start <= segment.start < one.end)
        assert segment.end <= source.end
        assert segment.speaker == source.speaker
