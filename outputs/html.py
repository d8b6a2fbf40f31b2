"""A page to read an episode on: one file, no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING

from models.transcript import Transcript
from outputs.characters import one_line
from outputs.paragraphs import Passage, passages
from outputs.times import clock, milliseconds

if TYPE_CHECKING:
    import jinja2

UNDETERMINED = "und"  # the language tag of BCP 47 for a language that nobody could tell

_STYLE = """
body { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; font: 1.05rem/1.6 system-ui, sans-serif }
h2 { margin: 1.8em 0 0.3em; font-size: 1em }
h2 a { color: inherit; font-weight: normal }
:target { background: #fe8; color: #000 }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #e4e4e4 } }
"""

_PAGE = """\
<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>{{ style }}</style>
</head>
<body>
<header>
<h1 dir="auto">{{ title }}</h1>
{%- if show %}
<p dir="auto">{{ show }}</p>
{%- endif %}
{%- if speakers %}
<ul aria-label="Speakers">
{%- for name in speakers %}
<li dir="auto">{{ name }}</li>
{%- endfor %}
</ul>
{%- endif %}
</header>
<main>
{%- for anchor, time, passage in passages %}
<section aria-labelledby="{{ anchor }}">
<h2 id="{{ anchor }}">{% if passage.speaker %}<bdi>{{ passage.speaker }}</bdi> {% endif -%}
<a href="#{{ anchor }}"><time>{{ time }}</time></a></h2>
{%- for paragraph in passage.paragraphs %}
<p dir="auto">{{ paragraph }}</p>
{%- endfor %}
</section>
{%- endfor %}
</main>
</body>
</html>
"""


def render(transcript: Transcript) -> str:
    """The page; each passage has an anchor made of its second, such as #t75."""
    found = passages(transcript)
    episode = transcript.episode
    return _page().render(
        language=one_line(transcript.language).strip() or UNDETERMINED,
        policy=_policy(),
        style=_STYLE,
        title=one_line(episode.title).strip() or "Transcript",
        show=one_line(episode.show).strip(),
        speakers=list(dict.fromkeys(passage.speaker for passage in found if passage.speaker)),
        passages=zip(_anchors(found), (clock(passage.start) for passage in found), found, strict=True),
    )


@cache
def _page() -> jinja2.Template:
    from jinja2 import Environment

    return Environment(autoescape=True, keep_trailing_newline=True).from_string(_PAGE)


def _policy() -> str:
    """A content security policy under which nothing runs or loads; our own style is known by its hash."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _anchors(found: list[Passage]) -> list[str]:
    """An id for each passage: t and its second, with a number after it where two share a second."""
    used: dict[int, int] = {}
    result = []
    for passage in found:
        second = max(0, milliseconds(passage.start)) // 1000
        used[second] = used.get(second, 0) + 1
        result.append(f"t{second}" if used[second] == 1 else f"t{second}-{used[second]}")
    return result
