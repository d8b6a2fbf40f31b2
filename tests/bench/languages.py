"""Episodes in several languages, composed of read sentences: `python -m tests.bench.languages`.

Four languages alternating, two alternating, a host and a guest of different languages, one language throughout, and
English talks with a quotation of some seconds and a word or three of another language. Episcribe hears them beside
faster-whisper with `multilingual=True`, and beside another checkout of itself with `--beside FOLDER`. All cases
together write a table to docs/measured.md.

Sentences come from FLEURS in ../shared/data, on which constants may be chosen, with the readers that other benchmarks
choose theirs on. Others are given by `--clips FOLDER` (or EPISCRIBE_CLIPS): files NAME-<language>-<number> of audio,
each with its words in a .txt file beside it. English comes from LibriSpeech where that folder has none.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import random
import re
import subprocess
import sys
import wave
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq, Levenshtein

from models.runtime.device import usable_cores
from models.runtime.samples import SAMPLE_RATE
from outputs.scoring.score import _normaliser
from tests.bench import composed_talk
from tests.bench.__main__ import ROOT, WORK
from tests.bench.report import publish
from tests.models.conftest import SHARED, read_audio

FLEURS = SHARED / "non_english" / "fleurs"
DEVELOPMENT = ("1688", "1998", "2033")  # readers of English that constants may be chosen on
READERS = ("2414", "2609", "3005")
SEEDS = (1, 2)
LEVEL = 10 ** (-23 / 20)  # root mean square of every clip, of full scale
GAP = (0.3, 0.8)  # seconds between two sentences
BEGIN = 0.5  # seconds before the first and after the last
NOISE = 0.0002  # standard deviation of what is under everything
AROUND = 0.1  # seconds of a clip that are left before and after what is heard in it
TURNS = (2, 3, 3, 2)  # sentences of the host, the guest, the host again ...
TALK_SENTENCES = 6  # of an English talk with something else in it
ENGLISH_LONGEST = 15.0  # seconds of an English sentence: those of FLEURS are no longer
QUOTATION = 5.0  # seconds, about
GREETING = 1.4  # seconds at most
LOST = 0.3  # a sentence of which less is found is lost
NEAR = 0.3  # seconds by which a word may lie outside of its sentence

# Words that tell a language: frequent in it, and none in the others here.
TELLING = {
    "en": "the and were with this that they have from which would their been what when there about said",
    "de": "und der ist nicht von sie mit dem für auf ein eine sich auch wird waren haben wenn zum zur",
    "es": "el fue pero más muy ya también esto puede según cuando donde hay desde hasta",
    "fr": "et une est dans pour avec cette pas sont nous ont été aux leur fait elle dont ainsi",
    "pt": "uma não em com são ao foi seu isso você estava também pela ele mesmo muito foram",
    "it": "gli di che è della sono nel più anche alla questo dei delle nella degli essere stato perché",
    "nl": "het een niet dat zijn op voor ook aan wordt naar maar hij werd deze bij waar meer zich heeft",
}

Samples = NDArray[np.float32]
Clips = Mapping[str, Sequence["Clip"]]


@dataclass(frozen=True, eq=False)
class Clip:
    """A sentence as it is read: (samples,) at 16 kHz of one level, its words, its language."""

    samples: Samples
    text: str
    language: str

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True)
class Sentence:
    """A sentence of an episode, in seconds of it; `kind` is "sentence", "quotation" or "greeting"."""

    start: float
    end: float
    language: str
    text: str
    kind: str = "sentence"


@dataclass(frozen=True)
class Said:
    """A word as a system wrote it, in seconds; `language` "" where the system doesn't tell one."""

    start: float
    end: float
    text: str
    language: str = ""

    @property
    def middle(self) -> float:
        """Seconds."""
        return (self.start + self.end) / 2


@dataclass(frozen=True)
class Figures:
    """How what was written differs from what was said, counted.

    words, errors: by language. lost: sentences of which less than LOST is found at their time, and `of` how many.
    told, telling: words that the system says are of another language than is spoken, and those that are by themselves.
    """

    words: Counter[str]
    errors: Counter[str]
    lost: tuple[Sentence, ...]
    of: int
    told: int
    telling: int

    def __add__(self, other: Figures) -> Figures:
        """Those of both."""
        return Figures(
            self.words + other.words,
            self.errors + other.errors,
            self.lost + other.lost,
            self.of + other.of,
            self.told + other.told,
            self.telling + other.telling,
        )

    def wer(self, language: str = "") -> float:
        """Percent, of one language or all."""
        words = self.words[language] if language else self.words.total()
        errors = self.errors[language] if language else self.errors.total()
        return 100 * errors / max(1, words)


@cache
def clips_in(folder: Path, readers: Sequence[str]) -> dict[str, tuple[Clip, ...]]:
    """The sentences of each language in a folder, in order of their names, and in English those of some readers."""
    found: dict[str, list[Clip]] = {}
    for path in sorted(path for path in folder.iterdir() if path.with_suffix(".txt").is_file()):
        named = re.search(r"-([a-z]{2})-\w+$", path.stem)
        if named and path.suffix != ".txt":
            text = path.with_suffix(".txt").read_text(encoding="utf-8").strip()
            found.setdefault(named[1], []).append(Clip(_levelled(read_audio(path)), text, named[1]))
    if "en" not in found:
        by_reader = [
            [
                Clip(_levelled(samples), text.lower(), "en")
                for samples, text in composed_talk.utterances(reader)
            ]
            for reader in readers
        ]
        found["en"] = [
            clip for some in zip(*by_reader, strict=False) for clip in some if clip.seconds <= ENGLISH_LONGEST
        ]
    return {language: tuple(clips) for language, clips in found.items()}


def _levelled(samples: Samples) -> Samples:
    """What is heard of a clip, of one loudness."""
    heard = composed_talk.heard(samples)
    first, last = max(0.0, heard[0].start - AROUND), heard[-1].end + AROUND
    samples = samples[round(first * SAMPLE_RATE) : round(last * SAMPLE_RATE)]
    gain = LEVEL / float(np.sqrt(np.mean(np.square(samples))))
    return samples * np.float32(gain)


def four(clips: Clips, dice: random.Random) -> Iterator[tuple[Clip, str]]:
    """Four languages, another each sentence, five of each."""
    yield from _alternating(clips, dice, ("en", "de", "es", "fr"), 5)


def two(clips: Clips, dice: random.Random) -> Iterator[tuple[Clip, str]]:
    """English and German, another each sentence."""
    yield from _alternating(clips, dice, ("en", "de"), 5)


def _alternating(
    clips: Clips, dice: random.Random, languages: Sequence[str], times: int
) -> Iterator[tuple[Clip, str]]:
    decks = {language: _deck(clips, language, dice) for language in languages}
    for _ in range(min(times, *map(len, decks.values()))):
        for language in languages:
            yield decks[language].pop(), "sentence"


def _deck(clips: Clips, language: str, dice: random.Random) -> list[Clip]:
    return dice.sample(clips[language], len(clips[language]))


def host_and_guest(host: str, guest: str) -> Callable[[Clips, random.Random], Iterator[tuple[Clip, str]]]:
    """One speaks one language, two or three sentences at a time, and the other answers in another."""

    def compose(clips: Clips, dice: random.Random) -> Iterator[tuple[Clip, str]]:
        decks = [_deck(clips, host, dice), _deck(clips, guest, dice)]
        for number, sentences in enumerate(TURNS):
            for clip in decks[number % 2][:sentences]:
                yield clip, "sentence"
            del decks[number % 2][:sentences]

    return compose


def throughout(language: str) -> Callable[[Clips, random.Random], Iterator[tuple[Clip, str]]]:
    """One language from beginning to end."""

    def compose(clips: Clips, dice: random.Random) -> Iterator[tuple[Clip, str]]:
        for clip in _deck(clips, language, dice)[:10]:
            yield clip, "sentence"

    return compose


def quotation(clips: Clips, dice: random.Random) -> Iterator[tuple[Clip, str]]:
    """An English talk in which some seconds of German are heard."""
    yield from _talk_with("quotation", QUOTATION, clips, dice)


def greeting(clips: Clips, dice: random.Random) -> Iterator[tuple[Clip, str]]:
    """An English talk in which a word or three of another language are heard."""
    yield from _talk_with("greeting", GREETING, clips, dice)


def _talk_with(kind: str, seconds: float, clips: Clips, dice: random.Random) -> Iterator[tuple[Clip, str]]:
    english = _deck(clips, "en", dice)[:TALK_SENTENCES]
    others = sorted(set(clips) - {"en"}) if kind == "greeting" else ["de"]
    parts = (_beginning(clip, seconds) for clip in _deck(clips, dice.choice(others), dice))
    other = next(part for part in parts if part is not None)
    for number, clip in enumerate(english):
        if number == TALK_SENTENCES // 2:
            yield other, kind
        yield clip, "sentence"


def _beginning(clip: Clip, seconds: float) -> Clip | None:
    """The first words of a clip, of at most so many seconds, where they can be told apart."""
    try:
        words = tuple(composed_talk.timed(clip.samples, clip.text, clip.language))
    except ValueError:
        return None
    count = sum(word.end <= seconds for word in words)
    if not 0 < count < len(words):
        return None
    part = composed_talk.cut(composed_talk.Clip(clip.samples, words), 0, count)
    return Clip(part.samples, " ".join(word.text for word in part.words), clip.language)


CASES: dict[str, Callable[[Clips, random.Random], Iterator[tuple[Clip, str]]]] = {
    "four": four,
    "two": two,
    "host-en-guest-de": host_and_guest("en", "de"),
    "host-fr-guest-en": host_and_guest("fr", "en"),
    "host-es-guest-pt": host_and_guest("es", "pt"),
    **{f"only-{language}": throughout(language) for language in ("en", "de", "es", "fr", "pt")},
    "quotation": quotation,
    "greeting": greeting,
}
KINDS = {
    "four": "four languages alternating",
    "two": "English and German alternating",
    "host": "a host and a guest, a language each",
    "only": "one language throughout",
    "quotation": "English with 5 s of German",
    "greeting": "English with a word or three of another",
}


def compose(folder: Path, clips: Clips, seeds: Iterable[int], names: Iterable[str] = CASES) -> list[Path]:
    """The named cases with each seed as `folder`/<case>-<seed>.wav, with their truth in a .json file beside each.

    The truth is a list of objects, the fields of `Sentence`: see `load_truth`. The same seed gives the same episode. A
    case is left out where `clips` haven't its languages.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in names:
        for seed in seeds:
            try:
                parts = list(CASES[name](clips, random.Random(f"{name} {seed}")))
            except KeyError:
                continue
            written.append(_write(folder / f"{name}-{seed}.wav", parts, seed))
    return written


def _write(path: Path, parts: Sequence[tuple[Clip, str]], seed: int) -> Path:
    dice = random.Random(f"gaps {path.stem} {seed}")
    sentences, now = list[Sentence](), BEGIN
    for clip, kind in parts:
        sentences.append(
            Sentence(round(now, 3), round(now + clip.seconds, 3), clip.language, clip.text, kind)
        )
        now += clip.seconds + dice.uniform(*GAP)
    length = round((sentences[-1].end + BEGIN) * SAMPLE_RATE)
    mix = NOISE * np.random.default_rng(seed).standard_normal(length).astype(np.float32)
    for sentence, (clip, _) in zip(sentences, parts, strict=True):
        first = round(sentence.start * SAMPLE_RATE)
        mix[first : first + len(clip.samples)] += clip.samples[: length - first]
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        out.writeframes((np.clip(mix, -1, 1) * 32767).astype("<i2").tobytes())
    path.with_suffix(".json").write_text(json.dumps([asdict(each) for each in sentences], ensure_ascii=False))
    return path


def load_truth(path: Path) -> list[Sentence]:
    """What is said in a composed episode, in order."""
    return [Sentence(**row) for row in json.loads(path.with_suffix(".json").read_text())]


def measure(truth: Sequence[Sentence], words: Iterable[Said]) -> Figures:
    """The figures of what was written of an episode.

    Words are compared as `outputs.scoring` does in the language that is spoken at their time, in the order in which
    they were said, over the whole episode. Words of a greeting count for nothing, whatever is written there.
    """
    written: list[list[Said]] = [[] for _ in truth]
    for word in sorted(words, key=lambda word: word.middle):
        written[min(range(len(truth)), key=lambda i: _distance(truth[i], word.middle))].append(word)
    own = [_tokens(sentence.language, sentence.text) for sentence in truth]
    heard = [
        _tokens(sentence.language, "".join(word.text for word in said))
        for sentence, said in zip(truth, written, strict=True)
    ]
    counted = [i for i, sentence in enumerate(truth) if sentence.kind != "greeting"]
    figures = _word_errors(
        [truth[i].language for i in counted], [own[i] for i in counted], [heard[i] for i in counted]
    )
    return replace(
        figures,
        lost=tuple(truth[i] for i in counted if LCSseq.similarity(own[i], heard[i]) < LOST * len(own[i])),
        of=len(counted),
        told=sum(
            word.language not in ("", truth[i].language)
            and truth[i].start - NEAR <= word.middle <= truth[i].end + NEAR
            for i in counted
            for word in written[i]
        ),
        telling=sum(len(_of_another(truth[i].language, own[i], heard[i])) for i in counted),
    )


def _distance(sentence: Sentence, at: float) -> float:
    return max(sentence.start - at, at - sentence.end)


def _tokens(language: str, text: str) -> list[str]:
    return _normaliser(language)(text).split()


def _word_errors(
    languages: Sequence[str], own: Sequence[Sequence[str]], heard: Sequence[Sequence[str]]
) -> Figures:
    """The fewest changes over all sentences; what is made up counts for the language that is spoken at its time."""
    said = [(token, language) for language, tokens in zip(languages, own, strict=True) for token in tokens]
    found = [(token, language) for language, tokens in zip(languages, heard, strict=True) for token in tokens]
    errors = Counter[str]()
    for edit in Levenshtein.editops([token for token, _ in said], [token for token, _ in found]):
        _, language = found[edit.dest_pos] if edit.tag == "insert" else said[edit.src_pos]
        errors[language] += 1
    return Figures(Counter(language for _, language in said), errors, (), 0, 0, 0)


def _of_another(language: str, own: Sequence[str], heard: Sequence[str]) -> list[str]:
    """What is written that wasn't said and is a frequent word of other languages alone."""
    ours = set(TELLING.get(language, "").split())
    others = {word for code, words in TELLING.items() if code != language for word in words.split()} - ours
    return [token for token in (Counter(heard) - Counter(own)).elements() if token in others]


def hear(
    system: str, recordings: Sequence[Path], checkout: Path = ROOT
) -> Iterator[tuple[Path, str, list[Said], float]]:
    """Each recording, its language, words and CPU seconds, by a system of `hear.py` in a process of its own."""
    command = [sys.executable, str(ROOT / "tests" / "bench" / "hear.py"), system, *map(str, recordings)]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=checkout, env=environment) as run:
        assert run.stdout is not None
        for path, line in zip(recordings, run.stdout, strict=False):
            found = json.loads(line)
            yield path, found["language"], [Said(*word) for word in found["words"]], found["cpu"]
    if run.returncode:
        raise subprocess.CalledProcessError(run.returncode, command)


def table(systems: Mapping[str, tuple[str, Path]], recordings: Sequence[Path]) -> str:
    """A line a kind of episode and system."""
    results: dict[tuple[str, str], Figures] = {}
    cost: dict[tuple[str, str], tuple[float, float]] = {}
    for name, (system, checkout) in systems.items():
        for path, _, words, cpu in hear(system, recordings, checkout):
            truth = load_truth(path)
            for kind in _kinds(path):
                key = kind, name
                figures = measure(truth, words)
                results[key] = results[key] + figures if key in results else figures
                spent, seconds = cost.get(key, (0.0, 0.0))
                cost[key] = spent + cpu, seconds + truth[-1].end + BEGIN
            lost = [f"{each.language} {each.start:.0f}" for each in figures.lost]
            told = f"{path.stem} {name}: {figures.wer():.1f}, lost {lost}, {cpu:.1f} CPU s"
            print(told, file=sys.stderr, flush=True)
    shown = [(KINDS.get(kind, kind), kind) for path in recordings for kind in _kinds(path)]
    rows = [
        "| episodes | system | WER % | by language | sentences lost | words told as another language "
        "| words of another language | CPU s per s |",
        "|-|-|-|-|-|-|-|-|",
    ]
    for title, kind in dict.fromkeys(shown):
        for name in systems:
            figures, (spent, seconds) = results[kind, name], cost[kind, name]
            languages = ", ".join(f"{code} {figures.wer(code):.1f}" for code in sorted(figures.words))
            told = str(figures.told) if systems[name][0] == "episcribe" else "-"
            rows.append(
                f"| {title} | {name} | {figures.wer():.1f} | {languages} | {len(figures.lost)} of {figures.of} "
                f"| {told} | {figures.telling} | {spent / seconds:.3f} |"
            )
    return "\n".join(rows)


def _kinds(path: Path) -> tuple[str, ...]:
    """What a composed episode is counted with: all of its kind, and of one language throughout also those alone."""
    case = path.stem.rpartition("-")[0]
    return (case.split("-")[0], case) if case.startswith("only") else (case.split("-")[0],)


def machine() -> str:
    """What it ran on."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("faster-whisper", "ctranslate2", "torch"))
    return f"{usable_cores()} cores, {packages}, {datetime.date.today().isoformat()}."


def main() -> None:
    """Compose, hear, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", help=", ".join(CASES))
    parser.add_argument("--clips", type=Path, default=Path(os.environ.get("EPISCRIBE_CLIPS", FLEURS)))
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--beside", type=Path, help="another checkout of Episcribe")
    parser.add_argument("--alone", action="store_true", help="without faster-whisper")
    parser.add_argument("--folder", type=Path, default=WORK / "languages", help="for the composed episodes")
    chosen = parser.parse_args()
    on_fleurs = chosen.clips == FLEURS
    clips = clips_in(chosen.clips, DEVELOPMENT if on_fleurs else READERS)
    recordings = compose(chosen.folder / chosen.clips.name, clips, chosen.seeds, chosen.cases or CASES)
    systems = {"Episcribe": ("episcribe", ROOT)}
    if chosen.beside:
        systems["Episcribe before"] = ("episcribe", chosen.beside.resolve())
    if not chosen.alone:
        systems["faster-whisper, multilingual"] = ("faster-whisper", ROOT)
        systems["the same, batched"] = ("faster-whisper-batched", ROOT)
    told = f"{table(systems, recordings)}\n\n{len(recordings)} episodes; {machine()}"
    if not chosen.cases:
        publish("measured.md", "languages" if on_fleurs else "languages, held out", told)
    print(told)


if __name__ == "__main__":
    main()
