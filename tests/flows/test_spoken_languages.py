"""An episode in two languages from its words on: aligned, named, published and told of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flows import steps
from flows.local.run import print_result
from models.asr.transcription import Transcription
from models.naming.speakers import NamingContext, name_by_evidence
from models.record.transcript import AudioFile, Diarisation, Episode, Turn, Word
from models.runtime.samples import SAMPLE_RATE
from outputs.library import read
from outputs.library.write import publish
from tests.audio.conftest import Write
from tests.flows.conftest import Process
from tests.models.conftest import read_audio

A, B = "SPEAKER_00", "SPEAKER_01"


def said(text: str, start: float, language: str) -> list[Word]:
    """One word each 0.4 seconds."""
    return [
        Word(start + 0.4 * i, start + 0.4 * (i + 1), f" {word}", language=language)
        for i, word in enumerate(text.split())
    ]


def test_everything_after_recognition_goes_by_the_language_of_the_words(tmp_path: Path) -> None:
    words = [
        *said("Guten Abend, ich bin Anna Weber.", 0.0, "de"),
        *said("Am 3. Oktober sprach ich mit einem Gast.", 2.4, "de"),
        *said("Thank you for having me, I'm Tom Reed.", 6.0, "en"),
    ]
    turns = (Turn(0.0, 5.7, A), Turn(5.9, 9.3, B))
    transcript = steps.align(
        Episode("id"),
        AudioFile("a.wav", "0" * 64, 10.0),
        Transcription(tuple(words), "de", 0.9, "base"),
        Diarisation(turns, turns),
        diariser_model="offline",
    )
    publish(name_by_evidence(transcript, NamingContext()), tmp_path, ["vtt", "html"])
    kept = read.load(tmp_path)
    assert [(kept.name_of(s.speaker), s.language, s.text) for s in kept.segments] == [
        ("Anna Weber", "de", "Guten Abend, ich bin Anna Weber."),
        ("Anna Weber", "de", "Am 3. Oktober sprach ich mit einem Gast."),
        ("Tom Reed", "en", "Thank you for having me, I'm Tom Reed."),
    ]
    assert kept.language == "de"
    german, english = kept.languages
    assert (german.language, english.language) == ("de", "en")
    assert german.share == pytest.approx(14 / 22, abs=0.01)
    assert german.share + english.share == pytest.approx(1.0)
    assert "<v Tom Reed><lang en>Thank you" in (tmp_path / "transcript.vtt").read_text()
    assert '<p dir="ltr" lang="en"> <span data-t="6' in (tmp_path / "transcript.html").read_text()


@pytest.mark.parametrize(
    ("shares", "told"), [([("de", 0.622), ("en", 0.378)], "languages: de 62%, en 38%"), ([("de", 1.0)], "")]
)
def test_languages_are_told_where_there_are_several(
    capsys: pytest.CaptureFixture[str], shares: list[tuple[str, float]], told: str
) -> None:
    languages = [{"language": language, "share": share} for language, share in shares]
    print_result(
        {
            "computed": ["align"],
            "reused": [],
            "tracks": None,
            "languages": languages,
            "warnings": [],
            "files": [],
        }
    )
    assert capsys.readouterr().out == "computed: align\n" + (f"{told}\n" if told else "")


def test_a_run_hears_each_language_and_reuses_what_it_heard(
    process: Process, write_wav: Write, read_speech: Path, tmp_path: Path
) -> None:
    fleurs = read_speech.parents[1] / "non_english" / "fleurs"
    english = read_audio(read_speech / "1998" / "1998-15444-0003.flac")
    german = read_audio(fleurs / "fleurs-de-004.ogg")
    pause = np.zeros(SAMPLE_RATE // 2, dtype=np.float32)
    file = write_wav(np.concatenate([german, pause, english, pause]))
    options = {"model": "base", "languages": ("en", "de")}
    result = process(file, **options)
    assert result["computed"] == ["decode", "diarise", "transcribe"]
    kept = read.load(tmp_path / "out")
    assert {share.language for share in kept.languages} == {"de", "en"}
    change = len(german) / SAMPLE_RATE
    for segment in kept.segments:
        assert segment.language == ("de" if segment.end < change + 0.5 else "en")
    assert process(file, **options)["computed"] == []
    # Who speaks which language decides the words, so with other speakers they are heard again.
    assert process(file, **options, speakers=1)["computed"] == ["diarise", "transcribe"]
