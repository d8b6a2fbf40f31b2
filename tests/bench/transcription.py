"""Benchmark of transcription beside faster-whisper and whisper-ctranslate2: `python -m tests.bench.transcription`.

Everything runs on the same model files and cores, one system after the other. Writes its tables to
docs/transcription.md. Parts can be run alone: `... speed wordless`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.alignment.align import align
from models.asr import whisper_models
from models.asr.transcription import Transcription, TranscriptionOptions, load, transcribe
from models.asr.vocabulary import expected_terms
from models.diarisation.diariser import DiariserOptions, diarise
from models.record.spans import Span, speech_of
from models.record.transcript import AudioFile, Diarisation, Episode, Segment, Transcript, Turn, Word
from models.runtime import offline_models
from models.runtime.device import usable_cores
from models.runtime.samples import SAMPLE_RATE
from outputs.formats import episode_json
from outputs.scoring.score import WordError, score
from tests import sounds
from tests.bench.__main__ import WORK
from tests.bench.report import publish
from tests.models.conftest import SHARED, read_audio

CTRANSLATE2 = "whisper-ctranslate2==0.5.8"
READ_SPEECH = SHARED / "read_speech" / "librispeech_test-other"
FLEURS = SHARED / "non_english" / "fleurs"
READERS = ("2414", "2609", "3005")  # nothing was tuned on these
OVERLAPS = (0.0, 0.1, 0.2)
SEEDS = (7, 8, 9)
MINUTES = 6
SPEED_MINUTES = 10
WORDLESS_SECONDS = 150  # of each of four kinds
BASE = TranscriptionOptions(model="base", device="cpu")
OFFLINE = DiariserOptions(model="offline", device="cpu")
NAMES = ("Zarathustra", "Merneptah", "Sherburn", "Ephraim", "Manasseh", "Hebrews")  # that the readers say
UNSAID = (
    "Siobhan Gallagher",
    "Krzysztof Nowak",
    "Anneliese Bauer",
    "Margret Hayle",
    "Tariq Haddad",
    "Ophelia Ward",
    "Thorsten",
    "Kubernetes",
    "Ada Lovelace",
    "Peter Norvig",
    "Istanbul",
    "Marigold Pye",
)

Samples = NDArray[np.float32]


def source(readers: Sequence[str] = READERS) -> Path:
    """A folder with the utterances of these readers alone."""
    folder = WORK / "-".join(["readers", *readers])
    folder.mkdir(parents=True, exist_ok=True)
    head, *rows = (READ_SPEECH / "transcripts.tsv").read_text().splitlines()
    kept = [row for row in rows if row.split("\t")[1] in readers]
    (folder / "transcripts.tsv").write_text("\n".join([head, *kept]) + "\n")
    for reader in readers:
        if not (folder / reader).exists():
            (folder / reader).symlink_to(READ_SPEECH / reader)
    return folder


def episode(overlap: float, seed: int, minutes: int = MINUTES) -> Path:
    """A composed episode with its words (.stm) and turns (.rttm) beside it; composed once."""
    out = WORK / "audio" / f"read-overlap{round(100 * overlap):02d}-seed{seed}-{minutes}min"
    if not out.with_suffix(".stm").exists():
        tool = SHARED.parent / "tools" / "compose_episode.py"
        command = [sys.executable, str(tool), f"--source={source()}", f"--out={out}", f"--minutes={minutes}"]
        command += ["--speakers=3", f"--seed={seed}", f"--overlap={overlap}", "--music=5"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out.with_suffix(".wav")


@dataclass
class Timed:
    """What a system wrote of one recording, and the seconds it took, models loaded."""

    words: tuple[Word, ...]
    seconds: float
    cpu: float = 0.0


def timed(work: Callable[[], Iterable[Word]]) -> Timed:
    """The words and what they cost."""
    wall, cpu = time.perf_counter(), time.process_time()
    words = tuple(work())
    return Timed(words, time.perf_counter() - wall, time.process_time() - cpu)


def faster_whisper(samples: Samples, *, batched: bool, **options: Any) -> Iterator[Word]:
    """The words of `faster_whisper_segments`."""
    for segment in faster_whisper_segments(samples, batched=batched, **options):
        yield from segment.words


def faster_whisper_segments(samples: Samples, *, batched: bool, **options: Any) -> Iterator[Segment]:
    """faster-whisper as it comes, with word times; `batched` is its batched pipeline with its voice detector."""
    pipeline = _stock()
    recogniser = pipeline if batched else pipeline.model
    segments, _ = recogniser.transcribe(samples, word_timestamps=True, **options)
    for segment in segments:
        words = tuple(
            Word(float(word.start), float(word.end), word.word, float(word.probability))
            for word in segment.words or ()
        )
        yield Segment(float(segment.start), float(segment.end), None, words)


_loaded: list[Any] = []


def _stock() -> Any:
    """The offline base model in int8 with all cores for one batch, which is faster-whisper's own way."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    if not _loaded:
        _, path = whisper_models.resolve("base")
        model = WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=usable_cores())
        _loaded.append(BatchedInferencePipeline(model))
    return _loaded[0]


def whisper_ctranslate2(recording: Path, *, batched: bool) -> Timed:
    """whisper-ctranslate2 in an environment of its own; its time counts loading the model, too."""
    folder = WORK / "whisper-ctranslate2"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", CTRANSLATE2], check=True)
        (folder / "ready").touch()
    out = WORK / "results" / "whisper-ctranslate2"
    command = [
        folder / "bin" / "whisper-ctranslate2",
        recording,
        "--output_dir",
        out,
        "--output_format",
        "json",
    ]
    command += ["--model_directory", whisper_models.resolve("base")[1], "--compute_type", "int8"]
    command += [
        "--device",
        "cpu",
        "--threads",
        str(usable_cores()),
        "--word_timestamps",
        "True",
    ]
    command += ["--batched", "True"] if batched else []
    start = time.perf_counter()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    spent = time.perf_counter() - start
    found = json.loads((out / f"{recording.stem}.json").read_text())
    words = (word for segment in found["segments"] for word in segment["words"])
    return Timed(tuple(Word(w["start"], w["end"], w["word"]) for w in words), spent)


def ours(samples: Samples, turns: Diarisation, vocabulary: tuple[str, ...] = ()) -> Transcription:
    """Episcribe's words, chunks packed from the diarisation's speech."""
    return transcribe(samples, replace(BASE, vocabulary=vocabulary), speech=speech_of(turns.turns))


def errors(recording: Path, segments: Iterable[Segment], language: str = "en") -> tuple[WordError, WordError]:
    """WER and cpWER counts against the STM file beside a recording."""
    folder = WORK / "results" / "scored"
    folder.mkdir(parents=True, exist_ok=True)
    audio = AudioFile(recording.name, "", 0.0)
    transcript = Transcript(Episode("bench"), audio, language, tuple(segments))
    path = folder / f"{recording.stem}.json"
    path.write_text(episode_json.render(transcript), encoding="utf-8")
    found = score(path, stm=recording.with_suffix(".stm"))
    assert found.wer is not None
    assert found.cpwer is not None
    return found.wer, found.cpwer


def nearest(words: tuple[Word, ...], turns: Diarisation) -> list[Segment]:
    """Each word to the turn that covers most of it, without repair: what a simple join does."""
    return [Segment(w.start, w.end, _covering(w, turns.exclusive), (w,)) for w in words]


def _covering(word: Word, turns: Iterable[Turn]) -> str | None:
    """The speaker of the turn that covers most of a word, or else is nearest."""
    found = max(turns, key=lambda t: min(word.end, t.end) - max(word.start, t.start), default=None)
    return found.speaker if found else None


def percent(found: Iterable[WordError]) -> float:
    """The pooled error rate."""
    pool = list(found)
    wrong = sum(each.substitutions + each.deletions + each.insertions for each in pool)
    return 100 * wrong / sum(each.total for each in pool)


def attribution() -> str:
    """cpWER against WER by overlap; the difference is what attribution costs."""
    rows = [
        "| overlapping turns | words | join | WER % | cpWER % | cpWER - WER | left out | made up |",
        "|-|-|-|-|-|-|-|-|",
    ]
    for overlap in OVERLAPS:
        results: dict[tuple[str, str], list[tuple[WordError, WordError]]] = {}
        for seed in SEEDS:
            recording = episode(overlap, seed)
            samples = read_audio(recording)
            turns = diarise(samples, OFFLINE)
            mine = ours(samples, turns).words
            stock = tuple(faster_whisper(samples, batched=True))
            for name, words in (("Episcribe", mine), ("faster-whisper, batched", stock)):
                joins = {
                    "nearest turn": nearest(words, turns),
                    "Episcribe": align(words, turns.exclusive, "en", turns.turns),
                }
                for join, segments in joins.items():
                    results.setdefault((name, join), []).append(errors(recording, segments))
        for (name, join), pairs in results.items():
            wer, cpwer = percent(a for a, _ in pairs), percent(b for _, b in pairs)
            lost, made = sum(a.deletions for a, _ in pairs), sum(a.insertions for a, _ in pairs)
            rows.append(
                f"| {overlap} | {name} | {join} | {wer:.1f} | {cpwer:.1f} | {cpwer - wer:+.1f} | {lost} | {made} |"
            )
    return "\n".join(rows)


def speed() -> str:
    """Real-time factor and WER on one composed episode, side by side."""
    recording = episode(0.1, SEEDS[0], SPEED_MINUTES)
    samples = read_audio(recording)
    length = len(samples) / SAMPLE_RATE
    diarise(samples[: 20 * SAMPLE_RATE], OFFLINE)
    start = time.perf_counter()
    turns = diarise(samples, OFFLINE)
    diarising = time.perf_counter() - start
    load(TranscriptionOptions(model="base", device="cpu"))
    found = {"Episcribe": timed(lambda: ours(samples, turns).words)}
    list(faster_whisper(samples[: 20 * SAMPLE_RATE], batched=True))
    found["faster-whisper, batched (8), its voice detector"] = timed(
        lambda: faster_whisper(samples, batched=True)
    )
    found["faster-whisper, sequential, its defaults"] = timed(lambda: faster_whisper(samples, batched=False))
    for batched in (True, False):
        name = f"whisper-ctranslate2 {CTRANSLATE2.partition('==')[2]}, {'batched' if batched else 'its defaults'}"
        found[f"{name} (with loading)"] = whisper_ctranslate2(recording, batched=batched)
    rows = ["| system | real-time factor | CPU s per s | WER % | left out | made up |", "|-|-|-|-|-|-|"]
    for name, result in found.items():
        wer, _ = errors(recording, nearest(result.words, Diarisation()))
        cpu = f"{result.cpu / length:.3f}" if result.cpu else "-"
        cost = f"{result.seconds / length:.3f} | {cpu} | {100 * wer.rate:.1f}"
        rows.append(f"| {name} | {cost} | {wer.deletions} | {wer.insertions} |")
    whole = (diarising + found["Episcribe"].seconds) / length
    return (
        "\n".join(rows)
        + f"\n\nEpiscribe's diarisation of the same audio: {diarising / length:.3f}; with it {whole:.3f}."
    )


def wordless() -> str:
    """Words in sounds that hold none."""
    rows = ["| system | minutes | words | words a minute | seconds |", "|-|-|-|-|-|"]
    whole = sounds.wordless(WORDLESS_SECONDS, seed=900)
    part = sounds.wordless(WORDLESS_SECONDS // 5, seed=900)  # for what can take minutes for one of sound
    systems: list[tuple[str, Samples, Callable[[Samples], Iterable[Word]]]] = [
        ("Episcribe", whole, lambda sound: ours(sound, diarise(sound, OFFLINE)).words),
        ("Episcribe without diariser (Silero)", whole, lambda sound: transcribe(sound, BASE).words),
        ("Episcribe, told that all of it is speech", whole, _told_it_is_speech),
        (
            "faster-whisper, batched, its voice detector",
            whole,
            lambda sound: faster_whisper(sound, batched=True),
        ),
        (
            "faster-whisper, sequential, its defaults",
            part,
            lambda sound: faster_whisper(sound, batched=False),
        ),
    ]
    for name, sound, system in systems:
        minutes = len(sound) / SAMPLE_RATE / 60
        found = timed(lambda sound=sound, system=system: system(sound))  # type: ignore[misc]
        words = len(found.words)
        rows.append(f"| {name} | {minutes:.0f} | {words} | {words / minutes:.1f} | {found.seconds:.0f} |")
        print(rows[-1], flush=True)
    return "\n".join(rows)


def _told_it_is_speech(sound: Samples) -> tuple[Word, ...]:
    return transcribe(sound, BASE, speech=[Span(0, len(sound) / SAMPLE_RATE)]).words


def read_speech() -> str:
    """WER of single utterances and sentences: the guard must not cost any."""
    rows = [
        "| language | clips | language told | Episcribe WER % | faster-whisper, sequential, WER % |",
        "|-|-|-|-|-|",
    ]
    for language in ("en", "de", "es", "fr", "pt"):
        results: dict[str, list[WordError]] = {"mine": [], "stock": []}
        told = 0
        clips = list(_clips(language))
        for path, text in clips:
            samples = read_audio(path)
            mine = transcribe(samples, BASE, speech=speech_of(diarise(samples, OFFLINE).turns))
            told += mine.language == language
            stock = faster_whisper(samples, batched=False, language=language)
            for name, words in (("mine", mine.words), ("stock", tuple(stock))):
                results[name].append(_clip_errors(text, words, language))
        rows.append(
            f"| {language} | {len(clips)} | {told} | {percent(results['mine']):.1f} | {percent(results['stock']):.1f} |"
        )
    return "\n".join(rows)


def _clips(language: str) -> Iterator[tuple[Path, str]]:
    if language == "en":
        for row in (source() / "transcripts.tsv").read_text().splitlines()[1:]:
            name, reader, _, _, text = row.split("\t")
            yield READ_SPEECH / reader / f"{name}.flac", text
        return
    for path in sorted(FLEURS.glob(f"fleurs-{language}-*.ogg")):
        yield path, path.with_suffix(".txt").read_text().strip()


def _clip_errors(text: str, words: tuple[Word, ...], language: str) -> WordError:
    recording = WORK / "audio" / "clip.wav"
    recording.with_suffix(".stm").write_text(f"clip 1 A 0.0 1.0 {' '.join(text.split())}\n", encoding="utf-8")
    return errors(recording, nearest(words, Diarisation()), language)[0]


def vocabulary() -> str:
    """Names in the notes: how many come out right with and without them, and what it costs elsewhere."""
    recording = episode(0.0, SEEDS[0])
    samples = read_audio(recording)
    turns = diarise(samples, OFFLINE)
    said = recording.with_suffix(".stm").read_text().casefold()
    notes = "In this episode: " + ", ".join([*NAMES, *UNSAID]) + "."
    terms = expected_terms(Episode("bench", notes=notes))
    rows = ["| notes | names right | names nobody says | WER % | real-time factor |", "|-|-|-|-|-|"]
    for label, listed in (("none", ()), (f"{len(NAMES)} names said, {len(UNSAID)} not", terms)):
        found = timed(lambda listed=listed: ours(samples, turns, listed).words)  # type: ignore[misc]
        text = "".join(word.text for word in found.words).casefold()
        right = sum(min(text.count(name.casefold()), said.count(name.casefold())) for name in NAMES)
        total = sum(said.count(name.casefold()) for name in NAMES)
        made_up = sum(text.count(name.casefold()) for name in UNSAID)
        wer, _ = errors(recording, nearest(found.words, Diarisation()))
        factor = found.seconds / (len(samples) / SAMPLE_RATE)
        rows.append(f"| {label} | {right} of {total} | {made_up} | {100 * wer.rate:.1f} | {factor:.3f} |")
    return "\n".join(rows)


PARTS: dict[str, Callable[[], str]] = {
    "attribution": attribution,
    "wordless": wordless,
    "read_speech": read_speech,
    "speed": speed,
    "vocabulary": vocabulary,
}


def machine() -> str:
    """What it ran on, in one line."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("faster-whisper", "ctranslate2", "torch"))
    return f"{usable_cores()} cores, {packages}, {CTRANSLATE2}, {datetime.date.today().isoformat()}."


def main() -> None:
    """Run the parts that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS))
    chosen = parser.parse_args().parts or list(PARTS)
    offline_models.pull()
    (WORK / "audio").mkdir(parents=True, exist_ok=True)
    for part in chosen:
        table = PARTS[part]()
        publish("transcription.md", part, table)
        print(f"{part}\n{table}\n", flush=True)
    publish("transcription.md", "machine", machine())


if __name__ == "__main__":
    main()
