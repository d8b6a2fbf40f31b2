"""Import a package without what it imports in turn until that is used, as Python's lazy imports (PEP 810) do.

A large package imports whatever any part of it may need. Within `deferring`, what is named stands as a placeholder
instead, that imports the real thing as soon as it is called, subclassed, asked for an attribute or for its instances.
Nothing is replaced or left out, it only comes later, or never.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Union


def import_deferring(packages: Sequence[str], modules: Iterable[str], later: Iterable[str]) -> None:
    """Import `modules`, which are of `packages`, with all of `later` deferred; see `deferring`.

    Where that fails, as with a release that uses more on import than the one it was tried with, what was imported
    of `packages` is forgotten, so that whoever imports it next gets all of it, or the error that it really has.
    """
    before = set(sys.modules)
    try:
        with deferring(later):
            for module in modules:
                import_module(module)
    except Exception:
        for name in set(sys.modules) - before:
            if name.partition(".")[0] in packages:
                _forget(name)


@contextmanager
def deferring(later: Iterable[str]) -> Iterator[None]:
    """Within, modules named in `later`, and those in them, are placeholders. One that was imported before is not.

    Afterwards the placeholders are known to those alone who imported them: `import` gives everybody the real module.
    """
    finder = _Finder(name for name in later if name not in sys.modules)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _forget_placeholders("")


class _Finder(MetaPathFinder, Loader):
    """Finds placeholders for those modules among the deferred ones that there really are."""

    def __init__(self, later: Iterable[str]) -> None:
        self.later = set(later)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not any(_within(name, deferred) for deferred in self.later):
            return None
        real = PathFinder.find_spec(name, path)
        if real is None:
            return None
        spec = ModuleSpec(name, self, origin=real.origin, is_package=True)
        spec.submodule_search_locations = real.submodule_search_locations or []
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass

    def give_up(self, name: str) -> None:
        """Defer no longer what holds module `name`: somebody uses it already."""
        for deferred in [one for one in self.later if _within(name, one)]:
            self.later.remove(deferred)
            _forget_placeholders(deferred)


class _Module(ModuleType):
    """A module that isn't imported yet; its names are `Later`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Later(self.__name__, name)


class Later:
    """What a deferred module calls by a name; imported when it is called, or anything else is done with it."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def _found(self) -> Any:
        standing = sys.modules.get(self._module)
        if isinstance(standing, _Module):
            standing.__spec__.loader.give_up(self._module)  # type: ignore[union-attr]
        module = import_module(self._module)
        if not hasattr(module, self._name):
            return import_module(f"{self._module}.{self._name}")
        return getattr(module, self._name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked for by `typing`, which takes anything
            raise AttributeError(name)
        return getattr(self._found(), name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:  # noqa: D102  (as the real one's)
        return self._found()(*arguments, **named)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._found(),)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self._found())

    def __or__(self, other: Any) -> Any:
        return Union[self, other]  # noqa: UP007  (which asks us)

    def __ror__(self, other: Any) -> Any:
        return Union[other, self]  # noqa: UP007


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _forget_placeholders(package: str) -> None:
    for name, module in list(sys.modules.items()):
        if isinstance(module, _Module) and (not package or _within(name, package)):
            _forget(name)


def _forget(name: str) -> None:
    module = sys.modules.pop(name, None)
    parent, _, child = name.rpartition(".")
    holder = getattr(sys.modules.get(parent), "__dict__", {})
    if module is not None and holder.get(child) is module:
        delattr(sys.modules[parent], child)
