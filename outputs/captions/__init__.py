"""Captions: words cut into cues that can be read in time, for a `Profile` of limits, and a lint for anybody's.

Knows no file format but those that `lint` reads. Imports `outputs.text`.
"""
