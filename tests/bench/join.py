"""Join words and turns with the Episcribe that is found first on the path: `join.py < PICKLE > PICKLE`.

Words, language and turns come as plain values, so that any version reads them.
"""

from __future__ import annotations

import pickle
import sys

from models.alignment.align import align
from models.record.transcript import Turn, Word


def main() -> None:
    """The speaker and the sentence of each word, in order."""
    words, language, exclusive, turns = pickle.load(sys.stdin.buffer)
    segments = align(
        [Word(*word) for word in words], [Turn(*t) for t in exclusive], language, [Turn(*t) for t in turns]
    )
    rows = [(s.start, s.end, s.speaker, [(w.start, w.end, w.text) for w in s.words]) for s in segments]
    sys.stdout.buffer.write(pickle.dumps(rows))


if __name__ == "__main__":
    main()
