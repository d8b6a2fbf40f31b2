"""Text from outside as it may go to a terminal or a log."""

from __future__ import annotations


def printable(text: str) -> str:
    """Text from outside on one line of a terminal, without what could steer the terminal.

    >>> printable("two\\n lines \\x1b[31mred")
    'two lines [31mred'
    """
    return "".join(filter(str.isprintable, " ".join(text.split())))


def plain(text: str) -> str:
    """Text from outside on one line of a page or message, without what Markdown or a chat would read as a link or tag.

    >>> plain("<!channel> [win](https://x.example)")
    '(!channel) (win)(https://x.example)'
    """
    return printable(text).translate(_PLAIN)


_PLAIN = str.maketrans("[]<>|`", "()()/'")
