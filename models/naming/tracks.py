"""Who speaks by the names of people's own tracks: what a user called them, or a recording service their files.

A track of one person names that person. What is no person's name ("iPhone", a handle) does so where the user gave it,
or where nobody says who speaks, and a track of several people makes their names likelier to be heard.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from models.languages.registry import languages
from models.naming.credits import Credit
from models.naming.person_names import spelled
from models.naming.witness import person_of
from models.record.transcript import Evidence, Track, Transcript

TRACK = "track"
GIVEN = 6.5  # log-odds of a name that the user gave a track: more than all that is said outweighs
FILED = 5.0  # of one that its file is called by, as services do by what people call themselves there
HANDLE = 3.5  # of what is no person's name, where nobody says who speaks ...
UNLIKELY = 0.6  # ... and where somebody does; of a name that is one of several people's
LEAST_LETTERS = 3  # of a word that is taken for somebody's name in what else is none
MOSTLY = 0.8  # share of a track's words from which one of several people has its name


def people_of_tracks(transcript: Transcript) -> list[str]:
    """The people whom tracks are called after, one or several each: "Anne & Bob"."""
    people = [name for track in _named(transcript) for name in people_of(track.name)]
    return list(dict.fromkeys(people))


def track_evidence(transcript: Transcript, credits: Sequence[Credit]) -> list[Evidence]:
    """Labels that speak in a track with a person's name, which may be spelt otherwise in `credits`."""
    found = list[Evidence]()
    for track in _named(transcript):
        person = _person(track.name, credits)
        if person:
            found += _shared_out(track, person, GIVEN if track.given else FILED, transcript)
    return found


def handle_evidence(
    transcript: Transcript, credits: Sequence[Credit], others: Iterable[Evidence]
) -> list[Evidence]:
    """Labels that speak in a track with a name that is no person's. others: what else tells who speaks."""
    told = {e.label for e in others if e.kind in ("introduction", TRACK) and e.weight > UNLIKELY}
    found = list[Evidence]()
    for track in _named(transcript):
        if not _person(track.name, credits) and len(people_of(track.name)) < 2:
            weight = UNLIKELY if told.intersection(track.labels) else HANDLE
            found += _shared_out(track, track.name, GIVEN if track.given else weight, transcript)
    return found


def _named(transcript: Transcript) -> Iterator[Track]:
    if transcript.tracks is not None:
        yield from (track for track in transcript.tracks.tracks if track.name and track.labels)


def people_of(name: str) -> list[str]:
    """The people whom the name of a track has.

    >>> people_of("Anne & Bob"), people_of("anne-currie"), people_of("xXdragonXx"), people_of("Studio 2")
    (['Anne', 'Bob'], ['Anne Currie'], [], [])
    """
    if name == name.lower():
        name = re.sub(r"[-_.]+", " ", name)
    return [person for part in _conjunction().split(name) if (person := person_of(part.strip()))]


@cache
def _conjunction() -> re.Pattern[str]:
    patterns = (each.phrases.conjunctions.pattern for each in languages().values())
    return re.compile("|".join((r"\s*[&+/;]\s*", *patterns)))


def _person(name: str, credits: Sequence[Credit]) -> str:
    """The one person whom the name of a track has; "" where it has none or several.

    Part of a device's name may be somebody's who is credited: "iPhone von Anne".
    """
    people = people_of(name)
    if people:
        return people[0] if len(people) == 1 else ""
    written = [credit.name for credit in credits]
    found = {spelled(word, written) for word in re.findall(rf"[^\W\d_]{{{LEAST_LETTERS},}}", name)} - {None}
    return found.pop() or "" if len(found) == 1 else ""


def _shared_out(track: Track, name: str, weight: float, transcript: Transcript) -> Iterator[Evidence]:
    """The evidence for who speaks most in a track, or, where nobody does by far, a little for each who does."""
    words = Counter[str | None]()
    for segment in transcript.segments:
        if segment.speaker in track.labels:
            words[segment.speaker] += len(segment.words)
    for label, count in words.items():
        share = count / words.total() if words.total() else 0.0
        if label is not None and share > MOSTLY:
            yield Evidence(label, name, TRACK, weight, None, track.file)
        elif label is not None and max(words.values()) <= MOSTLY * words.total():
            yield Evidence(label, name, TRACK, UNLIKELY, None, track.file)
