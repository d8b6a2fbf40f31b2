"""Going on where a GPU fails: with fewer items at once where its memory is full, and on the CPU in the end."""

from __future__ import annotations

import functools
import gc
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol, Self, TypeVar, cast

from models.runtime.samples import Samples

# What torch, CTranslate2, cuBLAS, cuDNN and cuFFT say. A handle of cuBLAS that can't be made is out of memory, too.
FULL = re.compile(r"out of memory|_ALLOC_FAILED|CUBLAS_STATUS_NOT_INITIALIZED")
FAILED = re.compile(r"CUDA|cuBLAS|CUBLAS|cuDNN|CUDNN|libcublas")

Result = TypeVar("Result")


class Sliceable(Protocol):
    """A list, a range, or an array along its first axis."""

    def __len__(self) -> int: ...

    def __getitem__(self, items: slice, /) -> Self: ...


Items = TypeVar("Items", bound=Sliceable)
Compute = TypeVar("Compute", bound=Callable[..., Any])


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch or CTranslate2 tell by an error that the memory of the GPU is full."""
    return isinstance(error, RuntimeError) and FULL.search(str(error)) is not None


def gpu_failure(error: BaseException) -> str:
    """What a GPU failed of, by an error of torch or CTranslate2, or of its cause; "" for all others."""
    cause: BaseException | None = error
    while cause is not None:
        if is_out_of_memory(cause):
            return "its memory is full"
        if isinstance(cause, RuntimeError) and FAILED.search(str(cause)):
            return str(cause).splitlines()[0]
        cause = cause.__cause__
    return ""


class FittingBatches:
    """Batches as large as a GPU's memory holds: at `most` half as many items from the first one on that it doesn't.

    >>> squares = FittingBatches()
    >>> squares.run(lambda numbers: [number**2 for number in numbers], [1, 2, 3])
    [1, 4, 9]
    """

    def __init__(self) -> None:
        self.most: int | None = None  # items that may fit at once, None while all have

    def run(self, work: Callable[[Items], Iterable[Result]], items: Items) -> list[Result]:
        """The results of `work`, one an item, from as many calls as it takes.

        Raises what `work` raises where the memory doesn't hold even a single item.
        """
        results: list[Result] = []
        while len(results) < len(items):
            some = items[len(results) :][: self.most]
            try:
                results += tuple(work(some))
            except RuntimeError as error:
                if len(some) == 1 or not is_out_of_memory(error):
                    raise
                self.most = len(some) // 2
            else:
                continue
            free_gpu_memory()  # outside of the handler, whose traceback holds what is to be freed
        return results


def cpu_when_gpu_fails(stage: str) -> Callable[[Compute], Compute]:
    """Compute a stage anew on the CPU where the GPU fails, or can't hold even one item of it, and warn of it.

    Decorates a function of samples, options and more. The options say by `on_cpu()` what they are on the CPU, with
    the same model; the result is a dataclass with `warnings`.
    """

    def decorate(compute: Compute) -> Compute:
        @functools.wraps(compute)
        def computed(samples: Samples, options: Any, *rest: Any, **named: Any) -> Any:
            try:
                return compute(samples, options, *rest, **named)
            except Exception as error:
                reason = gpu_failure(error)
                if not reason:
                    raise
            free_gpu_memory()
            found = compute(samples, options.on_cpu(), *rest, **named)
            warning = f"{stage} was done on the CPU after the GPU had failed: {reason}"
            return replace(found, warnings=(*found.warnings, warning))

        return cast(Compute, computed)

    return decorate


def free_gpu_memory() -> None:
    """Give back what torch keeps of a GPU's memory for later use."""
    gc.collect()
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        with suppress(RuntimeError):  # of a GPU that has failed for good
            torch.cuda.empty_cache()
