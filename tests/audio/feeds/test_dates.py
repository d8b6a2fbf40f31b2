"""Dates and durations in the ways that hosts have written them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.feeds.dates import parse_date
from audio.feeds.text import parse_duration
from tests.audio.feeds.test_parse import AUDIO, only


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Tue, 24 Jan 2017 21:05:35 PST", "2017-01-24T21:05:35-08:00"),
        ("Wed, 3 Jun 2020 15:20:44 PDT", "2020-06-03T15:20:44-07:00"),
        ("Fri, 2 May 2014 10:10 GMT", "2014-05-02T10:10:00+00:00"),
        ("Sun 01 Mar 2015 01:00:00 GMT-0400 (EDT)", "2015-03-01T01:00:00-04:00"),
        ("Sat May 16 2020 09:00:57 GMT+0000 (Coordinated Universal Time)", "2020-05-16T09:00:57+00:00"),
        ("Sat Sep  3 09:19:24 2016 GMT", "2016-09-03T09:19:24+00:00"),
        ("Sat Sep  3 09:19:24 2016", "2016-09-03T09:19:24+00:00"),
        ("Thu, 10 Nov 2016 19:41:48 GMT", "2016-11-10T19:41:48+00:00"),
        ("Thu, 10 Nov 2016 19:41:48 +0100", "2016-11-10T19:41:48+01:00"),
        ("2020-10-11T08:00:00.000Z", "2020-10-11T08:00:00+00:00"),
        ("Sun, 11 Oct 2020", "2020-10-11T00:00:00+00:00"),
        ("11 Oct 2020", "2020-10-11T00:00:00+00:00"),
        ("Thu, 25 Apr 2024 24:12:03 GMT", "2024-04-26T00:12:03+00:00"),
        ("2024/03/20 10:00:00", "2024-03-20T10:00:00+00:00"),
        ("03/20/2024 10:00:00", "2024-03-20T10:00:00+00:00"),
        ("1705312800", "2024-01-15T10:00:00+00:00"),
        ("1705312800000", "2024-01-15T10:00:00+00:00"),
        ("Mon, 12 Feb 2024 1:30 PM EST", "2024-02-12T13:30:00-05:00"),
        ("Mon, 12 Feb 2024 12:30am", "2024-02-12T00:30:00+00:00"),
        ("February 12th, 2024 at 10:00 pm", "2024-02-12T22:00:00+00:00"),
        ("12.02.2024 10:00", "2024-02-12T10:00:00+00:00"),
        ("12-Feb-2024 10:00:00", "2024-02-12T10:00:00+00:00"),
        ("Mon, 12 Feb 2024 10:00:00+0200", "2024-02-12T10:00:00+02:00"),
        ("Mon, 12 Feb 2024 10:00:00 CEST", "2024-02-12T10:00:00+02:00"),
        ("Lun, 12 Feb 2024 10:00:00 GMT", "2024-02-12T10:00:00+00:00"),
        ("Пн., 12 Feb 2024 10:00:00 GMT", "2024-02-12T10:00:00+00:00"),
        ("February, 12 2024 10:00:00", "2024-02-12T10:00:00+00:00"),
        ("Sat, 31 Dec 2016 23:59:60 GMT", "2016-12-31T23:59:59+00:00"),
        ("Fri, 01 Mar 1963 10:00:00 GMT", "1963-03-01T10:00:00+00:00"),
        ("202401151000", "2024-01-15T10:00:00+00:00"),
        ("20240115103045", "2024-01-15T10:30:45+00:00"),
        ("Mar, 12 Mar 2024 10:00:00 GMT", "2024-03-12T10:00:00+00:00"),
        ("Mon, 15 Jan 2024 10:00:00 (EST)", "2024-01-15T10:00:00-05:00"),
        ("Mon, 15 Jan 2024 10:00:00 IDT", "2024-01-15T10:00:00+03:00"),
        ("Mon, 15 Jan 2024 10:00:00 EAT", "2024-01-15T10:00:00+03:00"),
        ("Mon, 15 Jan 2024 10:00:00 GMT+0100 (CET)", "2024-01-15T10:00:00+01:00"),
        ("25-06-2024", "2024-06-25T00:00:00+00:00"),
    ],
)
def test_dates_that_can_be_read(written: str, expected: str) -> None:
    assert only(f"{AUDIO}<pubDate>{written}</pubDate>").published == expected


@pytest.mark.parametrize(
    "written",
    [
        "Thu, 01 Jan 1970 01:00:00 +0100",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "0",
        "Wed, 30 Nov -0001 00:00:00 +0000",
        "0000-00-00 00:00:00",
        "Wed, 27 May 2020 34:50:00 -0400",
        "Mon, 31 Feb 2024 10:00:00 GMT",
        "03/04/2024",
        "Mon, 12 Feb 2024 13:30 PM",
        "Mon, 12 Feb 2024 10:00:00 +2400",
        "12 Feb",
        "12/2/24",
        "yesterday",
        "05-06-2024",
        "Wed, 31 Dec 1969 19:00:00 EST",
        "Thu, 01 Jan 1970 09:00:00 GMT",
        "86400000",
        "Mon, 15 Jan 2024 10:00:00 +0100 +0200",
        "Mon, 15 Jan 2024 10:00:00 ET",
        "Mon, 15 Jan 2024 10:00:00 QQT",
        "2024",
        "-",
    ],
)
def test_a_date_that_cannot_be_told_is_none(written: str) -> None:
    assert only(f"{AUDIO}<pubDate>{written}</pubDate>").published == ""


def test_dates_in_other_tags() -> None:
    dublin = '<dc:date xmlns:dc="http://purl.org/dc/elements/1.1/">2015-01-04</dc:date>'
    assert only(AUDIO + dublin).published == "2015-01-04T00:00:00+00:00"
    assert only(f"{AUDIO}<pubDate>soon</pubDate>{dublin}").published == "2015-01-04T00:00:00+00:00"


@given(st.text(alphabet="0123456789:/-+., JanMonGMTZpm()\t", max_size=40))
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_is_a_date_or_none(written: str) -> None:
    when = parse_date(written)
    assert when is None or when.tzinfo is not None


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("24:59:12", 89952.0),
        ("14:57 ", 897.0),
        ("\n 1:02:03\t", 3723.0),
        ("1:02:03.500", 3723.5),
        ("3723", 3723.0),
        ("0", 0.0),
        ("", 0.0),
        ("58 min", 3480.0),
        ("1h 2m 3s", 3723.0),
        ("1 hr 5 mins", 3900.0),
        ("PT1H2M3S", 3723.0),
        ("01:02:03:04", 0.0),
        ("-5", 0.0),
        ("NaN", 0.0),
        ("about an hour", 0.0),
    ],
)
def test_durations(written: str, seconds: float) -> None:
    assert parse_duration(written) == seconds
    assert only(f"{AUDIO}<itunes:duration>{written}</itunes:duration>").duration == seconds


def test_no_duration() -> None:
    assert only(AUDIO).duration == 0.0
