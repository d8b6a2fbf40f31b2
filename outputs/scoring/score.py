"""How far a result is from the truth: who spoke when (DER), what was said (WER), and both (cpWER).

DER has no collar and counts overlapped speech. There is no evaluation map: the whole stretch from
0 to the last turn of either side counts. Words are compared as Whisper's authors do, after
normalising both sides; in English that takes spelling and numbers into account. In an episode in several languages
each segment is normalised by its own, and the reference by that of the segments of the same time.
Bredin, "pyannote.metrics" (2017); Watanabe et al., "CHiME-6" (2020) for cpWER.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from models.record.errors import EpiscribeError, InputError
from models.record.spans import Span, total, union, within
from models.record.transcript import Transcript, Turn
from outputs.formats import rttm
from outputs.formats.registry import EPISODE
from outputs.library import read

STM_FIELDS = 5  # recording, channel, speaker, start, end; then the words
LETTER_LANGUAGES = {"zh", "yue", "ja", "th", "lo", "my", "km"}  # compared letter by letter
TOTAL = "total"


@dataclass(frozen=True, slots=True)
class DiarisationError:
    """Seconds of speech that were missed, made up, or given to the wrong speaker, of `total`."""

    missed: float
    false_alarm: float
    confusion: float
    total: float

    @property
    def rate(self) -> float:
        """The diarisation error rate, a fraction; may exceed 1."""
        return _rate(self.missed + self.false_alarm + self.confusion, self.total)

    @property
    def rates(self) -> dict[str, float]:
        """The rate of each part, fractions that add up to `rate`."""
        parts = {"missed": self.missed, "false_alarm": self.false_alarm, "confusion": self.confusion}
        return {name: _rate(seconds, self.total) for name, seconds in parts.items()}


@dataclass(frozen=True, slots=True)
class WordError:
    """Words that were changed, left out or made up, of `total` in the reference."""

    substitutions: int
    deletions: int
    insertions: int
    total: int

    @property
    def rate(self) -> float:
        """The word error rate, a fraction; may exceed 1."""
        return _rate(self.substitutions + self.deletions + self.insertions, self.total)


@dataclass(frozen=True, slots=True)
class Score:
    """What one recording, or all of them together, scored; None where there was no reference for it."""

    name: str
    reference_speakers: int
    hypothesis_speakers: int
    der: DiarisationError | None = None
    wer: WordError | None = None
    cpwer: WordError | None = None


@dataclass(frozen=True, slots=True)
class _Utterance:
    """What somebody says from `start` to `end` seconds, in a language (ISO 639-1 code, "" for an unknown one)."""

    start: float
    end: float
    speaker: str
    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class _Spoken:
    """One side of a comparison; None for what it does not tell."""

    turns: tuple[Turn, ...] | None = None
    utterances: tuple[_Utterance, ...] | None = None


def score(hypothesis: Path, rttm: Path | None = None, stm: Path | None = None) -> Score:
    """The errors of one result against reference turns (RTTM), reference words (STM), or both.

    `hypothesis` is an RTTM file, an episode's folder or its episode.json. Each file holds one
    recording, whatever it calls it. Raises InputError for a file that can't be used or a comparison
    that can't be made, EpiscribeError where the scoring libraries are not installed.
    """
    if rttm is None and stm is None:
        raise InputError("nothing to score against: give reference turns (RTTM), words (STM) or both")
    found = _hypothesis(hypothesis)
    truth = _Spoken(turns=_turns(rttm) if rttm else None, utterances=_utterances(stm) if stm else None)
    if truth.turns is None and found.utterances is None:
        raise InputError(f"{hypothesis}: turns hold no words; score them against an RTTM file")
    der = None if truth.turns is None else _diarisation_error(truth.turns, found.turns or ())
    wer = cpwer = None
    if truth.utterances is not None and found.utterances is not None:
        reference = _in_languages_of(found.utterances, truth.utterances)
        wer = _word_error(reference, found.utterances)
        cpwer = _speaker_word_error(reference, found.utterances)
    return Score(hypothesis.stem, _speaker_count(truth), _speaker_count(found), der, wer, cpwer)


def score_folder(
    hypotheses: Path, rttms: Path | None = None, stms: Path | None = None
) -> tuple[list[Score], Score]:
    """The score of each recording that has a reference, and that of all of them pooled.

    Files are matched by name without suffix: `a.rttm`, `a.json` or the episode folder `a` with
    `a.rttm` and `a.stm`. Pooled rates weigh each second and each word alike; pooled speaker counts
    are sums. Raises InputError where a reference has no hypothesis, or there is no reference at all.
    """
    found = _by_stem(hypotheses, _is_hypothesis)
    turns, words = _references(rttms, ".rttm"), _references(stms, ".stm")
    names = sorted(turns.keys() | words.keys())
    if not names:
        raise InputError(f"no references for {hypotheses}: give folders with .rttm or .stm files")
    missing = [name for name in names if name not in found]
    if missing:
        raise InputError(f"{hypotheses}: nothing to score for {', '.join(missing)}")
    scores = [score(found[name], turns.get(name), words.get(name)) for name in names]
    return scores, _pooled(scores)


def as_dict(found: Score) -> dict[str, Any]:
    """A score as plain values for JSON, rates to four decimals; None where there was no reference."""
    return {
        "name": found.name,
        "speakers": {"reference": found.reference_speakers, "hypothesis": found.hypothesis_speakers},
        "der": None if found.der is None else _rounded(found.der.rate, found.der.rates, found.der),
        "wer": None if found.wer is None else _rounded(found.wer.rate, {}, found.wer),
        "cpwer": None if found.cpwer is None else _rounded(found.cpwer.rate, {}, found.cpwer),
    }


def _rounded(rate: float, rates: Mapping[str, float], counts: DiarisationError | WordError) -> dict[str, Any]:
    parts = {f"{name}_rate": round(value, 4) for name, value in rates.items()}
    return {"rate": round(rate, 4), **parts, **{name: round(n, 3) for name, n in asdict(counts).items()}}


def _rate(errors: float, total: float) -> float:
    """Errors per unit of reference; where that is empty, 1 if anything was made up."""
    return errors / total if total else float(errors > 0)


def _hypothesis(path: Path) -> _Spoken:
    if path.suffix.lower() == ".rttm" and not path.is_dir():
        return _Spoken(turns=_turns(path))
    transcript = read.load(path)
    return _Spoken(transcript.turns, _transcript_utterances(transcript))


def _transcript_utterances(transcript: Transcript) -> tuple[_Utterance, ...]:
    return tuple(
        _Utterance(s.start, s.end, s.speaker or "", s.text, transcript.language_of(s))
        for s in transcript.segments
    )


def _in_languages_of(
    hypothesis: Sequence[_Utterance], reference: Iterable[_Utterance]
) -> tuple[_Utterance, ...]:
    """The reference, each utterance in the language in which most was heard meanwhile; else in the one most heard."""
    heard: dict[str, list[Span]] = {}
    for one in hypothesis:
        heard.setdefault(one.language, []).append(Span(one.start, one.end))
    spans = {language: union(own) for language, own in heard.items()}
    ordered = sorted(spans, key=lambda language: -total(spans[language])) or [""]

    def language_of(one: _Utterance) -> str:
        return max(
            ordered, key=lambda language: total(within(spans.get(language, []), Span(one.start, one.end)))
        )

    return tuple(replace(one, language=language_of(one)) for one in reference)


def _turns(path: Path) -> tuple[Turn, ...]:
    return rttm.load(_text(path), source=str(path))


def _utterances(path: Path) -> tuple[_Utterance, ...]:
    """The lines of an STM file, which may carry a <label> before the words."""
    result, recordings = [], set()
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip() or line.startswith(";;"):
            continue
        fields = line.split(maxsplit=STM_FIELDS)
        try:
            speaker, start, end = fields[2], float(fields[3]), float(fields[4])
        except (IndexError, ValueError) as error:
            raise InputError(
                f"{path}, line {number}: not STM (recording, channel, speaker, times)"
            ) from error
        words = fields[STM_FIELDS] if len(fields) > STM_FIELDS else ""
        if words.startswith("<"):
            words = words.partition(">")[2]
        result.append(_Utterance(start, end, speaker, words))
        recordings.add(fields[0])
    if len(recordings) > 1:
        raise InputError(f"{path}: holds {len(recordings)} recordings, give one file for each")
    return tuple(result)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


def _speaker_count(side: _Spoken) -> int:
    labels: Iterable[str] = (turn.speaker for turn in side.turns or ())
    if side.turns is None:
        labels = (utterance.speaker for utterance in side.utterances or ())
    return len(set(labels))


def _diarisation_error(reference: tuple[Turn, ...], hypothesis: tuple[Turn, ...]) -> DiarisationError:
    core, diarization = _library("pyannote.core"), _library("pyannote.metrics.diarization")
    end = max((turn.end for turn in reference + hypothesis), default=0.0)
    parts = diarization.DiarizationErrorRate(collar=0.0, skip_overlap=False).compute_components(
        _annotation(core, reference), _annotation(core, hypothesis), uem=core.Timeline([core.Segment(0, end)])
    )
    return DiarisationError(
        parts["missed detection"], parts["false alarm"], parts["confusion"], parts["total"]
    )


def _annotation(core: Any, turns: Iterable[Turn]) -> Any:
    """The turns as pyannote has them; turns of one speaker that overlap count once."""
    annotation = core.Annotation()
    for track, turn in enumerate(turns):
        annotation[core.Segment(turn.start, turn.end), track] = turn.speaker
    return annotation.support()


def _normaliser(language: str) -> Callable[[str], str]:
    if language in ("en", ""):
        english: Callable[[str], str] = _library("whisper_normalizer.english").EnglishTextNormalizer()
        return english
    basic: Callable[[str], str] = _library("whisper_normalizer.basic").BasicTextNormalizer(
        split_letters=language in LETTER_LANGUAGES, preserve_marks=True
    )
    return basic


def _word_error(reference: Iterable[_Utterance], hypothesis: Iterable[_Utterance]) -> WordError:
    """Errors in all words, utterances in order of their start whoever speaks."""
    found = _library("jiwer").process_words(_normalised(reference), _normalised(hypothesis))
    return WordError(
        found.substitutions,
        found.deletions,
        found.insertions,
        found.hits + found.substitutions + found.deletions,
    )


def _speaker_word_error(reference: Iterable[_Utterance], hypothesis: Iterable[_Utterance]) -> WordError:
    """Errors in the words of each speaker, for the best match of speakers."""
    found = _library("meeteval").wer.cp_word_error_rate(
        _by_speaker(reference),
        _by_speaker(hypothesis),
        reference_sort=False,
        hypothesis_sort=False,
    )
    return WordError(found.substitutions, found.deletions, found.insertions, found.length)


def _by_speaker(utterances: Iterable[_Utterance]) -> dict[str, str]:
    said: dict[str, list[_Utterance]] = {}
    for utterance in utterances:
        said.setdefault(utterance.speaker, []).append(utterance)
    return {speaker: _normalised(theirs) for speaker, theirs in said.items()}


def _normalised(utterances: Iterable[_Utterance]) -> str:
    """What is said, in order of the starts, normalised by its language."""
    ordered = sorted(utterances, key=attrgetter("start"))
    normalisers = {language: _normaliser(language) for language in {one.language for one in ordered}}
    runs = groupby(ordered, key=attrgetter("language"))
    return " ".join(normalisers[language](" ".join(one.text for one in run)) for language, run in runs)


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise EpiscribeError(
            f"scoring needs {name}, which is not installed: pip install -e '.[score]'"
        ) from error


def _references(folder: Path | None, suffix: str) -> Mapping[str, Path]:
    return {} if folder is None else _by_stem(folder, lambda path: path.suffix.lower() == suffix)


def _is_hypothesis(path: Path) -> bool:
    return (
        (path / EPISODE.file_name).is_file() if path.is_dir() else path.suffix.lower() in (".rttm", ".json")
    )


def _by_stem(folder: Path, wanted: Callable[[Path], bool]) -> dict[str, Path]:
    """The entries of a folder that are `wanted`, by name without suffix."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    result: dict[str, Path] = {}
    for path in sorted(filter(wanted, folder.iterdir())):
        name = path.name if path.is_dir() else path.stem
        if name in result:
            raise InputError(f"{path}: {result[name].name} has the same name, keep one of them")
        result[name] = path
    return result


def _pooled(scores: list[Score]) -> Score:
    ders = [each.der for each in scores if each.der]
    return Score(
        TOTAL,
        sum(each.reference_speakers for each in scores),
        sum(each.hypothesis_speakers for each in scores),
        _summed_seconds(ders) if ders else None,
        _summed_words([each.wer for each in scores if each.wer]),
        _summed_words([each.cpwer for each in scores if each.cpwer]),
    )


def _summed_seconds(errors: list[DiarisationError]) -> DiarisationError:
    return DiarisationError(
        sum(each.missed for each in errors),
        sum(each.false_alarm for each in errors),
        sum(each.confusion for each in errors),
        sum(each.total for each in errors),
    )


def _summed_words(errors: list[WordError]) -> WordError | None:
    if not errors:
        return None
    return WordError(
        sum(each.substitutions for each in errors),
        sum(each.deletions for each in errors),
        sum(each.insertions for each in errors),
        sum(each.total for each in errors),
    )
