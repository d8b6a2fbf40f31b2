"""Who may speak in an episode, as settings, known voices, the feed, title and notes have it: `Credit`s.

They say how a name is spelt and who is likely to be there, not who speaks when.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from models.languages.registry import languages
from models.naming.person_names import read_name, same_person
from models.record.transcript import Episode

MAX_NOTES_CHARS = 20_000  # that are read for names; they come from strangers
MAX_CREDITS = 500  # names
SPELT_BY_USER = ("known", "voices")  # whose spelling the user chose


@dataclass(frozen=True, slots=True)
class Credit:
    """Somebody who may speak, and who says so: "known", "voices", "feed", "transcript", "title", "notes" or "track"."""

    name: str
    source: str
    role: str = ""


def credited_people(
    episode: Episode,
    known_people: Iterable[str] = (),
    voices: Iterable[str] = (),
    transcript: Iterable[str] = (),
    tracks: Iterable[str] = (),
) -> tuple[Credit, ...]:
    """Everybody whom settings, known voices, people tags, a published transcript, title, notes or tracks name, once.

    The first source that knows a person has the spelling. A fuller name from a later one wins over part of
    a name, unless the user chose that.
    """
    found = [Credit(name, "known") for name in known_people]
    found += [Credit(name, "voices") for name in voices]
    found += [Credit(person.name, "feed", person.role) for person in episode.people]
    found += [Credit(name, "transcript") for name in transcript]
    found += [Credit(name, "title") for name in names_in(episode.title)]
    found += [Credit(name, "notes") for name in names_in(episode.notes[:MAX_NOTES_CHARS])]
    credits: list[Credit] = []
    for credit in (*found[:MAX_CREDITS], *(Credit(name, "track") for name in tracks)):
        same = [i for i, other in enumerate(credits) if same_person(credit.name, other.name)]
        if not same:
            credits.append(credit)
        elif len(same) == 1 and _completes(credit, credits[same[0]]):
            credits[same[0]] = replace(credits[same[0]], name=credit.name)
    return tuple(credits)


def _completes(credit: Credit, other: Credit) -> bool:
    return " " in credit.name and " " not in other.name and other.source not in SPELT_BY_USER


def names_in(text: str) -> list[str]:
    """Names of people that a title or notes seem to have, in order.

    >>> names_in("Green software, with Anne Currie"), names_in("Anne Currie and Gaël Duez discussed it")
    (['Anne Currie'], ['Anne Currie', 'Gaël Duez'])
    """
    return list(dict.fromkeys(name for line in text.splitlines() for name in _names_on(line)))


def _names_on(line: str) -> Iterator[str]:
    """What follows a phrase such as "with", precedes one such as "joins", or is one half of a title."""
    notes = [each.notes for each in languages().values()]
    starts = {
        match.end() for each in notes for phrase in each.name_follows for match in phrase.finditer(line)
    }
    halves = {match.end() for match in re.finditer(r"(?:^|[|:–—-]\s+|#\d+\S*\s+|\(\s*)", line)}
    taken = 0
    listed = -1  # where a name stands that continues a list: "Anne Currie, Gaël Duez"
    for match in re.finditer(r"(?<![^\s(|:–—-])[^\W\d_]", line):
        start = match.start()
        if start < taken or not (found := read_name(line, start)):
            continue
        name, end = found
        after = line[end:]
        alone = start in halves and re.match(r"\s*(?:$|[|:,)(–—]|-\s)", after)
        if " " in name and (
            start in starts
            or start == listed
            or alone
            or after.startswith(" (")
            or any(each.name_before.match(after) for each in notes)
        ):
            yield name
            taken = end
            listed = end + 2 if after.startswith(", ") else -1
