"""Captions: the words of a transcript cut into cues that can be read in time.

A cue holds words of one speaker on a line or two. Words keep their order and their letters, cues
never overlap, and every cue is on screen for a while even where words have no duration at all.
What a good cue looks like is in a `Profile`; the writers choose one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from models.transcript import Segment, Transcript
from outputs.characters import closes, finality, graphemes, needs_space, one_line, opens, spaceless, width
from outputs.times import milliseconds

MIN_SHOWN_MS = 300  # a cue stays at least this long when the next one starts too soon (people overlap)
MAX_LAG_MS = 1000  # but for that no cue appears later than this after its first word
PUNCTUATION_BONUS = 12  # columns of imbalance that a line break after punctuation is worth
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Profile:
    """How cues are cut for one kind of reader. Widths in columns, times in seconds.

    `min_duration` is kept where the next cue leaves room for it. Where `names` is true the first cue
    after a change of speaker starts with "Name: ", which counts as text; that takes two lines or more.
    """

    max_chars: int  # columns of a line; a wide character takes two
    max_lines: int
    min_duration: float
    max_duration: float
    gap: float  # a shorter silence between two cues is bridged by the first one
    pause: float  # a longer silence within speech starts a new cue
    names: bool


# https://github.com/Podcastindex-org/podcast-namespace: SRT has at most 2 lines of 32 characters.
PODCAST = Profile(
    max_chars=32, max_lines=2, min_duration=5 / 6, max_duration=7.0, gap=0.5, pause=1.0, names=True
)
VTT = replace(PODCAST, max_chars=65, names=False)


@dataclass(frozen=True, slots=True)
class Cue:
    """What is on screen from `start` to `end`, seconds in whole ms. `speaker` is a name, "" if unknown."""

    start: float
    end: float
    speaker: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text that stays on one line, whether a space precedes it, and when it is said in ms."""

    text: str
    spaced: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Draft:
    """A cue whose times are still those of its words, in ms."""

    start: int
    end: int
    speaker: str
    lines: tuple[str, ...]


def cues(transcript: Transcript, profile: Profile) -> list[Cue]:
    """The cues of a transcript in order; `end > start`, and none starts before the last one ends."""
    spoken = (segment for segment in transcript.segments if one_line(segment.text).strip())
    drafts: list[_Draft] = []
    for label, segments in groupby(spoken, key=lambda segment: segment.speaker):
        name = one_line(transcript.name_of(label)).strip()
        drafts += _drafts(name, _pieces(tuple(segments), profile.max_chars), profile)
    return _timed(drafts, profile, milliseconds(transcript.audio.seconds))


def _pieces(segments: Sequence[Segment], max_chars: int) -> list[_Piece]:
    """What may stand alone on a line: words with their punctuation, cut only if wider than a line."""
    pieces: list[_Piece] = []
    for token in _tokens(segments):
        for part in _chopped(token, max_chars):
            whole = _glued(pieces[-1], part) if pieces else None
            if whole and width(whole.text) <= max_chars:
                pieces[-1] = whole
            else:
                pieces.append(part)
    return pieces


def _tokens(segments: Sequence[Segment]) -> Iterator[_Piece]:
    """The words without white space; a word with a space inside is several tokens that share its time."""
    last = ""
    for segment in segments:
        space = needs_space(last, segment.words[0].text)
        for word in segment.words:
            text = one_line(word.text)
            start = max(0, milliseconds(word.start))
            whole = _Piece(text.strip(), False, start, max(start, milliseconds(word.end)))
            space, at = space or text[:1].isspace(), 0
            for part in whole.text.split(" "):
                space = space or at > 0
                if part.strip():
                    yield replace(_share(whole, at, part), spaced=space)
                    last, space = part, False
                at += len(part) + 1
            space = space or text[-1:].isspace()


def _share(whole: _Piece, at: int, text: str) -> _Piece:
    """The part of a piece that starts with its character number `at`, with a fair share of its time.

    No-break and ideographic spaces at either end go: a line neither starts nor ends with one.
    """
    span, length = whole.end - whole.start, max(1, len(whole.text))
    start, end = (whole.start + span * position // length for position in (at, at + len(text)))
    return _Piece(text.strip(), whole.spaced and at == 0, start, end)


def _chopped(token: _Piece, max_chars: int) -> Iterator[_Piece]:
    """The token itself, or pieces as wide as a line where it is wider than one; never a blank one."""
    if width(token.text) <= max_chars:
        yield token
        return
    at, line = 0, ""
    for cluster in graphemes(token.text):
        if line and width(line) + width(cluster) > max_chars:
            if line.strip():
                yield _share(token, at, line)
            at, line = at + len(line), ""
        line += cluster
    yield _share(token, at, line)


def _glued(left: _Piece, right: _Piece) -> _Piece | None:
    """Both as one piece where no line may break between them, else None."""
    if right.spaced:
        together = closes(right.text)
    else:
        together = (
            closes(right.text[0])
            or opens(left.text)
            or not (spaceless(left.text[-1]) or spaceless(right.text[0]))
        )
    if not together:
        return None
    return _Piece(_text([left, right]), left.spaced, left.start, max(left.end, right.end))


def _drafts(name: str, pieces: list[_Piece], profile: Profile) -> Iterator[_Draft]:
    """The cues of one speaker's uninterrupted words."""
    head = []
    if name and profile.names and pieces:
        head = [_Piece(_prefix(name, profile.max_chars), False, 0, 0)]
        pieces = [replace(pieces[0], spaced=True), *pieces[1:]]
    while pieces:
        count = _take(head, pieces, profile)
        taken, pieces = pieces[:count], pieces[count:]
        end = max(piece.end for piece in taken)
        yield _Draft(taken[0].start, end, name, tuple(_lines(head, taken, profile)))
        head = []


def _prefix(name: str, max_chars: int) -> str:
    """'Name:', shortened with an ellipsis where that would not fit in a line."""
    if width(name) + 1 <= max_chars:
        return f"{name}:"
    short = ""
    for cluster in graphemes(name):
        if width(short) + width(cluster) + 2 > max_chars:
            break
        short += cluster
    return f"{short.rstrip()}{ELLIPSIS}:"


def _take(head: list[_Piece], pieces: list[_Piece], profile: Profile) -> int:
    """How many pieces the next cue gets: as many as fit, but preferably up to an end of some sort."""
    pause, longest = milliseconds(profile.pause), milliseconds(profile.max_duration)
    for count, (last, piece) in enumerate(pairwise(pieces), start=1):
        if piece.start - last.end > pause:
            return count
        taken = head + pieces[: count + 1]
        if piece.end - pieces[0].start > longest or _line_count(taken, profile.max_chars) > profile.max_lines:
            half = max(1, count // 2)
            return max(range(half, count + 1), key=lambda n: (finality(pieces[n - 1].text), n))
    return len(pieces)


def _lines(head: list[_Piece], taken: list[_Piece], profile: Profile) -> list[str]:
    """The pieces on as few lines as hold them, of about one length, broken after punctuation if possible."""
    pieces, lines = head + taken, profile.max_lines
    result: list[str] = []
    while len(pieces) > 1 and lines > 1 and width(_text(pieces)) > profile.max_chars:
        lines -= 1
        breaks = [
            n
            for n in range(1, len(pieces))
            if width(_text(pieces[:n])) <= profile.max_chars
            and _line_count(pieces[n:], profile.max_chars) <= lines
        ]
        at = min(breaks, key=lambda n: _cost(pieces, n, lines, alone=n <= len(head) and not result))
        result.append(_text(pieces[:at]))
        pieces = pieces[at:]
    return [*result, _text(pieces)]


def _cost(pieces: list[_Piece], at: int, lines: int, *, alone: bool) -> float:
    """How bad a line break is, in columns. A name `alone` on its line is the worst."""
    left, right = width(_text(pieces[:at])), width(_text(pieces[at:])) / lines
    bonus = PUNCTUATION_BONUS * finality(pieces[at - 1].text)
    return 1000 if alone else abs(left - right) - bonus


def _line_count(pieces: Sequence[_Piece], max_chars: int) -> int:
    """Lines that the pieces take when each line is filled as far as it goes."""
    count, column = 1, 0
    for piece in pieces:
        wide = width(piece.text)
        space = int(piece.spaced and column > 0)
        if column and column + space + wide > max_chars:
            count, column, space = count + 1, 0, 0
        column += space + wide
    return count


def _text(pieces: Sequence[_Piece]) -> str:
    return "".join(" " * (piece.spaced and index > 0) + piece.text for index, piece in enumerate(pieces))


def _timed(drafts: list[_Draft], profile: Profile, audio_end: int) -> list[Cue]:
    """The drafts with times that never overlap or run backwards, whatever those of the words do."""
    starts = _starts(drafts)
    result = []
    for draft, start, following in zip(drafts, starts, [*starts, None][1:], strict=True):
        wanted = start + milliseconds(profile.min_duration)
        end = max(draft.end, min(wanted, audio_end) if audio_end else wanted)
        if following is not None and following - end < milliseconds(profile.gap):
            end = following
        end = max(start + 1, min(end, start + milliseconds(profile.max_duration)))
        result.append(Cue(start / 1000, end / 1000, draft.speaker, draft.lines))
    return result


def _starts(drafts: list[_Draft]) -> list[int]:
    """When each cue appears, ms: with its first word, or a little later if the last cue is that new."""
    starts: list[int] = []
    for draft in drafts:
        if not starts:
            starts.append(draft.start)
            continue
        patient = min(starts[-1] + MIN_SHOWN_MS, draft.start + MAX_LAG_MS)
        starts.append(max(starts[-1] + 1, draft.start, patient))
    return starts
