"""Prefect flows and what people start them by; the only room that imports Prefect.

`episode` is the main flow, `steps` its work as plain functions, `options` what a run may be told, `quality` which
models that comes to on this machine, `naming` the step that names speakers, `witness` the transcript that a feed
offers, `progress` how far a run is, `pace` how long it takes. `schedule` follows shows, `library` works on finished
episodes, `local` runs flows here and now, `cli` is the command line, `web` the pages that are served. May import
everything below, `outputs`, `audio` and `models`; the rooms that do the work never import `cli`.
"""

import os

from models.runtime.cache import cache_folder

# Before Prefect is imported, whoever does it: it reports nothing, and the command line and callers from
# Python find each other's results.
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_LOCAL_STORAGE_PATH", str(cache_folder() / "results"))
