"""Chapters in show notes: lists of times with what begins there, in whatever notation, told from all other numbers.

No line is believed by itself. What counts is the list: its times rise, most have a title beside them in the same
place, and it begins at 0:00, stands under a heading, or has times that are none of a clock.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from statistics import median

from audio.transfer.addresses import absolute
from models.record.transcript import Chapter

MAX_CHARS = 200_000  # of notes that are looked at
MAX_CHAPTERS = 300
MAX_LABEL = 60  # characters before a time at the beginning of a line
MAX_TITLE = 200  # characters; longer ones end with their first sentence
FEWEST = 3  # times that make a list; two will do where they begin at 0:00, each on a line of its own
RISING = 0.75  # of a list's times that rise: the others are slips
ZERO = 5.0  # s until which a list begins at 0:00
COVERED = 0.25  # of the audio, over which chapters go at least
HEARD_SECONDS = 15.0  # between the lines of a transcript; chapters are longer
TRANSCRIPT_LINES = 8  # from which on that tells
COUNTED = 5.0  # s between times that are versions, or numbers of other things
ROUND = 15  # s; times of a clock, read as minutes and seconds, are mostly multiples of it ...
DAY = 24 * 60.0  # s; ... and end here
LENGTHS = 300  # s; how long a thing takes is mostly told in multiples of it
SLACK = 15.0  # s that a list may go on beyond the audio

# fmt: off
# A word that announces a list of chapters, in a line of its own or before the first of them.
_HEADING = re.compile(
    r"\b(?:chapters?|time\s?-?stamps?|time\s?-?codes?|timeline|time\s?markers?|jump\s?(?:to|points?)|outline|rundown|"
    r"(?:show|episode|table of) ?contents?|topics?|in this episode|what we (?:cover|discuss)|segments?|"
    r"kapitel\w*|sprungmarken|zeitmarken|zeitstempel|inhalt\w*|themen\w*|ablauf|"
    r"chapitr\w+|sommaire|minutage|horodatage|time ?codes?|au programme|plan de l.(?:épisode|émission)|"
    r"cap[íi]tulos?|[íi]ndice|minutaje|minutado|contenidos?|marcas de tiempo|capitoli|indice|argomenti|minutaggio|"
    r"hoofdstukken|tijdcodes|inhoud|kapitler|kapitel|tidskoder|tidsstempler|luvut|aikaleimat|rozdzia[łl]y|"
    r"kapitoly|fejezetek|bölümler|zaman damgaları)\b|таймкод|тайм-код|главы|содержание|目次|チャプター|タイムスタンプ|"
    r"章节|章節|时间[轴线戳]|時間[軸線戳]|챕터|타임스탬프|목차", re.IGNORECASE)
_HEADING_ONLY = re.compile(rf"[^\w]*(?:\w+\s+){{0,2}}(?:{_HEADING.pattern})\s*\w{{0,12}}[^\w]*", re.IGNORECASE)
# What stands between the beginning of a line and its time, and is no title.
_LABEL = (
    r"(?:(?:chapter|part|segment|section|topic|teil|kapitel|abschnitt|chapitre|partie|cap[íi]tulo|capitolo|hoofdstuk|"
    r"глава|часть|第)\s*\d{1,3}[章部]?\s*[:.)|–—-]?\s*)?"
    r"(?:(?:ab|bei|um|at|from|à(?: partir de)?|dès|de|da|desde|since|vanaf|от|с)\b\s*)?"
    r"(?:(?:time\s?-?stamps?|time\s?-?codes?|time|t|minutes?|min|minuto|minuut|мин\w*)\b\.?\s*[:=]?\s*)?"
    r"(?:(?:ca|circa|approx|about)\b\.?\s*|~\s*)?"
)
_BULLET = r"[^\w]*(?:\d\ufe0f?\u20e3[^\w]*)?(?:\(?#?\d{1,3}(?:\s*[.):]\s+|\s+[–—-]\s+|\s+(?=[\[(]))[^\w]*)?"
_LEADING = re.compile(_BULLET + _LABEL + r"[^\w]*$", re.IGNORECASE)
# A title that says that the time is how long something is.
_LENGTH = re.compile(
    r"(?:(?:total|running|run|episode|full)\s?)*(?:time|length|duration|runtime)|(?:gesamt)?(?:dauer|länge|laufzeit)|"
    r"durée(?: totale)?|duraci[óo]n|dura[çc][ãa]o|durata|lengte|duur|längd|varighed|длительность|再生時間|"
    r"時長|时长", re.IGNORECASE)
# What a time of a clock has after it, and a time of an episode has not.
_OF_CLOCK = re.compile(
    r"\s*\]?\)?\s*(?:uhr\b|[ap]\.?\s?m\b|o['’]?\s?clock|gmt\b|utc\b|cest?\b|edt\b|est\b|pst\b|pdt\b|bst\b|"
    r"mesz\b|mez\b|hrs\b|horas?\b|heures?\b|ore\b|час|ч\b|時|点|點|시)", re.IGNORECASE)
_TIME_OF_DAY = re.compile(r"\s?h\b(?!\s*\d)")  # "20:15 h", as it is written in German and Spanish
_HMS = re.compile(
    r"(?<![\w:.,/$€£])(?:(\d{1,2}):(?=\d{1,2}:\d))?(\d{1,3}): ?(\d{2})(?:[.,]\d{1,3})?(?![\d%]|[:.,/]\d)"
    r"(?:\s?(?:min(?:s|utes?|uten)?\b\.?|mn\b))?", re.IGNORECASE)
_DOTTED = re.compile(r"(?<![\w:.,/$€£])(?:(\d{1,2})\.)?(\d{1,3})\.(\d{2})(?![\w:%]|[.,/]\d)")
_MIN = r"\s?(?:(?:minutes?|minuten|minutos|mins|min\.?|mn|m|['’′])(?![^\W\d])|分[钟鐘]?|분)"
_SEC = (
    r"\s?(?:(\d{1,2})(?:\s?(?:(?:seconds?|sekunden|secondes?|segundos|secs?|sek|s|['’′]{2}|[\"”″])(?![^\W\d])"
    r"\.?|秒|초))?)?")
_HOURS = re.compile(
    r"(?<![\w:.,/])(\d{1,2})\s?(?:(?:hours?|heures?|horas?|stunden?|std\.?|hrs?|h)(?![^\W\d])|時間|小[时時]|시간)[\s,]{0,2}"
    rf"(?:(?:und|and|et|y)\s)?(?:(\d{{1,2}})(?:{_MIN}{_SEC})?)?(?![\w:%]|[.,]\d)", re.IGNORECASE)
_MINUTES = re.compile(
    rf"(?<![\w:.,/])()(\d{{1,3}}){_MIN}[\s,]{{0,2}}(?:(?:und|and|et|y)\s)?{_SEC}(?![\w:%]|[.,]\d)", re.IGNORECASE)
_MINUTE = re.compile(
    r"(?<!\w)()(?:minute|min\.?|minuto|minuut|минута)\s(\d{1,3})(?![:.]?\d)()", re.IGNORECASE)
# fmt: on
_NOTATIONS = {"clock": _HMS, "dotted": _DOTTED, "hours": _HOURS, "minutes": _MINUTES, "minute": _MINUTE}
_RANGE = re.compile(r"\s*[\])]?\s*(?:[-–—−~〜]|->|→|to|bis|à|until)\s*[\[(]?\s*", re.IGNORECASE)
_LINK = re.compile(r"https?://.+", re.IGNORECASE)
_LINK_ENDS = re.compile(r"[\s<>)\]]")
_MARKDOWN_LINK = re.compile(
    r"\[([^][\n]{0,500})\]\(https?://[^()\s]{0,2000}(?: [^()\n]{0,500})?\)", re.IGNORECASE
)
_SENTENCE = re.compile(r"(?<=[^\W\d]{3}[.!?…])\s|(?<=[。！？])")
_OPENING, _CLOSING = "([{<【「«（［", ")]}>】」»）］"
_EDGES = " \t\u00a0\u2009\u202f\u200b\u200e\u200f\ufeff\ufe0f-–—−―:：;|¦/\\·•‧∙*_~=>→➔➜»,.…"


@dataclass(frozen=True, slots=True)
class _Time:
    """A time in a line: where it stands with the brackets around it, its notation and parts, the end of a range."""

    first: int
    last: int
    seconds: float
    notation: str
    parts: int
    bracketed: bool
    end: float | None = None

    @property
    def kind(self) -> tuple[str, bool]:
        """What the times of one list have in common."""
        return "units" if self.notation in ("hours", "minutes", "minute") else self.notation, self.bracketed

    @property
    def is_vague(self) -> bool:
        """Whether it looks like many other things: 1.20, 10 min."""
        return self.parts < {"dotted": 3, "minutes": 2, "minute": 2}.get(self.notation, 0)

    def scaled(self, factor: float) -> _Time:
        """The same read in other units."""
        return replace(self, seconds=self.seconds * factor, end=self.end and self.end * factor)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A time with its title; `line` is where it was found, `place` where on the line the time stands."""

    line: int
    place: str
    time: _Time
    title: str


def chapters_in(notes: str, seconds: float = 0.0) -> tuple[Chapter, ...]:
    """The chapters that notes list by their times, () where they list none.

    notes: plain text, a line for each line. seconds: how long the audio is, 0 where nobody knows.

    >>> notes = "At 8:15 we met.\\n00:00 Intro\\n(02:30) Noises <https://example.org>\\n1:03:20 - Outro"
    >>> [(chapter.start, chapter.title) for chapter in chapters_in(notes)]
    [(0.0, 'Intro'), (150.0, 'Noises'), (3800.0, 'Outro')]
    """
    lines = _lines(notes[:MAX_CHARS])
    found = [
        _Entries(lines, entries, turn, seconds)
        for listed in _lists(lines)
        for turn, entries in enumerate(_each(listed))
    ]
    accepted = [entries for entries in found if entries.accepted]
    best = max(accepted, key=lambda entries: entries.weight, default=None)
    return () if best is None else best.chapters()


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    """The character that stands for it in patterns: digits of all scripts and wide punctuation as ASCII has them."""
    if (digit := unicodedata.decimal(char, None)) is not None:
        return str(digit)
    narrow = unicodedata.normalize("NFKC", char)
    return narrow if len(narrow) == 1 and narrow.isascii() else char


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the notes, and the same with plain digits and punctuation, character for character."""

    text: str
    plain: str
    times: tuple[_Time, ...]


def _lines(notes: str) -> list[_Line]:
    found = list[_Line]()
    for line in notes.splitlines():
        text = _MARKDOWN_LINK.sub(r"\1", " ".join(line.split()))
        plain = "".join(map(_plain, text))
        times = tuple(_times(plain))
        found += _pieces(text, plain, times) or [_Line(text, plain, times)]
    return found


def _times(line: str) -> Iterator[_Time]:
    """The times in a line, in order, none of them over another; a range of two is one."""
    if not any(char.isdigit() for char in line):
        return
    matches = [(found, name) for name, pattern in _NOTATIONS.items() for found in pattern.finditer(line)]
    matches.sort(key=lambda one: (one[0].start(), -one[0].end()))
    at, before = 0, None
    for match, name in matches:
        if match.start() < at or (time := _time(line, match, name)) is None:
            continue
        at = match.end()
        if before and _is_range(line, before, time):
            before = replace(before, last=time.last, end=time.seconds)
            continue
        if before:
            yield before
        before = time
    if before:
        yield before


def _is_range(line: str, one: _Time, other: _Time) -> bool:
    """Whether two times are the beginning and the end of one chapter."""
    last = one.last - (one.bracketed and line[one.last - 1] in _CLOSING)
    first = other.first + other.bracketed
    joined = _RANGE.fullmatch(line, last, first)
    return bool(joined) and one.end is None and one.notation == other.notation and one.seconds < other.seconds


def _time(line: str, match: re.Match[str], notation: str) -> _Time | None:
    """The time that a pattern found, None where it is none, or one of a clock."""
    hours, minutes, seconds = (int(part) if part else 0 for part in match.groups())
    parts = sum(bool(part) for part in match.groups())
    if seconds > 59 or (parts == 3 and minutes > 59):
        return None
    if notation == "dotted" and parts == 2 and line.startswith(".", match.end()):
        return None  # a day
    if notation == "clock" and _OF_CLOCK.match(line, match.end()):
        return None
    if notation == "clock" and parts == 2 and _TIME_OF_DAY.match(line, match.end()):
        return None
    first, last = match.span()
    bracketed = first > 0 and line[first - 1] in _OPENING
    if bracketed:
        first -= 1
        last += last < len(line) and line[last] in _CLOSING
    return _Time(first, last, hours * 3600.0 + minutes * 60 + seconds, notation, parts, bracketed)


def _pieces(text: str, plain: str, times: Sequence[_Time]) -> list[_Line]:
    """A list that stands in one line as the lines it was meant as; empty where there is none."""
    alike = [time for time in times if time.kind == times[0].kind]
    if len(alike) < FEWEST or not all(one.seconds < other.seconds for one, other in pairwise(alike)):
        return []
    head = plain[: alike[0].first]
    announced = (
        alike[0].seconds <= ZERO or alike[0].bracketed or _announces(head) or head.rstrip().endswith(":")
    )
    if not announced or any(other.first - one.last > 2 * MAX_TITLE for one, other in pairwise(alike)):
        return []
    if not re.search(r"\w", plain[alike[-1].last :]) and re.search(r"\w", head):
        cuts = [
            head.rfind(":") + 1 if _announces(head.rpartition(":")[0]) else 0,
            *(time.last for time in alike),
        ]
    else:
        cuts = [0, *(time.first for time in alike), len(text)]
    pieces = ((text[a:b], plain[a:b]) for a, b in pairwise(cuts) if b > a)
    return [_Line(piece, narrow, tuple(_times(narrow))) for piece, narrow in pieces]


def _announces(text: str) -> bool:
    """Whether the end of a text is a heading: "... by mail. Chapters:"."""
    last = re.split(r"[.!?\n]\s", text)[-1]
    return bool(_HEADING.search(last)) and len(last) <= 80


def _lists(lines: Sequence[_Line]) -> Iterator[list[_Entry]]:
    """The times that may be one list: alike in notation and in their place on the line, in order."""
    grouped = dict[tuple[object, ...], list[_Entry]]()
    for number, line in enumerate(lines):
        if line.times and (entry := _entry(lines, number)):
            grouped.setdefault((entry.place, *entry.time.kind), []).append(entry)
    yield from grouped.values()
    # Some forget brackets, or write 1:02 and 1 h 02 in one list.
    for place in ("before", "after"):
        mixed = sorted(
            (entry for key, entries in grouped.items() if key[0] == place for entry in entries),
            key=lambda entry: entry.line,
        )
        if len({entry.time.kind for entry in mixed}) > 1:
            yield mixed


def _each(entries: Sequence[_Entry]) -> list[Sequence[_Entry]]:
    """Lists that follow each other, told by their 0:00: of another language, or of another episode."""
    begins = [number for number, entry in enumerate(entries) if entry.time.seconds <= ZERO]
    cuts = [
        0,
        *(number for number in begins if number and entries[number - 1].time.seconds > ZERO),
        len(entries),
    ]
    lists = [entries[first:last] for first, last in pairwise(cuts)]
    return lists if all(len(one) >= FEWEST for one in lists) else [entries]


def _entry(lines: Sequence[_Line], number: int) -> _Entry | None:
    """What a line tells of a chapter: its time before the title, maybe on a line of its own, or after it."""
    entry = _placed(lines, number)
    return None if entry is None or _LENGTH.fullmatch(entry.title) else entry


def _placed(lines: Sequence[_Line], number: int) -> _Entry | None:
    line = lines[number]
    first, last = line.times[0], line.times[-1]
    head = line.plain[: first.first]
    if len(head) <= MAX_LABEL and (_LEADING.match(head) or _HEADING_ONLY.fullmatch(head)):
        title = _titled(line.text[first.last :])
        if title:
            return _Entry(number, "before", first, title)
        if len(line.times) == 1 and (label := _titled(_bare_label(line, first))):
            return _Entry(number, "before", first, label)
        below = next((other for other in lines[number + 1 : number + 3] if other.text.strip()), None)
        title = _titled(below.text) if below is not None and not below.times else ""
        return _Entry(number, "before", first, title)
    if not re.search(r"\w", line.plain[last.last :]):
        return _Entry(number, "after", last, _titled(line.text[: last.first]))
    return None


def _bare_label(line: _Line, time: _Time) -> str:
    """What stands before a time that has nothing after it, where it may be a title: "Part 2: 12:34"."""
    return line.text[: time.first] if re.search(r"[^\W\d]{3}", line.plain[: time.first]) else ""


def _titled(text: str) -> str:
    """A title without what stands around it: separators, brackets without a partner, and all after its first sentence
    where it is long."""
    before, _ = _before_link(text)
    title = before if re.search(r"\w", before) else text
    title = title.strip(_EDGES).rstrip(_EDGES + "@")
    for opening, closing in zip(_OPENING, _CLOSING, strict=True):
        if title.startswith(closing) or (title.endswith(opening)):
            title = title.strip(opening + closing + _EDGES)
        elif title.endswith(closing) and opening not in title:
            title = title[:-1].rstrip(_EDGES)
        elif title.startswith(opening) and closing not in title:
            title = title[1:].lstrip(_EDGES)
    if len(title) > MAX_TITLE and (end := _SENTENCE.search(title)):
        title = title[: end.start()]
    return title if re.search(r"[^\W_]", title) else ""


def _before_link(text: str) -> tuple[str, str]:
    """What stands before the link with which a text ends, and the link, "" where there is none."""
    bare = text.rstrip()
    bare = bare[:-1] if bare.endswith((">", ")", "]")) else bare
    last = _LINK_ENDS.split(bare)[-1]
    link = _LINK.search(last)
    if link is None:
        return text, ""
    before = bare[: len(bare) - len(last) + link.start()]
    return (before[:-1] if before.endswith(("<", "(", "[")) else before).rstrip(), link[0]


class _Entries:
    """Times that may be a list, the first or a later one of its kind, and what speaks for it."""

    def __init__(self, lines: Sequence[_Line], entries: Sequence[_Entry], turn: int, seconds: float) -> None:
        self._lines, self._turn, self._seconds = lines, turn, seconds
        self._all = entries
        self.entries = _as_meant(_rising(entries), seconds)

    @property
    def weight(self) -> tuple[bool, int, int]:
        """How much there is of it: lists that fit the audio before those that don't, the first before later ones."""
        return not self._beyond, -self._turn, len(self.entries)

    @property
    def accepted(self) -> bool:
        """Whether it is a list of chapters."""
        entries = self.entries
        if len(entries) < 2 or not entries[0].title or self._is_dense:
            return False
        titled = sum(bool(entry.title) for entry in entries)
        zero = entries[0].time.seconds <= ZERO
        if titled < 2 or titled < RISING * len(entries):
            return False
        if len(entries) < FEWEST:
            return zero and len(self._all) == 2 and entries[0].place != "after" and not self._beyond
        if len(entries) < RISING * len(self._all) and not zero:
            return False
        covers = self._covers and not self._beyond
        if any(entry.time.is_vague for entry in entries):
            return zero or (self._announced and covers and not self._looks_like_days)
        exact = any(entry.time.parts == 3 for entry in entries) or self._exact
        announced = zero or (self._announced and (covers or not self._is_round))
        if entries[0].place == "after":
            return announced or (covers and exact and all(entry.time.bracketed for entry in entries))
        return announced or (exact and covers)

    @property
    def _beyond(self) -> bool:
        return 0 < self._seconds < self.entries[-1].time.seconds - SLACK

    @property
    def _covers(self) -> bool:
        return not self._seconds or self.entries[-1].time.seconds >= COVERED * self._seconds

    @property
    def _exact(self) -> bool:
        """Whether times are told to the second: those of a clock are round."""
        if self.entries[-1].time.seconds >= DAY:
            return True
        return 3 * sum(entry.time.seconds % ROUND != 0 for entry in self.entries) >= len(self.entries)

    @property
    def _is_round(self) -> bool:
        """Whether all may be times of a clock."""
        times = [entry.time for entry in self.entries]
        return times[-1].seconds < DAY and all(one.parts < 3 and one.seconds % ROUND == 0 for one in times)

    @property
    def _looks_like_days(self) -> bool:
        """Whether all may be days and months, or how long something takes."""
        times = [entry.time for entry in self.entries]
        days = all(one.seconds < 32 * 60 and 1 <= one.seconds % 60 <= 12 for one in times)
        return days or all(one.notation != "minute" and one.seconds % LENGTHS == 0 for one in times)

    @property
    def _announced(self) -> bool:
        """Whether the line before the first, or what stands before it on its own line, is a heading."""
        first = self.entries[0]
        line = self._lines[first.line]
        if first.place != "after" and _HEADING.search(line.plain[: first.time.first]):
            return True
        above = (other.plain for other in self._lines[first.line - 1 :: -1] if other.plain.strip())
        return bool(first.line) and _announces(next(above, ""))

    @property
    def _is_dense(self) -> bool:
        """Whether its times come as close as the lines of a transcript, or as numbers that only count."""
        starts = [entry.time.seconds for entry in self.entries]
        gaps = [later - start for start, later in pairwise(starts)]
        if len(starts) < FEWEST:
            return False
        least = HEARD_SECONDS if len(starts) >= TRANSCRIPT_LINES else COUNTED
        return len(starts) > MAX_CHAPTERS or median(gaps) < least

    def chapters(self) -> tuple[Chapter, ...]:
        """The chapters that it tells; those without a title are left out."""
        return tuple(
            Chapter(entry.time.seconds, entry.title, entry.time.end, self._link(entry))
            for entry in self.entries
            if entry.title
        )

    def _link(self, entry: _Entry) -> str:
        return absolute("", _before_link(self._lines[entry.line].text)[1])


def _rising(entries: Sequence[_Entry]) -> list[_Entry]:
    """The longest of what rises: all but slips, or of several lists one after the other the longest."""
    runs = [[entries[0]]] if entries else []
    for one, other in pairwise(entries):
        if other.time.seconds > one.time.seconds:
            runs[-1].append(other)
        else:
            runs.append([other])
    longest = max(runs, key=len, default=[])
    kept = _longest_rising(entries)
    return kept if len(kept) >= RISING * len(entries) else longest


def _as_meant(entries: list[_Entry], seconds: float) -> list[_Entry]:
    """Times as they fit the audio where only that does: 1:02 as hours and minutes, 12:34:00 as minutes and seconds."""
    if not seconds or not entries or any(entry.time.notation != "clock" for entry in entries):
        return entries
    last = entries[-1].time.seconds
    if all(entry.time.parts == 2 for entry in entries) and COVERED * seconds <= last * 60 <= seconds:
        factor = 60.0
    elif seconds + SLACK < last <= (seconds + SLACK) * 60 and all(
        entry.time.parts == 3 and entry.time.seconds % 60 == 0 for entry in entries
    ):
        factor = 1 / 60
    else:
        return entries
    return [replace(entry, time=entry.time.scaled(factor)) for entry in entries]


def _longest_rising(entries: Sequence[_Entry]) -> list[_Entry]:
    """The longest strictly rising subsequence (Fredman 1975)."""
    ends, tails, before = list[float](), list[int](), dict[int, int]()
    for number, entry in enumerate(entries):
        at = bisect_left(ends, entry.time.seconds)
        if at:
            before[number] = tails[at - 1]
        ends[at : at + 1], tails[at : at + 1] = [entry.time.seconds], [number]
    chain = tails[-1:]
    while chain and chain[-1] in before:
        chain.append(before[chain[-1]])
    return [entries[number] for number in reversed(chain)]
