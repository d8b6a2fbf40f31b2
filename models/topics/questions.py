"""Who asks, and what reads as a question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import regex

from models.record.punctuation import CLOSING_MARKS
from models.record.transcript import Segment

_QUESTION = regex.compile(rf"[?？؟][{regex.escape(CLOSING_MARKS)}]*\s*$")


def is_question(text: str) -> bool:
    """Whether a text ends as a question does.

    >>> is_question('“Why?”'), is_question("Why? Because."), is_question("لماذا؟")
    (True, False, True)
    """
    return bool(_QUESTION.search(text))


def host_of(segments: Iterable[Segment]) -> str | None:
    """Who asks the most questions; None where nobody asks any."""
    asked = Counter(one.speaker for one in segments if one.speaker and is_question(one.text))
    return asked.most_common(1)[0][0] if asked else None
