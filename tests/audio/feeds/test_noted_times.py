"""Chapters in show notes: every notation, and numbers that are none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.feeds.noted_times import chapters_in
from audio.feeds.text import plain_text

LISTS = {
    "plain": "00:00 Intro\n00:42 Noises\n1:03:20 Outro",
    "brackets": "(0:00) Intro\n(0:42) Noises\n(1:03:20) Outro",
    "square brackets": "[00:00:00] Intro\n[00:00:42] - Noises\n[01:03:20] - Outro",
    "other brackets": "【00:00】Intro\n【00:42】Noises\n【1:03:20】Outro",
    "dashes": "- 0:00 Intro\n- 0:42 Noises\n- 1:03:20 Outro",
    "numbers": "1. 00:00:00 – Intro\n2. 00:00:42 – Noises\n3. 01:03:20 – Outro",
    "numbers and brackets": "1) [0:00] Intro\n2) [0:42] Noises\n3) [1:03:20] Outro",
    "numbers and a dash": "01 - 0:00 - Intro\n02 - 0:42 - Noises\n03 - 1:03:20 - Outro",
    "keycaps": "1️⃣ 0:00 Intro\n2️⃣ 0:42 Noises\n3️⃣ 1:03:20 Outro",
    "emoji": "⏱️ 00:00 Intro\n🔊 00:42 Noises\n👋 1:03:20 Outro",
    "behind dots": "Intro .......... 00:00\nNoises ........ 00:42\nOutro ......... 1:03:20",
    "behind in brackets": "Intro (00:00)\nNoises (00:42)\nOutro (1:03:20)",
    "behind a dash": "Intro - 00:00\nNoises - 00:42\nOutro - 1:03:20",
    "behind an at sign": "Timestamps\nIntro @ 00:00\nNoises @ 00:42\nOutro @ 1:03:20",
    "ranges": "00:00 - 00:42 Intro\n00:42 - 1:03:20 Noises\n1:03:20 - 1:05:00 Outro",
    "ranges in brackets": "[00:00–00:42] Intro\n[00:42–1:03:20] Noises\n[1:03:20–1:05:00] Outro",
    "ranges behind": "Intro (00:00 to 00:42)\nNoises (00:42 to 1:03:20)\nOutro (1:03:20 to 1:05:00)",
    "milliseconds": "00:00:00.000 Intro\n00:00:42.000 Noises\n01:03:20.000 Outro",
    "a pipe": "00:00:00 | Intro\n00:00:42 | Noises\n01:03:20 | Outro",
    "colons": "0:00: Intro\n0:42: Noises\n1:03:20: Outro",
    "minutes beyond an hour": "0:00 Intro\n0:42 Noises\n63:20 Outro",
    "units": "0h 0m 0s Intro\n0h 0m 42s Noises\n1h 3m 20s Outro",
    "units without spaces": "0m00s Intro\n0m42s Noises\n1h03m20s - Outro",
    "hours in French": "0 min : Intro\n0 min 42 : Noises\n1 h 03 min 20 s : Outro",
    "units in Japanese": "0分0秒 Intro\n0分42秒 Noises\n1時間3分20秒 Outro",
    "units in Korean": "0분 Intro\n0분 42초 Noises\n1시간 3분 20초 Outro",
    "the length below": "Intro - 0:00\nNoises - 0:42\nOutro - 1:03:20\nRunning time - 1:05:00",
    "the length above": "Duration: 1:05:00\n0:00 Intro\n0:42 Noises\n1:03:20 Outro",
    "primes": "0'00 Intro\n0'42 Noises\n1h03'20 Outro",
    "double primes": "0’00’’ - Intro\n0’42’’ - Noises\n63’20’’ - Outro",
    "à in French": "à 0:00 : Intro\nà 0:42 : Noises\nà 1:03:20 : Outro",
    "minutes in German": "Ab Minute 0:00: Intro\nAb Minute 0:42: Noises\nAb Minute 63:20: Outro",
    "min. behind": "0:00 min Intro\n0:42 min Noises\n63:20 min Outro",
    "dots": "Kapitel\n0.00 Intro\n0.42 Noises\n1.03.20 Outro",
    "wide digits": "０：００ Intro\n０：４２ Noises\n１：０３：２０ Outro",
    "Arabic digits": "٠:٠٠ Intro\n٠:٤٢ Noises\n١:٠٣:٢٠ Outro",
    "headings": "## 0:00 Intro\n### 0:42 Noises\n### 1:03:20 Outro",
    "labels": "Chapter 1: 0:00 Intro\nChapter 2: 0:42 Noises\nChapter 3: 1:03:20 Outro",
    "Markdown": "**0:00** Intro\n**0:42** Noises\n**1:03:20** Outro",
    "Markdown links": "[0:00](https://a.example/?t=0) Intro\n[0:42](https://a.example/?t=42) Noises\n"
    "[1:03:20](https://a.example/?t=3800) Outro",
    "on lines of their own": "0:00\nIntro\n\n0:42\nNoises\n\n1:03:20\nOutro",
    "with more about each": "0:00 Intro\nWe say hello.\n\n0:42 Noises\nhttps://a.example\n\n1:03:20 Outro\nBye.",
    "in one line": "We talk. CHAPTERS: (0:00) Intro (0:42) Noises (1:03:20) Outro",
    "in one line with commas": "Timestamps: 0:00 Intro, 0:42 Noises, 1:03:20 Outro",
    "behind, in one line": "Chapters: Intro (0:00), Noises (0:42), Outro (1:03:20)",
    "a heading before the first": "Sprungmarken(00:00:00) Intro\n(00:00:42) Noises\n(01:03:20) Outro",
    "a paragraph each": "<p>0:00 Intro</p><p>0:42 Noises</p><p>1:03:20 Outro</p>",
    "a list in HTML": "<ul><li>0:00 Intro</li><li>0:42 Noises</li><li>1:03:20 Outro</li></ul>",
    "a list with paragraphs": "<ol><li><p>0:00 Intro</p></li><li><p>0:42 Noises</p></li>"
    "<li><p>1:03:20 Outro</p></li></ol>",
    "lines in HTML": "0:00 Intro<br>0:42 Noises<br />1:03:20 Outro",
    "links around times": '<p><a href="#t=0">0:00</a> Intro<br/><a href="#t=42">0:42</a> Noises<br/>'
    '<a href="#t=3800">1:03:20</a> Outro</p>',
    "links around all": '<li><a href="https://a.example/">0:00 Intro</a></li><li><a href="https://a.example/">0:42 '
    'Noises</a></li><li><a href="https://a.example/">1:03:20 Outro</a></li>',
    "bold times": "<p><strong>0:00</strong> Intro</p><p><strong>0:42</strong>Noises</p>"
    "<p><strong>1:03:20</strong> Outro</p>",
    "a table": "<table><tr><td>0:00</td><td>Intro</td></tr><tr><td>0:42</td><td>Noises</td></tr>"
    "<tr><td>1:03:20</td><td>Outro</td></tr></table>",
    "definitions": "<dl><dt>0:00</dt><dd>Intro</dd><dt>0:42</dt><dd>Noises</dd><dt>1:03:20</dt><dd>Outro</dd></dl>",
    "preformatted": "<p>Hello</p><pre>0:00 Intro\n0:42 Noises\n1:03:20 Outro</pre>",
    "lines of a text with one tag": 'Hello\n0:00 Intro\n0:42 Noises\n1:03:20 Outro\n<a href="https://a.example">a</a>',
    "no-break spaces": "<p>0:00&nbsp;Intro</p><p>0:42&nbsp;&nbsp;Noises</p><p>1:03:20&nbsp;Outro</p>",
    "an hour and a verse beside them": "On Sunday at 10:00. On John 3:16.\n0:00 Intro\n0:42 Noises\n1:03:20 Outro",
    "a slip among them": "0:00 Intro\n0:42 Noises\n1:03:20 Outro\n0:20 Slip\n",
}  # fmt: skip


@pytest.mark.parametrize("notes", LISTS.values(), ids=LISTS.keys())
def test_lists_are_read_in_whatever_notation(notes: str) -> None:
    found = chapters_in(plain_text(notes), 3900.0)
    assert [(chapter.start, chapter.title) for chapter in found] == [
        (0.0, "Intro"),
        (42.0, "Noises"),
        (3800.0, "Outro"),
    ]


def test_times_are_read_as_they_fit_the_audio() -> None:
    hours = "0:00 Intro\n0:12 Noises\n1:03 Outro"
    assert [chapter.start for chapter in chapters_in(hours, 3900.0)] == [0.0, 720.0, 3780.0]
    assert [chapter.start for chapter in chapters_in(hours, 90.0)] == [0.0, 12.0, 63.0]
    frames = "00:00:00 Intro\n12:00:00 Noises\n63:20:00 Outro"
    assert [chapter.start for chapter in chapters_in(frames, 3900.0)] == [0.0, 720.0, 3800.0]


def test_ends_and_links_are_told_where_they_stand() -> None:
    notes = "0:00-0:30 Intro <https://a.example/>\n0:42 - 1:00 Noises https://b.example\n1:03:20 Outro"
    assert [(chapter.end, chapter.url) for chapter in chapters_in(notes)] == [
        (30.0, "https://a.example/"),
        (60.0, "https://b.example"),
        (None, ""),
    ]


PIECES = (
    "0:00",
    "1:42",
    "12:34",
    "1h",
    "min",
    "Minute 3",
    "-",
    "(",
    ")",
    "[",
    "x",
    " ",
    "\n",
    "：",
    "٣",
    "3'",
    "1️⃣",
)


@given(st.lists(st.sampled_from(PIECES), max_size=30), st.sampled_from((0.0, 600.0)))
@settings(max_examples=200, deadline=None)
def test_whatever_notes_hold_times_rise_and_titles_are_there(pieces: list[str], seconds: float) -> None:
    found = chapters_in("".join(pieces), seconds)
    assert all(one.start < other.start for one, other in pairwise(found))
    assert all(chapter.title.strip() == chapter.title != "" for chapter in found)


NONE = {
    "nothing": "",
    "a time in a sentence": "At 12:34 he says what all were waiting for.",
    "times in sentences": "At 12:34 he says it, and around 44:10 we lose the line. It is 1:02:03 long.",
    "a time in each paragraph": "At 2:34 he says it.\n\nThen we argue from 12:10 on.\n\nBy 33:20 we agree again.",
    "quotes with their times": '"I like it." - A @ 9:42\n\n"So do I." - B @ 12:10\n\n"Never." - A @ 33:03',
    "hours": "Doors 19:00\nShow 20:00\nBar 22:30",
    "hours before": "19:00 Doors\n20:00 Show\n22:30 Bar",
    "a conference": "9:00 Registration\n9:30 Keynote\n10:45 Coffee\n12:00 Lunch\n13:30 Workshops",
    "hours with am and pm": "9:05 am Breakfast\n10:20 am Run\n12:40 pm Lunch",
    "hours in German": "00:42 Uhr Anfang\n10:21 Uhr Mitte\n12:42 Uhr Ende",
    "hours in Spanish": "10:21 h Inicio\n11:42 h Centro\n12:43 h Fin",
    "verses": "Matthew 5:12\nRomans 8:28\nPsalm 23:11\nIsaiah 41:10",
    "verses in a sentence": "Readings: Genesis 1:11, Exodus 3:14, Matthew 5:12 and Romans 8:28",
    "verses before": "1:14 And the Word became flesh\n3:16 For God so loved\n8:12 I am the light",
    "scores": "A against B 3:1\nC against D 21:19\nE against F 102:98",
    "ratios": "Pictures of 4:3, 16:9 and 21:09",
    "songs with how long they are": "1. Morning 3:45\n2. Noon 4:12\n3. Evening 2:50\n4. Night 5:01\n5. Dream 3:30",
    "lengths": "Length: 1:02:03",
    "dates": "12.10. Berlin\n13.10. Hamburg\n14.10. Bremen",
    "prices": "Tickets\n12.50 early\n15.50 regular\n20.50 late",
    "versions": "1.10 the first\n1.12 the second\n1.20 the third",
    "a recipe": "10 min knead\n20 min rest\n45 min bake",
    "addresses": "https://a.example/12:34\nhttps://a.example/13:35\nhttps://a.example/14:36",
    "moments": "2026-11-16 12:34:56 begun\n2026-11-16 13:34:56 half\n2026-11-16 14:34:56 done",
    "stamps of a log": "2026-11-16T12:34:56Z a\n2026-11-16T13:34:56Z b\n2026-11-16T14:34:56Z c",
    "a transcript": "\n".join(f"00:{second:02}:{second % 7:02} Ann: and so on" for second in range(1, 3))
    + "\n".join(f"[{at // 60}:{at % 60:02}] Ann: and so on and on" for at in range(0, 300, 7)),
    "times without titles": "0:00\n\n1:42\n\n5:03",
    "falling": "33:20 Third\n12:42 Second\n1:03 First",
    "days under a heading": "Termine und Inhalte\n01.03. Berlin\n02.03. Köln\n14.03. Hamburg\n28.03. Bremen",
    "days without a dot": "Themen\n12.05 Berlin\n13.05 Köln\n14.05 Hamburg\n15.05 Bremen",
    "versions under a heading": "Topics\n1.10 Release\n1.11 Fixes\n1.12 More",
    "a training": "Topics: training plan\n10 min walk\n20 min run\n30 min run",
    "a recipe under a heading": "Outline\n5 minutes chopping\n10 minutes boiling\n15 minutes bake",
    "goals": "Segments: Goals\n12' Müller\n45' Kane\n67' Sané\n89' Musiala",
    "a conference under a heading": "Join us! Topics:\n10:00 Welcome\n10:30 Keynote\n11:15 Panel\n12:00 Lunch",
    "hours of days": "Opening hours. Show contents:\nMon 9:30\nTue 10:15\nWed 11:45",
    "what only counts": "Topics\n0:01 a\n0:02 b\n0:03 c",
    "hardware": "aa:11:22:33\n02:42:ac:11:00:02",
}  # fmt: skip


@pytest.mark.parametrize("notes", NONE.values(), ids=NONE.keys())
def test_times_that_are_no_chapters_are_none(notes: str) -> None:
    assert chapters_in(plain_text(notes), 3600.0) == ()


def test_what_is_told_in_whole_minutes_is_believed_under_a_heading() -> None:
    notes = "Kapitel\nMinute 5: A\nMinute 20: B\nMinute 40: C"
    assert [chapter.start for chapter in chapters_in(notes, 3600.0)] == [300.0, 1200.0, 2400.0]


def test_of_two_lists_the_first_is_taken_unless_it_goes_beyond_the_audio() -> None:
    first = "0:00 Intro\n0:55 Ads\n2:10 Main"
    other = "0:00 Hello\n10:00 B\n20:00 C\n30:00 D\n40:00 E"
    for one, two, titles in (
        (first, other, ["Intro", "Ads", "Main"]),
        (other, first, ["Hello", "B", "C", "D", "E"]),
    ):
        found = chapters_in(f"{one}\n\nOther video chapters\n{two}", 3600.0)
        assert [chapter.title for chapter in found] == titles
    assert chapters_in(f"{other}\n\nChapters\n{first}", 300.0)[0].title == "Intro"


SIZE = 200_000  # characters, as many as are looked at


@pytest.mark.parametrize(
    ("told", "end"),
    [
        ("http://", " x"),
        ("http://", "))"),
        ("\u00a0", "00:01 x"),
        ("\u3000", " x"),
        ("(", " x"),
        ("[a](http://b", " x"),
        ("1 h 2 ", " x"),
    ],
)
def test_notes_made_to_take_forever_are_read(told: str, end: str) -> None:
    notes = f"00:00 {told * (SIZE // len(told))}"[: SIZE - 40]
    chapters_in(f"{notes}{end}\n01:00 b\n02:00 c", 600.0)
