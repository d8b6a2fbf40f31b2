from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.languages.registry import language_of, languages
from models.record.transcript import PROPOSED, Segment, Transcript, Word
from models.topics.boundaries import SHORTEST, topic_starts
from models.topics.embedding import SentenceEmbedder, load_embedder
from models.topics.proposal import propose
from tests.outputs.samples import said, talk

BAKING = (
    ("The baker", "My grandmother", "A good apprentice", "Whoever loves bread", "Our village bakery"),
    ("kneads the dough for ten minutes", "lets the sourdough rise overnight", "heats the oven with beech wood",
     "weighs flour, water and salt", "puts the loaves into baskets", "tells rye from wheat by its smell"),
)  # fmt: skip
SAILING = (
    ("The skipper", "An old sailor", "The crew of the yacht", "Whoever crosses the Atlantic", "My uncle"),
    ("hoists the mainsail before the storm", "reads the wind from the waves", "steers by the stars at night",
     "drops the anchor in a quiet bay", "mends the torn jib with a needle", "waits for the tide to turn"),
)  # fmt: skip
VOTING = (
    ("Parliament", "The prime minister", "Every party in the coalition", "The committee", "A minority of voters"),
    ("debates the new tax on petrol", "wants an election in the autumn", "passes the law by two votes",
     "asks for a referendum on pensions", "blames the opposition for the deficit", "names a minister for the interior"),
)  # fmt: skip
EACH = 6.0  # seconds between the beginnings of two sentences


def spoken(*topics: tuple[Sequence[str], Sequence[str]], language: str = "en") -> Transcript:
    """Three minutes of two people about each of the topics."""
    chance = random.Random(1)
    texts = []
    for who, what in topics:
        sentences = [f"{a} {b}." for a, b in product(who, what)]
        chance.shuffle(sentences)
        texts += sentences
    return talk(
        *(said(text, at * EACH, speaker=f"SPEAKER_0{at // 5 % 2}") for at, text in enumerate(texts)),
        language=language,
    )


@pytest.fixture(scope="module")
def embedder() -> SentenceEmbedder:
    return load_embedder()


def near(starts: Sequence[float], *expected: float) -> bool:
    """Whether they are the expected ones, give or take a sentence."""
    return len(starts) == len(expected) and all(
        abs(a - b) <= EACH for a, b in zip(starts, expected, strict=True)
    )


def test_a_chapter_begins_where_the_topic_changes(embedder: SentenceEmbedder) -> None:
    assert near(topic_starts(spoken(BAKING, SAILING, VOTING), embedder), 0, 180, 360)


def test_a_topic_that_comes_again_is_a_chapter_again(embedder: SentenceEmbedder) -> None:
    assert near(topic_starts(spoken(BAKING, VOTING, BAKING), embedder), 0, 180, 360)


def test_one_topic_and_what_is_too_short_for_two_chapters_has_none(embedder: SentenceEmbedder) -> None:
    whole = spoken(BAKING, SAILING)
    short = replace(whole, segments=whole.segments[10 : 10 + int(2 * SHORTEST / EACH) - 1])
    assert topic_starts(spoken(BAKING), embedder) == ()
    assert topic_starts(spoken(BAKING, BAKING), embedder) == ()
    assert topic_starts(short, embedder) == ()
    assert topic_starts(replace(whole, segments=()), embedder) == ()


def test_harmless_changes_move_nothing(embedder: SentenceEmbedder) -> None:
    whole, chance = spoken(BAKING, SAILING, VOTING), random.Random(2)
    expected = topic_starts(whole, embedder)
    segments = []
    for one in whole.segments:
        words = [replace(word, text=" something") if chance.random() < 0.1 else word for word in one.words]
        segments.append(replace(one.with_words(tuple(words)), speaker=f"SPEAKER_0{chance.randrange(3)}"))
        segments += [said("Mhm.", one.end, speaker="SPEAKER_02")] if chance.random() < 0.2 else []
    changed = topic_starts(replace(whole, segments=tuple(segments)), embedder)
    assert near(changed, *expected)
    joined = tuple(
        a.with_words(a.words + b.words)
        for a, b in zip(whole.segments[::2], whole.segments[1::2], strict=True)
    )
    assert near(topic_starts(replace(whole, segments=joined), embedder), *expected)


def test_speech_without_full_stops_is_divided_too(embedder: SentenceEmbedder) -> None:
    whole = spoken(BAKING, SAILING, VOTING)
    run_on = (whole.segments[0].with_words(whole.words),)
    starts = topic_starts(replace(whole, segments=run_on), embedder)
    assert len(starts) == 3
    assert starts[1] == pytest.approx(180, abs=15)
    assert starts[2] == pytest.approx(360, abs=15)


def test_a_chapter_begins_with_the_announcement_of_its_topic(embedder: SentenceEmbedder) -> None:
    whole = spoken(BAKING, SAILING)
    announced = said("Okay, let's move on to something else.", 174, speaker="SPEAKER_00")
    segments = tuple(announced if one.start == announced.start else one for one in whole.segments)
    assert topic_starts(replace(whole, segments=segments), embedder) == (0.0, announced.start)


class Drawn:
    """An embedder whose vectors are drawn at random, by the text alone."""

    name, dimension = "drawn", 16

    def embed(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        rows = [np.random.default_rng(list(text.encode())).normal(size=16) for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), 16)

    def embed_parts(self, texts: Sequence[Sequence[str]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self.embed([" ".join(parts) for parts in texts]), self.embed(
            [one for parts in texts for one in parts]
        )


seconds = st.floats(0, 2000) | st.sampled_from([0.0, 119.9, 120.0, 300.0, 1800.0])
languages_said, speakers = st.sampled_from(["", "de", "-->"]), st.sampled_from([None, "A", "B"])
words = st.builds(
    Word, seconds, seconds, st.sampled_from(["", " a", " —", " word.", " 字"]), language=languages_said
)
segments = st.builds(
    Segment, seconds, seconds, speakers, st.lists(words, max_size=6).map(tuple), language=languages_said
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(segments=st.lists(segments, max_size=20))
def test_of_whatever_is_said_chapters_are_in_order_and_long_enough(segments: Sequence[Segment]) -> None:
    starts = topic_starts(talk(*segments), Drawn())
    assert not starts or (starts[0] == 0.0 and len(starts) > 1)
    assert all(b - a >= SHORTEST for a, b in pairwise(starts))


def test_proposed_chapters_say_so_and_which_model_made_them(embedder: SentenceEmbedder) -> None:
    whole = spoken(BAKING, SAILING)
    chapters = propose(whole, embedder)
    assert (chapters.source, chapters.engine, len(chapters.chapters)) == (PROPOSED, embedder.name, 2)
    assert all(chapter.title for chapter in chapters.chapters)
    assert propose(whole, embedder) == chapters
    assert not propose(spoken(BAKING), embedder)


MOVES = {
    "en": ("So, last question before we let you go.", "The next morning it rained."),
    "de": ("Kommen wir zum nächsten Thema.", "Am nächsten Morgen hat es geregnet."),
    "fr": ("Passons au prochain sujet.", "Le lendemain, il pleuvait."),
    "es": ("Vamos a pasar al siguiente tema.", "Al día siguiente llovió."),
    "it": ("Passiamo al prossimo argomento.", "La mattina dopo pioveva."),
    "nl": ("Laten we doorgaan met het volgende onderwerp.", "De volgende ochtend regende het."),
    "pt": ("Vamos passar ao próximo assunto.", "Na manhã seguinte, choveu."),
}


@pytest.mark.parametrize("code", languages())
def test_each_language_knows_where_a_subject_is_left(code: str) -> None:
    left, told = MOVES[code]
    moves = language_of(code).talk.moves
    assert moves.search(left)
    assert not moves.search(told)
