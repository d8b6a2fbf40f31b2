from __future__ import annotations

from pyannote.audio.models.embedding import WeSpeakerResNet34
from pyannote.audio.pipelines.clustering import VBxClustering

from models.diarisation.clustering import BoundedVBx
from models.diarisation.embeddings.wespeaker import WeSpeakerEmbedder
from models.diarisation.pipeline import BoundedDiarization
from tests.models.diarisation.stock import Stock


def test_a_loaded_pipeline_keeps_its_parts_and_gets_a_bound(network: WeSpeakerResNet34) -> None:
    stock = Stock(network)
    stock.clustering = VBxClustering(plda=None)
    embedder = WeSpeakerEmbedder(network, exclude_overlap=True, min_samples=400)
    bounded = BoundedDiarization.of(stock, embedder)
    assert bounded.embedder is embedder
    assert isinstance(bounded.clustering, BoundedVBx)
