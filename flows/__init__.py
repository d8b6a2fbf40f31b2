import os

from models.runtime.cache import cache_folder

# Before Prefect is imported, whoever does it: it reports nothing, and the command line and callers from
# Python find each other's results.
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_LOCAL_STORAGE_PATH", str(cache_folder() / "results"))
