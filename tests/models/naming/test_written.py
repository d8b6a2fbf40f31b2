"""Names on whole conversations: who is found, that nobody gets a wrong one, and that neither hangs on a hair."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from _pytest.mark.structures import ParameterSet

from models.naming.speakers import NamingContext, name_by_evidence
from models.record.transcript import Segment, Transcript
from tests.models.naming.written import Written, outcomes, written
from tests.models.talks import episode

FILES = ("developed", "developed_2", "held_out")
NOT_YET = {"a question from a listener": "what is read out word for word is taken for the reader's own"}


def conversations(*, all_right: bool = False) -> list[ParameterSet]:
    """Every conversation; all_right: those known to go wrong are expected to."""
    return [
        pytest.param(
            one,
            id=f"{file}: {one.title}",
            marks=[pytest.mark.xfail(reason=NOT_YET[one.title])]
            if all_right and one.title in NOT_YET
            else [],
        )
        for file in FILES
        for kind in ("openings", "misleading")
        for one in written(file, kind)
    ]


@pytest.mark.parametrize("one", conversations(all_right=True))
def test_nobody_gets_a_wrong_name(one: Written) -> None:
    assert outcomes(one, one.named())[1] == []


@pytest.mark.parametrize(("file", "least"), [("developed", 22), ("developed_2", 18), ("held_out", 16)])
def test_most_who_can_be_named_are(file: str, least: int) -> None:
    assert sum(len(outcomes(one, one.named())[0]) for one in written(file, "openings")) >= least


def shifted(transcript: Transcript) -> Transcript:
    """Everything 0.3 s later."""
    return replace(
        transcript,
        segments=tuple(
            replace(
                s,
                start=s.start + 0.3,
                end=s.end + 0.3,
                words=tuple(replace(w, start=w.start + 0.3, end=w.end + 0.3) for w in s.words),
            )
            for s in transcript.segments
        ),
    )


def split_at_commas(transcript: Transcript) -> Transcript:
    """A segment for each clause."""
    return replace(transcript, segments=tuple(part for s in transcript.segments for part in _clauses(s)))


def _clauses(segment: Segment) -> Iterator[Segment]:
    begin = 0
    for end, word in enumerate(segment.words, start=1):
        if word.text.endswith(",") or end == len(segment.words):
            words = segment.words[begin:end]
            yield replace(segment, start=words[0].start, end=words[-1].end, words=words)
            begin = end


def a_sentence_each(transcript: Transcript) -> Transcript:
    """A segment for each sentence, as a run cuts them."""
    from models.alignment.align import split_sentences

    return replace(
        transcript,
        segments=tuple(
            replace(s, start=words[0].start, end=words[-1].end, words=tuple(words))
            for s in transcript.segments
            for words in split_sentences(s.words, transcript.language)
        ),
    )


@pytest.mark.parametrize("change", [shifted, split_at_commas, a_sentence_each])
@pytest.mark.parametrize("one", conversations())
def test_names_outlast_harmless_changes(one: Written, change: Callable[[Transcript], Transcript]) -> None:
    changed = name_by_evidence(change(episode(one.lines, one.language)), NamingContext())
    assert called(changed) == called(one.named())


COMMA = re.compile(
    r"\b(Hey|Hi|Hello|Thank you|Thanks|Good morning|Danke|Merci|Bonjour|Gracias|Grazie|Buonasera|Olá|Bedankt"
    r"|Goedemorgen), (?=[^\W\d_])"
)


@pytest.mark.parametrize("one", conversations())
def test_names_outlast_a_comma_that_is_missing(one: Written) -> None:
    without = replace(one, lines=COMMA.sub(r"\1 ", one.lines))
    assert called(without.named()) == called(one.named())


@pytest.mark.parametrize("one", conversations())
def test_names_outlast_small_letters_where_sentences_begin(one: Written) -> None:
    lines = re.sub(r"(?<=[.?!] )(So|Well|And|Right|Also|Und|Bueno|Alors|Allora|Então|Nou)\b",
                   lambda match: match[0].lower(), one.lines)  # fmt: skip
    assert called(replace(one, lines=lines).named()) == called(one.named())


def called(transcript: Transcript) -> Sequence[tuple[str, str]]:
    """Label and name of everybody."""
    return [(speaker.label, speaker.name) for speaker in transcript.speakers]
