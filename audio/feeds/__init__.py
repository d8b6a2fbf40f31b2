"""Podcast feeds, RSS and Atom, good or bad, to a `Feed` of `Episode`s.

`parse` is the door; behind it the bytes are cleaned (`cleaning`), items become episodes (`items`), and tags that
feedparser doesn't keep are read from the tree (`podcast_tags`). Knows addresses and media types of
`audio.transfer`, but fetches nothing.
"""
