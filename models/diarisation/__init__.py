"""Speaker diarisation: samples in, who speaks when out.

`diariser.diarise` is the way in. `pipeline` is pyannote.audio's, whose stages are `embeddings`, `clustering`
and, with the offline models, `local_speakers` and `turn_boundaries`. `channels` then takes voices that
differ by their channel only for one person. Imports `models.runtime` and `models.record`.
"""
