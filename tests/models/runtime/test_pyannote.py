"""What the one door to pyannote.audio brings along."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

import models
from models.diarisation.pipeline import bounded_community
from models.runtime.offline_models import SEGMENTATION
from models.runtime.pyannote import UNUSED, Pipeline
from tests.models.conftest import read_audio

CODE = """
import sys
from models.diarisation.diariser import DiariserOptions, diarise
from audio.media.decode import decode
found = diarise(decode(sys.argv[1]).samples, DiariserOptions(model="offline"))
assert found.turns
print("LOADED", *sys.modules)
"""


def test_diarising_imports_nothing_that_is_deferred(sample_wav: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(sample_wav)],
        cwd=Path(models.__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert "pyannote.audio" in loaded
    assert loaded & set(UNUSED) == set()


CONFIG = """
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    segmentation: $model/segmentation
    embedding: $model/embedding
    embedding_exclude_overlap: true
    plda: $model/plda
    clustering: VBxClustering
params:
  clustering: {threshold: 0.6, Fa: 0.07, Fb: 0.8}
  segmentation: {min_duration_off: 0.0}
"""


def pipeline_as_on_the_hub(folder: Path) -> Path:
    """A folder of the form of community-1's, with segmentation-3.0 and random weights for all else."""
    from pyannote.audio.models.embedding import WeSpeakerResNet34

    for part in ("segmentation", "embedding", "plda"):
        (folder / part).mkdir()
    (folder / "config.yaml").write_text(CONFIG)
    shutil.copy(SEGMENTATION.require() / "pytorch_model.bin", folder / "segmentation")
    known = torch.load(folder / "segmentation" / "pytorch_model.bin", weights_only=False)
    torch.manual_seed(0)
    network = WeSpeakerResNet34()
    architecture = {"module": WeSpeakerResNet34.__module__, "class": "WeSpeakerResNet34"}
    torch.save(
        {
            "state_dict": network.state_dict(),
            "hyper_parameters": dict(network.hparams),
            "pyannote.audio": {**known["pyannote.audio"], "architecture": architecture},
            "pytorch-lightning_version": "2.4.0",
        },
        folder / "embedding" / "pytorch_model.bin",
    )
    size, reduced = 256, 128
    rng = np.random.default_rng(0)
    np.savez(
        folder / "plda" / "xvec_transform.npz",
        mean1=np.zeros(size),
        mean2=np.zeros(reduced),
        lda=np.linalg.qr(rng.normal(size=(size, reduced)))[0],
    )
    np.savez(
        folder / "plda" / "plda.npz",
        mu=np.zeros(reduced),
        tr=np.eye(reduced),
        psi=np.linspace(2.0, 0.1, reduced),
    )
    return folder


def test_a_pipeline_in_the_form_of_the_hub_loads_and_runs(tmp_path: Path, sample_wav: Path) -> None:
    pipeline = Pipeline.from_pretrained(pipeline_as_on_the_hub(tmp_path))
    bounded = bounded_community(pipeline, "cpu", step=0.5)
    samples = torch.from_numpy(read_audio(sample_wav))[None]
    found = bounded({"waveform": samples, "sample_rate": 16000, "uri": "audio"})
    assert found.speaker_diarization.labels()
    assert found.speaker_embeddings.shape[1] == 256
