"""The one door to pyannote.audio: its names, imported without what it says, sends, or needs on a GPU alone.

Everything of pyannote that the models use is imported from here, so that it is always imported this way.
Silenced are warnings about things Episcribe doesn't use: torchcodec's decoding, since audio is decoded
here, and the reminder that TF32 was disabled. What it would send is switched off in `models/__init__.py`.
"""

from __future__ import annotations

import logging
import sys
import warnings

import torch

__all__ = [
    "Annotation",
    "BaseClustering",
    "BaseWeSpeakerResNet",
    "Inference",
    "Model",
    "ParamDict",
    "Pipeline",
    "Segment",
    "SlidingWindow",
    "SlidingWindowFeature",
    "SpeakerDiarization",
    "Uniform",
    "VBxClustering",
]

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
        from pyannote.audio import Inference, Model, Pipeline
        from pyannote.audio.models.embedding.wespeaker import BaseWeSpeakerResNet
        from pyannote.audio.pipelines.clustering import BaseClustering, VBxClustering
        from pyannote.audio.pipelines.speaker_diarization import SpeakerDiarization
        from pyannote.core import Annotation, Segment, SlidingWindow, SlidingWindowFeature
        from pyannote.pipeline.parameter import ParamDict, Uniform
finally:
    if without_compiler:
        del sys.modules["triton"]
