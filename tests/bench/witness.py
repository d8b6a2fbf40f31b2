"""How well speakers are named by published transcripts: `python -m tests.bench.witness`.

Conversations are composed of LibriSpeech (`tests/flows/composed_shows.py`), in which nobody introduces or
addresses anybody, and processed as a run does. Beside each are a transcript of what is said, one that was edited, with
ads and words changed or left out, one of another conversation of the same people, and ones without names. Prints
Markdown.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from audio.tracks.recording import Recording
from audio.transfer.download import local_file
from flows import naming, steps
from flows.options import RunOptions
from models.record.transcript import AudioFile, Episode, Transcript, Voice
from models.record.utterances import PublishedTranscript, Utterance
from models.runtime.offline_models import models_folder
from tests.flows.composed_shows import Composed, is_number, label_of, read_aloud
from tests.models.conftest import SHARED

READ_SPEECH = SHARED / "read_speech" / "librispeech_test-other"
NAMES = ("Anne Currie", "Gaël Duez", "Zoe Roth", "Tim Pritlove", "Ida Wells", "Bob Moss")
EDITED = 0.15  # share of the words that somebody changed, and half as many left out
AD = "this episode is brought to you by a mattress that you can try for a hundred nights in your own bed"
HEAD = "| published transcript | speakers | named right | a wrong name |\n|-|-|-|-|"

Lines = Sequence[Utterance]


def conversation(folder: Path, n: int, seed: int) -> tuple[Composed, Lines]:
    """Two or three readers in turn, six utterances each at most."""
    rng = random.Random(seed + n)
    readers = sorted(path.name for path in READ_SPEECH.iterdir() if path.is_dir())
    decks = {
        reader: rng.sample(sorted(path.stem for path in (READ_SPEECH / reader).glob("*.flac")), 6)
        for reader in rng.sample(readers, rng.choice((2, 3)))
    }
    order = [utterance for turn in zip(*decks.values(), strict=True) for utterance in turn]
    return read_aloud(folder / f"{n}.wav", READ_SPEECH, order)


def heard(audio: Path, n: int, options: RunOptions) -> tuple[Transcript, tuple[Voice, ...]]:
    """A conversation's transcript with its speakers numbered."""
    stored = local_file(audio)
    with Recording(str(stored.path), stored.sha256) as recording:
        decoded = recording.decode()
        turns = steps.diarise(recording, decoded, options.diarisation())
        words = steps.transcribe(recording, decoded, options.transcription())
    file = AudioFile(recording.path, recording.sha256, decoded.seconds)
    episode = Episode(f"{n}", "Show", str(n), f"Episode {n}")
    return steps.align(episode, file, words, turns, diariser_model="offline"), turns.voices


def edited(lines: Lines, seed: int) -> Lines:
    """The lines as an editor leaves them: words changed and left out, two ads put in, all of it later."""
    rng = random.Random(seed)
    every = [word for line in lines for word in line.text.split()]
    found = []
    for line in lines:
        words = [rng.choice(every) if rng.random() < EDITED else word for word in line.text.split()]
        text = " ".join(word for word in words if rng.random() >= EDITED / 2)
        found.append(replace(line, start=line.start + 31.7, text=text))
    for at in sorted(rng.sample(range(len(found)), 2), reverse=True):
        found.insert(at, Utterance(found[at].start, "", " ".join([AD] * 3)))
    return found


def published(lines: Lines, name: Callable[[str], str]) -> PublishedTranscript:
    """The lines as somebody published them."""
    return PublishedTranscript("bench", tuple(replace(line, speaker=name(line.speaker)) for line in lines))


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=20)
    parser.add_argument("--seed", type=int, default=900)
    parser.add_argument("--model", default="tiny.en")
    given = parser.parse_args()
    readers = sorted(path.name for path in READ_SPEECH.iterdir() if path.is_dir())
    called = dict(zip(readers, NAMES, strict=True))
    with tempfile.TemporaryDirectory() as work:
        cache = Path(work) / "cache"
        cache.mkdir()
        (cache / "models").symlink_to(models_folder())
        os.environ["EPISCRIBE_CACHE"] = str(cache)
        made = [conversation(Path(work) / "audio", n, given.seed) for n in range(given.conversations)]
        counts: dict[str, Counter[str]] = {}
        options = RunOptions(library=str(Path(work) / "library"), model=given.model, language="en")
        for n, (composed, lines) in enumerate(made):
            transcript, voices = heard(composed.path, n, options)
            # Another talk of the same people, of which no sentence is said here.
            said = {line.text for line in lines}
            others = [line for _, other in made for line in other if line.text not in said and line.speaker in
                      {line.speaker for line in lines}]  # fmt: skip
            witnesses = {
                "none": None,
                "what is said": published(lines, lambda reader: called.get(reader, "")),
                "edited, with ads": published(edited(lines, n), lambda reader: called.get(reader, "")),
                "edited, two thirds of it missing": published(
                    edited(lines, n)[: len(lines) // 3], lambda reader: called.get(reader, "")
                ),
                "of another conversation": published(others, lambda reader: called.get(reader, "")),
                "“Speaker 1”": published(lines, lambda reader: f"Speaker {readers.index(reader) + 1}"),
            }
            for kind, witness in witnesses.items():
                folder = steps.folder_for(transcript.episode, options)
                named = naming.name_speakers(transcript, voices, folder, options, witness)
                people = {turn.speaker for turn in composed.turns}
                labels = {label_of(reader, composed, named): called[reader] for reader in people}
                count = counts.setdefault(kind, Counter())
                count["people"] += len(people)
                for speaker in named.speakers:
                    if not is_number(speaker.name):
                        count["right" if labels.get(speaker.label) == speaker.name else "wrong"] += 1
        print(HEAD)
        for kind, count in counts.items():
            print(f"| {kind} | {count['people']} | {count['right']} | {count['wrong']} |")


if __name__ == "__main__":
    main()
