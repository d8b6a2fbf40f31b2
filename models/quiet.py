"""Import pyannote.audio without what it says and sends on import.

Silenced are warnings about things Episcribe doesn't use: torchcodec's decoding, since audio is decoded
here, and the reminder that TF32 was disabled. What it would send is switched off in `models/__init__.py`.
"""

from __future__ import annotations

import warnings

warnings.filterwarnings("ignore", message=r"\s*torchcodec is not installed correctly")
warnings.filterwarnings("ignore", message=r".*TensorFloat-32")
warnings.filterwarnings("ignore", message=r"std\(\): degrees of freedom is <= 0")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pyannote.audio  # noqa: F401
