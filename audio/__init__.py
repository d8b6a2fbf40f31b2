"""Getting sound in: feeds that tell of it, its way from the web to disk, and what is in the file.

Imports `models.record` for what everybody speaks, and nothing of `outputs` or `flows`.
"""
