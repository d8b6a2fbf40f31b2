"""From one language to another, sentence by sentence, by a translation model that has never heard the speech.

What it reads is what was recognised, so that names and numbers can be held to it. A sentence for which nothing sound
comes out stays as it was said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import regex

from models.asr.word_times import spread
from models.record.progress import Progress, Report, no_report, silent
from models.record.transcript import Segment, Word
from models.runtime.gpu_failures import cpu_when_gpu_fails
from models.runtime.memory import return_freed_memory
from models.translation.faults import is_copy, is_loop
from models.translation.pieces import Piece, Translated, bounded, is_same_language, put_back, sentences
from models.translation.protection import SPACELESS, coded, decoded, lost
from models.translation.translator import Translator, load

LICENCES = {"NLLB": "NLLB is licensed under CC BY-NC 4.0: its translations are not for commercial use"}
LONGEST_SECONDS = 40.0  # of a sentence: longer ones are none, but where punctuation was lost
AT_ONCE = 64  # sentences between two reports of progress
WORD = regex.compile(  # with the space before it; of scripts without spaces each letter is one
    rf"\s*(?:[{SPACELESS}]\p{{M}}*[^\w\s]*|(?:(?![{SPACELESS}])\S)+)"
)


@dataclass(frozen=True)
class TranslatorOptions:
    """What decides a translation by text: the model, a folder or a hub id, and names that are to come through."""

    model: str
    terms: tuple[str, ...] = ()
    device: str = "auto"

    def on_cpu(self) -> Self:
        """The same on the CPU, with the same model."""
        return replace(self, device="cpu")


@cpu_when_gpu_fails("translation")
def translate(
    segments: Sequence[Segment],
    options: TranslatorOptions,
    language: str,
    target: str,
    progress: Progress = silent,
) -> Translated:
    """The segments in the language `target` (a tag of BCP 47); those that are in it stay as they are.

    language: of segments that don't tell theirs. Raises as `translator.load` does, and InputError for a model that
    doesn't know the target.
    """
    translator = load(options.model, options.device)
    said = (piece for piece in sentences(segments, language) if not is_same_language(piece.language, target))
    foreign = [part for piece in said for part in bounded(piece, LONGEST_SECONDS)]
    translations = translated(
        translator, foreign, target, options.terms, lambda done, total: progress("translate", done, total)
    )
    found, warning = put_back(segments, language, target, translations)
    return_freed_memory()
    warnings = (LICENCES.get(translator.languages.family, ""), warning)
    return Translated(found, translator.name, tuple(filter(None, warnings)))


def translated(
    translator: Translator,
    pieces: Sequence[Piece],
    target: str,
    terms: Sequence[str] = (),
    report: Report = no_report,
) -> Iterator[tuple[Piece, tuple[Word, ...] | None]]:
    """The pieces, in order of languages, each with its words in another; None where nothing sound came out.

    The words are spread over the time in which the piece is said.
    """
    done = 0
    for language in dict.fromkeys(piece.language for piece in pieces):
        same = [piece for piece in pieces if piece.language == language]
        for some in (same[first : first + AT_ONCE] for first in range(0, len(same), AT_ONCE)):
            if translator.languages.reads(language):
                yield from zip(some, _translated(translator, some, target, terms), strict=True)
            else:
                yield from ((piece, None) for piece in some)
            done += len(some)
            report(done, len(pieces))


def _translated(
    translator: Translator, pieces: Sequence[Piece], target: str, terms: Sequence[str]
) -> list[tuple[Word, ...] | None]:
    """The words of pieces of one language."""
    language = pieces[0].language
    sources = [piece.text for piece in pieces]
    texts = translator.translate(sources, language, target)
    missing = [lost(source, text, terms) for source, text in zip(sources, texts, strict=True)]
    lacking = {number: coded(sources[number], found) for number, found in enumerate(missing) if found}
    again = translator.translate([text for text, _ in lacking.values()], language, target)
    for (number, (_, codes)), text in zip(lacking.items(), again, strict=True):
        texts[number] = decoded(text, codes) or texts[number]
    words = [words_of(text, piece) for text, piece in zip(texts, pieces, strict=True)]
    faulty = [number for number, piece in enumerate(pieces) if is_faulty(words[number], piece)]
    again = translator.translate([sources[number] for number in faulty], language, target, careful=True)
    for number, text in zip(faulty, again, strict=True):
        words[number] = words_of(text, pieces[number])
    return [None if is_faulty(own, piece) else own for own, piece in zip(words, pieces, strict=True)]


def is_faulty(words: Sequence[Word], piece: Piece) -> bool:
    """Whether what was written is no translation of a piece: nothing, a loop, or its own language."""
    return not words or is_loop(words, piece.words) or is_copy(words, piece.words)


def words_of(text: str, piece: Piece) -> tuple[Word, ...]:
    """The words of a text, said by the speaker of a piece while that is said.

    >>> said = Piece("de", (0,), (Segment(0, 2, "A", (Word(0, 2, " Hallo."),)),))
    >>> [(word.text, word.speaker) for word in words_of("你好。 Ann!", said)]
    [('你', 'A'), ('好。', 'A'), (' Ann!', 'A')]
    """
    found = [match[0] for match in WORD.finditer(text)]
    if found and not regex.match(f"[{SPACELESS}]", found[0]):
        found[0] = f" {found[0].lstrip()}"
    return spread([Word(0.0, 0.0, word, speaker=piece.speaker) for word in found], piece.speech)
