"""Automatic speech recognition: samples in, words with times and probabilities out.

`transcription.transcribe` is the way in. `chunking` cuts speech into what a model hears at once, an `engine`
decodes it (`faster_whisper` is the one there is), `repair` decodes again what looks wrong, `vocabulary`
spells names as the episode does. Imports `models.runtime` and `models.record`. How to add an engine:
`models/asr/engine.py`.
"""
