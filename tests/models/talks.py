"""Conversations written down line by line, as segments with times."""

from __future__ import annotations

from collections.abc import Sequence

from models.record.transcript import AudioFile, Episode, Segment, Transcript, Turn, Word

SECONDS_A_WORD = 0.4
PAUSE = 0.5


def talk(lines: str, language: str = "en") -> tuple[Segment, ...]:
    """One segment a line of the form "A: what is said", one after the other; "+90" leaves out 90 seconds.

    A line of the form "A de: was gesagt wird" is in another language than the others.
    """
    segments, at = [], 0.0
    for line in lines.strip().splitlines():
        if line.strip().startswith("+"):
            at += float(line)
            continue
        who, _, text = line.strip().partition(": ")
        speaker, _, own = who.partition(" ")
        words = []
        for word in text.split():
            words.append(Word(at, at + SECONDS_A_WORD, f" {word}", 1.0, speaker))
            at += SECONDS_A_WORD
        segments.append(
            Segment(words[0].start, words[-1].end, speaker, tuple(words), language=own or language)
        )
        at += PAUSE
    return tuple(segments)


def episode(lines: str, language: str = "en", details: Episode | None = None) -> Transcript:
    """A transcript of such lines."""
    segments = talk(lines, language)
    turns = tuple(Turn(s.start, s.end, s.speaker or "") for s in segments)
    audio = AudioFile("a.mp3", "0" * 64, segments[-1].end + 1)
    return Transcript(details or Episode("id"), audio, language, segments, (), turns, turns)


def names(found: Sequence[object]) -> list[tuple[str, str]]:
    """Label and name of each piece of evidence that speaks for a name."""
    return [(e.label, e.name) for e in found if e.weight > 0]  # type: ignore[attr-defined]
