"""Speakers of two transcripts of one episode, matched: what one calls a label the other may call otherwise.

Names that a user gave outlast a new diarisation by it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from models.record.transcript import Speaker, Transcript, Turn

PHRASE_WORDS = 4  # by which what was said is known again in other audio
MIN_PHRASES = 3  # that somebody says again, to be taken for the same person


def given_names(now: Transcript, before: Transcript) -> dict[str, Speaker]:
    """The names a user gave in `before`, an earlier transcript of the same episode, by the labels of `now`.

    A new diarisation may call people by other labels: a name goes to the label of the same person.
    """
    if now.audio.sha256 != before.audio.sha256 and now.episode.id != before.episode.id:
        return {}
    found = {}
    for speaker in (speaker for speaker in before.speakers if speaker.source == "user"):
        label = matching_label(now, speaker.label, before)
        if label is not None:
            found[label] = replace(speaker, label=label)
    return found


def matching_label(now: Transcript, label: str, before: Transcript) -> str | None:
    """What `now` calls the speaker that `before`, an earlier transcript of the same episode, calls `label`.

    That is who speaks where the earlier one spoke, for more than half of its time; None if nobody does. In
    other audio of the episode, such as with other ads, times tell nothing: there it is who says the same.
    """
    if now.audio.sha256 != before.audio.sha256:
        return _who_says_the_same(now, label, before)
    spoken = [turn for turn in before.turns if turn.speaker == label]
    shared = {speaker.label: _shared(spoken, now.turns, speaker.label) for speaker in now.speakers}
    most = max(shared, key=lambda one: shared[one], default=None)
    if most is None or shared[most] <= sum(turn.duration for turn in spoken) / 2:
        return None
    return most


def _who_says_the_same(now: Transcript, label: str, before: Transcript) -> str | None:
    """Who says most of the phrases that `label` says in `before`, of those that come just once in `now`."""
    said_by: dict[tuple[str, ...], str | None] = {}
    for speaker, phrase in _phrases(now):
        said_by[phrase] = None if phrase in said_by else speaker
    again = Counter(
        said_by[phrase] for speaker, phrase in _phrases(before) if speaker == label and said_by.get(phrase)
    )
    most, times = next(iter(again.most_common(1)), (None, 0))
    return most if times >= MIN_PHRASES and times > again.total() / 2 else None


def _phrases(transcript: Transcript) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every run of PHRASE_WORDS words in a sentence, without case and punctuation, and who says it."""
    for segment in transcript.segments:
        words = [re.sub(r"\W+", "", word.text).casefold() for word in segment.words]
        for first in range(len(words) - PHRASE_WORDS + 1):
            if segment.speaker is not None:
                yield segment.speaker, tuple(words[first : first + PHRASE_WORDS])


def _shared(spoken: Sequence[Turn], turns: Sequence[Turn], label: str) -> float:
    """Seconds of `spoken` in which `label` has a turn."""
    own = [turn for turn in turns if turn.speaker == label]
    return sum(
        max(0.0, min(a.end, b.end) - max(a.start, b.start)) for a in spoken for b in own if b.start < a.end
    )
