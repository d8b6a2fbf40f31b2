"""What models run on: device, cores, memory, energy, sample arrays, model files, and the one door to pyannote.audio.

Imports `models.record` alone. Nothing here knows what a model is for.
"""
