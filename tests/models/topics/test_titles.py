from collections.abc import Sequence
from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.record.transcript import Transcript
from models.topics.embedding import load_embedder
from models.topics.titles import MAX_TITLE, MAX_WORDS, Background, chapter_titles
from models.topics.words import words_in
from tests.outputs.samples import said, talk, transcripts

PUMPS = [
    "A heat pump takes warmth out of the cold air outside.",
    "Many people think that the heat pump is loud.",
    "In our street every second house has a heat pump now.",
    "You really have to insulate the roof before that.",
]
HARBOURS = [
    "The old harbour in Rotterdam is deep enough for container ships.",
    "But the container ships from Shanghai wait outside for days.",
    "Well, I really think that they have to build another harbour.",
    "Then the trains could take what the container ships bring.",
]


def parts(
    *each: Sequence[str], language: str = "en", speaker: str = "SPEAKER_00"
) -> tuple[Transcript, list[float]]:
    """A talk of these parts, each two minutes long, and where they begin."""
    starts = [number * 120.0 for number in range(len(each))]
    spoken = (
        said(text, start + at * 15, speaker=speaker)
        for start, texts in zip(starts, each, strict=True)
        for at, text in enumerate(texts)
    )
    return talk(*spoken, language=language), starts


def titles(*each: Sequence[str], language: str = "en", background: Background | None = None) -> list[str]:
    return chapter_titles(*parts(*each, language=language), background)


def test_a_part_is_called_by_what_it_alone_says_again_and_again() -> None:
    pumps, harbours = titles(PUMPS, HARBOURS)
    assert pumps.startswith("Heat pump")
    assert harbours.startswith("Container ships")


def test_what_other_episodes_say_too_comes_after_what_they_do_not() -> None:
    texts = [*PUMPS[:3], "Solar roofs are good.", "Solar roofs on old houses.", "It is a heat pump."]
    known = Background(9, dict.fromkeys(words_in(" ".join(PUMPS)), 9))
    assert titles(texts, HARBOURS)[0].startswith("Heat pump")
    assert titles(texts, HARBOURS, background=known)[0].startswith("Solar roofs")


@pytest.mark.parametrize(
    ("opening", "title"),
    [
        ("Okay, so let's talk about heat pumps in old houses, shall we?", "Heat pumps in old houses"),
        ("Our next topic is the heat pump.", "Heat pump"),
        ("So, what is a heat pump?", "What is a heat pump?"),
        ("Right. First question: How loud is a heat pump?", "How loud is a heat pump?"),
    ],
)
def test_an_announcement_or_a_question_at_the_beginning_is_the_title(opening: str, title: str) -> None:
    assert titles(HARBOURS, [opening, *PUMPS])[1] == title


@pytest.mark.parametrize(
    "opening",
    [
        "What do you think about that heat pump?",  # means something that was said before
        "What do you think?",
        "Is a heat pump what somebody who lives in an old house without a proper roof could possibly want?",
        "Let's talk about this heat pump thing that they have over there.",
    ],
)
def test_what_says_nothing_alone_or_is_too_long_is_no_title(opening: str) -> None:
    assert titles(HARBOURS, [opening, *PUMPS])[1].startswith("Heat pump")


def test_only_the_host_asks_questions_that_are_titles() -> None:
    asked = [said(f"Why number {n}?", 100.0 + n, speaker="HOST") for n in range(3)]
    for speaker, title in (("HOST", "What is a heat pump?"), ("GUEST", "Heat pump")):
        question = said("What is a heat pump?", 120.0, speaker=speaker)
        said_then = [said(text, 125.0 + at * 5, speaker="HOST") for at, text in enumerate(PUMPS)]
        assert chapter_titles(talk(*asked, question, *said_then), [0.0, 120.0])[1].startswith(title)


def test_words_are_written_as_they_are_within_sentences() -> None:
    texts = [
        "Solar roofs are rare.",
        "iPhone apps show how solar roofs do.",
        "Solar roofs and iPhone apps and so on.",
    ]
    title = titles(texts, HARBOURS)[0]
    assert "olar roofs" in title
    assert "Roofs" not in title
    assert "Iphone" not in title


def test_what_comes_close_to_the_meaning_of_a_part_goes_first() -> None:
    texts = [
        "My neighbour told me of a heat pump, and so did the postman.",
        "Radiators get warm by it, boilers are thrown out, and cellars stay dry.",
        "That postman again had a heat pump himself, and said that boilers are expensive to run.",
        "Postman or not, I want my radiators warm in winter without burning gas.",
    ]
    transcript, starts = parts(texts, HARBOURS)
    words_alone = chapter_titles(transcript, starts)
    with_meaning = chapter_titles(transcript, starts, embedder=load_embedder())
    assert "ostman" in words_alone[0]
    assert "ostman" not in with_meaning[0]
    assert chapter_titles(talk(), [0.0, 60.0], embedder=load_embedder()) == ["", ""]


def test_of_german_only_nouns_are_titles() -> None:
    pumpen = [
        "Eine Wärmepumpe holt die Wärme aus der kalten Luft.",
        "Viele glauben, dass so eine Wärmepumpe laut ist, obwohl sie nur leise brummt.",
        "Da brummt die Wärmepumpe, und dort brummt noch eine Wärmepumpe.",
    ]
    hafen = [
        "Der alte Hafen ist tief genug für die großen Schiffe.",
        "Aber die Schiffe aus Schanghai warten tagelang vor dem Hafen.",
        "Also muss der Hafen größer werden, oder die Schiffe müssen kleiner werden.",
    ]
    first, second = titles(pumpen, hafen, language="de")
    assert first.startswith("Wärmepumpe")
    assert "brummt" not in first.lower()
    assert {"Hafen", "Schiffe"} <= set(second.replace(",", "").split())


def test_several_phrases_tell_what_one_does_not() -> None:
    tools = [
        "We build it with Tauri, and Tauri takes a web view.",
        "It is all done in Rust, since Rust is fast.",
        "There are a lot of desktop apps now.",
        "For desktop apps we had Electron before, now there is Tauri and Rust.",
    ]
    title = titles(tools, HARBOURS)[0]
    assert {"Tauri", "Rust"} <= {words.strip(",") for words in title.split()}
    assert "esktop apps" in title


def test_forms_of_a_noun_count_together_and_german_ones_have_their_base_form() -> None:
    server = [
        "Wir haben das auf vielen Servern.",
        "Mit den Servern war es ein Drama, und der Server war weg.",
        "Auf allen Servern lief dann dieselbe Datenbank.",
    ]
    hafen = ["Der alte Hafen ist tief.", "Vor dem Hafen warten viele.", "Also muss der Hafen größer werden."]
    assert titles(server, hafen, language="de")[0].startswith("Server,")


def test_nouns_of_a_german_transcript_without_capitals_get_theirs() -> None:
    pumpen = ["eine wärmepumpe ist gut.", "aber die wärmepumpe brummt.", "dann kauft die wärmepumpe keiner."]
    hafen = ["der hafen ist tief.", "vor dem hafen warten viele.", "also muss der hafen größer werden."]
    assert [one.split(",")[0] for one in titles(pumpen, hafen, language="de")] == ["Wärmepumpe", "Hafen"]


def test_verbs_and_adjectives_alone_are_no_titles() -> None:
    texts = [
        "The nodes connect, and we connect to a peer.",
        "They connect the peer again, it is painful.",
        "You connect, and the peer is painful to have.",
    ]
    title = titles(texts, HARBOURS)[0].lower()
    assert "peer" in title
    assert "connect" not in title
    assert "painful" not in title


def test_french_elisions_are_not_at_the_ends() -> None:
    art = [
        "On parle de l’intelligence artificielle et de ce qu’elle change.",
        "C’est que l’intelligence artificielle, d’abord, c’est des données.",
        "Sans données, pas d’intelligence artificielle.",
    ]
    port = [
        "Le vieux port de Marseille attend les bateaux.",
        "Les bateaux du vieux port partent.",
        "Le vieux port est plein.",
    ]
    first, second = titles(art, port, language="fr")
    assert first.startswith("Intelligence artificielle")
    assert second.startswith("Vieux port")


SPACELESS = {
    "zh": (
        "今天我们谈谈人工智能的发展。人工智能改变了很多。大家都说人工智能很好。",
        "港口很深。船在港口等待。港口需要火车。",
    ),
    "ja": (
        "人工知能について話します。人工知能は便利です。人工知能の未来。",
        "港は深いです。船が港で待っています。港と船。",
    ),
    "th": ("เราพูดถึงปัญญาประดิษฐ์ ปัญญาประดิษฐ์เปลี่ยนโลก ปัญญาประดิษฐ์ดีมาก", "ท่าเรือลึกมาก เรือรออยู่ที่ท่าเรือ ท่าเรือใหม่"),
}


@pytest.mark.parametrize(
    ("language", "title"), [("zh", "人工智能"), ("ja", "人工知能"), ("th", "ปัญญาประดิษฐ์")]
)
def test_scripts_without_spaces_are_cut_between_words(language: str, title: str) -> None:
    intelligence, harbour = SPACELESS[language]
    first, second = titles([intelligence], [harbour], language=language)
    assert title in first
    assert second
    assert first != second


def test_a_part_that_only_greets_is_called_by_what_it_says() -> None:
    first, _ = titles(["Hello and welcome back."], PUMPS)
    assert first == "Hello and welcome back"


def test_a_part_without_words_has_no_title() -> None:
    assert titles([], PUMPS)[0] == ""


def test_parts_with_the_same_words_have_different_titles() -> None:
    assert len(set(titles(PUMPS, PUMPS, PUMPS))) == 3


@settings(max_examples=30)
@given(transcripts(), st.lists(st.floats(0, 60), max_size=4).map(sorted))
def test_whatever_is_said_no_title_is_invented(transcript: Transcript, later: list[float]) -> None:
    starts = [0.0, *later]
    found = chapter_titles(transcript, starts)
    assert len(found) == len(starts)
    spoken = {word for segment in transcript.segments for word in words_in(segment.text)}
    for title in found:
        assert len(title) <= 3 * MAX_TITLE
        assert len(title.split()) <= MAX_WORDS
        assert {category(char) for char in title}.isdisjoint({"Cc", "Zl", "Zp"})
        assert set(words_in(title)) <= spoken
    told = [frozenset(words_in(title)) for title in found if title]
    assert len(told) == len(set(told))
