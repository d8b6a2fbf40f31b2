"""Shows composed of read speech, whose speakers are known to the millisecond."""

from __future__ import annotations

import random
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from audio.tracks.recording import Recording
from audio.transfer.download import local_file
from flows import naming, steps
from flows.options import RunOptions
from models.record.transcript import AudioFile, Episode, Transcript, Turn
from models.record.utterances import Utterance
from tests.models.conftest import read_audio

RATE = 16_000
Samples = NDArray[np.float32]
Utterances = Mapping[str, Sequence[Samples]]


@dataclass(frozen=True)
class Composed:
    """A recording and who really speaks when."""

    path: Path
    turns: tuple[Turn, ...]


def compose(
    path: Path, people: Utterances, seconds: float, seed: int, front: Samples | None = None
) -> Composed:
    """A conversation of these people, each with utterances of his or her own, taken in turn.

    front: what is heard before anybody speaks, such as a trailer; nobody's turn.
    """
    rng = random.Random(seed)
    decks: dict[str, list[int]] = {name: [] for name in people}
    parts: list[Samples] = [] if front is None else [front, silence(1.0)]
    at = sum(map(len, parts))
    turns: list[Turn] = []
    last = ""
    while at < seconds * RATE or len({turn.speaker for turn in turns}) < len(people):
        heard = {turn.speaker for turn in turns}
        rest = [name for name in people if name not in heard] or [name for name in people if name != last]
        last = rng.choice(rest)
        if not decks[last]:
            decks[last] = rng.sample(range(len(people[last])), len(people[last]))
        speech = people[last][decks[last].pop()]
        turns.append(Turn(at / RATE, (at + len(speech)) / RATE, last))
        parts += [speech, silence(rng.uniform(0.2, 0.8))]
        at += len(parts[-2]) + len(parts[-1])
    write_wav(path, np.concatenate(parts))
    return Composed(path, tuple(turns))


def read_aloud(
    path: Path, read_speech: Path, utterances: Sequence[str], pause: float = 0.6
) -> tuple[Composed, tuple[Utterance, ...]]:
    """LibriSpeech utterances, given by their ids, one after the other; and who says what in it."""
    rows = (row.split("\t") for row in (read_speech / "transcripts.tsv").read_text().splitlines()[1:])
    texts = {row[0]: row[4] for row in rows}
    parts, turns, at = list[Samples](), list[Turn](), 0
    for utterance in utterances:
        reader = utterance.partition("-")[0]
        speech = level(read_audio(read_speech / reader / f"{utterance}.flac"))
        turns.append(Turn(at / RATE, (at + len(speech)) / RATE, reader))
        parts += [speech, silence(pause)]
        at += len(parts[-2]) + len(parts[-1])
    write_wav(path, np.concatenate(parts))
    said = zip(turns, utterances, strict=True)
    return Composed(path, tuple(turns)), tuple(
        Utterance(turn.start, turn.speaker, texts[utterance]) for turn, utterance in said
    )


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE), dtype=np.float32)


def write_wav(path: Path, samples: Samples) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def level(samples: Samples) -> Samples:
    """The same speech as loud as all other."""
    loud: Samples = (samples * (0.05 / max(1e-4, float(np.sqrt((samples**2).mean()))))).astype(np.float32)
    return loud


def through(channel: str, samples: Samples, seed: int = 0) -> Samples:
    """Speech as another microphone hears it: "" the same, "phone", "noise" (18 dB below) or "room"."""
    rng = np.random.default_rng(seed)
    heard: NDArray[Any] = samples
    if channel == "phone":
        heard = sosfilt(butter(4, [300, 3400], "bandpass", fs=RATE, output="sos"), samples)
    elif channel == "noise":
        heard = samples + rng.standard_normal(len(samples)) * np.sqrt((samples**2).mean()) * 10 ** (-18 / 20)
    elif channel == "room":
        tail = rng.standard_normal(int(0.3 * RATE)) * np.exp(-np.arange(int(0.3 * RATE)) / RATE / 0.05) * 0.08
        tail[0] = 1.0
        heard = fftconvolve(samples, tail)[: len(samples)]
    return heard.astype(np.float32)


def process(audio: Path, episode: Episode, options: RunOptions) -> tuple[Path, Transcript]:
    """What the flow does with an episode, step by step in this process: its folder and transcript."""
    stored = local_file(audio)
    with Recording(str(stored.path), stored.sha256) as recording:
        decoded = recording.decode()
        words = steps.transcribe(recording, decoded, options.transcription())
        turns = steps.diarise(recording, decoded, options.diarisation())
    file = AudioFile(recording.path, recording.sha256, decoded.seconds)
    transcript = steps.align(episode, file, words, turns, diariser_model="offline")
    folder = steps.folder_for(episode, options)
    transcript = naming.name_speakers(transcript, turns.voices, folder, options)
    steps.publish(transcript, options)
    assert naming.learn_voices(transcript, turns.voices, folder, options) == ()
    return folder, transcript


def label_of(person: str, composed: Composed, transcript: Transcript) -> str:
    """The label that speaks most of a person's time."""
    shares = shared_time(composed, transcript)
    return max(shares[person], key=lambda label: shares[person][label])


def shared_time(composed: Composed, transcript: Transcript) -> dict[str, dict[str, float]]:
    """Seconds in which each label of a transcript speaks while each person does."""
    shares: dict[str, dict[str, float]] = {turn.speaker: {} for turn in composed.turns}
    for real in composed.turns:
        for turn in transcript.exclusive:
            seconds = min(real.end, turn.end) - max(real.start, turn.start)
            if seconds > 0:
                own = shares[real.speaker]
                own[turn.speaker] = own.get(turn.speaker, 0.0) + seconds
    return shares


def named_time(composed: Composed, transcript: Transcript) -> dict[str, dict[str, float]]:
    """Seconds under each name that a person's speech has in a transcript."""
    names: dict[str, dict[str, float]] = {}
    for person, labels in shared_time(composed, transcript).items():
        own = names.setdefault(person, {})
        for label, seconds in labels.items():
            name = transcript.name_of(label)
            own[name] = own.get(name, 0.0) + seconds
    return names


def is_number(name: str) -> bool:
    """Whether a speaker has no name, only a number."""
    return name.startswith("Speaker ")
