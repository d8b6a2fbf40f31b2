"""One talk in many shapes: `python -m tests.bench.variants` writes how well their transcripts agree.

Each variant is the same talk of two readers of LibriSpeech in another container, begun later, with a gap in its time
stamps, at another level and on other channels, as the seed has it. Its words, their times and who says them are
compared with those of the talk as a plain WAV. Writes to docs/reliability.md.
"""

from __future__ import annotations

import argparse
import difflib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audio.media import ffmpeg
from audio.tracks.recording import Recording
from flows import steps
from models.asr.transcription import TranscriptionOptions
from models.diarisation.diariser import DiariserOptions
from models.record.spans import speech_of
from models.record.transcript import AudioFile, Episode, Transcript, Word
from tests.bench.report import publish
from tests.models.conftest import SHARED, read_audio

RATE = 48_000
READERS = ("2414", "3005")
UTTERANCES = 4  # of each reader
PAUSE = 0.8  # seconds between two utterances
# Extension, codec, whether it keeps levels as floats do, whether its packets have times, and most channels: encoders
# that lose sound take the third of three for one of deep effects.
CONTAINERS = (
    ("wav", "pcm_f32le", True, False, 8), ("flac", "flac", False, False, 8), ("mp3", "libmp3lame", False, False, 2),
    ("m4a", "aac", False, True, 2), ("mp4", "aac", False, True, 2), ("mov", "pcm_f32le", True, False, 8),
    ("mka", "pcm_f32le", True, True, 8), ("mkv", "aac", False, True, 2), ("webm", "libopus", False, True, 2),
    ("ogg", "libopus", False, True, 2), ("ts", "aac", False, True, 2), ("wma", "wmav2", False, True, 2),
)  # fmt: skip
LEVELS = {
    True: (-60.0, -45.0, -20.0, 0.0, 20.0),
    False: (-20.0, -10.0, 0.0),
}  # dB; the rest would clip or be lost
CHANNELS = (
    "mono",
    "stereo",
    "left alone",
    "guest in opposite phase",
    "a microphone each, of 3",
    "a microphone each, of 6",
)


@dataclass(frozen=True)
class Variant:
    """A shape of the talk: `delay` and `gap` in seconds, `level` in dB."""

    container: str
    codec: str
    delay: float
    gap: float
    level: float
    channels: str


@dataclass(frozen=True)
class Agreement:
    """What the transcript of a variant shares with that of the talk: shares of words, and seconds."""

    words: float
    on_time: float
    farthest: float
    speakers: float
    count: int


def talk() -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """What each of the two says, (samples,) at 16 kHz, and a moment in a pause in seconds."""
    folder = SHARED / "read_speech" / "librispeech_test-other"
    spoken = [
        [read_audio(path) for path in sorted((folder / reader).glob("*.flac"))[:UTTERANCES]]
        for reader in READERS
    ]
    parts: list[tuple[int, NDArray[np.float32]]] = []
    for number in range(UTTERANCES):
        for reader in range(2):
            sound = spoken[reader][number]
            parts.append((reader, 0.07 * sound / np.sqrt(np.mean(np.square(sound)))))
            parts.append((reader, np.zeros(round(PAUSE * 16_000), dtype=np.float32)))
    tracks = [np.concatenate([sound * (who == reader) for who, sound in parts]) for reader in range(2)]
    before = sum(len(sound) for _, sound in parts[: len(parts) // 2]) / 16_000
    return tracks[0].astype(np.float32), tracks[1].astype(np.float32), before - PAUSE / 2


def variants(count: int, seed: int) -> Iterator[Variant]:
    """So many shapes, each container in turn."""
    random = np.random.default_rng(seed)
    for number in range(count):
        name, codec, floats, stamped, most = CONTAINERS[number % len(CONTAINERS)]
        yield Variant(
            name,
            codec,
            float(random.choice((0.0, 2.5, 4.0))) if stamped else 0.0,
            float(random.choice((0.0, 5.0))) if stamped else 0.0,
            float(random.choice(LEVELS[floats])),
            str(random.choice([each for each in CHANNELS if most > 2 or "microphone" not in each])),
        )


def write(variant: Variant, path: Path) -> None:
    """The talk in this shape."""
    host, guest, moment = talk()
    none = np.zeros_like(host)
    columns = {
        "mono": [host + guest],
        "stereo": [host + guest] * 2,
        "left alone": [host + guest, none],
        "guest in opposite phase": [host + guest, host - guest],
        "a microphone each, of 3": [host, none, guest],
        "a microphone each, of 6": [none, host, none, guest, none, none],
    }[variant.channels]
    sound = np.stack(columns, axis=1) * 10 ** (variant.level / 20)
    shift = f"asetpts='PTS+({variant.delay}+gte(T,{moment})*{variant.gap})/TB'"
    codec = [
        "-c:a",
        variant.codec,
        *(["-b:a", "192k"] if variant.codec in ("aac", "libopus", "libmp3lame") else []),
    ]
    shape = ["-f", "f32le", "-ar", "16000", "-ac", str(len(columns)), "-i", "pipe:0"]
    # A picture from 0 on, where the container can have one, so that a delay is one of the audio alone.
    pictured = variant.container in ("mp4", "mkv", "ts")
    picture = ["-f", "lavfi", "-i", "testsrc=s=64x64:r=25:d=80"] if pictured else []
    maps = ["-map", "1:v", "-map", "0:a", "-c:v", "mpeg4"] if pictured else []
    options = ["-ar", str(RATE), "-af", f"aresample={RATE},{shift}", *codec]
    command = [ffmpeg.executable(), "-v", "error", "-y", *shape, *picture, *maps, *options, str(path)]
    subprocess.run(command, input=sound.astype("<f4").tobytes(), check=True)


def transcript_of(path: Path) -> Transcript:
    """What Episcribe makes of a file."""
    with Recording(str(path), "x") as recording:
        decoded = recording.decode()
        turns = steps.diarise(recording, decoded, DiariserOptions(model="offline", device="cpu"))
        options = TranscriptionOptions(model="base", device="cpu")
        speech = speech_of(turns.turns) or None
        words = steps.transcribe(recording, decoded, options, speech, turns=turns.exclusive)
    audio = AudioFile(str(path), "x", decoded.seconds, decoded.track)
    return steps.align(
        Episode(id="x"), audio, words, turns, diariser_model="offline", warnings=decoded.warnings
    )


def agreement(one: Transcript, other: Transcript, variant: Variant, moment: float) -> Agreement:
    """What two transcripts share, the second being of a variant."""
    here, there = ([_bare(word) for word in each.words] for each in (one, other))
    blocks = difflib.SequenceMatcher(None, here, there, autojunk=False).get_matching_blocks()
    pairs = [(one.words[b.a + i], other.words[b.b + i]) for b in blocks for i in range(b.size)]
    delay = variant.delay if variant.container not in ("m4a", "ogg", "wma", "mka", "webm") else 0.0
    off = [abs(b.start - a.start - delay - variant.gap * (a.start > moment)) for a, b in pairs]
    labels = {(a.speaker, b.speaker) for a, b in pairs}
    named = {
        who: max(
            labels, key=lambda pair: sum((a.speaker, b.speaker) == pair for a, b in pairs if pair[0] == who)
        )[1]
        for who, _ in labels
    }
    same = sum(named[a.speaker] == b.speaker for a, b in pairs)
    return Agreement(
        2 * len(pairs) / (len(here) + len(there)),
        sum(each <= 0.05 for each in off) / max(1, len(off)),
        max(off, default=0.0),
        same / max(1, len(pairs)),
        len(other.speakers),
    )


def _bare(word: Word) -> str:
    return re.sub(r"\W", "", word.text).casefold()


def main() -> None:
    """Make the variants, compare them and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    *_, moment = talk()
    with tempfile.TemporaryDirectory() as folder:
        plain = Variant("wav", "pcm_f32le", 0.0, 0.0, 0.0, "mono")
        path = Path(folder) / "talk.wav"
        write(plain, path)
        reference = transcript_of(path)
        found = []
        for number, variant in enumerate(variants(given.count, given.seed)):
            path = Path(folder) / f"{number}.{variant.container}"
            write(variant, path)
            found.append((variant, agreement(reference, transcript_of(path), variant, moment)))
            path.unlink()
            print(*found[-1], file=sys.stderr, flush=True)
    publish("reliability.md", "variants", table(found))


def table(found: list[tuple[Variant, Agreement]]) -> str:
    """A row a container, and one for all of them, as Markdown."""
    rows = [
        "| container | variants | words the same % | least | within 50 ms % | farthest s | same speaker % | counts |",
        "|-|-|-|-|-|-|-|-|",
    ]
    for name in [*dict.fromkeys(variant.container for variant, _ in found), "all"]:
        own = [agreed for variant, agreed in found if name in (variant.container, "all")]
        words, on_time, speakers = (
            100 * float(np.mean([getattr(agreed, part) for agreed in own]))
            for part in ("words", "on_time", "speakers")
        )
        least, farthest = 100 * min(agreed.words for agreed in own), max(agreed.farthest for agreed in own)
        counts = sorted({agreed.count for agreed in own})
        told = " to ".join(str(count) for count in sorted({counts[0], counts[-1]}))
        figures = f"{words:.1f} | {least:.1f} | {on_time:.1f} | {farthest:.2f} | {speakers:.1f}"
        rows.append(f"| {name} | {len(own)} | {figures} | {told} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
