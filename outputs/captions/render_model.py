"""How fast captions may change, by W3C's IMSC Hypothetical Render Model 1.0 (https://www.w3.org/TR/imsc-hrm/).

The model paints all that is shown at once anew whenever some of it comes or goes, at a limited speed; a document in
which something has to be shown before it can be painted is not valid. That is so where three people cut in on each
other within a second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from outputs.captions.screen import MIN_FLASH_MS, Cue
from outputs.text.times import milliseconds

MAX_PAINTING_MS = 1000  # it paints no earlier before something is shown
FILLED_PER_SECOND = 12.0  # areas as large as the picture
DRAWN_PER_SECOND = 1.2  # the same of letters that are not in the one before
WIDE_DRAWN_PER_SECOND = 0.6  # Chinese, Japanese and Korean ones
COPIED_PER_SECOND = 12.0  # letters that are
OTHER_COPIED_PER_SECOND = 3.0  # of scripts that are not simple
FIRST_OTHER, FIRST_WIDE = "\u0600", "\u1100"  # scripts before are Latin, Greek, Cyrillic and Hebrew; not wide


def paced(cues: Sequence[Cue], region: float, font: float) -> list[Cue]:
    """The same cues, those that come or go too soon after others a little later. Their order stays.

    region: the area of what is filled behind a cue as a share of the picture. font: the height of letters, likewise.
    """
    spans = [(milliseconds(cue.start), milliseconds(cue.end)) for cue in cues]
    changes = sorted({at for span in spans for at in span})
    beginning = defaultdict[int, list[int]](list)
    for number, (start, _) in enumerate(spans):
        beginning[start].append(number)
    shown, moved = list[int](), dict[int, int]()
    before, after, painted = -MIN_FLASH_MS, -MIN_FLASH_MS, -MAX_PAINTING_MS
    for at in changes:
        shown = [*(number for number in shown if spans[number][1] > at), *beginning[at]]
        after = max(at, after + min(at - before, MIN_FLASH_MS))
        if shown:
            needed = painting_ms([cues[number] for number in shown], region, font)
            after = painted = max(after, painted + min(needed, MAX_PAINTING_MS))
        moved[at], before = after, at
    return [
        replace(cue, start=moved[start] / 1000, end=moved[end] / 1000)
        for cue, (start, end) in zip(cues, spans, strict=True)
    ]


def painting_ms(cues: Collection[Cue], region: float, font: float) -> int:
    """How long the model paints cues that are shown at once, at most; `region` and `font` as in `paced`."""
    seconds, drawn = (1 + region * len(cues)) / FILLED_PER_SECOND, set[tuple[str, str]]()
    for cue in cues:
        for char in "".join(cue.lines):
            if (cue.speaker, char) in drawn:
                speed = COPIED_PER_SECOND if char < FIRST_OTHER else OTHER_COPIED_PER_SECOND
            else:
                speed = DRAWN_PER_SECOND if char < FIRST_WIDE else WIDE_DRAWN_PER_SECOND
                drawn.add((cue.speaker, char))
            seconds += font**2 / speed
    return 1 + int(1000 * seconds)
