"""Where the speaker changes, once what is said is taken into account.

The times of words and turns are each off by some tenths of a second, so a change of speaker goes to where
a sentence, a clause or a pause says it is, as far as that costs less than the times it contradicts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from models.alignment.attribution import TurnsBySpeaker, covered_seconds
from models.record.punctuation import CLAUSE_END, SENTENCE_END, finality
from models.record.transcript import Word

MAX_SHIFT_WORDS = 4  # how far a change of speaker may be off, by the times of words and of turns
MAX_SHIFT_SECONDS = 1.0
COVERED_SHARE = 0.5  # of a word that its speaker's turns must cover for it to interrupt somebody else
# How much worse, in seconds by which times are contradicted, a change of speaker is in each place.
IN_PHRASE = 1.0
AFTER_CLAUSE = 0.6
AFTER_SENTENCE = 0.0
PAUSE_WORTH = 1.0  # less for each second of pause there ...
MAX_PAUSE_WORTH = 0.5


def absorb_stray_words(words: Sequence[Word], own: TurnsBySpeaker) -> list[Word]:
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
        if sum(covered_seconds(words[i], words[i].speaker, own) for i in run) < COVERED_SHARE * spoken:
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
    return max(0.0, covered_seconds(word, word.speaker, own) - covered_seconds(word, taker, own))


def _change_cost(words: Sequence[Word], index: int) -> float:
    """How unlikely it is that the speaker changes before the word at `index`."""
    before = words[index - 1]
    pause = max(0.0, words[index].start - before.end)
    cost = {SENTENCE_END: AFTER_SENTENCE, CLAUSE_END: AFTER_CLAUSE}.get(finality(before.text), IN_PHRASE)
    return cost - min(MAX_PAUSE_WORTH, PAUSE_WORTH * pause)
