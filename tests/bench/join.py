"""Join words and turns with the Episcribe that is found first on the path: `join.py < JSON > JSON`."""

from __future__ import annotations

import json
import sys

from models.alignment.align import align
from models.record.transcript import Turn, Word


def main() -> None:
    """Start, end, speaker and words of each segment."""
    told = json.load(sys.stdin)
    exclusive, turns = ([Turn(*turn) for turn in told[name]] for name in ("exclusive", "turns"))
    segments = align([Word(*word) for word in told["words"]], exclusive, told["language"], turns)
    rows = [(s.start, s.end, s.speaker, [(w.start, w.end, w.text) for w in s.words]) for s in segments]
    json.dump(rows, sys.stdout)


if __name__ == "__main__":
    main()
