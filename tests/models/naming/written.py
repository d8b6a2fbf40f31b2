"""Conversations written down to try naming on, with who speaks in truth.

`openings` are beginnings and excerpts from which a listener can tell the names in `speakers`. In `misleading` ones
people are named who do not speak; what can be told of those who do is in `speakers`. A line "+90" leaves out
90 seconds. Rules and weights were developed on `developed.toml` and `developed_2.toml`; `held_out.toml` was
written before it was tried, and only reported on.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from models.naming.person_names import same_person
from models.naming.speakers import NamingContext, name_by_evidence
from models.record.transcript import Transcript
from tests.models.talks import episode

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Written:
    """One conversation: `speakers` as (label, name)."""

    title: str
    language: str
    lines: str
    speakers: tuple[tuple[str, str], ...]

    def named(self) -> Transcript:
        """The conversation, named from what is said in it alone."""
        return name_by_evidence(episode(self.lines, self.language), NamingContext())


@cache
def written(file: str, kind: str) -> tuple[Written, ...]:
    """The conversations of a kind ("openings", "misleading") in a file ("developed", "developed_2", "held_out")."""
    found = tomllib.loads((FOLDER / f"{file}.toml").read_text(encoding="utf-8"))[kind]
    return tuple(
        Written(one["title"], one["language"], one["lines"], tuple(one.get("speakers", {}).items()))
        for one in found
    )


def outcomes(one: Written, named: Transcript) -> tuple[list[str], list[str]]:
    """The names that were found, and those given to somebody who is not called so."""
    truth = dict(one.speakers)
    given = [speaker for speaker in named.speakers if speaker.source != "order"]
    right = [s.name for s in given if s.label in truth and same_person(s.name, truth[s.label])]
    return right, [f"{s.label}: {s.name}" for s in given if s.name not in right]
