"""Translation models of CTranslate2: OPUS-MT (Marian), M2M-100 and NLLB, from a folder or the hub.

What such a folder holds: `model.bin`, `config.json`, vocabularies, and the SentencePiece models that the model was
trained with: `source.spm` and `target.spm` for OPUS-MT, one for both for the others. How models are converted, and
how each family wants its text: https://opennmt.net/CTranslate2/guides/transformers.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from models.record.errors import InputError, MachineError, ModelError
from models.runtime import hub
from models.runtime.cache import use_hub_model
from models.runtime.device import resolve_device, usable_cores
from models.runtime.gpu_failures import FittingBatches

WEIGHTS = "model.bin"
INSTALL = "install Episcribe with its extra `translate`"
FILES = ("*.bin", "*.json", "*.txt", "*.spm", "*.model")  # of a hub's repository
BEAM_SIZE = 4
BATCH = 32  # sentences at once
LONGEST = 3  # tokens written for each one read, at most ...
ROOM = 20  # ... and these
MOST_TOKENS = 500  # of a sentence: OPUS-MT has places for 512
DISTANCE = (
    9  # as CLDR measures it: languages that are nearer are called by each other's codes, as "no" and "nb"
)
M2M = re.compile(r"__([a-z]{2,3})__")
NLLB = re.compile(r"([a-z]{3}_[A-Z][a-z]{3})")
MARIAN = re.compile(r">>([a-zA-Z_-]+)<<")  # of an OPUS-MT model for several languages
PAIR = re.compile(  # in the name of one for two languages, or for a group of them on a side
    r"opus-mt-(?:tc-(?:bible-)?(?:big|base|tiny)-|(?!tc-))([a-z]{2,3})-([a-z]{2,3})\b"
)
SHARED = ("sentencepiece.bpe.model", "spm.128k.model", "sentencepiece.model", "spm.model")


@dataclass(frozen=True, slots=True)
class Languages:
    """The languages of a model: its token for each, by the code in it, and which family's tokens they are.

    Of an OPUS-MT model for two languages there are no tokens; `pair` are the two, each "" where its name doesn't tell.
    """

    family: str
    tokens: dict[str, str]
    pair: tuple[str, str] = ("", "")

    def writes(self, language: str) -> bool:
        """Whether it translates into a language, as far as can be told."""
        if self.tokens:
            return self.token(language) is not None
        return _is_like(language, self.pair[1])

    def reads(self, language: str) -> bool:
        """Whether it translates from a language, as far as can be told."""
        if self.family != "OPUS-MT":
            return self.token(language) is not None
        return _is_like(language, self.pair[0])

    def token(self, language: str) -> str | None:
        """The token for a language by its ISO 639-1 code or tag; None where there is none."""
        from langcodes import closest_supported_match

        near = closest_supported_match(language, list(self.tokens), max_distance=DISTANCE)
        return self.tokens[near] if near else None


def _is_like(language: str, known: str) -> bool:
    """Whether a language is a known one, or near enough to it; "" may be any."""
    from langcodes import closest_supported_match

    return not known or closest_supported_match(language, [known], max_distance=DISTANCE) is not None


def _one_language(code: str) -> str:
    """A code of an OPUS-MT model's name; "" where it is of a group of languages ("mul", "gem"), or of none ("jap")."""
    from langcodes import standardize_tag
    from langcodes.data_dicts import LIKELY_SUBTAGS  # of CLDR, which has no groups

    return code if standardize_tag(code) in LIKELY_SUBTAGS else ""


class Translator(Protocol):
    """A loaded model that translates sentences."""

    @property
    def name(self) -> str:
        """The model's, as transcripts tell it."""

    @property
    def languages(self) -> Languages:
        """Which languages it reads and writes."""

    def translate(
        self, texts: Sequence[str], source: str, target: str, *, careful: bool = False
    ) -> list[str]:
        """Each text in another language. careful: without repeating itself, for what came out as a loop."""


def resolve(model: str) -> tuple[str, Path]:
    """Which translation model is meant: a name to print, and its folder; fetched from the hub on first use.

    Raises InputError where it is none, ModelError where the hub doesn't give it.
    """
    folder = Path(model)
    if not folder.is_dir():
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", model):
            raise InputError(f"{model!r} is neither a folder nor a hub id such as org/name")
        return model, _from_hub(model)
    if not (folder / WEIGHTS).is_file():
        raise InputError(f"{model} holds no {WEIGHTS}: not a translation model of CTranslate2")
    return folder.resolve().name, folder


def _from_hub(model: str) -> Path:
    from huggingface_hub import snapshot_download

    use_hub_model(model)
    try:
        folder = Path(snapshot_download(model, allow_patterns=list(FILES)))
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"the model hub did not give {model}: {reason}; give a folder with it", soon=hub.is_away(error)
        ) from error
    if not (folder / WEIGHTS).is_file():
        raise InputError(f"{model} holds no {WEIGHTS}: not a translation model of CTranslate2")
    return folder


def check(model: str, target: str) -> None:
    """Refuse a model that isn't there, or doesn't write a language; before it is loaded. Raises as `resolve` does."""
    name, folder = resolve(model)
    _pieces_of(folder)
    if find_spec("sentencepiece") is None:
        raise MachineError(f"a translator takes sentencepiece: {INSTALL}")
    if not languages_of(name, folder).writes(target):
        raise InputError(f"{name} doesn't translate into {target!r}")


@lru_cache(maxsize=2)
def load(model: str, device: str) -> CTranslate2Translator:
    """The translator that `resolve` finds, loaded; once. Raises as that does, and ModelError for a damaged one.

    Takes sentencepiece; see `check`.
    """
    name, folder = resolve(model)
    where = resolve_device(device)
    import ctranslate2
    from sentencepiece import SentencePieceProcessor

    source, target = _pieces_of(folder)
    try:
        return CTranslate2Translator(
            name,
            ctranslate2.Translator(
                str(folder),
                device=where,
                compute_type="float16" if where == "cuda" else "int8",
                intra_threads=usable_cores(),
            ),
            SentencePieceProcessor(model_file=str(source)),
            SentencePieceProcessor(model_file=str(target)),
            languages_of(name, folder),
            _config(folder),
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"can't load the translation model in {folder}: {error}") from error


def _pieces_of(folder: Path) -> tuple[Path, Path]:
    """The SentencePiece models that cut the source, and that put the target together."""
    pair = folder / "source.spm", folder / "target.spm"
    if all(file.is_file() for file in pair):
        return pair
    shared = next((folder / name for name in SHARED if (folder / name).is_file()), None)
    if shared is None:
        raise InputError(
            f"{folder} holds no source.spm with target.spm, nor {SHARED[0]}: copy them beside {WEIGHTS}"
        )
    return shared, shared


def _config(folder: Path) -> dict[str, Any]:
    """What the conversion noted of a model."""
    file = folder / "config.json"
    try:
        found = json.loads(file.read_bytes()) if file.is_file() else {}
    except ValueError as error:
        raise ModelError(f"{file}: damaged: {error}") from error
    return found if isinstance(found, dict) else {}


@lru_cache(maxsize=2)
def languages_of(name: str, folder: Path) -> Languages:
    """Which languages the model in a folder knows, by its vocabulary, or else by its name."""
    words = _vocabulary(folder)
    for family, pattern in (("M2M-100", M2M), ("NLLB", NLLB), ("OPUS-MT", MARIAN)):
        found = {match[1]: word for word in words if (match := pattern.fullmatch(word))}
        if found:
            return Languages(family, found)
    pair = PAIR.search(name.lower())
    return Languages("OPUS-MT", {}, (_one_language(pair[1]), _one_language(pair[2])) if pair else ("", ""))


def _vocabulary(folder: Path) -> list[str]:
    """The tokens that a model writes."""
    for name in ("shared_vocabulary", "target_vocabulary"):
        if (file := folder / f"{name}.json").is_file():
            return [str(word) for word in json.loads(file.read_bytes())]
        if (file := folder / f"{name}.txt").is_file():
            return file.read_text(encoding="utf-8").splitlines()
    raise InputError(f"{folder} holds no vocabulary: not a translation model of CTranslate2")


@dataclass(frozen=True)
class CTranslate2Translator:
    """`Translator` by CTranslate2. source, target: SentencePiece processors of the two sides."""

    name: str
    model: Any
    source: Any
    target: Any
    languages: Languages
    config: dict[str, Any]

    def translate(
        self, texts: Sequence[str], source: str, target: str, *, careful: bool = False
    ) -> list[str]:
        """See `Translator`."""
        fitting = FittingBatches()

        def translate(some: Sequence[str]) -> list[str]:
            return self._translate(some, source, target, careful)

        batches = (texts[first : first + BATCH] for first in range(0, len(texts), BATCH))
        return [text for batch in batches for text in fitting.run(translate, batch)]

    def _translate(self, texts: Sequence[str], source: str, target: str, careful: bool) -> list[str]:
        reading, writing = self.languages.token(source), self.languages.token(target)
        marian = self.languages.family == "OPUS-MT"
        before = [writing] if marian and writing else [] if marian else [reading]
        end = [] if self.config.get("add_source_eos") else [self.config.get("eos_token", "</s>")]
        tokens = [[*before, *self.source.encode(text, out_type=str), *end] for text in texts]
        results = self.model.translate_batch(
            tokens,
            target_prefix=None if marian else [[writing]] * len(texts),
            beam_size=BEAM_SIZE,
            no_repeat_ngram_size=3 if careful else 0,
            max_input_length=MOST_TOKENS,
            max_decoding_length=min(MOST_TOKENS, LONGEST * max(map(len, tokens)) + ROOM),
        )
        written = [result.hypotheses[0][0 if marian else 1 :] for result in results]
        return [self.target.decode(pieces).strip() for pieces in written]
