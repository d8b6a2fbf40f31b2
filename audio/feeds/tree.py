"""A feed's text as a tree, and what to find in it, by whatever prefix and namespace its host writes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from html import escape
from typing import TypeAlias

from lxml import etree
from lxml.etree import _Element

from audio.feeds.mending import mended, swallows_items
from audio.transfer.addresses import absolute
from models.record.errors import InputError

Node: TypeAlias = _Element
MAX_BROKEN_CHARS = 20_000_000  # a minute's work
MAX_EXTRAS = 500  # people, transcripts or chapters of one episode
_NAMESPACES = {
    "http://www.w3.org/2005/atom": "atom",
    "http://purl.org/atom/ns#": "atom",
    "http://purl.org/rss/1.0/": "rss",
    "http://my.netscape.com/rdf/simple/0.9/": "rss",
    "http://my.netscape.com/publish/formats/rss-0.91.dtd": "rss",
    "http://backend.userland.com/rss": "rss",
    "http://backend.userland.com/rss2": "rss",
    "http://blogs.law.harvard.edu/tech/rss": "rss",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "https://podcastindex.org/namespace/1.0": "podcast",
    "http://podcastindex.org/namespace/1.0": "podcast",
    "https://github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md": "podcast",
    "http://podlove.org/simple-chapters": "psc",
    "http://podlove.org/simple-chapters/": "psc",
    "https://podlove.org/simple-chapters": "psc",
    "https://podlove.org/simple-chapters/": "psc",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://search.yahoo.com/mrss/": "media",
    "http://search.yahoo.com/mrss": "media",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dc",
    "http://www.w3.org/1999/xhtml": "xhtml",
}
# What RSS and Atom themselves have is known by no prefix.
CORE = frozenset(("", "rss", "atom"))
_XML = "{http://www.w3.org/XML/1998/namespace}"


def feed_tree(text: str) -> tuple[Node, int]:
    """The root of a feed's text, and the number of items that should be in it, broken XML included.

    Raises InputError where nothing can be made of it.
    """
    if not swallows_items(text):
        try:
            root = etree.fromstring(text.encode(), _parser(recover=False))
            return root, sum(1 for _ in items_of(root))
        except etree.XMLSyntaxError:
            pass
    if len(text) > MAX_BROKEN_CHARS:
        raise InputError(f"the feed is broken XML of over {MAX_BROKEN_CHARS // 1_000_000} MB")
    whole, count = mended(text)
    try:
        found: Node | None = etree.fromstring(whole.encode(), _parser(recover=True))
    except etree.XMLSyntaxError:
        found = None
    if found is None:
        raise InputError("the feed is broken: there is no whole tag in it")
    return found, count


def _parser(*, recover: bool) -> etree.XMLParser:
    """Nothing is fetched or expanded. Only prefixes that nobody declares are left to recover from."""
    return etree.XMLParser(
        encoding="utf-8",
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def name_of(node: Node) -> tuple[str, str]:
    """What an element is, as (prefix that everybody uses, name in lower case); ("", name) for plain RSS.

    Feeds that forget to declare a prefix keep it in the name.
    """
    return _name(str(node.tag), node.prefix is None)


@lru_cache(maxsize=1024)
def _name(tag: str, bare: bool) -> tuple[str, str]:
    namespace, _, local = tag.rpartition("}")
    if namespace:
        known = _NAMESPACES.get(namespace[1:].lower())
        return ("" if bare else "?") if known is None else known, local.lower()
    prefix, _, local = local.rpartition(":")
    return prefix.lower(), local.lower()


def items_of(root: Node) -> Iterator[Node]:
    """The items and entries, in the order of the document."""
    for node in root.iter():
        prefix, local = name_of(node)
        if local in ("item", "entry") and prefix in CORE:
            yield node


def is_live(node: Node, within: Node | None = None) -> bool:
    """Whether an element is a podcast:liveItem or in one, by whatever prefix; `within`: one that counts no more."""
    outer: Node | None = node
    while outer is not None and outer is not within:
        if name_of(outer)[1] == "liveitem":
            return True
        outer = outer.getparent()
    return False


def children(node: Node, prefix: str, *names: str) -> list[Node]:
    """The children that have one of these names; a `prefix` of "" stands for RSS and Atom."""
    wanted = CORE if not prefix else (prefix,)
    found = (child for child in node if (told := name_of(child))[1] in names and told[0] in wanted)
    return list(found)


def extras(node: Node, prefix: str, name: str) -> list[Node]:
    """As `children`, but not more of them than anybody needs."""
    return children(node, prefix, name)[:MAX_EXTRAS]


def text_of(node: Node | None) -> str:
    """All text inside."""
    return "" if node is None else "".join(node.itertext())


def markup_of(node: Node) -> str:
    """What is inside as HTML: the text itself, or where a host wrote tags without escaping them, these."""
    if not len(node):
        return node.text or ""
    parts = [escape(node.text or "", quote=False)]
    for event, inner in etree.iterwalk(node, events=("start", "end")):
        if inner is node:
            continue
        local = name_of(inner)[1]
        if event == "start":
            parts += [f"<{local}>", escape(inner.text or "", quote=False)]
        else:
            parts += [f"</{local}>", escape(inner.tail or "", quote=False)]
    return "".join(parts)


def base_of(node: Node, url: str) -> str:
    """The address that relative ones in this element start from (xml:base)."""
    told = (outer.get(f"{_XML}base") for outer in (node, *node.iterancestors()))
    base = url
    for part in reversed([part for part in told if part]):
        base = absolute(base, part) or base
    return base


def language_of(root: Node) -> str:
    """The xml:lang of the root."""
    return root.get(f"{_XML}lang") or ""
