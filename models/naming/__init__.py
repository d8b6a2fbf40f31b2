"""What speakers are called: who a label is, by what is said, by what the feed tells, and by known voices.

`speakers` is the way in. Imports `models.languages` and `models.record`.
"""
