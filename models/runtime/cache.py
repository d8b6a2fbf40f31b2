"""The folder for what can be made or fetched again."""

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
