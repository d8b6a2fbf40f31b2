from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from typing import Any

from hypothesis import given
from lxml import html as parser

from models.transcript import Transcript
from outputs.html import render
from outputs.paragraphs import passages
from tests.outputs.samples import CONVERSATION, letters, said, spoken, talk, transcripts


def body_words(page: Any) -> str:
    return letters("".join(p.text_content() for p in page.findall(".//main//p")))


@given(transcripts())
def test_holds_every_word_in_order_and_no_markup_from_outside(transcript: Transcript) -> None:
    text = render(transcript)
    page = parser.document_fromstring(text)
    assert body_words(page) == spoken(transcript)
    allowed = {"html", "head", "meta", "title", "style", "body", "header", "h1", "p", "ul", "li", "main"}
    assert {element.tag for element in page.iter()} <= allowed | {"section", "h2", "bdi", "a", "time"}


@given(transcripts())
def test_anchors_are_unique_and_linked(transcript: Transcript) -> None:
    page = parser.document_fromstring(render(transcript))
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids)) == len(passages(transcript))
    assert [link.removeprefix("#") for link in page.xpath("//a/@href")] == ids


def test_policy_allows_our_style_and_nothing_else() -> None:
    page = parser.document_fromstring(render(CONVERSATION))
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    digest = base64.b64encode(hashlib.sha256(page.findtext(".//style").encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")


def test_loads_nothing() -> None:
    text = render(CONVERSATION)
    assert not re.search(r"<script|src=|https?:|url\(| on\w+=|style=", text.replace("script-src", ""))


def test_says_what_it_is() -> None:
    page = parser.document_fromstring(render(CONVERSATION))
    assert page.get("lang") == "en"
    assert page.findtext(".//title") == page.findtext(".//h1") == "Pilot & co"
    assert [item.text for item in page.findall(".//li")] == ["Ann", "Bob"]
    assert page.xpath("//section/h2/@id") == ["t0", "t4", "t6", "t9"]
    assert page.find(".//time").text == "00:00"


def test_two_passages_in_one_second() -> None:
    transcript = talk(said("One.", 3.0), said("Two.", 3.4, speaker="B"))
    assert 'id="t3"' in render(transcript)
    assert 'id="t3-2"' in render(transcript)


def test_unknown_language() -> None:
    page = parser.document_fromstring(render(replace(CONVERSATION, language="")))
    assert page.get("lang") == "und"
