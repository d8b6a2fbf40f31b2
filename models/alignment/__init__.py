"""Words and turns joined: who said each word, cut into sentences.

`align.align` is the way in. Imports `models.record` alone: it knows words and turns, not who found them.
"""
