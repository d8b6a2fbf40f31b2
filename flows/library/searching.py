"""Search for those who can't wait: the indexes are taken as they are, for a process beside keeps them up to date.

`flows.web.indexing` is that process. It embeds what is said once somebody has asked for a search by meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from models.record.errors import OutputError
from outputs.library.search import SearchResult, search


def searcher(library: Path, *, meaning: bool) -> tuple[Callable[..., SearchResult], int]:
    """What to search with, which takes what `search` does, and how many episodes are found by their words only yet.

    Raises NoIndexError, and ModelError without the model that search by meaning takes; OutputError where nothing was
    embedded yet and the library can't be written.
    """
    if not meaning:
        return search, 0
    from models.topics.embedding import load_embedder
    from outputs.library.hybrid import search_by_meaning
    from outputs.library.meaning import FILE_NAME, begin, waiting

    embedder = load_embedder()
    try:
        begin(library, embedder)
    except OutputError:
        if not (library / FILE_NAME).exists():
            raise
    return partial(search_by_meaning, embedder=embedder), waiting(library)
