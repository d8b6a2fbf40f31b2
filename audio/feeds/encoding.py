"""A feed's bytes as text: which encoding they are in, whatever is said of them.

The order is that of RFC 7303 (byte order mark, then the charset of the Content-Type header, then the XML
declaration), but what the bytes refute does not count, and a few bad bytes cost a character each, no more.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# How `<?` or `<r` begins in encodings that need more than a byte for it (XML 1.0, appendix F).
_WIDE = (
    (re.compile(rb"<\x00\x00\x00"), "utf-32-le"),
    (re.compile(rb"\x00\x00\x00<"), "utf-32-be"),
    (re.compile(rb"<\x00[^\x00]\x00"), "utf-16-le"),
    (re.compile(rb"\x00<\x00[^\x00]"), "utf-16-be"),
)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']?\s*([\w.:()-]{1,40})""", re.IGNORECASE)
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:()-]{1,40})""", re.IGNORECASE)
_NOTICE_BYTES = 4096  # what may stand before an XML declaration
# As browsers take these names (https://encoding.spec.whatwg.org): for the bigger set that contains the one named.
_MEANT = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
}
_MISSPELT = {
    "cn-big5": "big5hkscs",
    "cseucpkdfmtjapanese": "euc_jp",
    "csisolatin9": "iso8859-15",
    "csmacintosh": "mac-roman",
    "dos-874": "cp874",
    "koi": "koi8-r",
    "koi8": "koi8-r",
    "koi8-ru": "koi8-u",
    "logical": "iso8859-8",
    "mac": "mac-roman",
    "sun_eu_greek": "iso8859-7",
    "unicode-1-1-utf-8": "utf-8",
    "unicode11utf8": "utf-8",
    "unicode20utf8": "utf-8",
    "utf8mb4": "utf-8",
    "visual": "iso8859-8",
    "windows-31j": "cp932",
    "x-mac-cyrillic": "mac-cyrillic",
    "x-mac-roman": "mac-roman",
    "x-mac-ukrainian": "mac-cyrillic",
    "x-sjis": "cp932",
    "x-unicode20utf8": "utf-8",
    "x-x-big5": "big5hkscs",
    **dict.fromkeys(("csiso88596e", "csiso88596i", "iso-8859-6-e", "iso-8859-6-i"), "iso8859-6"),
    **dict.fromkeys(("csiso88598e", "csiso88598i", "iso-8859-8-e", "iso-8859-8-i"), "iso8859-8"),
    **dict.fromkeys(("csgb2312", "gb_2312", "gb_2312-80"), "gb18030"),
    **dict.fromkeys(
        (
            "cseuckr",
            "csksc56011987",
            "iso-ir-149",
            "korean",
            "ks_c_5601-1987",
            "ks_c_5601-1989",
            "ksc5601",
            "ksc_5601",
        ),
        "cp949",
    ),
}
# Codecs of Python for other things than texts from strangers, some of them slow.
_NEVER_NAMES = (
    "idna mbcs oem punycode raw-unicode-escape raw_unicode_escape undefined unicode-escape unicode_escape utf-7"
    " utf-8-sig"
)
_NEVER = frozenset(_NEVER_NAMES.split())
_EAST_ASIAN = re.compile(r"big5|cp9(32|36|49|50)|euc|gb|hz|iso2022|johab|shift")
_LONG_SEQUENCE = re.compile(rb"[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|" + _LONG_SEQUENCE.pattern)


def decoded(data: bytes, content_type: str = "") -> str:
    """`data` as text without byte order mark. `content_type` is the header that came with it."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            rest = data[len(mark) :]
            return _as_utf8(rest, content_type) if name == "utf-8" else rest.decode(name, "replace")
    for begin, name in _WIDE:
        if begin.match(data):
            return data.decode(name, "replace")
    return _as_utf8(data, content_type)


def _as_utf8(data: bytes, content_type: str) -> str:
    """Text in UTF-8, unless that is what the bytes refute."""
    told = list(_told(data, content_type))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _with_bad_bytes(data, told)
    other = next((name for name in told if name != "utf-8"), "")
    if text.isascii() and other.startswith("iso2022"):
        return data.decode(other, "replace")
    # Pairs of bytes are found in other encodings, too; three in a row that suit UTF-8 hardly are.
    if other and told[0] == other and _EAST_ASIAN.match(other) and not _LONG_SEQUENCE.search(data):
        return _strictly(data, other) or text
    return text


def _with_bad_bytes(data: bytes, told: list[str]) -> str:
    """Bytes that are no UTF-8, at least not all of them."""
    text = data.decode("utf-8", "replace")
    if _sequences(data) >= max(1, text.count("\ufffd")):  # most are: the others come from somewhere else
        return data.decode("utf-8", _LETTERS)
    single = [name for name in told if name != "utf-8"]
    fitting = (found for name in single if (found := _strictly(data, name)))
    return next(fitting, None) or data.decode(single[0] if single else "cp1252", "replace")


def _letter(error: UnicodeError) -> tuple[str, int]:
    """What bytes are that are no UTF-8: a letter of Windows within a word, or nothing that can be told."""
    assert isinstance(error, UnicodeDecodeError)
    first, after = error.object[error.start], error.object[error.start + 1 : error.start + 2]
    if first >= 0xC0 and after.isalpha():
        return bytes([first]).decode("cp1252"), error.start + 1
    return "\ufffd", error.end


_LETTERS = "episcribe.letters"
codecs.register_error(_LETTERS, _letter)


def _told(data: bytes, content_type: str) -> Iterator[str]:
    """The encodings that are named and can be, in the order in which they count."""
    header, declared = _CHARSET.search(content_type), _DECLARED.search(data[:_NOTICE_BYTES])
    names = [header[1] if header else "", declared[1].decode("ascii", "replace") if declared else ""]
    for name in names:
        codec = codec_of(name)
        if codec and not codec.startswith(
            ("utf-16", "utf-32")
        ):  # which would not have been read as far as this
            yield codec


def codec_of(name: str) -> str:
    """The codec that is meant by the name of an encoding, "" where there is none.

    >>> [codec_of(name) for name in ("UTF8", "cp-1251", "ISO-8859-1", "x-gbk", "iso-8859-8-i", "zip", "utf-7")]
    ['utf-8', 'cp1251', 'cp1252', 'gb18030', 'iso8859-8', '', '']
    """
    plain = name.strip().lower()
    for spelling in (
        plain,
        plain.replace("-", ""),
        plain.removeprefix("x-"),
        re.sub(r"^(x-)?(windows|win|cp|ms)[-_]?", "cp", plain),
        re.sub(r"^iso8859(?=\d)", "iso8859-", plain),
    ):
        known = _MISSPELT.get(spelling) or _lookup(spelling)
        if known:
            return _MEANT.get(known, known)
    return ""


def _lookup(name: str) -> str:
    try:
        found = codecs.lookup(name).name
        b"x".decode(found, "replace")  # LookupError for codecs that make no text of bytes, such as zip
    except (LookupError, ValueError):
        return ""
    return "" if found in _NEVER else found


def _strictly(data: bytes, name: str) -> str:
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        return ""


def _sequences(data: bytes) -> int:
    return sum(1 for _ in _SEQUENCE.finditer(data))
