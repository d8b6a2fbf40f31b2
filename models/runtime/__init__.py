"""What models run on: CPU or GPU, cores, memory, energy, sample arrays, model files, processes of our own,
the one door to pyannote.audio.

Imports `models.record` alone. Nothing here knows what a model is for.
"""
