"""`episcribe bench`: what every stage costs on one file, in one process, without Prefect."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from audio.tracks.recording import Recording
from audio.transfer.download import local_file
from flows import steps
from flows.options import DEFAULT_FORMATS
from models.asr import transcription as asr
from models.asr.transcription import TranscriptionOptions
from models.diarisation import diariser
from models.diarisation.diariser import DiariserOptions
from models.record.spans import speech_of
from models.record.transcript import AudioFile, Episode
from models.runtime.device import resolve_device, usable_cores
from models.runtime.energy import metered, per_hour
from outputs.library import write

EMPTY_RUN = """
from flows.local.prefect_session import prefect_session
from flows.options import DEFAULT_FORMATS
with prefect_session():
    from prefect import flow
    flow(lambda: None, name="empty")()
"""
PACKAGES = ("torch", "faster-whisper", "ctranslate2", "pyannote.audio")


def measure(audio: Path, words: TranscriptionOptions, turns: DiariserOptions) -> str:
    """Process `audio` once and return JSON: seconds and real-time factor a stage, peak memory in MB, energy.

    Real-time factor is seconds of work per second of audio. Loading models counts apart. Watt-hours an hour of audio
    are there where the machine counts them, the loading included.
    """
    device = resolve_device(words.device)
    with metered(device) as meter:
        report = _measured(audio, words, turns)
    if meter.watt_hours:
        report["watt_hours_per_hour"] = per_hour(meter.watt_hours, report["audio_seconds"])
    report["orchestration_seconds"] = orchestration_seconds()
    report["machine"] = _machine(device)
    return json.dumps(report, indent=2)


def _measured(audio: Path, words: TranscriptionOptions, turns: DiariserOptions) -> dict[str, Any]:
    seconds: dict[str, float] = {}
    stored = local_file(audio)
    recording = Recording(str(stored.path), stored.sha256)
    with _timed(seconds, "decode"):
        decoded = recording.decode()
    file = AudioFile(recording.path, recording.sha256, decoded.seconds)
    with _timed(seconds, "load_diariser"):
        if turns.model != "none":
            diariser.load(turns)
    with _timed(seconds, "diarise"):
        diarisation = steps.diarise(recording, decoded, turns)
    with _timed(seconds, "load_whisper"):
        asr.load(words)
    with _timed(seconds, "transcribe"):
        transcription = steps.transcribe(
            recording,
            decoded,
            words,
            speech_of(diarisation.turns) or None,
            turns=diarisation.exclusive,
        )
    with _timed(seconds, "overlaps"):
        spoken = steps.attribute(transcription, diarisation)
        if transcription.words and steps.has_overlaps(diarisation):
            heard = replace(words, language=transcription.language)
            spoken = steps.resolve_overlaps(recording, decoded, heard, spoken.words, diarisation)
    with _timed(seconds, "align_and_write"), tempfile.TemporaryDirectory() as folder:
        transcript = steps.align(
            Episode(id="bench"),
            file,
            transcription,
            diarisation,
            diariser_model=turns.model,
            spoken=spoken,
        )
        write.publish(transcript, Path(folder), DEFAULT_FORMATS)
    work = {name: spent for name, spent in seconds.items() if not name.startswith("load")}
    return {
        "audio_seconds": round(decoded.seconds, 3),
        "words": len(transcription.words),
        "speakers": len(transcript.speakers),
        "model": transcription.model,
        "seconds": {name: round(spent, 3) for name, spent in seconds.items()},
        "real_time_factor": {name: round(spent / decoded.seconds, 4) for name, spent in work.items()},
        "total_real_time_factor": round(sum(work.values()) / decoded.seconds, 4),
        "peak_memory_mb": round(_peak_memory_mb()),
    }


def orchestration_seconds() -> dict[str, float]:
    """What Prefect adds to a local run, from nothing loaded to an empty flow finished and cleaned up.

    "first": with no database yet; "cold": as every later run of the command line has it.
    """
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "EPISCRIBE_CACHE": cache, "PREFECT_LOGGING_LEVEL": "CRITICAL"}
        environment.pop("PREFECT_API_URL", None)
        spent = []
        for _ in range(2):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", EMPTY_RUN], env=environment, check=True)
            spent.append(round(time.perf_counter() - start, 1))
    return dict(zip(("first", "cold"), spent, strict=True))


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - start


def _peak_memory_mb() -> float:
    """The most memory this process ever held, in MB; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _machine(device: str) -> dict[str, Any]:
    return {
        "device": device,
        "cores": usable_cores(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }
