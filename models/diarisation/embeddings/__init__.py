"""Speaker embeddings, one module a network. Imports `local_speakers` of diarisation, `models.runtime`, `models.record`.

To add a network, write a module like `campplus.py`: a class with the methods of `embedder.Embedder`, an
EMBEDDING_ID that is kept with every voice (voices of different networks never compare) and a way to load
it; and choose it in `pipeline.load_offline`. `clustering.Calibration` holds what cosines between CAM++
embeddings look like: fit one for the new network. Files of a network that `models pull` fetches are listed
in `models/runtime/offline_models.py`.
"""
