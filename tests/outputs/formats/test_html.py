from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from typing import Any

import pytest
import webvtt
from hypothesis import given
from lxml import html as parser

from models.record.transcript import BY_USER, PROPOSED, Chapters, Summary, SummarySentence, Transcript
from outputs.formats.html import render, sources
from outputs.pages import templates
from outputs.text.document import contents
from tests.outputs.samples import (
    BILINGUAL,
    CONVERSATION,
    WITH_CHAPTERS,
    letters,
    said,
    spoken,
    spoken_over,
    talk,
    transcripts,
    unsure,
)

TEMPLATE = parser.document_fromstring(render(CONVERSATION))
SUMMARY = Summary("llama3", (SummarySentence("Both say hello.", 4.9), SummarySentence("<i>Then", 0.0)))
CHAPTERED = parser.document_fromstring(render(replace(WITH_CHAPTERS, summary=SUMMARY)))
TAGS = {element.tag for page in (TEMPLATE, CHAPTERED) for element in page.iter()} | {
    "source",
    "p",
    "optgroup",
}


def from_feed(transcript: Transcript, url: str, path: str = "pilot.mp3") -> Transcript:
    episode = replace(transcript.episode, audio_url=url)
    return replace(transcript, episode=episode, audio=replace(transcript.audio, path=path))


def body_words(page: Any) -> str:
    return letters("".join(p.text_content() for p in page.xpath("//main/section/p")))


@given(transcripts())
def test_holds_every_word_in_order_and_no_markup_from_outside(transcript: Transcript) -> None:
    page = parser.document_fromstring(render(transcript))
    assert body_words(page) == spoken(transcript)
    assert {element.tag for element in page.iter()} <= TAGS
    assert len(page.findall(".//script")) == len(page.findall(".//style")) == 1


@given(transcripts())
def test_every_chapter_and_passage_is_linked_and_has_an_anchor_if_it_is_the_first_at_its_time(
    transcript: Transcript,
) -> None:
    page = parser.document_fromstring(render(transcript))
    anchors = page.xpath("//main//*/@id")
    links = page.xpath("//main//a/@href")
    assert len(anchors) == len(set(anchors))
    assert len(links) == len(list(contents(transcript)))
    assert {f"#{anchor}" for anchor in anchors} == set(links)
    assert all(re.fullmatch(r"#t=\d+(\.\d{1,3})?", link) for link in links)


def test_chapters_are_listed_and_head_what_is_said_in_them() -> None:
    entries = [
        (a.get("href"), a.get("data-end"), a.text_content()) for a in CHAPTERED.xpath("//nav//a[@data-end]")
    ]
    assert entries == [
        ("#t=0", "6", "00:00 Hello & <b> 6 s"),
        ("#t=6", "8.5", "00:06 What they found 2 s"),
    ]
    heads = [
        (one.tag, one.get("id"), one.text_content()) for one in CHAPTERED.xpath("//main/*//h3 | //main/h2")
    ]
    assert heads == [
        ("h2", "t=0", "Hello & <b> 00:00"),
        ("h3", "t=0.5", "Ann 00:00"),
        ("h3", "t=4", "Bob 00:04"),
        ("h2", "t=6", "What they found 00:06"),
        ("h3", None, "Ann 00:06"),  # its anchor is the chapter's
        ("h3", "t=9", "00:09"),
    ]
    (link,) = CHAPTERED.xpath("//nav//a[@rel]")
    assert (link.get("href"), link.text, link.get("rel")) == (
        "https://example.org/found?a=1&b=2", "example.org", "noopener noreferrer nofollow",
    )  # fmt: skip
    assert CHAPTERED.xpath("//*[@id='marks']/*/@d") == ["M0.0 0h411.0v6h-411.0z", "M411.0 0h171.2v6h-171.2z"]
    assert not CHAPTERED.xpath("//img | //span[@title and text()='proposed']")
    for absent in ("nav", "h2[not(@id)]", "*[@id='marks']", "*[@id='chapter']", "section[@class='summary']"):
        assert not TEMPLATE.xpath(f"//main//{absent} | //aside//{absent} | //header//{absent}")


def test_chapters_and_summary_say_what_made_them() -> None:
    proposed = replace(WITH_CHAPTERS, chapters=replace(WITH_CHAPTERS.chapters, source=PROPOSED))
    page = parser.document_fromstring(render(proposed))
    (mark,) = page.xpath("//h2[@id='chapters']/span")
    assert (mark.text, mark.get("title")) == ("proposed", "Chapters were proposed by a computer.")
    chapters = tuple(replace(one, by="llama3") for one in WITH_CHAPTERS.chapters.chapters)
    titled = replace(WITH_CHAPTERS, chapters=Chapters(BY_USER, chapters))
    page = parser.document_fromstring(render(titled))
    assert page.xpath("//nav/p/text()") == ["Titles of chapters were written by llama3."]
    (summary,) = CHAPTERED.find_class("summary")
    assert summary.find("h2").text_content() == "Summary written by llama3"
    assert (
        summary.find("p").text_content()
        == "Both say hello.\N{NO-BREAK SPACE}00:04 <i>Then\N{NO-BREAK SPACE}00:00"
    )
    links = [(a.get("href"), a.get("data-t")) for a in summary.iter("a")]
    assert links == [("#t=4", "4.9"), ("#t=0", "0")]  # to the passage, and with scripts to the word


def test_words_have_their_times() -> None:
    page = parser.document_fromstring(render(CONVERSATION))
    words = [(float(span.get("data-t")), span.text) for span in page.findall(".//main//span")]
    assert words == [(word.start, word.text.strip()) for word in CONVERSATION.words]


def test_what_is_in_another_language_says_so() -> None:
    page = parser.document_fromstring(render(BILINGUAL))
    said_in = [(p.get("lang"), p.text_content()) for p in page.xpath("//main/section/p")]
    assert said_in == [
        (None, " Welcome back to the show."),
        ("de", " Und jetzt auf Deutsch, damit es alle verstehen können."),
        (None, " I understood that."),
        ("de", " Sehr schön."),
    ]
    assert page.get("lang") == "en"
    (facts,) = page.find_class("facts")
    assert facts.text_content() == "00:13 · 2 speakers · de 58 % · en 42 %"


def test_languages_are_told_only_where_there_are_several() -> None:
    for transcript in (CONVERSATION, replace(BILINGUAL, languages=BILINGUAL.languages[:1])):
        assert "%" not in parser.document_fromstring(render(transcript)).find_class("facts")[0].text_content()


def test_words_of_an_unsure_speaker_are_marked_and_told_once() -> None:
    page = parser.document_fromstring(render(unsure(CONVERSATION, 1)))
    marked = page.xpath("//main//span[@class='unsure']")
    assert [span.text for span in marked] == ["And", "I'm", "Bob,", "hello!"]
    assert [span.text for span in page.xpath("//main//span[@class='hush']")] == ["Speaker unsure: "]
    assert page.xpath("//aside//span[@class='unsure']/text()") == ["Dotted"]
    assert not parser.document_fromstring(render(CONVERSATION)).xpath("//span[@class='unsure']")


def test_words_said_while_somebody_else_speaks_are_marked() -> None:
    page = parser.document_fromstring(render(spoken_over(CONVERSATION, 1)))
    words = page.xpath("//main//span[@class='overlap']/text()")
    assert words == ["And", "I'm", "Bob,", "hello!"]
    assert page.xpath("//aside//span[@class='overlap']/text()") == ["Slanted"]
    both = parser.document_fromstring(render(unsure(spoken_over(CONVERSATION, 1), 1)))
    assert both.xpath("//main//span[@class='unsure overlap']/text()") == words
    assert not parser.document_fromstring(render(CONVERSATION)).xpath("//span[@class='overlap']")


def test_policy_allows_our_style_and_script_and_nothing_else() -> None:
    (policy,) = TEMPLATE.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(TEMPLATE.findtext(f".//{kind}").encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{digest}'"
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"
    assert rules["media-src"] == "'self' blob: data:"
    assert not any("unsafe" in rule or "*" in rule for rule in rules.values())


def test_loads_nothing_but_the_audio() -> None:
    transcript = from_feed(CONVERSATION, "https://example.org/a.mp3?x=1&y=2", "audio.mp3")
    page = parser.document_fromstring(render(transcript))
    loaded = page.xpath("//@src | //link/@href | //@data | //@poster | //@srcset")
    assert [url for url in loaded if not url.startswith("data:")] == [
        "audio.mp3",
        "https://example.org/a.mp3?x=1&y=2",
    ]
    assert page.find(".//audio").get("preload") == "none"
    assert not page.xpath("//@style | //@*[starts-with(name(), 'on')]")
    text = templates.asset("tokens.css", "page.css", "player.js")
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/)|innerHTML|eval\(", text)


@pytest.mark.parametrize(
    ("url", "path", "expected"),
    [
        ("", "interview.mp3", ["interview.mp3"]),
        ("", "audio.m4a", ["audio.m4a"]),
        ("https://example.org/a.mp3", "ab12.mp3", ["https://example.org/a.mp3"]),
        ("https://example.org/a.mp3", "audio.mp3", ["audio.mp3", "https://example.org/a.mp3"]),
        ("javascript:alert(1)", "../../etc/pass wd?.mp3", ["pass%20wd%3F.mp3"]),
        ("data:text/html,x", "C:\\talks\\a.mp3", ["a.mp3"]),
        ("http://[", "", []),
    ],
)
def test_where_the_audio_is_looked_for(url: str, path: str, expected: list[str]) -> None:
    transcript = from_feed(CONVERSATION, url, path)
    assert sources(transcript) == expected
    page = parser.document_fromstring(render(transcript))
    assert [source.get("src") for source in page.findall(".//audio//source")] == expected


def test_the_web_may_be_played_from_only_if_the_episode_is_there() -> None:
    def media(transcript: Transcript) -> str:
        page = parser.document_fromstring(render(transcript))
        (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
        return str(dict(rule.split(" ", 1) for rule in policy.split("; "))["media-src"])

    assert media(from_feed(CONVERSATION, "https://example.org/a.mp3")) == "'self' blob: data: https:"
    assert media(from_feed(CONVERSATION, "http://example.org/a.mp3")) == "'self' blob: data: http: https:"


def test_carries_its_captions() -> None:
    track = TEMPLATE.find(".//track")
    assert (track.get("kind"), track.get("srclang")) == ("captions", "en")
    kind, _, data = track.get("src").partition(",")
    assert kind == "data:text/vtt;charset=utf-8;base64"
    captions = webvtt.from_string(base64.b64decode(data).decode())
    assert {caption.voice for caption in captions} == {"Ann", "Bob", None}


def test_says_what_it_is_without_scripts() -> None:
    assert TEMPLATE.get("lang") == "en"
    assert TEMPLATE.findtext(".//title") == "Pilot & co · The Show"
    assert TEMPLATE.findtext(".//h1") == "Pilot & co"
    assert [item.text_content() for item in TEMPLATE.xpath("//ul[@class='speakers']//bdi")] == ["Ann", "Bob"]
    assert TEMPLATE.xpath("//section/h3/@id") == ["t=0.5", "t=4", "t=6", "t=9"]
    assert TEMPLATE.find(".//main//time").text == "00:00"
    assert TEMPLATE.xpath("//audio/@controls")
    for element in ("find", "controls", "seek"):  # what needs scripts is not there without them
        assert TEMPLATE.get_element_by_id(element).get("hidden") is not None


def test_two_passages_at_one_time() -> None:
    page = parser.document_fromstring(render(talk(said("One.", 3.0), said("Two.", 3.0, speaker="B"))))
    assert page.xpath("//h3/@id") == ["t=3"]
    assert page.xpath("//main//a/@href") == ["#t=3", "#t=3"]


def test_unknown_language_and_empty_episode() -> None:
    page = parser.document_fromstring(render(replace(CONVERSATION, language="")))
    assert page.get("lang") == "und"
    assert "Nobody speaks" in render(talk())


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_that_of_wcag_aa(scheme: int) -> None:
    css = templates.asset("tokens.css")
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", css)
    colour = {name: values[scheme] for name, *values in pairs}
    colour["dark"] = re.search(r"--dark: (#\w+)", css)[1]  # type: ignore[index]
    speakers = [f"s{number}" for number in range(8)]
    for ground in ("bg", "panel"):
        for text in ("ink", "soft", "accent", "good", "warn", "bad", *speakers):
            assert contrast(colour[text], colour[ground]) >= 4.5, (text, ground)
        assert contrast(colour["edge"], colour[ground]) >= 3, ground  # outlines of controls
    assert contrast(colour["on-accent"], colour["accent"]) >= 4.5
    assert contrast(colour["ink"], colour["hit"]) >= 4.5
    for mark in ("now", "here"):
        assert contrast(colour["dark"], colour[mark]) >= 4.5
    assert len({colour[name] for name in speakers}) == len(speakers)
