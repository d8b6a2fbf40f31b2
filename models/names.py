"""Labels turned into what readers see."""

from __future__ import annotations

from collections.abc import Sequence

from models.transcript import Segment, Speaker, Transcript, Turn


def name_speakers(segments: Sequence[Segment]) -> tuple[Speaker, ...]:
    """One speaker a label, called "Speaker 1", "Speaker 2", ... in order of first words."""
    labels = dict.fromkeys(segment.speaker for segment in segments if segment.speaker is not None)
    return tuple(Speaker(label, f"Speaker {i}") for i, label in enumerate(labels, start=1))


def keep_given_names(now: Transcript, before: Transcript) -> tuple[Speaker, ...]:
    """The speakers of `now` with the names a user gave in `before`, an earlier transcript of the same audio.

    A new diarisation may call people by other labels: a name goes to the label of the same voice.
    """
    if now.audio.sha256 != before.audio.sha256:
        return now.speakers
    speakers = {speaker.label: speaker for speaker in now.speakers}
    for named in (speaker for speaker in before.speakers if speaker.source == "user"):
        label = label_in(now, named.label, before)
        if label is not None:
            speakers[label] = Speaker(label, named.name, named.source, named.confidence)
    return tuple(speakers.values())


def label_in(now: Transcript, label: str, before: Transcript) -> str | None:
    """What `now` calls the speaker that `before`, an earlier transcript of the same episode, calls `label`.

    That is who speaks where the earlier one spoke, for more than half of its time; None if nobody does.
    """
    spoken = [turn for turn in before.turns if turn.speaker == label]
    shared = {speaker.label: _shared(spoken, now.turns, speaker.label) for speaker in now.speakers}
    most = max(shared, key=lambda one: shared[one], default=None)
    if most is None or shared[most] <= sum(turn.duration for turn in spoken) / 2:
        return None
    return most


def _shared(spoken: Sequence[Turn], turns: Sequence[Turn], label: str) -> float:
    """Seconds of `spoken` in which `label` has a turn."""
    own = [turn for turn in turns if turn.speaker == label]
    return sum(
        max(0.0, min(a.end, b.end) - max(a.start, b.start)) for a in spoken for b in own if b.start < a.end
    )
