"""Audio files with damage, made at random: none may crash or hang us, or lose what decodes without a word.

`python -m tests.audio.media.fuzz 500` tries so many; the suite tries a few of each container.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from audio.media import ffmpeg
from audio.media.decode import decode
from models.record.errors import InputError
from models.runtime.samples import SAMPLE_RATE

SECONDS = 12
LIMIT = 60  # seconds that ffmpeg alone may take for one of these files
LOST_SECONDS = 1.0  # that decode elsewhere and are missing here without a warning: a failure
CONTAINERS = (
    ("wav", "pcm_s16le"), ("flac", "flac"), ("mp3", "libmp3lame"), ("aac", "aac"), ("m4a", "aac"), ("mov", "pcm_s16le"),
    ("mka", "aac"), ("webm", "libopus"), ("ogg", "libvorbis"), ("ts", "aac"), ("flv", "aac"), ("wma", "wmav2"),
)  # fmt: skip


def make(folder: Path, kind: str, codec: str) -> bytes:
    """A sound file of SECONDS, whole."""
    path = folder / f"whole.{kind}"
    source = ["-f", "lavfi", "-i", f"aevalsrc=0.3*sin(2*PI*(300+40*t)*t):d={SECONDS}:s=44100"]
    command = [ffmpeg.executable(), "-v", "error", "-y", *source, "-c:a", codec, str(path)]
    subprocess.run(command, check=True, timeout=LIMIT)
    return path.read_bytes()


def damaged(whole: bytes, random: np.random.Generator) -> bytes:
    """The same with one to three faults: bits that flipped, bytes that went missing, came twice or became zeros."""
    data = bytearray(whole)
    for _ in range(random.integers(1, 4)):
        # Headers are where a byte counts most: every other fault is there.
        reach = len(data) if random.random() < 0.5 else min(len(data), 2000)
        at = int(random.integers(0, reach))
        size = int(random.choice((1, 4, 64, 1000, 20_000)))
        match int(random.integers(0, 6)):
            case 0:
                data[at] ^= 1 << int(random.integers(0, 8))
            case 1:
                del data[at : at + size]
            case 2:
                data[at:at] = data[at : at + size]
            case 3:
                data[at : at + size] = bytes(len(data[at : at + size]))
            case 4:
                data[at : at + size] = random.bytes(len(data[at : at + size]))
            case 5:
                del data[max(at, 100) :]
        if not data:
            return b"\0"
    return bytes(data)


def plain_seconds(path: Path) -> float:
    """What ffmpeg alone decodes of a file, without regard to times."""
    output = ["-map", "0:a:0", "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "s16le", "pipe:1"]
    done = subprocess.run(
        ffmpeg.command(path, "-v", "quiet", *output), capture_output=True, timeout=LIMIT, check=False
    )
    return len(done.stdout) / 2 / SAMPLE_RATE


def check(path: Path) -> str:
    """What became of a file: "read", "warned" or "refused". AssertionError where something was lost in silence."""
    try:
        decoded = decode(path)
    except InputError as error:
        reason = str(error)
    else:
        reason = ""
    if reason:
        assert "\n" not in reason, reason
        return "refused"
    assert np.isfinite(decoded.seconds)
    lost = plain_seconds(path) - decoded.seconds
    assert decoded.warnings or lost <= LOST_SECONDS, f"{path.name}: {lost:.1f} s were lost in silence"
    return "warned" if decoded.warnings else "read"


def main(count: int) -> None:
    """Try so many files; those that fail are kept."""
    outcomes = Counter[str]()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    wholes = {kind: make(folder, kind, codec) for kind, codec in CONTAINERS}
    for number in range(count):
        kind, _ = CONTAINERS[number % len(CONTAINERS)]
        path = folder / f"{number}.{kind}"
        path.write_bytes(damaged(wholes[kind], np.random.default_rng(number)))
        try:
            outcomes[check(path)] += 1
        except AssertionError as error:
            outcomes["LOST"] += 1
            print(path, error)
            continue
        path.unlink()
    print(", ".join(f"{name}: {times}" for name, times in outcomes.items()))


if __name__ == "__main__":
    main(int(sys.argv[1]))
