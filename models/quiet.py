"""Import pyannote.audio without what it says and sends on import, and without what it needs on a GPU alone.

Silenced are warnings about things Episcribe doesn't use: torchcodec's decoding, since audio is decoded
here, and the reminder that TF32 was disabled. What it would send is switched off in `models/__init__.py`.
"""

from __future__ import annotations

import logging
import sys
import warnings

import torch

warnings.filterwarnings("ignore", message=r"\s*torchcodec is not installed correctly")
warnings.filterwarnings("ignore", message=r".*TensorFloat-32")
warnings.filterwarnings("ignore", message=r"std\(\): degrees of freedom is <= 0")

# Lightning imports torch's compiler, and that the one for GPUs: 50 MB, never used on a CPU.
without_compiler = not torch.cuda.is_available() and "triton" not in sys.modules
if without_compiler:
    sys.modules["triton"] = None  # type: ignore[assignment]
    logging.getLogger("torch.utils.flop_counter").setLevel(logging.ERROR)  # which misses it

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pyannote.audio  # noqa: F401
finally:
    if without_compiler:
        del sys.modules["triton"]
