"""What the evidence on a label and a name adds up to, in log-odds.

Hints of different kinds add up. Those of one kind depend on each other as far as they come from one speaker and
one occasion, and together weigh no more than MOST: what makes one of them wrong can make all of them wrong.
A call that points rather to somebody else speaks against a label.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from models.record.transcript import Evidence

OCCASION_SECONDS = 60.0  # hints of one kind so far apart do not depend on each other
MOST = 5.0  # that hints of one kind add up to, where none alone weighs more
AGAINST = 0.5  # of what a call points rather to somebody else

Pair = tuple[str, str]
"""A label and a name."""

Time = tuple[str, float | None]
"""A name, and when it is called."""


def scored(pairs: Mapping[Pair, Sequence[Evidence]]) -> dict[Pair, float]:
    """The score of each pair that there is evidence for, by all of it."""
    pointed: dict[Time, dict[str, float]] = defaultdict(dict)
    callers: dict[Time, str] = {}
    for found in pairs.values():
        for e in found:
            if e.kind == "address":
                pointed[e.name, e.start][e.label] = e.weight
            elif e.kind == "addressing":
                callers[e.name, e.start] = e.label
    calls: dict[str, list[Time]] = defaultdict(list)
    for time in pointed:
        calls[time[0]].append(time)
    return {
        pair: _score([*found, *_against(pair, {time: pointed[time] for time in calls[pair[1]]})], callers)
        for pair, found in pairs.items()
    }


def _against(pair: Pair, pointed: Mapping[Time, Mapping[str, float]]) -> Iterator[Evidence]:
    """What speaks against a pair each time that its name is called; pointed: to which labels, by weight."""
    label, name = pair
    for (_, start), weights in pointed.items():
        excess = max(weights.values()) - weights.get(label, 0.0)
        if excess > 0:
            yield Evidence(label, name, "address", -AGAINST * excess, start)


def _score(found: Iterable[Evidence], callers: Mapping[Time, str]) -> float:
    """All evidence of one pair. callers: who calls the name."""
    hints: dict[str, dict[tuple[str | None, bool], list[Evidence]]] = defaultdict(lambda: defaultdict(list))
    for e in found:
        hints[e.kind][callers.get((e.name, e.start)), e.weight > 0].append(e)
    total = 0.0
    for sources in hints.values():
        most = max(MOST, *(abs(e.weight) for same in sources.values() for e in same))
        total += max(-most, min(most, sum(_sum(same) for same in sources.values())))
    return total


def _sum(hints: Iterable[Evidence]) -> float:
    """Hints of one kind from one speaker, the strongest first.

    Those of one occasion count less and less: the second half, the third a third. One that comes a minute
    after or before all stronger ones is an occasion of its own, one that comes nearer a part of it.
    """
    total, times = 0.0, list[float]()
    for n, e in enumerate(sorted(hints, key=lambda e: abs(e.weight), reverse=True), start=1):
        apart = 0.0
        if e.start is not None:
            apart = min((abs(e.start - time) for time in times), default=0.0) / OCCASION_SECONDS
            times.append(e.start)
        total += e.weight * max(1 / n, min(1.0, apart))
    return total
