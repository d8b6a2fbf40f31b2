"""Where there is speech by Silero's voice detector, which comes with faster-whisper.

It is asked where no diariser has told, and before doubtful chunks are decoded sequentially.
"""

from __future__ import annotations

from models.record.spans import MERGED_GAP, Span, union
from models.runtime.samples import SAMPLE_RATE, Samples, as_float, has_sound

VAD_SECONDS = 300  # a stretch for the voice detector, whose memory grows with its length


def voice_activity(samples: Samples) -> list[Span]:
    """Speech as Silero's voice detector hears it; samples: (samples,) float32 or int16 at 16 kHz.

    What holds no sound isn't given to it.
    """
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(min_silence_duration_ms=160, speech_pad_ms=100)
    size = VAD_SECONDS * SAMPLE_RATE
    found = [
        Span((first + part["start"]) / SAMPLE_RATE, (first + part["end"]) / SAMPLE_RATE)
        for first in range(0, len(samples), size)
        if has_sound(samples[first : first + size])
        for part in get_speech_timestamps(as_float(samples[first : first + size]), options)
    ]
    return union(found, MERGED_GAP)
