"""Speech that there may be in a recording."""

from __future__ import annotations

from hypothesis import strategies as st

from models.record.spans import Span

SECONDS = 120


@st.composite
def speech_spans(draw: st.DrawFn) -> list[Span]:
    """Speech in a recording of SECONDS: any number of spans of any length, apart from each other."""
    edges = sorted(set(draw(st.lists(st.integers(0, SECONDS * 10), max_size=60))))
    return [Span(a / 10, b / 10) for a, b in zip(edges[::2], edges[1::2], strict=False)]
