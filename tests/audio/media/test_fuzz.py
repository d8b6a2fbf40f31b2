"""Some damaged files of each container; `tests.audio.media.fuzz` tries any number."""

from pathlib import Path

import numpy as np
import pytest

from tests.audio.media.fuzz import CONTAINERS, check, damaged, make


@pytest.mark.parametrize(("kind", "codec"), CONTAINERS)
def test_damage_neither_crashes_nor_loses_in_silence(tmp_path: Path, kind: str, codec: str) -> None:
    whole = make(tmp_path, kind, codec)
    for seed in range(4):
        path = tmp_path / f"{seed}.{kind}"
        path.write_bytes(damaged(whole, np.random.default_rng(seed)))
        assert check(path) in ("read", "warned", "refused")
