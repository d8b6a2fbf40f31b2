"""What is heard and what is known: from samples to words, turns and names. The bottom floor of the project.

No network but for model files, and no published file. Imports go down only: `naming`, `alignment` and `topics`, then
`asr` and `diarisation`, which don't know each other, then `languages`, then `runtime`, then `record`.
"""

import os

# Before any module of these packages is imported, whoever does it: nobody's podcasts are reported anywhere.
os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "false")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
# oneDNN keeps a compiled kernel for every batch shape it met: hundreds of megabytes, and no faster.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")
