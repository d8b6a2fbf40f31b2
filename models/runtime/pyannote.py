"""The one door to pyannote.audio: its names, imported without what it says, sends, or imports for nothing.

Everything of pyannote that the models use is imported from here, so that it is always imported this way.
Silenced are warnings about things Episcribe doesn't use: torchcodec's decoding, since audio is decoded
here, and the reminder that TF32 was disabled. What it would send is switched off in `models/__init__.py`.
Deferred is what training, evaluation and other pipelines need, which would take some seconds and 250 MB.
"""

from __future__ import annotations

import os
import warnings

import torch  # noqa: F401  (none of it is deferred but its compiler)

from models.runtime.deferred_imports import import_deferring

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

UNUSED = (
    "lightning.fabric._graveyard",
    "lightning.fabric.fabric",
    "lightning.fabric.loggers",
    "lightning.pytorch._graveyard",
    "lightning.pytorch.callbacks",
    "lightning.pytorch.loggers",
    "lightning.pytorch.loops",
    "lightning.pytorch.trainer",
    "matplotlib",
    "networkx",
    "opentelemetry",
    "optuna",
    "pandas",
    "pyannote.audio.core.calibration",
    "pyannote.audio.pipelines.multilabel",
    "pyannote.audio.pipelines.speech_separation",
    "pyannote.audio.pipelines.voice_activity_detection",
    "pyannote.audio.telemetry.metrics",
    "pyannote.core.notebook",
    "pyannote.metrics",
    "pyannote.pipeline.optimizer",
    "scipy.signal",
    "sklearn",
    "torch._dynamo",
    "torch_audiomentations",
    "torchcodec",
    "torchmetrics",
    "triton",
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import_deferring(
        packages=("lightning", "pyannote"),
        modules=(
            "pyannote.audio.pipelines.speaker_diarization",
            "pyannote.audio.models.embedding.wespeaker",
            "lightning.pytorch.utilities.argparse",  # patched when a checkpoint is loaded
        ),
        later=UNUSED,
    )
    from pyannote.audio import Inference, Model, Pipeline
    from pyannote.audio.models.embedding.wespeaker import BaseWeSpeakerResNet
    from pyannote.audio.pipelines.clustering import BaseClustering, VBxClustering
    from pyannote.audio.pipelines.speaker_diarization import SpeakerDiarization
    from pyannote.core import Annotation, Segment, SlidingWindow, SlidingWindowFeature
    from pyannote.pipeline.parameter import ParamDict, Uniform


def _untold(*arguments: object, **named: object) -> None:
    """What telemetry comes to that is switched off."""


if os.environ["PYANNOTE_METRICS_ENABLED"] == "false":  # asked before what sends is imported for the answer
    from pyannote.audio.core import model, pipeline

    for _module in (model, pipeline):
        for _name in [name for name in vars(_module) if name.startswith("track_")]:
            setattr(_module, _name, _untold)
