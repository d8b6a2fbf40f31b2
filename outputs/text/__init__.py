"""Text as people see it: characters and their width, languages, directions, times, paragraphs, names as parts of paths.

Imports `models.record` alone; everything else in `outputs` builds on it.
"""
