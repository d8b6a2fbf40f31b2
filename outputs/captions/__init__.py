"""Captions: words cut into cues that can be read in time, for a `Profile` of limits, and a reader and a lint for all.

Knows no file format but those that `lint` and `published` read. Imports `outputs.text`.
"""
