"""What some bytes are, told from the bytes first: servers often name the wrong type.

A user may give an address of a feed, of an audio file, or (by mistake) of a web page; one request
and its first bytes decide which.
"""

from __future__ import annotations

import codecs
import re
import zlib
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

from audio.media.extensions import AUDIO_EXTENSIONS, VIDEO_EXTENSIONS

Kind = Literal["feed", "audio", "page"]

HEAD_BYTES = 4096  # enough for the prolog of a feed and the signature of any audio format

_EXTENSION_OF = {
    "audio/mpeg": ".mp3",
    "audio/mp3": ".mp3",
    "audio/mp4": ".m4a",
    "audio/x-m4a": ".m4a",
    "audio/aac": ".aac",
    "audio/flac": ".flac",
    "audio/x-flac": ".flac",
    "audio/ogg": ".ogg",
    "audio/opus": ".opus",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "video/quicktime": ".mov",
}
_AUDIO_SIGNATURES = (
    rb"ID3|fLaC|OggS|RIFF....WAVE|RF64|FORM....AIF|caff|#!AMR|wvpk|MAC |MPCK|MP\+|TTA1|\.snd|FLV\x01"
    rb"|....ftyp|\x1aE\xdf\xa3|\x30\x26\xb2\x75\x8e\x66\xcf\x11|\xff[\xe0-\xff]"
    rb"|NIST_1A|\.RMF|\.ra\xfd|[\x02\x03]ds[s2]|\x06\x0e\x2b\x34|DSD |Creative Voice File|riff\x2e\x91\xcf\x11|nut/"
)
_OTHER_SIGNATURES = rb"\x89PNG|\xff\xd8\xff|GIF8|%PDF|PK\x03\x04|\x1f\x8b|RIFF....WEBP|Rar!"
_AUDIO = re.compile(_AUDIO_SIGNATURES, re.DOTALL)
_OTHER = re.compile(_OTHER_SIGNATURES, re.DOTALL)
FEED_ROOTS = "rss|feed|rdf|channel"  # without a prefix; the tag that a feed begins with
_FEED_ROOT = re.compile(rf"<([\w.-]+:)?({FEED_ROOTS})[\s/>]", re.IGNORECASE)
_LINE_OF_FEED = re.compile(rf"[\n>}}\]\ufffd][ \t\r]*{_FEED_ROOT.pattern}", re.IGNORECASE)
_PLAYLIST = re.compile(
    r"#extm3u|\[playlist\]|\[reference\]|<asx|<\?wpl|(<\?xml[^>]*>\s*)?<(smil|mpd|playlist)[\s>]|https?://\S+\s*(\n|$)",
    re.IGNORECASE,
)
_IMAGE = re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP", re.DOTALL)
_QUOTED_CHARS = 60
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"


def content_kind(content_type: str, head: bytes, url: str = "") -> Kind:
    """What a response holds: a podcast feed, audio (or video), or a page, which is all the rest.

    `head` is the first HEAD_BYTES or so of the body; `content_type` and the extension of `url`
    count only where the bytes tell nothing.
    """
    if head.startswith(_GZIP):
        return "feed" if content_kind(content_type, _unpacked(head)) == "feed" else "page"
    if head.startswith(_UTF16_MARKS) and b"\x00" in head[2:4]:
        return _kind_of_text(head.decode("utf-16", errors="replace").replace("\0", ""), content_type)
    if _OTHER.match(head) or not head.strip():
        return "page"
    if _AUDIO.match(head):
        return "audio"
    # Without zero bytes, UTF-16 and UTF-32 look like ASCII, and so does every other encoding of a tag.
    text = head.replace(b"\x00", b"").decode("utf-8", errors="replace")
    if is_text(head) or _kind_of_text(text, "") == "feed":
        return _kind_of_text(text, content_type)
    named = media_type(content_type).startswith(("audio/", "video/")) or extension(url) in AUDIO_EXTENSIONS
    return "audio" if named or b"\x00" in head else "page"


def described(content_type: str, head: bytes, url: str = "") -> str:
    """What a response holds, in words for somebody who wanted audio.

    >>> described("audio/mpeg", b"Unauthorized")
    'plain text ("Unauthorized")'
    >>> described("audio/x-mpegurl", b"#EXTM3U\\nseg1.ts")
    'a playlist'
    """
    if content_kind(content_type, head, url) == "audio":
        return "audio"
    if _IMAGE.match(head):
        return "a picture"
    if not is_text(head) or not head.strip():
        return "a page or another kind of file"
    text = head.decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    if text.startswith("<") and _FEED_ROOT.search(text) and content_kind(content_type, head, url) == "feed":
        return "a podcast feed"
    if _PLAYLIST.match(text):
        return "a playlist"
    if text.startswith(("{", "[")):
        return "JSON"
    if re.search(r"<(!doctype html|html|head|body)[\s>]", text, re.IGNORECASE):
        return "a page of HTML"
    if text.startswith("<"):
        return "XML"
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return f'plain text ("{line[:_QUOTED_CHARS]}{"..." if len(line) > _QUOTED_CHARS else ""}")'


def _unpacked(head: bytes) -> bytes:
    """What the beginning of a .gz file holds."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def is_text(head: bytes) -> bool:
    """Whether bytes look like text in an encoding that contains ASCII, or that is UTF-8."""
    if any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head):
        return False
    if sum(byte > 127 for byte in head) < 0.5 * len(head):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # which may end within a character
    except UnicodeDecodeError:
        return False
    return True


def media_type(content_type: str) -> str:
    """The bare type of a Content-Type header.

    >>> media_type("Text/HTML; charset=utf-8")
    'text/html'
    """
    return content_type.partition(";")[0].strip().lower()


def extension(url: str) -> str:
    """The extension of the path of a URL, lower case with its dot, or "".

    >>> extension("https://example.org/a/Show.MP3?session=1.2")
    '.mp3'
    """
    try:
        return PurePosixPath(urlsplit(url).path).suffix.lower()
    except ValueError:
        return ""


def file_extension(url: str, content_type: str) -> str:
    """The extension to store media under: that of the URL if it is one of media, else by type."""
    own = extension(url)
    if own in AUDIO_EXTENSIONS | VIDEO_EXTENSIONS:
        return own
    return _EXTENSION_OF.get(media_type(content_type), ".audio")


def _kind_of_text(text: str, content_type: str) -> Kind:
    """Whatever `audio.feeds` may find a feed in is one; it says itself what is wrong with it."""
    start = text.lstrip("\ufeff \t\r\n").lower()
    bare = re.sub(r"<!--.*?(-->|$)", "", start, flags=re.DOTALL)
    if bare.lstrip().startswith(("<!doctype html", "<html")):
        return "page"
    if _FEED_ROOT.search(bare) and (not start.startswith(("{", "[", "#")) or _LINE_OF_FEED.search(bare)):
        return "feed"
    named = media_type(content_type) in ("application/rss+xml", "application/atom+xml")
    if named and "<" in bare:
        return "feed"
    return "feed" if start.startswith(("<?xml", "<!--")) and "<html" not in start else "page"
