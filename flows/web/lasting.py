"""What goes on for as long as the app does, whatever fails meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flows import logs
from models.record.errors import EpiscribeError


class Lasting:
    """Something that is done again and again; what it is called is told with its failures."""

    def __init__(self, name: str) -> None:
        self._name, self._told = name, ""

    @contextmanager
    def once(self) -> Iterator[None]:
        """Do it once. A failure of ours passes, as a store that is away; others are told, not twice in a row."""
        try:
            yield
        except EpiscribeError:
            return
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
            if told != self._told:
                logs.warn(f"episcribe: {self._name}: {told}")
            self._told = told
