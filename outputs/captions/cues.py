"""Captions: the words of a transcript cut into cues that can be read in time.

A cue holds words of one speaker, in one language, on a line or two. Words keep their order and their letters, and every
cue is on screen for a while even where words have no duration at all. Cues never overlap, save those of
people who talk at once and were heard in tracks of their own, for readers who can show both.
What a good cue looks like is in a `Profile`; the writers choose one.

All that one speaker says before another does is cut at once: dynamic programming finds the cue
boundaries and line breaks of least total cost. A cost is a number of points that says how much worse
a cue reads; the constants below are the whole of our taste. The time it takes grows with the
number of words times those that fit in a cue, squared.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise
from operator import attrgetter

from models.record.graphemes import graphemes
from models.record.transcript import ASIDE_SECONDS, SEPARATE, Segment, Transcript
from outputs.captions.line_breaks import (
    AFTER_CLAUSE,
    AFTER_SENTENCE,
    break_badness,
    line_breaks,
    parts_that_fit,
)
from outputs.captions.profiles import Profile, word_count
from outputs.captions.screen import MAX_LAG_MS, MIN_SHOWN_MS, Cue, Draft, timed
from outputs.text.characters import is_orphan, needs_space, one_line, width
from outputs.text.times import milliseconds

# Points of cost.
CUE = 4.0  # every new cue makes the eye start again
CUE_BREAK = 30.0  # a cue that ends in the worst place of a phrase
LINE_BREAK = 12.0  # a line that ends there: the rest is in sight
SECOND_LINE = 1.0  # one line is read at a glance
IMBALANCE = 6.0  # one line full and the other empty
FRAGMENT = 15.0  # a few words that are not a clause of their own
STRADDLE = 8.0  # a sentence ends inside, and the next one is cut by the cue's end
PAUSE = 40.0  # per second of silence inside: the cue tells what is not said yet
TOO_FAST = 15.0  # it can't be read in the time there is ...
TOO_FAST_RATIO = 80.0  # ... and this much more if there is none at all
TOO_SHORT = 20.0  # it flashes up ...
TOO_SHORT_RATIO = 40.0  # ... and this much more if it lasts no time at all
CUT_SPEECH = 40.0  # per second that it has to go before its words are said ...
MAX_CUT_MS = 5000  # ... which are not speech any more if it is longer than this
NAME_ALONE = 60.0  # a line with nothing but the speaker's name
ORPHAN_LINE = 300.0  # a short word alone on a line, where another break is possible
ORPHAN_CUE = 2000.0  # a short word alone in a cue: worse than all else together

FRAGMENT_COLUMNS = 16  # as long as a fragment gets
MAX_PAUSE_MS = 2000  # a longer silence always starts a new cue
FREE_PAUSE_MS = 300  # a shorter silence is part of fluent speech
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text that stays on one line, the space before it where that is on the same line, and when it is said in ms."""

    text: str
    space: str
    start: int
    end: int
    language: str = ""


@dataclass(frozen=True, slots=True)
class _Speech:
    """What somebody says in a row, by name."""

    speaker: str
    pieces: tuple[_Piece, ...]

    @property
    def start(self) -> int:
        """In ms."""
        return self.pieces[0].start

    @property
    def end(self) -> int:
        """In ms."""
        return max(piece.end for piece in self.pieces)

    def cut(self, first: int) -> list[_Speech]:
        """What is said before its piece number `first`, and from there on."""
        return [replace(self, pieces=self.pieces[:first]), replace(self, pieces=self.pieces[first:])]


def cues(transcript: Transcript, profile: Profile) -> list[Cue]:
    """The cues of a transcript in order of their starts; `end > start`.

    None starts before the last one ends. Only where people who had tracks of their own talk at once, and the profile
    has them shown at once, that holds for each of them alone.
    """
    profile = profile.in_language(transcript.language)
    speeches = _speeches(transcript, profile.max_chars)
    audience = _Audience(profile, milliseconds(transcript.audio.seconds))
    if transcript.tracks is not None and transcript.tracks.mode == SEPARATE:
        return audience.shown_at_once(speeches)
    return [cue for cue, _ in audience.shown(speeches, [range(len(speeches))])]


def _speeches(transcript: Transcript, max_chars: int) -> list[_Speech]:
    """What everybody says before somebody else does, in the order of reading."""
    spoken = [
        replace(segment, language=transcript.language_of(segment))
        for segment in transcript.segments
        if one_line(segment.text).strip()
    ]
    names = {label: _name(transcript, label) for label in {segment.speaker for segment in spoken}}
    # Labels of one name are one speaker: that is how users mend a diarisation that found too many.
    runs = groupby(spoken, key=lambda segment: names[segment.speaker] or segment.speaker)
    groups = [tuple(segments) for _, segments in runs]
    return [_Speech(names[group[0].speaker], tuple(_with_languages(group, max_chars))) for group in groups]


@dataclass(frozen=True, slots=True)
class _Audience:
    """For whom cues are made, and when the audio ends, ms."""

    profile: Profile
    audio_end: int

    def shown(self, speeches: Sequence[_Speech], lanes: Sequence[Sequence[int]]) -> list[tuple[Cue, Draft]]:
        """The cues of speeches, with what they were made of. lanes: the numbers of speeches that follow each other."""
        drafts = []
        for lane in lanes:
            starts = [*(speeches[number].start for number in lane), None][1:]
            drafts.append(
                [
                    draft
                    for number, until in zip(lane, starts, strict=True)
                    for draft in _drafts(number, speeches[number], until, self.profile)
                ]
            )
        return timed(drafts, self.profile, self.audio_end)

    def shown_at_once(self, speeches: list[_Speech]) -> list[Cue]:
        """The cues of people whose words have times of their own, also where they talk at once.

        A speech is cut into two where another's cue comes between, if the speaker is told by a name on a change or only
        one can be shown at a time. So it is where somebody has no name to be told by.
        """
        if self.profile.simultaneous and all(speech.speaker for speech in speeches):
            if self.profile.names:
                speeches = self._uninterrupted(speeches)
            return [cue for cue, _ in self.shown(speeches, _lanes(speeches))]
        speeches = sorted(self._uninterrupted(_cut_by_asides(speeches)), key=attrgetter("start", "end"))
        return [cue for cue, _ in self.shown(speeches, [range(len(speeches))])]

    def _uninterrupted(self, speeches: list[_Speech]) -> list[_Speech]:
        """The speeches, cut so that in order of time each is shown without another's cue in it."""
        while True:
            cuts: dict[int, int] = {}
            for (before, _), (cue, draft) in pairwise(self.shown(speeches, _lanes(speeches))):
                if draft.first > 0 and before.speaker != cue.speaker:
                    cuts.setdefault(draft.speech, draft.first)
            if not cuts:
                return speeches
            parts = (
                speech.cut(cuts[number]) if number in cuts else [speech]
                for number, speech in enumerate(speeches)
            )
            speeches = [part for several in parts for part in several]


def _cut_by_asides(speeches: Sequence[_Speech]) -> list[_Speech]:
    """The speeches, cut where somebody throws in a word or two."""
    short = sorted(
        (one for one in speeches if one.end - one.start <= milliseconds(ASIDE_SECONDS)),
        key=attrgetter("start"),
    )
    parts: list[_Speech] = []
    for speech in speeches:
        rest = speech
        first = bisect_right(short, speech.start, key=attrgetter("start"))
        for aside in short[first : bisect_left(short, speech.end, lo=first, key=attrgetter("start"))]:
            place = bisect_left([piece.start for piece in rest.pieces], aside.start)
            if aside.end < speech.end and 0 < place < len(rest.pieces):
                before, rest = rest.cut(place)
                parts.append(before)
        parts.append(rest)
    return parts


def _lanes(speeches: Sequence[_Speech]) -> list[list[int]]:
    """The numbers of speeches that can be shown one after the other, lane by lane: most are in the first."""
    lanes: list[list[int]] = []
    for number, speech in enumerate(speeches):
        free = (lane for lane in lanes if speeches[lane[-1]].end - speech.start <= MAX_LAG_MS)
        lane = next(free, None)
        if lane is None:
            lanes.append([number])
        else:
            lane.append(number)
    return lanes


def _name(transcript: Transcript, label: str | None) -> str:
    return one_line(transcript.name_of(label)).strip()


def _with_languages(segments: Sequence[Segment], max_chars: int) -> Iterator[_Piece]:
    """What may stand alone on a line, run by run of one language."""
    for language, run in groupby(segments, key=attrgetter("language")):
        yield from (replace(piece, language=language) for piece in _pieces(tuple(run), max_chars))


def _pieces(segments: Sequence[Segment], max_chars: int) -> list[_Piece]:
    """What may stand alone on a line: words with their punctuation, cut only if wider than a line."""
    said = _Said.of(segments)
    places = [0, *line_breaks(said.text), len(said.text)]
    pieces, end = list[_Piece](), 0
    for place, until in pairwise(places):
        for first, last in parts_that_fit(said.text, place, until, max_chars):
            # The white space around a part, no-break and ideographic ones too, is only seen within a line.
            space = said.text[end:first] if pieces else ""
            space = " " if " " in space else space[:1]
            pieces.append(_Piece(said.text[first:last], space, said.start(first), said.end(last)))
            end = last
    return pieces


@dataclass(frozen=True, slots=True)
class _Said:
    """Words as running text: where in it each begins, and when it is said in ms."""

    text: str
    offsets: list[int]
    lengths: list[int]
    times: list[tuple[int, int]]

    @classmethod
    def of(cls, segments: Iterable[Segment]) -> _Said:
        """The words of segments, in which sentences and words have the white space between them that they need."""
        text, length, last, space = list[str](), 0, "", False
        said = cls("", [], [], [])
        for segment in segments:
            space = space or needs_space(last, segment.words[0].text)
            for word in segment.words:
                whole = one_line(word.text)
                bare = whole.strip(" ")
                space = space or whole[:1] == " "
                if bare:
                    text.append(f" {bare}" if space else bare)
                    start = max(0, milliseconds(word.start))
                    said.offsets.append(length + space)
                    said.lengths.append(len(bare))
                    said.times.append((start, max(start, milliseconds(word.end))))
                    length, last, space = length + space + len(bare), bare, False
                space = space or whole[-1:] == " "
        return replace(said, text="".join(text))

    def start(self, at: int) -> int:
        """When the character number `at` begins, a fair share of its word's time."""
        return self._time(bisect_right(self.offsets, at) - 1, at)

    def end(self, at: int) -> int:
        """When the character before number `at` is over."""
        return self._time(bisect_left(self.offsets, at) - 1, at)

    def _time(self, word: int, at: int) -> int:
        start, end = self.times[word]
        return start + (end - start) * (at - self.offsets[word]) // self.lengths[word]


def _drafts(number: int, speech: _Speech, until: int | None, profile: Profile) -> Iterator[Draft]:
    """The cues of a speech with its number; `until` is when the next one starts, ms."""
    name, pieces = speech.speaker, [*speech.pieces]
    named = bool(name and profile.names)
    if named:
        head = _Piece(_prefix(name, profile.max_chars), "", speech.start, speech.start, pieces[0].language)
        pieces = [head, replace(pieces[0], space=" "), *pieces[1:]]
    run = _Run(pieces, until, profile, named=named)
    for first, last in run.cues():
        lines = tuple(run.text(*line) for line in run.lines(first, last))
        piece = max(0, first - named)
        language = pieces[first].language
        yield Draft(run.starts[first], run.ends[last - 1], name, lines, number, piece, language)


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


class _Run:
    """The pieces of one speaker, and what every way to cut them costs.

    Piece numbers delimit cues and lines as Python's ranges do. Sums over pieces are differences of
    running totals, so that no cost takes longer for a longer cue.
    """

    def __init__(self, pieces: list[_Piece], until: int | None, profile: Profile, *, named: bool) -> None:
        self.pieces, self.profile = pieces, profile
        # Times that run backwards would make a cue end before it starts.
        self.starts = list(accumulate((piece.start for piece in pieces), max))
        # A word that seems to go on under the next one is over by then.
        over = [min(piece.end, start) for piece, start in zip(pieces, self.starts[1:], strict=False)]
        self.ends = [max(times) for times in zip(self.starts, [*over, pieces[-1].end], strict=True)]
        self.following = [*self.starts, until]
        self.spaces = [width(piece.space) for piece in pieces]
        self.columns = _totals(
            space + width(piece.text) for space, piece in zip(self.spaces, pieces, strict=True)
        )
        self.words = _totals(word_count(piece.text) for piece in pieces)
        silences = [0, *(max(0, b - a) for a, b in zip(self.ends, self.starts[1:], strict=False))]
        self.silences = silences
        self.silent = _totals(max(0, silence - FREE_PAUSE_MS) for silence in silences)
        self.badness = [
            0.0,
            *(_badness(a, b) for a, b in pairwise(pieces)),
            0.0,
        ]
        self.sentences = _totals(int(badness == AFTER_SENTENCE) for badness in self.badness[1:])
        self.switches = _totals(int(a.language != b.language) for a, b in pairwise(pieces))
        if until is not None:
            self.following[-1] = max(until, self.starts[-1] + MIN_SHOWN_MS)
        texts = [piece.text for piece in pieces]
        self.orphans = [is_orphan(text, before) for before, text in zip(["", *texts], texts, strict=False)]
        self.starters = [is_orphan(text, "") for text in texts]
        self.named = named

    def text(self, first: int, last: int) -> str:
        """The pieces on one line."""
        return _text(self.pieces[first:last])

    def cues(self) -> list[tuple[int, int]]:
        """The ranges of pieces that make the best cues."""
        best = [0.0]
        cut = [0]
        for last in range(1, len(self.pieces) + 1):
            cost, first = min(self._candidates(best, last), default=(math.inf, last - 1))
            best.append(cost)
            cut.append(first)
        ranges = []
        last = len(self.pieces)
        while last:
            ranges.append((cut[last], last))
            last = cut[last]
        return ranges[::-1]

    def lines(self, first: int, last: int) -> list[tuple[int, int]]:
        """The ranges of pieces that make the best lines of a cue."""
        return self._layout(first, last)[1]

    def cost(self, first: int, last: int) -> float:
        """What a cue of these pieces costs; infinite if it can't hold them."""
        if not self._fits(first, last):
            return math.inf
        shown = self._layout(first, last)[0]
        return shown + self._content_cost(first, last) if shown < math.inf else math.inf

    def _candidates(self, best: list[float], last: int) -> Iterator[tuple[float, int]]:
        """What all goes up to piece `last` costs with each possible start of the last cue."""
        for first in range(last - 1, -1, -1):
            cost = self.cost(first, last)
            if cost == math.inf and last - first > 1:
                return  # what doesn't fit fits no better with more
            yield best[first] + cost, first

    def _fits(self, first: int, last: int) -> bool:
        """Whether a cue may hold these pieces as far as space and time go; lines may still not."""
        if last - first == 1 or (self.named and last == 2):
            return True  # however long it takes, it can't be cut
        longest = milliseconds(self.profile.max_duration)
        space = self.profile.max_chars * self.profile.max_lines
        return (
            self._width(first, last) <= space + self.profile.max_lines - 1
            and self.ends[last - 1] - self.starts[first] <= longest
            and self.silences[first + 1] <= MAX_PAUSE_MS
            and self.switches[first] == self.switches[last - 1]
        )

    def _width(self, first: int, last: int) -> int:
        return self.columns[last] - self.columns[first] - self.spaces[first]

    def _content_cost(self, first: int, last: int) -> float:
        """What a cue costs apart from its layout."""
        if self.named and last == 1:
            return math.inf
        cost = CUE + CUE_BREAK * self.badness[last] + self._time_cost(first, last)
        cost += PAUSE * (self.silent[last] - self.silent[first + 1]) / 1000
        if self.badness[last] and self.sentences[last] > self.sentences[first]:
            cost += STRADDLE
        whole = self.badness[first] <= AFTER_CLAUSE and self.badness[last] <= AFTER_CLAUSE
        if not whole and self._width(first, last) <= FRAGMENT_COLUMNS:
            cost += FRAGMENT
        if last - first == 1 and self.orphans[first]:
            cost += ORPHAN_CUE
        return cost

    def _time_cost(self, first: int, last: int) -> float:
        """What it costs that a cue can't be shown for as long as it should."""
        start, profile = self.starts[first], self.profile
        until = profile.latest_end_ms(start, self.following[last])
        shown = max(0, until - start)
        cost = CUT_SPEECH * min(MAX_CUT_MS, max(0, self.ends[last - 1] - until)) / 1000
        needed = profile.reading_ms_of(self._width(first, last), self.words[last] - self.words[first])
        if shown < needed:
            cost += TOO_FAST + TOO_FAST_RATIO * (1 - shown / needed)
        shortest = profile.min_duration * 1000
        if shown < shortest:
            cost += TOO_SHORT + TOO_SHORT_RATIO * (1 - shown / shortest)
        return cost

    def _layout(self, first: int, last: int) -> tuple[float, list[tuple[int, int]]]:
        """The least cost of showing these pieces on lines, and the ranges of the lines."""
        total = self._width(first, last)
        if total <= self.profile.max_chars:
            return 0.0, [(first, last)]
        return min(
            (
                self._broken(first, first, last, count, total / count)
                for count in range(2, self.profile.max_lines + 1)
            ),
            default=(math.inf, []),
        )

    def _broken(
        self, first: int, at: int, last: int, count: int, mean: float
    ) -> tuple[float, list[tuple[int, int]]]:
        """The best way to put the pieces from `at` on on `count` lines; the cue starts with `first`."""
        if count == 1:
            return self._line_cost(first, at, last, mean), [(at, last)]
        best: tuple[float, list[tuple[int, int]]] = (math.inf, [])
        for end in range(at + 1, last):
            cost = self._line_cost(first, at, end, mean)
            if cost == math.inf:
                break
            cost += SECOND_LINE + LINE_BREAK * self.badness[end]
            if cost < best[0]:
                below, lines = self._broken(first, end, last, count - 1, mean)
                if cost + below < best[0]:
                    best = (cost + below, [(at, end), *lines])
        return best

    def _line_cost(self, first: int, at: int, end: int, mean: float) -> float:
        """What one line of several costs; infinite if it is too wide."""
        columns = self.columns[end] - self.columns[at] - self.spaces[at]
        if columns > self.profile.max_chars:
            return math.inf
        cost = IMBALANCE * abs(columns - mean) / self.profile.max_chars
        if end - at == 1:
            if self.named and at == 0:
                cost += NAME_ALONE
            if self.starters[at] if at == first else self.orphans[at]:
                cost += ORPHAN_LINE
        return cost


def _badness(left: _Piece, right: _Piece) -> float:
    """How bad a break between two pieces is; between two languages there always is one."""
    if left.language != right.language:
        return AFTER_SENTENCE
    return break_badness(left.text.split()[-1], right.text.split()[0], left.language)


def _totals(numbers: Iterable[int]) -> list[int]:
    """Running totals, one more than the numbers: the first is 0."""
    return list(accumulate(numbers, initial=0))


def _text(pieces: Sequence[_Piece]) -> str:
    return "".join(piece.space * (index > 0) + piece.text for index, piece in enumerate(pieces))
