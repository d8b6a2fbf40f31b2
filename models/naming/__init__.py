"""What speakers are called: who a label is, by what is said, by what the feed tells, by known voices, and by
what somebody else wrote down of the talk.

`speakers` is the way in. Imports `models.languages` and `models.record`.
"""
