"""Going on where the memory of a GPU is full: with fewer items at once, and on the CPU in the end."""

from __future__ import annotations

import functools
import gc
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Protocol, Self, TypeVar, cast

from models.runtime.samples import Samples

# What torch, CTranslate2, cuBLAS, cuDNN and cuFFT say. A handle of cuBLAS that can't be made is out of memory, too.
FULL = re.compile(r"out of memory|_ALLOC_FAILED|CUBLAS_STATUS_NOT_INITIALIZED")

Result = TypeVar("Result")


class Sliceable(Protocol):
    """A list, a range, or an array along its first axis."""

    def __len__(self) -> int: ...

    def __getitem__(self, items: slice, /) -> Self: ...


Items = TypeVar("Items", bound=Sliceable)
Compute = TypeVar("Compute", bound=Callable[..., Any])


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch or CTranslate2, or what caused it, tells that a GPU's memory is full."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, RuntimeError) and FULL.search(str(cause)):
            return True
        cause = cause.__cause__
    return False


class FittingBatches:
    """Batches as large as a GPU's memory holds: half as large from the first one on that it doesn't.

    >>> squares = FittingBatches()
    >>> squares.run(lambda numbers: [number**2 for number in numbers], [1, 2, 3])
    [1, 4, 9]
    """

    def __init__(self) -> None:
        self._most: int | None = None  # items that may fit, None while all have

    def run(self, work: Callable[[Items], Iterable[Result]], items: Items) -> list[Result]:
        """The results of `work`, one an item, from as many calls as it takes.

        Raises what `work` raises where the memory doesn't hold even a single item.
        """
        results: list[Result] = []
        while len(results) < len(items):
            some = items[len(results) :][: self._most]
            try:
                results += tuple(work(some))
            except RuntimeError as error:
                if len(some) == 1 or not is_out_of_memory(error):
                    raise
                self._most = len(some) // 2
            else:
                continue
            free_gpu_memory()  # outside of the handler, whose traceback holds what is to be freed
        return results


def cpu_when_full(stage: str) -> Callable[[Compute], Compute]:
    """Compute a stage anew on the CPU where the memory of the GPU can't hold it, and warn of it.

    Decorates a function of samples, options and more. The options say by `on_cpu()` what they are on the CPU, with
    the same model; the result is a dataclass with `warnings`.
    """

    def decorate(compute: Compute) -> Compute:
        @functools.wraps(compute)
        def computed(samples: Samples, options: Any, *rest: Any, **named: Any) -> Any:
            try:
                return compute(samples, options, *rest, **named)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            free_gpu_memory()
            found = compute(samples, options.on_cpu(), *rest, **named)
            warning = f"{stage} was done on the CPU: the memory of the GPU was full"
            return replace(found, warnings=(*found.warnings, warning))

        return cast(Compute, computed)

    return decorate


def free_gpu_memory() -> None:
    """Give back what torch keeps of a GPU's memory for later use."""
    gc.collect()
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
