"""The library on disk or at an fsspec URL: folders, whole-or-nothing writing, reading, corrections, voices, search.

Imports `outputs.formats` and what that builds on; nobody else in `outputs` touches the files of an episode.
"""
