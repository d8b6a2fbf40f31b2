"""Import pyannote.audio without what it says and sends on import.

Its usage metrics are switched off (nobody's podcasts are reported anywhere unless they ask for it),
and so are warnings about things Episcribe doesn't use: torchcodec's decoding, since audio is
decoded here, and the reminder that TF32 was disabled.
"""

from __future__ import annotations

import os
import warnings

os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "false")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

warnings.filterwarnings("ignore", message=r"\s*torchcodec is not installed correctly")
warnings.filterwarnings("ignore", message=r".*TensorFloat-32")
warnings.filterwarnings("ignore", message=r"std\(\): degrees of freedom is <= 0")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pyannote.audio  # noqa: F401
