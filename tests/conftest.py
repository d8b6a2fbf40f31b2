"""What all tests share: models pulled once, a cache folder of their own, real recordings."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from models.runtime import offline_models
from models.runtime.device import usable_cores

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

# Before anything of ours or Prefect's looks at the environment: results, downloads and databases of
# tests go to a folder of their own, and the models, which are large, are lent from the real one.
_real_models = offline_models.models_folder()
offline_models.pull()
_cache = tempfile.TemporaryDirectory(prefix="episcribe-tests-", ignore_cleanup_errors=True)
os.environ["EPISCRIBE_CACHE"] = _cache.name
os.environ["PREFECT_HOME"] = str(Path(_cache.name) / "prefect")
os.environ["HF_HUB_OFFLINE"] = "1"
# Workers of pytest-xdist share the cores. Threads of torch that wait for each other on cores that another worker is at
# cost two to three times the CPU seconds.
if _workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, usable_cores() // _workers)))
for _name in ("PREFECT_API_URL", "PREFECT_PROFILE", "HF_TOKEN"):
    os.environ.pop(_name, None)
offline_models.models_folder().symlink_to(_real_models)


# A shell has its background jobs ignore Ctrl-C, and so would the commands that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How fast a shared machine happens to be says nothing about the code. CI tries the same examples each time, so
# that it judges the change; new ones are tried, and found, on developers' machines.
settings.register_profile("episcribe", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("episcribe")


@pytest.fixture(scope="session")
def sample_wav() -> Path:
    """30 s of a telephone call between two women, from the pyannote.audio package."""
    from flows.local.demo import sample

    return sample()


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder with the reference turns and words of `sample_wav`."""
    folder = SHARED / "conversations" / "pyannote_sample"
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}")
    return folder


@pytest.fixture(scope="session")
def read_speech() -> Path:
    """LibriSpeech utterances with exact words."""
    folder = SHARED / "read_speech" / "librispeech_test-other"
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}")
    return folder


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[str]:
    """A real Prefect server for the session, and the settings under which flows use it."""
    from flows.local.prefect_session import prefect_session

    with prefect_session():
        from prefect.settings import PREFECT_API_URL

        yield str(PREFECT_API_URL.value())
