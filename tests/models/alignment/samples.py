"""Words and turns to align: said by hand, or any there may be."""

from __future__ import annotations

from hypothesis import strategies as st

from models.record.transcript import Turn, Word

A, B = "SPEAKER_00", "SPEAKER_01"


def said(text: str, start: float = 0.0, pace: float = 0.4, language: str = "") -> list[Word]:
    """The words of `text`, one each `pace` seconds."""
    return [
        Word(start + i * pace, start + (i + 1) * pace, f" {word}", language=language)
        for i, word in enumerate(text.split())
    ]


times = st.floats(0, 100, allow_nan=False).map(lambda x: round(x, 2))
texts = st.sampled_from(
    [" yes", " no.", " Dr.", " A&B?", " -->", "はい。", "字", " <c>", " 😀!", " 3.5", " \n"]
)


@st.composite
def word_lists(draw: st.DrawFn) -> list[Word]:
    starts = sorted(draw(st.lists(times, max_size=40)))
    lengths, languages = st.sampled_from([0, 0.1, 0.5, 3]), st.sampled_from(["", "en", "de"])
    return [Word(start, start + draw(lengths), draw(texts), language=draw(languages)) for start in starts]


@st.composite
def exclusive_turns(draw: st.DrawFn) -> list[Turn]:
    edges = sorted(set(draw(st.lists(times, max_size=20))))
    return [
        Turn(start, end, draw(st.sampled_from([A, B, "SPEAKER_02"])))
        for start, end in zip(edges[::2], edges[1::2], strict=False)
    ]
