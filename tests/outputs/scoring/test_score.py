from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from models.record.errors import EpiscribeError, InputError
from models.record.transcript import Turn
from outputs.formats import rttm
from outputs.library.write import publish
from outputs.scoring.score import DiarisationError, Score, WordError, score, score_folder
from tests.outputs.samples import CONVERSATION, said, talk
from tests.outputs.shared_data import shared

STM = """\
;; comment
other 1 ann 0.5 3 <o,f0,female> welcome back to the show everybody I am Ann
other 1 bob 4 5 and I'm Bob hello
other 1 ann 6 8 so what did you find out
other 1 cat 9 10 somebody coughs
"""


def der(found: Score) -> DiarisationError:
    assert found.der is not None
    return found.der


def wer(found: Score) -> WordError:
    assert found.wer is not None
    return found.wer


def cpwer(found: Score) -> WordError:
    assert found.cpwer is not None
    return found.cpwer


@pytest.fixture
def episode(tmp_path: Path) -> Path:
    publish(CONVERSATION, tmp_path / "talk", ["rttm"])
    (tmp_path / "ref.stm").write_text(STM)
    return tmp_path / "talk"


def turns_file(path: Path, *turns: tuple[float, float, str]) -> Path:
    path.write_text(rttm.render(replace(CONVERSATION, turns=tuple(Turn(*turn) for turn in turns))))
    return path


def test_perfect(episode: Path) -> None:
    found = score(episode, episode / "diarization.rttm", episode.parent / "ref.stm")
    seconds = sum(turn.duration for turn in CONVERSATION.turns)
    assert (found.name, found.reference_speakers, found.hypothesis_speakers) == ("talk", 3, 3)
    assert asdict(der(found)) == pytest.approx(
        {"missed": 0, "false_alarm": 0, "confusion": 0, "total": seconds}
    )
    assert found.wer == found.cpwer == WordError(0, 0, 0, 22)
    assert der(found).rate == wer(found).rate == cpwer(found).rate == 0
    assert score(episode / "episode.json", episode / "diarization.rttm").der == found.der


def test_parts_of_the_diarisation_error(tmp_path: Path) -> None:
    reference = turns_file(tmp_path / "ref.rttm", (0, 10, "A"), (10, 20, "B"))
    wrong = turns_file(tmp_path / "hyp.rttm", (0, 12, "x"), (12, 18, "y"), (25, 26, "y"))
    found = score(wrong, reference)
    assert (found.reference_speakers, found.hypothesis_speakers) == (2, 2)
    assert asdict(der(found)) == pytest.approx({"missed": 2, "false_alarm": 1, "confusion": 2, "total": 20})
    assert der(found).rate == pytest.approx(0.25)
    assert der(found).rates == pytest.approx({"missed": 0.1, "false_alarm": 0.05, "confusion": 0.1})
    assert found.wer is None


def test_overlap_counts(tmp_path: Path) -> None:
    reference = turns_file(tmp_path / "ref.rttm", (0, 10, "A"), (0, 10, "B"))
    found = score(turns_file(tmp_path / "hyp.rttm", (0, 10, "x")), reference)
    assert der(found).total == 20
    assert der(found).missed == 10


def test_words_of_the_wrong_speaker_count_for_cpwer_only(tmp_path: Path) -> None:
    transcript = talk(said("red green blue"), said("black", 1), said("white grey", 2, speaker="SPEAKER_01"))
    publish(transcript, tmp_path / "e", [])
    (tmp_path / "ref.stm").write_text("x 1 a 0 1 red green blue\nx 1 b 1 3 black white gray\n")
    found = score(tmp_path / "e", stm=tmp_path / "ref.stm")
    assert found.der is None
    assert wer(found).rate == 0
    assert found.cpwer == WordError(substitutions=0, deletions=1, insertions=1, total=6)


def test_other_languages_keep_their_accents(tmp_path: Path) -> None:
    publish(talk(said("où est-il ?"), language="fr"), tmp_path / "e", [])
    (tmp_path / "ref.stm").write_text("x 1 a 0 1 ou est il\n")
    assert score(tmp_path / "e", stm=tmp_path / "ref.stm").wer == WordError(1, 0, 0, 3)


def test_chinese_is_compared_letter_by_letter(tmp_path: Path) -> None:
    publish(talk(said("今天天气很好。"), language="zh"), tmp_path / "e", [])
    (tmp_path / "ref.stm").write_text("x 1 a 0 1 今天天气真好\n")
    assert score(tmp_path / "e", stm=tmp_path / "ref.stm").wer == WordError(1, 0, 0, 6)


def test_each_language_is_normalised_as_its_own(tmp_path: Path) -> None:
    english, french = said("I'm twenty.", language="en"), said("Où est-il ?", 2, language="fr")
    publish(talk(english, french), tmp_path / "e", [])
    stm = tmp_path / "ref.stm"
    stm.write_text("x 1 a 0 0.6 I am 20\nx 1 a 1.8 3 où est il\n")
    assert score(tmp_path / "e", stm=stm).wer == WordError(0, 0, 0, 6)
    stm.write_text("x 1 a 0 0.6 I am 20\nx 1 a 1.8 3 ou est il\n")
    found = score(tmp_path / "e", stm=stm)
    assert found.wer == found.cpwer == WordError(1, 0, 0, 6)


def test_nothing_said(tmp_path: Path) -> None:
    publish(talk(), tmp_path / "e", [])
    (tmp_path / "ref.stm").write_text("x 1 a 0 1 one two\n")
    (tmp_path / "none.stm").write_text("")
    (tmp_path / "none.rttm").write_text("")
    found = score(tmp_path / "e", turns_file(tmp_path / "r.rttm", (0, 1, "A")), tmp_path / "ref.stm")
    assert der(found).rate == wer(found).rate == cpwer(found).rate == 1
    empty = score(tmp_path / "e", tmp_path / "none.rttm", tmp_path / "none.stm")
    assert der(empty).rate == wer(empty).rate == cpwer(empty).rate == 0
    publish(CONVERSATION, tmp_path / "f", [])
    made_up = score(tmp_path / "f", tmp_path / "none.rttm", tmp_path / "none.stm")
    assert der(made_up).rate == wer(made_up).rate == cpwer(made_up).rate == 1


def test_real_recording(tmp_path: Path) -> None:
    folder = shared("conversations/pyannote_sample")
    truth, words = folder / "sample.rttm", folder / "sample.stm"
    own = score(truth, truth)
    assert der(own).rate == 0
    assert own.reference_speakers == own.hypothesis_speakers == 2
    lines = [line.split(maxsplit=5) for line in words.read_text().splitlines()]
    parts = [said(text, float(start), 0.1, who) for _, _, who, start, _, text in lines]
    transcript = replace(talk(*parts), turns=tuple(Turn(float(f[3]), float(f[4]), f[2]) for f in lines))
    publish(transcript, tmp_path / "sample", [])
    found = score(tmp_path / "sample", truth, words)
    assert wer(found).rate == cpwer(found).rate == 0
    assert wer(found).total > 70
    assert 0 < der(found).rate < 0.3
    assert sum(der(found).rates.values()) == pytest.approx(der(found).rate)
    one_voice = replace(transcript, segments=tuple(replace(s, speaker="X") for s in transcript.segments))
    publish(one_voice, tmp_path / "one", [])
    found = score(tmp_path / "one", stm=words)
    assert wer(found).rate == 0
    assert cpwer(found).rate > 0.5


@pytest.mark.filterwarnings("ignore:.uem. was approximated")
def test_der_agrees_with_pyannote_on_real_turns() -> None:
    from pyannote.database.util import load_rttm
    from pyannote.metrics.diarization import DiarizationErrorRate

    folder = shared("conversations/ami_pyannote")
    a, b = folder / "trn00.rttm", folder / "dev00.rttm"
    (reference,), (hypothesis,) = load_rttm(a).values(), load_rttm(b).values()
    expected = DiarizationErrorRate()(reference, hypothesis.rename_labels(generator="int"), detailed=False)
    assert der(score(b, a)).rate == pytest.approx(expected, abs=0.002)


def test_folder(tmp_path: Path) -> None:
    for name in ("refs", "words", "hyps"):
        (tmp_path / name).mkdir()
    turns_file(tmp_path / "refs" / "a.rttm", (0, 10, "A"))
    turns_file(tmp_path / "refs" / "b.rttm", (0, 30, "A"))
    turns_file(tmp_path / "hyps" / "a.rttm", (0, 5, "x"))
    publish(replace(CONVERSATION, turns=(Turn(0, 30, "x"),)), tmp_path / "hyps" / "b", [])
    (tmp_path / "words" / "b.stm").write_text(STM)
    scores, total = score_folder(tmp_path / "hyps", tmp_path / "refs", tmp_path / "words")
    assert [each.name for each in scores] == ["a", "b"]
    assert [der(each).rate for each in scores] == [0.5, 0]
    assert total.der == DiarisationError(missed=5, false_alarm=0, confusion=0, total=40)
    assert der(total).rate == 0.125
    assert total.wer == scores[1].wer
    assert scores[0].wer is None


def test_folder_with_a_missing_hypothesis(tmp_path: Path) -> None:
    turns_file(tmp_path / "a.rttm", (0, 10, "A"))
    (tmp_path / "hyps").mkdir()
    with pytest.raises(InputError, match="nothing to score for a"):
        score_folder(tmp_path / "hyps", tmp_path)
    with pytest.raises(InputError, match="no references"):
        score_folder(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        score_folder(tmp_path / "nowhere", tmp_path)


def test_bad_input(tmp_path: Path, episode: Path) -> None:
    with pytest.raises(InputError, match="nothing to score against"):
        score(episode)
    with pytest.raises(InputError, match=r"cannot read .*none\.rttm: No such file"):
        score(episode, tmp_path / "none.rttm")
    with pytest.raises(InputError, match="hold no words"):
        score(episode / "diarization.rttm", stm=tmp_path / "ref.stm")
    (tmp_path / "bad.stm").write_text("x 1 a 0\n")
    with pytest.raises(InputError, match=r"bad\.stm, line 1: not STM"):
        score(episode, stm=tmp_path / "bad.stm")
    (tmp_path / "two.stm").write_text("x 1 a 0 1 hi\ny 1 a 0 1 hi\n")
    with pytest.raises(InputError, match="holds 2 recordings"):
        score(episode, stm=tmp_path / "two.stm")


@pytest.mark.parametrize("library", ["jiwer", "meeteval", "whisper_normalizer.english"])
def test_missing_library(episode: Path, monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(EpiscribeError, match=r"pip install -e '\.\[score\]'"):
        score(episode, stm=episode.parent / "ref.stm")


def test_missing_diarisation_library(episode: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyannote.metrics.diarization", None)
    with pytest.raises(EpiscribeError, match=r"scoring needs pyannote\.metrics.*pip install"):
        score(episode, episode / "diarization.rttm")
