"""How common words are in a show, by the index of its library: what an episode is about is rare in the others."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path

from models.record.errors import InputError, OutputError
from models.topics.titles import Background
from models.topics.words import words_in
from outputs.library.files import is_local
from outputs.library.index import WORD_SEPARATOR, reading

EPISODES = 30  # the newest of a show tell enough


def background(folder: Path) -> Background | None:
    """How common words are in the other episodes of the show whose folder an episode's `folder` is in.

    None where that isn't known: nothing else of the show is there, or the library has no index, as one at a URL.
    """
    library, place = folder.parent.parent, folder.parent.name
    if not is_local(library):
        return None
    found: Counter[str] = Counter()
    episodes = 0
    with suppress(InputError, OutputError), reading(library) as index:
        newest = index.execute(
            "SELECT id, about FROM episodes WHERE place = ? AND folder != ? ORDER BY minute DESC LIMIT ?",
            (place, f"{place}/{folder.name}", EPISODES),
        ).fetchall()
        for number, about in newest:
            said, language = set[str](), json.loads(about)["language"]
            for (words,) in index.execute("SELECT words FROM passages WHERE episode = ?", (number,)):
                said.update(words_in(words.replace(WORD_SEPARATOR, ""), language))
            found.update(said)
            episodes += 1
    return Background(episodes, found) if episodes else None
