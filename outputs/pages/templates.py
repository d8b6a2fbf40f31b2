"""What all our pages share: templates that escape, styles and scripts kept inline, and a strict policy.

A page carries its style and script itself, so that one file is all there is to copy, and names both by
their hash in its content security policy: nothing else runs, whatever a title or a word says.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2

ASSETS = Path(__file__).parent / "assets"
ICON = "data:,"  # else browsers ask the server for /favicon.ico


@cache
def asset(*names: str) -> str:
    """The text of our own files of these names, one after the other."""
    return "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in names)


def render_template(template: str, **values: Any) -> str:
    """The page that a template of ours becomes with these values, all of them escaped."""
    return environment(ASSETS).get_template(template).render(values)


def content_security_policy(style: str, script: str = "", *, trusted: bool = True, **sources: str) -> str:
    """A content security policy for a page with this style and script, which may load nothing at all.

    `sources` adds what it may load after all: `media_src="'self' blob:"`. Nothing that a script builds from
    text becomes markup or code, unless a library that the page needs (`trusted=False`) can't live with that.
    """
    allowed = {
        "default-src": "'none'",
        "script-src": f"'sha256-{digest(script)}'" if script else "'none'",
        "style-src": f"'sha256-{digest(style)}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        **{name.replace("_", "-"): value for name, value in sources.items()},
    }
    if trusted:
        allowed |= {"require-trusted-types-for": "'script'", "trusted-types": "'none'"}
    return "; ".join(f"{name} {value}" for name, value in allowed.items())


def digest(text: str) -> str:
    """The SHA-256 of a style or script as a policy writes it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def environment(folder: Path) -> jinja2.Environment:
    """The templates of a folder: they escape all values, and know no value that isn't given."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
