"""What publishing changes where it goes: files by name, what is there against what is to be there."""

from __future__ import annotations

import filecmp
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Changes:
    """Names that are new, differ, or are there and not wanted any more, in order; how many stay as they are."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0

    def also(self, name: str, *, there: bool, same: bool) -> Changes:
        """The same with one thing more."""
        if same:
            return replace(self, unchanged=self.unchanged + 1)
        if there:
            return replace(self, changed=(*self.changed, name))
        return replace(self, added=(*self.added, name))


def changes_of(wanted: Mapping[str, Path], there: Iterable[str], folder: Path) -> Changes:
    """What makes the files `there` in a folder those that are `wanted`, which are told by their content."""
    known = set(there)
    same = {name for name, file in wanted.items() if name in known and _same(file, folder / name)}
    return Changes(
        added=tuple(sorted(wanted.keys() - known)),
        changed=tuple(sorted((wanted.keys() & known) - same)),
        removed=tuple(sorted(known - wanted.keys())),
        unchanged=len(same),
    )


def _same(one: Path, other: Path) -> bool:
    return one.samefile(other) or filecmp.cmp(one, other, shallow=False)
