"""Two transcripts of one talk compared, neither of them the truth."""

from __future__ import annotations

from dataclasses import replace

import jiwer

from models.record.matching import comparable_words
from models.record.transcript import Segment
from models.record.utterances import PublishedTranscript, Utterance
from outputs.scoring.comparison import Disagreement, compare
from tests.models.naming.test_witness import ADS, LINES, NAMES, OTHER, misheard, published
from tests.models.talks import episode

ENDING = "B: And that was all that there was to say about it, so goodbye and come again next week."


def words(segments: tuple[Segment, ...]) -> str:
    return " ".join(comparable_words(" ".join(segment.text for segment in segments)))


def test_equal_transcripts_do_not_differ() -> None:
    found = compare(episode(LINES), published(LINES, NAMES))
    assert found.ours == found.theirs == found.same
    assert found.differences == 0
    assert found.related
    assert found.stretches == ()
    assert found.disagreements == ()
    assert [(s.label, s.speaker, s.of_label, s.of_speaker) for s in found.speakers] == [
        ("B", "Gaël Duez", 1.0, 1.0),
        ("A", "Anne Currie", 1.0, 1.0),
    ]


def test_the_errors_are_those_of_a_word_error_rate_whichever_is_the_truth() -> None:
    ours = replace(episode(LINES), segments=misheard(episode(LINES).segments, 0.3))
    theirs = published(LINES, NAMES)
    found = compare(ours, theirs)
    told = jiwer.process_words(
        " ".join(comparable_words(" ".join(one.text for one in theirs.utterances))), words(ours.segments)
    )
    assert (found.others, found.only_ours, found.only_theirs) == (
        told.substitutions,
        told.insertions,
        told.deletions,
    )
    assert found.same == told.hits
    assert found.differences > 20


def test_what_only_one_has_is_told_with_its_time_on_our_line() -> None:
    lines = LINES.strip().splitlines()
    ours = episode("\n".join([*lines[:4], f"C: {ADS}", *lines[4:]]))
    theirs = published("\n".join([*lines, ENDING]), NAMES)
    own, their = compare(ours, theirs).stretches
    assert own.ours
    assert own.start == ours.segments[4].start
    assert own.words == len(comparable_words(ADS))
    assert own.text.startswith("this episode is brought to you by a mattress")
    assert not their.ours
    assert their.start == ours.words[-1].start
    assert their.text.startswith("And that was all")


def test_who_is_whom_with_one_of_theirs_under_two_labels() -> None:
    lines = LINES.replace("A: And what did you do", "D: And what did you do")
    found = compare(episode(lines), published(LINES, NAMES)).speakers
    anne = [one for one in found if one.speaker == "Anne Currie"]
    assert [one.label for one in anne] == ["A", "D"]
    assert sum(one.of_speaker for one in anne) == 1.0
    assert all(one.of_label == 1.0 for one in anne)


def test_names_written_otherwise_are_told_apart_from_other_words() -> None:
    said = "\n".join(f"A: So Gale Dewey okay number {n} came back again" for n in ("one", "two", "three"))
    theirs = "\n".join(f"A: So Gaël Duez alright number {n} came back again" for n in ("one", "two", "three"))
    lines = [
        line.replace("okay", f"{word} okay") for line, word in zip(said.splitlines(), "xyz", strict=True)
    ]
    others = [
        line.replace("alright", f"{word} alright")
        for line, word in zip(theirs.splitlines(), "xyz", strict=True)
    ]
    found = compare(episode("\n".join(lines)), published("\n".join(others), NAMES))
    assert found.disagreements == (
        Disagreement("Gale Dewey", "Gaël Duez", 3, True),
        Disagreement("okay", "alright", 3, False),
    )


def test_other_speech_is_not_related() -> None:
    assert not compare(episode(LINES), published(OTHER, NAMES)).related


def test_nothing_can_be_compared_too() -> None:
    empty = replace(episode(LINES), segments=(), speakers=())
    found = compare(empty, published(LINES, NAMES))
    assert (found.ours, found.same, found.only_theirs) == (0, 0, found.theirs)
    assert not found.related
    nothing = PublishedTranscript("x", (Utterance(0.0, "", "…"),))
    assert compare(empty, nothing).differences == 0
