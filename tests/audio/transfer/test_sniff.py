"""Telling feeds, audio and pages apart."""

import pytest

from audio.transfer.sniff import content_kind, described, file_extension

RSS = b'<?xml version="1.0"?>\n<rss version="2.0"><channel/></rss>'


@pytest.mark.parametrize(
    ("content_type", "head", "expected"),
    [
        ("application/rss+xml", RSS, "feed"),
        ("text/html", RSS, "feed"),
        ("audio/mpeg", RSS, "feed"),
        ("", b"\xef\xbb\xbf\n\n" + RSS, "feed"),
        ("", RSS.decode().encode("utf-16"), "feed"),
        ("", b'<feed xmlns="http://www.w3.org/2005/Atom">', "feed"),
        ("", b'<?xml version="1.0"?><!-- ' + b"x" * 5000, "feed"),
        ("", b"ID3\x04\x00\x00", "audio"),
        ("text/html", b"\xff\xfb\x90\x64\x00", "audio"),
        ("", b"\xff\xf1\x50\x80", "audio"),
        ("", b"\x00\x00\x00\x20ftypM4A ", "audio"),
        ("", b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio"),
        ("", b"\x1aE\xdf\xa3\x9f", "audio"),
        ("audio/mpeg", b"\x00" * 500 + b"\xff\xfb", "audio"),
        ("audio/mpeg", b"<!DOCTYPE html><html>", "page"),
        ("application/rss+xml", b"\n <html><body>Not found <rss ", "page"),
        ("audio/mpeg", b'{"error": "gone"}', "page"),
        ("audio/mpeg", b"#EXTM3U\nhttp://a", "page"),
        ("audio/mpeg", b"RIFF\x24\x00\x00\x00WEBPVP8 ", "page"),
        ("audio/mpeg", b"\x89PNG\r\n\x1a\n\x00", "page"),
        ("audio/mpeg", b"%PDF-1.7\x00", "page"),
        ("audio/mpeg", b"", "page"),
    ],
)
def test_kind(content_type: str, head: bytes, expected: str) -> None:
    assert content_kind(content_type, head) == expected


@pytest.mark.parametrize(
    ("url", "content_type", "expected"),
    [
        ("https://a.example/x.MP3?y=1", "", ".mp3"),
        ("https://a.example/x.php", "audio/x-m4a; a=b", ".m4a"),
        ("https://a.example/x.exe", "application/octet-stream", ".audio"),
        ("https://a.example/../../etc/passwd", "", ".audio"),
    ],
)
def test_file_extension(url: str, content_type: str, expected: str) -> None:
    assert file_extension(url, content_type) == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"<!DOCTYPE html><html>Sorry", "a page of HTML"),
        (b"\n<HTML><HEAD>", "a page of HTML"),
        (b"<?xml version='1.0'?><html xmlns='x'>", "a page of HTML"),
        (RSS, "a podcast feed"),
        (b"<?xml version='1.0'?><error>gone</error>", "XML"),
        (b"<?xml version='1.0'?><MPD xmlns='x'>", "a playlist"),
        (b"#EXTM3U\nseg1.ts", "a playlist"),
        (b"[playlist]\nFile1=http://a.example/1.mp3", "a playlist"),
        (b"http://a.example/1.mp3\n", "a playlist"),
        (b"<asx version='3.0'>", "a playlist"),
        (b'{"error": "gone"}', "JSON"),
        (b"Unauthorized", 'plain text ("Unauthorized")'),
        (b"Too many\x0crequests\n" + b"x" * 100, f'plain text ("Too many requests {"x" * 42}...")'),
        (b"\x89PNG\r\n\x1a\n\x00", "a picture"),
        (b"PK\x03\x04\x00", "a page or another kind of file"),
    ],
)
def test_what_is_no_audio_is_told_in_words(head: bytes, expected: str) -> None:
    assert described("audio/mpeg", head) == expected
