"""Text as people see it: characters and their width, languages, times, paragraphs, names as parts of paths.

Imports `models.record` alone; everything else in `outputs` builds on it.
"""
