"""Speaker turns as RTTM, the format that diarisation tools exchange.

One line a turn: SPEAKER <recording> 1 <start> <duration> <NA> <NA> <label> <NA> <NA>, seconds.
NIST, "The 2009 Rich Transcription Evaluation Plan", appendix A.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from models.record.errors import InputError
from models.record.transcript import Transcript, Turn
from outputs.text.times import milliseconds

MIN_FIELDS = 8  # up to the label; what follows it is often left out


def render(transcript: Transcript) -> str:
    """The turns of a transcript, overlapping ones too, under the recording's id."""
    return render_turns(transcript.turns, transcript.episode.id)


def render_turns(turns: Iterable[Turn], recording: str) -> str:
    """The turns of a recording as RTTM; a turn under half a ms is left out."""
    uri = _field(recording) or "episode"
    return "".join(_line(uri, turn) for turn in turns if _duration_ms(turn) > 0)


def load(text: str, source: str = "RTTM") -> tuple[Turn, ...]:
    """The turns of one recording in order of time, whatever the recording is called.

    Raises InputError, naming `source` and the line, for a damaged line or several recordings.
    """
    turns, recordings = [], set()
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields or fields[0] != "SPEAKER":
            continue
        turns.append(_turn(fields, f"{source}, line {number}"))
        recordings.add(fields[1])
    if len(recordings) > 1:
        raise InputError(f"{source}: holds {len(recordings)} recordings, give one file for each")
    return tuple(sorted(turns))


def _turn(fields: list[str], where: str) -> Turn:
    if len(fields) < MIN_FIELDS:
        raise InputError(f"{where}: {len(fields)} fields, a SPEAKER line has 8 to 10")
    try:
        start, duration = float(fields[3]), float(fields[4])
    except ValueError as error:
        raise InputError(f"{where}: start and duration must be seconds: {error}") from error
    if not (math.isfinite(start) and 0 <= duration < math.inf):
        raise InputError(f"{where}: start and duration must be seconds, and duration not below 0")
    return Turn(start, (milliseconds(start) + milliseconds(duration)) / 1000, fields[7])


def _line(uri: str, turn: Turn) -> str:
    start, duration = milliseconds(turn.start) / 1000, _duration_ms(turn) / 1000
    label = _field(turn.speaker) or "unknown"
    return f"SPEAKER {uri} 1 {start:.3f} {duration:.3f} <NA> <NA> {label} <NA> <NA>\n"


def _duration_ms(turn: Turn) -> int:
    return milliseconds(turn.end) - milliseconds(turn.start)


def _field(text: str) -> str:
    return "_".join(text.split())
