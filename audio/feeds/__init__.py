"""Podcast feeds, RSS and Atom, good or bad, to a `Feed` of `Episode`s.

`parse` is the door. Behind it bytes become text (`cleaning`, `encoding`), broken XML is made whole (`mending`), one
parser makes a tree of it (`tree`), and its items become episodes (`items`, with `podcast_tags`, `dates` and `text`).
`pages` follows feeds that go on elsewhere. What people give in place of a feed is read by `links` (web pages),
`directories` (Apple Podcasts and others) and `opml` (lists of feeds); `meant` finds the episode that they mean.
Knows addresses and media types of `audio.transfer`, but fetches nothing.
"""
