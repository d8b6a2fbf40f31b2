"""Measuring captions against a profile: `lint` finds what readers stumble over, in anybody's files.

What a format's reader finds wrong with a file (`webvtt`, `subrip`) is told line by line; what is shown is
measured, against the limits that the writers keep, too. What can't be helped without touching the words is
marked `unavoidable`: speech that is faster than the limit in a cue that already lasts until the next one
has to appear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.record.errors import InputError
from outputs.captions import subrip, webvtt
from outputs.captions.caption import Caption, Fault, Reading
from outputs.captions.encoding import read_captions
from outputs.captions.line_breaks import line_breaks
from outputs.captions.profiles import Profile, word_count
from outputs.text.characters import is_orphan, is_spaceless, width
from outputs.text.times import milliseconds

ROUNDING_MS = 1  # times in the files are whole milliseconds
FRAME_ROUNDING_MS = 20  # half a frame: files made at 23.976, 25 or 30 frames/s mean the same gaps
SPARE_MS = 1000  # a cue that lasts so much longer than it takes to read can give away a word
SPARE_WORDS = 3  # if it has so many
HELD_MS = 4000  # a lone word that is held for longer takes its cue for itself: the one before it is long too

# These are faults of the file rather than of how it was cut: an editor finds them by their line.
_LOCATED = {"order", "empty", "arrow"}
READERS: dict[str, Callable[[str], Reading]] = {"srt": subrip.read, "vtt": webvtt.read}


@dataclass(frozen=True, slots=True)
class Violation:
    """A limit that a cue breaks. `cue` counts from 1; `measured` and `limit` are in the rule's unit.

    `line`, from 1, is that of the cue's times; 0 where nobody knows.
    """

    cue: int
    rule: str
    measured: float
    limit: float
    unavoidable: bool = False
    line: int = 0

    def __str__(self) -> str:
        note = " (unavoidable: the speech leaves no more time or room)" if self.unavoidable else ""
        limit = f", limit {self.limit:g}" if self.limit else ""
        place = f" (line {self.line})" if self.rule in _LOCATED and self.line else ""
        return f"cue {self.cue}: {self.rule} {self.measured:g}{limit}{note}{place}"


@dataclass(frozen=True, slots=True)
class _Place:
    """A caption between its neighbours."""

    before: Caption | None
    cue: Caption
    after: Caption | None
    profile: Profile

    @property
    def stretched(self) -> bool:
        """Whether the cue lasts as long as it may: the next one comes, or for all we know the end."""
        following = self.after.start if self.after else None
        latest = self.profile.latest_end_ms(self.cue.start, following)
        return self.after is None or self.cue.end >= latest - ROUNDING_MS


def lint(text: str, fmt: str, profile: Profile) -> list[Violation | Fault]:
    """All that is wrong with a file of captions, in order of lines. `fmt` is "srt" or "vtt".

    Units: columns, lines, seconds, columns per second, words per minute, or a count.
    Raises InputError where SubRip has text but no cue.
    """
    return _violations(READERS[fmt](text), profile)


def lint_file(path: Path, profile: Profile) -> tuple[int, list[Violation | Fault]]:
    """How many cues of a file of captions are shown, and all that is wrong with it.

    WebVTT is told by its header, or where that is missing by the name. Raises InputError for a file
    that can't be read as captions.
    """
    try:
        reading = read_captions(path.read_bytes(), path.suffix)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return len(reading.captions), _violations(reading, profile)


def _violations(reading: Reading, profile: Profile) -> list[Violation | Fault]:
    found: list[Violation | Fault] = list(reading.faults)
    for number, place in enumerate(_places(reading.captions, profile), start=1):
        for rule, check in RULES.items():
            found += [
                Violation(number, rule, measured, limit, unavoidable, place.cue.line)
                for measured, limit, unavoidable in check(place)
            ]
    return sorted(found, key=lambda violation: violation.line)


def summary(cues: int, found: Sequence[Violation | Fault]) -> str:
    """One line that says how many violations there are, and how many of them can be helped."""
    helpless = sum(violation.unavoidable for violation in found)
    helped = len(found) - helpless
    return (
        f"{cues} cue{'s' * (cues != 1)}, {helped} violation{'s' * (helped != 1)}, "
        f"{helpless} more that can't be helped"
    )


def parse(text: str, fmt: str) -> list[Caption]:
    """The cues of SubRip ("srt") or WebVTT ("vtt"). InputError where SubRip has text but no cue."""
    return list(READERS[fmt](text).captions)


def _places(captions: Sequence[Caption], profile: Profile) -> Iterator[_Place]:
    for before, cue, after in zip([None, *captions], captions, [*captions[1:], None], strict=False):
        yield _Place(before, cue, after, profile)


# A rule yields what it measured, the limit, and whether that can't be helped, for each breach.
Breaches = Iterator[tuple[float, float, bool]]


def _line_length(place: _Place) -> Breaches:
    for line in place.cue.lines:
        if width(line) > place.profile.max_chars:
            yield width(line), place.profile.max_chars, False


def _line_count(place: _Place) -> Breaches:
    if len(place.cue.lines) > place.profile.max_lines:
        yield len(place.cue.lines), place.profile.max_lines, False


def _min_duration(place: _Place) -> Breaches:
    limit = place.profile.min_duration
    if place.cue.duration < milliseconds(limit) - ROUNDING_MS:
        yield place.cue.duration / 1000, round(limit, 3), place.stretched


def _max_duration(place: _Place) -> Breaches:
    limit = place.profile.max_duration
    if place.cue.duration > milliseconds(limit) + ROUNDING_MS:
        yield place.cue.duration / 1000, limit, False


def _columns_per_second(place: _Place) -> Breaches:
    yield from _speed(place, sum(map(width, place.cue.lines)), place.profile.columns_per_second)


def _words_per_minute(place: _Place) -> Breaches:
    words = sum(map(word_count, place.cue.lines))
    for measured, limit, unavoidable in _speed(place, words, place.profile.words_per_minute / 60):
        yield measured * 60, limit * 60, unavoidable


def _speed(place: _Place, amount: int, limit: float) -> Breaches:
    """Against a limit per second."""
    if amount * 1000 > limit * (place.cue.duration + ROUNDING_MS):
        yield round(amount * 1000 / max(1, place.cue.duration), 1), limit, place.stretched


def _gap(place: _Place) -> Breaches:
    if place.before is None or place.cue.start < place.before.end:
        return
    gap = place.cue.start - place.before.end
    closed, free = milliseconds(place.profile.gap), milliseconds(place.profile.free_gap)
    if gap < closed - ROUNDING_MS or closed + FRAME_ROUNDING_MS < gap < free - FRAME_ROUNDING_MS:
        yield gap / 1000, (closed if gap < closed else free) / 1000, False


def _overlap(place: _Place) -> Breaches:
    if place.before and place.before.start <= place.cue.start < place.before.end and not _of_two(place):
        yield (place.before.end - place.cue.start) / 1000, 0, False


def _of_two(place: _Place) -> bool:
    """Whether a cue and the one before are told to be of two who talk at once, where both may be shown."""
    if not place.profile.simultaneous or place.before is None:
        return False
    if place.cue.voices and place.before.voices:
        return place.cue.voices != place.before.voices
    return place.profile.names and bool(re.search(r"\S:(?: |$)", "".join(place.cue.lines[:1])))


def _order(place: _Place) -> Breaches:
    if place.cue.end <= place.cue.start:
        yield (place.cue.end - place.cue.start) / 1000, 0, False
    if place.before and place.cue.start < place.before.start:
        yield (place.cue.start - place.before.start) / 1000, 0, False


def _empty(place: _Place) -> Breaches:
    if not any(line.strip() for line in place.cue.lines):
        yield 0, 1, False


def _mixed_speakers(place: _Place) -> Breaches:
    if len(set(place.cue.voices)) > 1:
        yield len(set(place.cue.voices)), 1, False


def _arrow(place: _Place) -> Breaches:
    if place.cue.arrow:
        yield 1, 0, False


def _orphan_line(place: _Place) -> Breaches:
    """A short word alone on a line; can be helped where another break leaves none."""
    lines = place.cue.lines
    if len(lines) > 1 and _has_orphan([_tokens(line) for line in lines]):
        yield 1, 0, not _can_do_without(_tokens(*lines), place.profile)


def _tokens(*lines: str) -> list[str]:
    """What stands between spaces; no-break spaces are part of a word."""
    return [token for token in re.split(r"[ \t]+", " ".join(lines)) if token]


def _has_orphan(lines: Sequence[Sequence[str]]) -> bool:
    before = ""
    for tokens in lines:
        if len(tokens) == 1 and is_orphan(tokens[0], before):
            return True
        before = tokens[-1] if tokens else before
    return False


def _can_do_without(tokens: Sequence[str], profile: Profile) -> bool:
    """Whether the words fit on one line, or on two so that none is an orphan."""

    def fits(*lines: Sequence[str]) -> bool:
        return all(width(" ".join(line)) <= profile.max_chars for line in lines)

    if any(is_spaceless(char) for token in tokens for char in token):
        return False
    named = (n for n, token in enumerate(tokens, start=1) if profile.names and token.endswith(":"))
    breaks = set(line_breaks(" ".join(tokens)))
    return fits(tokens) or any(
        fits(tokens[:at], tokens[at:])
        and not _has_orphan([tokens[:at], tokens[at:]])
        and len(" ".join(tokens[:at])) + 1 in breaks
        for at in range(next(named, 1), len(tokens))  # a name stays in one piece
    )


def _orphan_cue(place: _Place) -> Breaches:
    """A short word alone in a cue; can be helped where the cue before it has words and time to spare."""
    before, tokens = place.before, _tokens(*place.cue.lines)
    if len(tokens) != 1 or before is None or before.voices != place.cue.voices:
        return
    last = _tokens(*before.lines)
    if last and is_orphan(tokens[0], last[-1]):
        yield 1, 0, not _spares_a_word(before, place)


def _spares_a_word(giver: Caption, place: _Place) -> bool:
    needed = max(milliseconds(place.profile.min_duration), place.profile.reading_ms(giver.lines))
    return (
        bool(giver.voices)
        and place.cue.duration <= HELD_MS
        and place.cue.start - giver.end <= milliseconds(place.profile.gap) + ROUNDING_MS
        and giver.duration >= needed + SPARE_MS
        and len(_tokens(*giver.lines)) >= SPARE_WORDS
    )


RULES: dict[str, Callable[[_Place], Breaches]] = {
    "line-length": _line_length,
    "line-count": _line_count,
    "min-duration": _min_duration,
    "max-duration": _max_duration,
    "columns-per-second": _columns_per_second,
    "words-per-minute": _words_per_minute,
    "gap": _gap,
    "overlap": _overlap,
    "order": _order,
    "empty": _empty,
    "mixed-speakers": _mixed_speakers,
    "arrow": _arrow,
    "orphan-line": _orphan_line,
    "orphan-cue": _orphan_cue,
}
