"""Words and turns joined: who said each word, cut into sentences.

No word is dropped or added, and they keep their order. Word times and turn times are each off by some
tenths of a second, so neither is taken at its word: edges of words next to a pause go to where the
segmentation hears speech begin and end, and a change of speaker goes to where a sentence, a clause or
a pause says it is, as far as that costs less than the times it contradicts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from models.speech import Span, speech_of, total, touching, union, within
from models.transcript import Segment, Turn, Word

MAX_PAUSE = 2.0  # seconds of silence after which a sentence is not expected to go on
MAX_SHIFT_WORDS = 4  # how far a change of speaker may be off, by the times of words and of turns
MAX_SHIFT_SECONDS = 1.0
MAX_STRETCH = 0.25  # seconds by which a word may grow to where speech begins or ends
SYLLABLE = 0.15  # seconds
SHORTEST = 0.05  # seconds that a word keeps when its edges are pulled in
STRAY_SHARE = 0.5  # of a word that its speaker's turns must cover for it to interrupt somebody else
MAX_ASIDE_WORDS = 3  # what a listener throws in without taking the floor ...
MAX_ASIDE_SECONDS = 1.5
SENTENCE_END = (".", "?", "!", "…", "。", "？", "！")
CLAUSE_END = (",", ";", ":", "—", "–", "、", "，", "；", "：")
CLOSING = "\"'”’»)]"

# How much worse, in seconds by which times are contradicted, a change of speaker is in each place.
IN_PHRASE = 1.0
AFTER_CLAUSE = 0.6
AFTER_SENTENCE = 0.0
PAUSE_WORTH = 1.0  # less for each second of pause there ...
MAX_PAUSE_WORTH = 0.5

TurnsBySpeaker = Mapping[str | None, Sequence[Span]]


def align(
    words: Sequence[Word], turns: Sequence[Turn], language: str, overlapping: Sequence[Turn] = ()
) -> tuple[Segment, ...]:
    """Sentence segments of one speaker each.

    words: in order of time. turns: exclusive (no two overlap), in order of time; where there are
    none, nobody is named. language: ISO 639-1 code, for sentence boundaries. overlapping: turns that
    may overlap, for words that are said while two speak; none where that isn't known.
    """
    everyone = overlapping or turns
    spoken = snap_to_speech(words, speech_of(everyone))
    spoken = flag_overlaps(spoken, overlapping)
    own = by_speaker(everyone)
    spoken = repair_boundaries(absorb_strays(label_words(spoken, turns), own), own)
    return tuple(mark_continued(list(_segments(spoken, language))))


def _segments(words: Sequence[Word], language: str) -> Iterator[Segment]:
    for speaker, run in groupby(words, key=lambda word: word.speaker):
        for stretch in _split_at_pauses(list(run)):
            for sentence in split_sentences(stretch, language):
                end = max(word.end for word in sentence)
                yield Segment(sentence[0].start, end, speaker, tuple(sentence))


def snap_to_speech(words: Sequence[Word], speech: Sequence[Span]) -> list[Word]:
    """The words with the edges that lie next to a pause at the edges of speech.

    A word that reaches into a pause shrinks to the speech that it touches; one that falls a little
    short of its beginning or end grows, but never into another word. speech: in order, apart.

    >>> words = [Word(0.0, 1.0, " Well"), Word(1.0, 3.0, " yes")]
    >>> [(w.start, w.end) for w in snap_to_speech(words, [Span(0.4, 1.2), Span(2.5, 3.1)])]
    [(0.4, 1.0), (2.5, 3.1)]
    """
    snapped: list[Word] = []
    for i, word in enumerate(words):
        earliest = snapped[-1].end if snapped else 0.0
        latest = words[i + 1].start if i + 1 < len(words) else word.end + MAX_STRETCH
        touched = touching(speech, Span(word.start, word.end))
        snapped.append(_pulled(word, touched, earliest, latest) if touched else word)
    return snapped


def _pulled(word: Word, touched: Sequence[Span], earliest: float, latest: float) -> Word:
    """A word with its edges at those of the speech it was said in, within its neighbours.

    Of several that is the last it lies in for a syllable: what stretches a word is mostly before it.
    """
    whole = Span(word.start, word.end)
    span = max(touched, key=lambda span: (min(whole.shared(span), SYLLABLE), span.start))
    start, end = word.start, word.end
    if start < span.start or (earliest <= span.start and start - span.start <= MAX_STRETCH):
        start = max(span.start, min(earliest, word.start))
    if end > span.end or (latest >= span.end and span.end - end <= MAX_STRETCH):
        end = min(span.end, max(latest, word.end))
    if end - start < min(SHORTEST, whole.duration):
        return word
    return replace(word, start=start, end=end)


def flag_overlaps(words: Sequence[Word], turns: Sequence[Turn]) -> list[Word]:
    """The words with `overlap` set where for half of their time or more two people speak. turns: in order."""
    both = overlaps(turns)
    flagged = []
    for word in words:
        shared = total(within(both, Span(word.start, word.end)))
        flagged.append(replace(word, overlap=shared > 0 and shared >= (word.end - word.start) / 2))
    return flagged


def overlaps(turns: Sequence[Turn]) -> list[Span]:
    """Where turns of two speakers overlap, in order, none inside another. turns: in order of time.

    >>> overlaps([Turn(0, 3, "A"), Turn(2, 4, "B"), Turn(5, 6, "A")])
    [Span(start=2, end=3)]
    """
    found: list[Span] = []
    longest: dict[str, float] = {}
    for turn in turns:
        for speaker, end in longest.items():
            start = max(turn.start, found[-1].end) if found else turn.start
            if speaker != turn.speaker and min(end, turn.end) > start:
                found.append(Span(start, min(end, turn.end)))
        longest[turn.speaker] = max(turn.end, longest.get(turn.speaker, turn.end))
    return found


def by_speaker(turns: Sequence[Turn]) -> dict[str | None, list[Span]]:
    """Where each speaker speaks, in order."""
    own: dict[str | None, list[Span]] = {}
    for turn in turns:
        own.setdefault(turn.speaker, []).append(Span(turn.start, turn.end))
    return {speaker: union(spans) for speaker, spans in own.items()}


def _covered(word: Word, speaker: str | None, own: TurnsBySpeaker) -> float:
    """Seconds of a word in which a speaker has a turn."""
    return total(within(own.get(speaker, ()), Span(word.start, word.end)))


def label_words(words: Sequence[Word], turns: Sequence[Turn]) -> list[Word]:
    """The words with the speaker whose turn covers most of each, else of the nearest turn.

    >>> turns = [Turn(0.0, 1.0, "A"), Turn(1.2, 2.0, "B")]
    >>> [w.speaker for w in label_words([Word(0.7, 1.1, " hi"), Word(1.9, 2.6, " you")], turns)]
    ['A', 'B']
    """
    if not turns:
        return list(words)
    ends = [turn.end for turn in turns]
    return [replace(word, speaker=_speaker_of(word, turns, ends)) for word in words]


def _speaker_of(word: Word, turns: Sequence[Turn], ends: Sequence[float]) -> str:
    first = max(0, bisect_left(ends, word.start) - 1)
    near = [turns[first]]
    for turn in turns[first + 1 :]:
        near.append(turn)
        if turn.start >= word.end:
            break
    return max(near, key=lambda turn: _closeness(word, turn)).speaker


def _closeness(word: Word, turn: Turn) -> tuple[float, float]:
    """Seconds of overlap, then nearness of the word's middle: the larger, the better the match."""
    overlap = min(word.end, turn.end) - max(word.start, turn.start)
    middle = (word.start + word.end) / 2
    distance = max(turn.start - middle, middle - turn.end, 0.0)
    return max(overlap, 0.0), -distance


def absorb_strays(words: Sequence[Word], own: TurnsBySpeaker) -> list[Word]:
    """The words without runs that interrupt one speaker and that the interrupter's turns hardly cover.

    own: the turns of each speaker. A word that its turn does cover stays, however short it is.
    """
    result = list(words)
    runs = [list(run) for _, run in groupby(range(len(words)), key=lambda i: words[i].speaker)]
    for before, run, after in zip(runs, runs[1:], runs[2:], strict=False):
        around = words[before[-1]].speaker
        if around != words[after[0]].speaker or len(run) > MAX_SHIFT_WORDS:
            continue
        spoken = sum(words[i].end - words[i].start for i in run)
        if sum(_covered(words[i], words[i].speaker, own) for i in run) < STRAY_SHARE * spoken:
            for i in run:
                result[i] = replace(words[i], speaker=around)
    return result


def repair_boundaries(words: Sequence[Word], own: TurnsBySpeaker | None = None) -> list[Word]:
    """Changes of speaker moved by a word or two to where it costs least.

    Moving a change costs the seconds for which the words that change hands lie in turns of their first
    speaker alone; a change costs most inside a phrase, less after a clause or in a pause, nothing after
    a sentence. A run keeps at least a word, so what a listener throws in stays.

    >>> words = [Word(0, 1, " Yes.", speaker="A"), Word(1, 1.5, " And", speaker="A"),
    ...          Word(1.5, 2, " you", speaker="B"), Word(2, 3, " too?", speaker="B")]
    >>> [word.speaker for word in repair_boundaries(words)]
    ['A', 'B', 'B', 'B']
    """
    repaired = list(words)
    changes = [i for i in range(1, len(words)) if words[i - 1].speaker != words[i].speaker]
    before = 0
    for change, after in pairwise([*changes, len(words)]):
        target = _best_change(words, before, change, after, own)
        before = target
        for i in range(target, change):
            repaired[i] = replace(words[i], speaker=words[change].speaker)
        for i in range(change, target):
            repaired[i] = replace(words[i], speaker=words[change - 1].speaker)
    return repaired


def _best_change(
    words: Sequence[Word], before: int, change: int, after: int, own: TurnsBySpeaker | None
) -> int:
    """The index to which the change of speaker at `change` moves, or itself.

    before, after: where the runs of words on both sides of the change begin and end.
    """
    costs = {change: _change_cost(words, change)}
    for target in range(max(before + 1, change - MAX_SHIFT_WORDS), min(after, change + MAX_SHIFT_WORDS + 1)):
        given = words[target:change] or words[change:target]
        if not given or given[-1].end - given[0].start > MAX_SHIFT_SECONDS:
            continue
        taker = words[change].speaker if target < change else words[change - 1].speaker
        contradicted = sum(_contradicted(word, taker, own) for word in given)
        costs[target] = _change_cost(words, target) + contradicted
    return min(costs, key=lambda target: (round(costs[target], 3), abs(target - change)))


def _contradicted(word: Word, taker: str | None, own: TurnsBySpeaker | None) -> float:
    """Seconds of a word for which giving it to `taker` contradicts the turns."""
    if own is None:
        return word.end - word.start
    return max(0.0, _covered(word, word.speaker, own) - _covered(word, taker, own))


def _change_cost(words: Sequence[Word], index: int) -> float:
    """How unlikely it is that the speaker changes before the word at `index`."""
    before = words[index - 1]
    pause = max(0.0, words[index].start - before.end)
    if ends_sentence(before):
        cost = AFTER_SENTENCE
    elif before.text.rstrip().rstrip(CLOSING).endswith(CLAUSE_END):
        cost = AFTER_CLAUSE
    else:
        cost = IN_PHRASE
    return cost - min(MAX_PAUSE_WORTH, PAUSE_WORTH * pause)


def mark_continued(segments: Sequence[Segment]) -> Iterator[Segment]:
    """The segments, those marked that go on with a sentence into which a listener threw a word or two."""
    for i, segment in enumerate(segments):
        yield replace(segment, continues=i >= 2 and _goes_on(*segments[i - 2 : i + 1]))


def _goes_on(begun: Segment, aside: Segment, segment: Segment) -> bool:
    """Whether a segment ends what the one before last began, and what is between them is an aside."""
    return (
        begun.speaker == segment.speaker
        and _is_aside(aside, begun)
        and not ends_sentence(begun.words[-1])
        and segment.start - begun.end <= MAX_PAUSE
    )


def _is_aside(segment: Segment, before: Segment) -> bool:
    return (
        segment.speaker != before.speaker
        and len(segment.words) <= MAX_ASIDE_WORDS
        and segment.end - segment.start <= MAX_ASIDE_SECONDS
    )


def ends_sentence(word: Word) -> bool:
    """Whether the word carries the mark that ends a sentence."""
    return word.text.rstrip().rstrip(CLOSING).endswith(SENTENCE_END)


def _split_at_pauses(words: list[Word]) -> Iterator[list[Word]]:
    stretch = words[:1]
    for before, word in pairwise(words):
        if word.start - before.end > MAX_PAUSE:
            yield stretch
            stretch = []
        stretch.append(word)
    yield stretch


def split_sentences(words: Sequence[Word], language: str) -> Iterator[list[Word]]:
    """The words, cut after each that ends a sentence (found by sentencex, which knows abbreviations)."""
    from sentencex import segment

    boundaries = []
    length = 0
    for sentence in segment(language or "en", "".join(word.text for word in words)):
        length += len(sentence.rstrip())
        boundaries.append(length)
        length += len(sentence) - len(sentence.rstrip())
    position, boundary, sentence_words = 0, 0, list[Word]()
    for word in words:
        sentence_words.append(word)
        position += len(word.text)
        if boundary < len(boundaries) and position >= boundaries[boundary]:
            yield sentence_words
            sentence_words = []
            while boundary < len(boundaries) and boundaries[boundary] <= position:
                boundary += 1
    if sentence_words:
        yield sentence_words
