"""What is translated at once, and the way back: from pieces of a transcript to segments of a translation.

A piece is of one speaker and in one language. What a listener throws in while its speaker goes on is a piece of its own
and comes back between the two parts of the piece around it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, pairwise

from models.alignment.align import MAX_PAUSE, sentence_segments
from models.record.spans import MERGED_GAP, Span, union
from models.record.transcript import Segment, Word


@dataclass(frozen=True, slots=True)
class Translated:
    """Segments in another language, by the model `engine`. What could not be translated tells its own language."""

    segments: tuple[Segment, ...]
    engine: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """Segments of one speaker in one language (ISO 639-1 code), in order.

    `numbers` are their places among all segments: one that is missing between two is what another threw in.
    """

    language: str
    numbers: tuple[int, ...]
    segments: tuple[Segment, ...]

    @property
    def speaker(self) -> str | None:
        """The label of who says it."""
        return self.segments[0].speaker

    @property
    def words(self) -> tuple[Word, ...]:
        """All words."""
        return tuple(word for segment in self.segments for word in segment.words)

    @property
    def text(self) -> str:
        """The words as running text, without white space around it."""
        return "".join(word.text for word in self.words).strip()

    @property
    def span(self) -> Span:
        """From its first word to its last."""
        return Span(self.segments[0].start, max(segment.end for segment in self.segments))

    @property
    def speech(self) -> list[Span]:
        """Where its words are said, in order."""
        return union((Span(word.start, word.end) for word in self.words), MERGED_GAP)

    def joined(self, other: Piece) -> Piece:
        """Both, the other coming after this one."""
        return Piece(self.language, self.numbers + other.numbers, self.segments + other.segments)

    def cut(self, word: int) -> tuple[Piece, Piece]:
        """What comes before its word of that number, counted from 0, and the rest."""
        halves: tuple[list[tuple[int, Segment]], list[tuple[int, Segment]]] = ([], [])
        for number, segment in zip(self.numbers, self.segments, strict=True):
            for half, words in zip(halves, (segment.words[:word], segment.words[word:]), strict=True):
                if words:
                    half.append((number, segment.with_words(words)))
            word = max(0, word - len(segment.words))
        first, second = (Piece(self.language, *map(tuple, zip(*half, strict=True))) for half in halves)
        return first, second


def is_same_language(one: str, other: str) -> bool:
    """Whether two tags of BCP 47 are of the same language, whatever its region and script.

    >>> is_same_language("pt-BR", "pt"), is_same_language("de", "en"), is_same_language("", "en")
    (True, False, False)
    """
    return _primary(one) == _primary(other)


@lru_cache(maxsize=256)
def _primary(tag: str) -> str | None:
    from langcodes import Language, tag_is_valid

    return Language.get(tag).language if tag_is_valid(tag) else tag


def sentences(segments: Sequence[Segment], language: str) -> list[Piece]:
    """The segments as pieces, each what there is of a sentence: those that continue it are in the same.

    language: of segments that don't tell theirs.
    """
    pieces: list[Piece] = []
    for number, segment in enumerate(segments):
        one = Piece(segment.language or language, (number,), (segment,))
        begun = _last_of_its_speaker(pieces, one) if segment.continues else None
        if begun is None:
            pieces.append(one)
        else:
            pieces[begun] = pieces[begun].joined(one)
    return pieces


def packed(pieces: Iterable[Piece], seconds: float) -> list[Piece]:
    """Sentences of one speaker that follow each other as one piece, of at most so many seconds; longer ones are cut."""
    found: list[Piece] = []
    for piece in (part for whole in pieces for part in bounded(whole, seconds)):
        at = _last_of_its_speaker(found, piece)
        if at is not None and _follows(found[at], piece, seconds):
            found[at] = found[at].joined(piece)
        else:
            found.append(piece)
    return found


def _last_of_its_speaker(pieces: Sequence[Piece], piece: Piece) -> int | None:
    """The index of the last piece of the same speaker and language, if others have said only a word or two since."""
    for at in range(len(pieces) - 1, -1, -1):
        if (pieces[at].speaker, pieces[at].language) == (piece.speaker, piece.language):
            return at
        if not all(segment.brief for segment in pieces[at].segments):
            break
    return None


def _follows(one: Piece, other: Piece, seconds: float) -> bool:
    """Whether nothing comes between two pieces, and both are short enough together."""
    return (
        one.numbers[-1] in (other.numbers[0] - 1, other.numbers[0])
        and -MERGED_GAP <= other.span.start - one.span.end <= MAX_PAUSE
        and other.span.end - one.span.start <= seconds
    )


def bounded(piece: Piece, seconds: float) -> Iterator[Piece]:
    """The piece, or parts of it that are no longer than so many seconds."""
    if piece.span.duration <= seconds or len(piece.words) < 2:
        yield piece
        return
    for half in halved(piece):
        yield from bounded(half, seconds)


def halved(piece: Piece) -> tuple[Piece, Piece]:
    """The piece in two, cut between sentences where it has some, else in its longest pause; near its middle.

    It has two words or more.
    """
    words = piece.words
    last = set()
    for segment in piece.segments:
        last.add(segment.words[-1])
    between = [at for at in range(1, len(words)) if words[at - 1] in last] or range(1, len(words))
    middle, length = (piece.span.start + piece.span.end) / 2, piece.span.duration

    def badness(at: int) -> float:
        pause = words[at].start - words[at - 1].end
        return abs(words[at].start - middle) / max(length, 0.1) - min(1.0, pause)

    return piece.cut(min(between, key=badness))


def put_back(
    segments: Sequence[Segment],
    language: str,
    target: str,
    translations: Iterable[tuple[Piece, Sequence[Word] | None]],
) -> tuple[tuple[Segment, ...], str]:
    """The segments of a translation, in the order of those it is of, and what to warn of ("" for nothing).

    Segments that are in the language `target` stay as they are. translations: of all others, in pieces, each with its
    words in order of time; None for what could not be translated, which stays as it was said. language: of segments
    that don't tell theirs.
    """
    said: dict[int, list[Word]] = {
        number: [replace(word, speaker=segment.speaker, language="") for word in segment.words]
        for number, segment in enumerate(segments)
        if is_same_language(segment.language or language, target)
    }
    pieces = kept = 0
    for piece, words in translations:
        pieces, kept = pieces + 1, kept + (words is None)
        kept_words = [replace(word, speaker=piece.speaker, language=piece.language) for word in piece.words]
        for number, some in _places(piece, kept_words if words is None else words):
            said.setdefault(number, []).extend(some)
    warning = f"{kept} of {pieces} pieces could not be translated into {target} and stay as they were said"
    words = [word for number in sorted(said) for word in said[number]]
    return sentence_segments(words, target), (warning if kept else "")


def _places(piece: Piece, words: Iterable[Word]) -> Iterator[tuple[int, list[Word]]]:
    """The words of a piece's translation, in order of time, by the places at which they stand.

    Those that are said after somebody threw something in stand behind that.
    """
    firsts = [0, *(i for i, (a, b) in enumerate(pairwise(piece.numbers), start=1) if b > a + 1)]
    starts = [piece.segments[first].start for first in firsts]
    for part, run in groupby(words, key=lambda word: max(0, bisect_right(starts, word.start) - 1)):
        yield piece.numbers[firsts[part]], list(run)
