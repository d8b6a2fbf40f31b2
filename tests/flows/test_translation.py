"""Subtitles in another language, from the option to the files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from audio.tracks.layout import Layout
from audio.tracks.recording import DecodedAudio
from flows import own_tracks, translation
from flows.options import RunOptions
from models.diarisation.own_tracks import TracksDiarisation
from models.record.errors import InputError
from models.record.spans import Span
from models.record.transcript import Diarisation, Segment, Turn, Word
from outputs.library import read
from tests.flows.conftest import Process
from tests.models.conftest import SHARED
from tests.models.translation.random_models import make_model
from tests.outputs.samples import said, talk

CLIP = SHARED / "non_english" / "fleurs" / "fleurs-de-004.ogg"
SUBTITLES = {"transcript.en.srt", "transcript.en.vtt", "transcript.en.txt"}


@pytest.mark.skipif(not CLIP.exists(), reason="no recordings beside the checkout")
def test_a_run_adds_subtitles_in_english_and_keeps_what_it_found(process: Process, tmp_path: Path) -> None:
    options = {"model": "base", "language": "de", "diariser": "none"}
    result = process(CLIP, **options, translate=("en",))
    assert result["computed"] == ["decode", "transcribe", "translate"]
    assert {Path(file).name for file in result["files"]} >= SUBTITLES  # type: ignore[attr-defined]
    assert "mountains" in (tmp_path / "out" / "transcript.en.srt").read_text(encoding="utf-8")
    (made,) = read.load(tmp_path / "out").translations
    assert (made.language, made.engine) == ("en", "Whisper base")
    assert process(CLIP, **options, translate=("en",), formats=("srt",))["computed"] == []
    assert process(CLIP, **options)["computed"] == []  # without: the files of before would tell another run
    assert not SUBTITLES & {path.name for path in (tmp_path / "out").iterdir()}
    assert json.loads((tmp_path / "out" / "episode.json").read_text(encoding="utf-8"))["translations"] == []
    damaged = make_model(tmp_path / "opus-mt-de-fr", [], pair=True)
    (damaged / "model.bin").write_bytes(b"cut short")
    result = process(CLIP, **options, translate=("fr",), translator=str(damaged))
    assert any(warning.startswith("no subtitles in fr: translation failed") for warning in result["warnings"])  # type: ignore[attr-defined]
    assert "Höhle" in (tmp_path / "out" / "transcript.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"translate": ("de",)}, "Whisper translates into English only: --translate de takes a --translator"),
        ({"translate": ("e n",)}, "no language 'e n'"),
        ({"translate": ("en",), "model": "tiny.en"}, r"tiny\.en knows English only and can't translate"),
        ({"translate": ("de",), "translator": "nowhere"}, "'nowhere' is neither a folder nor a hub id"),
    ],
)
def test_what_can_not_be_done_is_refused_before_any_work(options: dict[str, object], what: str) -> None:
    with pytest.raises(InputError, match=what) as refused:
        translation.check(RunOptions.model_validate({"model": "base", **options}))
    assert "\n" not in str(refused.value)


def test_languages_are_told_however_they_are_written() -> None:
    options = RunOptions.model_validate({"model": "base", "translate": ("EN", "en_us", "e n")})
    assert options.translate == ("en", "en-US", "e n")
    translation.check(options.model_copy(update={"translate": ("en", "en-US")}))
    transcript = talk(said("olá"), language="pt")
    assert not translation.has_foreign(transcript, "pt-BR")
    assert translation.has_foreign(transcript, "en-US")


def test_words_of_tracks_find_their_way_into_the_splice_and_back() -> None:
    """There, nobody speaks at the same time, and of a long silence little is left."""
    layout = Layout(60.0, ((), ()), ((Span(0, 5), Span(30, 35)), (Span(2, 4),)))
    decoded = DecodedAudio(60.0, None, (), layout=layout)
    turns = ((Turn(0, 35, "SPEAKER_00"),), (Turn(2, 4, "SPEAKER_01"),))
    joined = TracksDiarisation(Diarisation(), turns)
    segments = (said("eins zwei", 1), said("drei", 2.5, speaker="SPEAKER_01"), said("vier", 31))
    spliced = own_tracks.into_splice(decoded, joined, segments)
    assert spliced[2].start - spliced[0].end < 6  # were 29 s
    assert spliced[1].start > spliced[2].end
    back = own_tracks.out_of_splice(decoded, spliced)
    assert [(round(one.start, 3), round(one.end, 3), one.text) for one in back] == [
        (one.start, one.end, one.text) for one in segments
    ]


def test_a_sentence_of_somebody_on_two_tracks_lies_on_one() -> None:
    """That which has most of it; what continues it on the other is a sentence of its own there."""
    layout = Layout(60.0, ((), ()), ((Span(0, 4),), (Span(10, 20),), (Span(3, 9),)))
    decoded = DecodedAudio(60.0, None, (), layout=layout)
    own, other = Turn(0, 4, "SPEAKER_00"), Turn(10, 20, "SPEAKER_01")
    joined = TracksDiarisation(Diarisation(), ((own,), (other,), (Turn(3, 9, "SPEAKER_00"),)))
    sentence = said("eins zwei drei vier", 1.5, 0.6)
    rest = replace(said("fünf sechs", 4.5, 0.6), continues=True)
    first, second = own_tracks.into_splice(decoded, joined, [sentence, rest])
    assert first.end - first.start == pytest.approx(2.4)
    assert second.start > first.end + 10  # behind all that the other says
    assert not second.continues


def test_words_that_are_kept_as_said_are_marked_as_before() -> None:
    layout = Layout(60.0, ((),), ((Span(0, 5), Span(30, 35)),))
    decoded = DecodedAudio(60.0, None, (), layout=layout)
    joined = TracksDiarisation(Diarisation(), ((Turn(0, 35, "A"),),))
    words = (Word(1, 2, " eins", speaker="A", overlap=True), Word(31, 32, " zwei", speaker="A"))
    spliced = own_tracks.into_splice(decoded, joined, [Segment(1, 32, "A", words)])
    back = own_tracks.out_of_splice(decoded, [replace(spliced[0], continues=True)])
    assert [(one.continues, one.words[0].overlap) for one in back] == [(True, True), (False, False)]
