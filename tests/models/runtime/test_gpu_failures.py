from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from audio.media.decode import decode
from models.asr import faster_whisper
from models.asr.transcription import TranscriptionOptions
from models.diarisation.diariser import DiariserOptions
from models.record.errors import ModelError
from models.record.spans import Span
from models.runtime.gpu_failures import FittingBatches, cpu_when_gpu_fails, gpu_failure, is_out_of_memory

# As torch 2.11 and CTranslate2 4.8 word them.
FULL = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 7.9 GiB in all."),
    RuntimeError("CUDA failed with error out of memory"),
    RuntimeError("cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED"),
    RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
)
BROKEN = (
    RuntimeError("CUDA failed with error an illegal memory access was encountered"),
    RuntimeError("Library libcublas.so.12 is not found or cannot be loaded"),
    torch.AcceleratorError("CUDA error: unspecified launch failure\nCompile with `TORCH_USE_CUDA_DSA`"),
)
OTHER = (ValueError("out of memory"), MemoryError("out of memory"), RuntimeError("no such file"))


def test_what_torch_and_ctranslate2_raise_when_a_gpu_is_full_is_known() -> None:
    assert all(is_out_of_memory(error) for error in FULL)
    assert not any(is_out_of_memory(error) for error in (*BROKEN, *OTHER))


def test_failures_of_a_gpu_are_told_from_others() -> None:
    assert {gpu_failure(error) for error in FULL} == {"its memory is full"}
    assert [gpu_failure(error) for error in BROKEN] == [str(error).splitlines()[0] for error in BROKEN]
    assert {gpu_failure(error) for error in OTHER} == {""}


def test_an_error_that_a_gpu_caused_is_its_failure() -> None:
    error = ModelError("can't load the Whisper model")
    error.__cause__ = FULL[1]
    assert gpu_failure(error) == "its memory is full"
    error.__cause__ = OTHER[0]
    assert gpu_failure(error) == ""


class Gpu:
    """Doubles numbers, of which it holds a few at once."""

    def __init__(self, holds: int, error: Exception = FULL[0]) -> None:
        self.holds, self.error = holds, error
        self.sizes: list[int] = []

    def __call__(self, numbers: Sequence[int]) -> NDArray[np.int64]:
        self.sizes.append(len(numbers))
        if len(numbers) > self.holds:
            raise self.error
        return np.array(numbers) * 2


@pytest.mark.parametrize("error", FULL)
def test_batches_are_halved_until_they_fit_and_stay_so(error: Exception) -> None:
    gpu, fitting = Gpu(3, error), FittingBatches()
    assert fitting.run(gpu, range(8)) == [0, 2, 4, 6, 8, 10, 12, 14]
    assert gpu.sizes == [8, 4, 2, 2, 2, 2]
    assert fitting.run(gpu, range(3)) == [0, 2, 4]
    assert gpu.sizes[6:] == [2, 1]


def test_batches_that_fit_stay_whole() -> None:
    gpu = Gpu(8)
    assert FittingBatches().run(gpu, range(8)) == [0, 2, 4, 6, 8, 10, 12, 14]
    assert gpu.sizes == [8]
    assert FittingBatches().run(gpu, []) == []


def test_one_item_that_does_not_fit_is_an_error_and_so_is_every_other() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        FittingBatches().run(Gpu(0), [1, 2])
    other = Gpu(0, BROKEN[0])
    with pytest.raises(RuntimeError, match="illegal"):
        FittingBatches().run(other, [1, 2])
    assert other.sizes == [2]


@dataclass(frozen=True)
class Options:
    device: str

    def on_cpu(self) -> Self:
        return replace(self, device="cpu")


@dataclass(frozen=True)
class Found:
    device: str
    warnings: tuple[str, ...] = ("as before",)


def stage(error: Exception) -> Callable[..., Found]:
    """A stage whose model does not fit on a GPU."""

    @cpu_when_gpu_fails("reading")
    def read(samples: Any, options: Options, *, loudly: bool = False) -> Found:
        assert loudly
        if options.device == "cuda":
            raise ModelError("can't load the model") from error
        return Found(options.device)

    return read


@pytest.mark.parametrize("error", [*FULL, *BROKEN])
def test_a_stage_whose_gpu_fails_is_done_on_the_cpu_with_a_warning(error: Exception) -> None:
    samples = np.zeros(1, dtype=np.float32)
    found = stage(error)(samples, Options("cuda"), loudly=True)
    reason = gpu_failure(error)
    warning = f"reading was done on the CPU after the GPU had failed: {reason}"
    assert found == Found("cpu", ("as before", warning))


def test_a_stage_that_fails_of_something_else_has_failed() -> None:
    samples = np.zeros(1, dtype=np.float32)
    with pytest.raises(ModelError):
        stage(OTHER[0])(samples, Options("cuda"), loudly=True)


def test_words_are_the_same_in_smaller_batches(sample_wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = faster_whisper.load("tiny.en", "cpu", batch_size=3).with_samples(decode(sample_wav).samples)
    chunks = [Span(6.3, 14.4), Span(14.4, 22.9), Span(18.1, 27)]  # of one length to the encoder
    whole = engine.decode(chunks)
    encode, sizes = engine.model.encode_chunks, []

    def encode_few(waveforms: Sequence[NDArray[np.float32]], frames: int) -> Any:
        sizes.append(len(waveforms))
        if len(waveforms) > 1:
            raise FULL[1]
        return encode(waveforms, frames)

    monkeypatch.setattr(engine.model, "encode_chunks", encode_few)
    assert [one.text for one in engine.decode(chunks)] == [one.text for one in whole]
    assert sorted(sizes) == [1, 1, 1, 2]  # two at once is too many, so each goes alone


def test_options_keep_their_models_on_the_cpu() -> None:
    words = TranscriptionOptions(model="tiny.en", device="auto", language="en")
    assert words.on_cpu() == replace(words, device="cpu")
    assert TranscriptionOptions().on_cpu().model in (
        "base",
        "tiny.en",
    )  # no name that means another one there
    turns = DiariserOptions(model="offline", device="auto", speakers=2)
    assert turns.on_cpu() == replace(turns, device="cpu")
    assert DiariserOptions().on_cpu().model == "offline"
