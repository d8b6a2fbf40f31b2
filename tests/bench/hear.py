"""Write down recordings with one system, in a process of its own: `hear.py NAME WAV...`.

Prints a line of JSON for each: the language of the whole, every word with its own, and the CPU seconds that it took,
models loaded before. Imports nothing of the benchmarks: with another checkout first on PYTHONPATH it hears as that.
"""

from __future__ import annotations

import json
import sys
import time
import wave
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

Word = tuple[float, float, str, str]  # start, end (seconds), text with the space before it, language
Heard = tuple[str, list[Word]]
RATE = 16_000  # Hz
WARM_UP_SECONDS = 20


def episcribe() -> Callable[[np.ndarray], Heard]:
    """Episcribe's stages as its flow has them: who speaks when, then what is said there."""
    from models.asr.transcription import TranscriptionOptions, load, transcribe
    from models.diarisation.diariser import DiariserOptions, diarise
    from models.record.spans import speech_of

    options = TranscriptionOptions(model="base", device="cpu")
    load(options)

    def hear(samples: np.ndarray) -> Heard:
        who = diarise(samples, DiariserOptions(model="offline", device="cpu"))
        told: dict[str, Any] = {"speech": speech_of(who.turns) or None, "turns": who.exclusive}
        asked = signature(transcribe).parameters  # another checkout's may not ask for the turns
        found = transcribe(samples, options, **{name: told[name] for name in told if name in asked})
        return found.language, [
            (word.start, word.end, word.text, getattr(word, "language", "") or found.language)
            for word in found.words
        ]

    return hear


def _faster_whisper(*, batched: bool) -> Callable[[np.ndarray], Heard]:
    """faster-whisper as it comes, telling the language of each of its windows or chunks."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    from models.asr import whisper_models
    from models.runtime.device import usable_cores

    path = whisper_models.resolve("base")[1]
    model = WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=usable_cores())
    recogniser: Any = BatchedInferencePipeline(model) if batched else model

    def hear(samples: np.ndarray) -> Heard:
        segments, told = recogniser.transcribe(samples, multilingual=True, word_timestamps=True)
        words = [word for segment in segments for word in segment.words or ()]
        return told.language, [(float(w.start), float(w.end), w.word, "") for w in words]

    return hear


SYSTEMS: dict[str, Callable[[], Callable[[np.ndarray], Heard]]] = {
    "episcribe": episcribe,
    "faster-whisper": lambda: _faster_whisper(batched=False),
    "faster-whisper-batched": lambda: _faster_whisper(batched=True),
}


def read_wav(path: Path) -> np.ndarray:
    """(samples,) float32 of a 16-bit mono file at 16 kHz."""
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32) / 32768


def main(name: str, recordings: list[Path]) -> None:
    """Run system `name`."""
    hear = SYSTEMS[name]()
    hear(read_wav(recordings[0])[: WARM_UP_SECONDS * RATE])
    for path in recordings:
        samples = read_wav(path)
        started = time.process_time()
        language, words = hear(samples)
        spent = time.process_time() - started
        print(json.dumps({"language": language, "words": words, "cpu": spent}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], [Path(arg) for arg in sys.argv[2:]])
