"""Words and turns joined: who said each word, cut into sentences.

`align.align` is the way in. `evidence` is what the turns say of each word, `changes` where words and pauses let the
speaker change, `chain` weighs both, and `attribution` gives the words their speakers. Imports `models.record` and
`models.languages` alone: it knows words and turns, not who found them.
"""
