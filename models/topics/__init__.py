"""What is talked about: where the topic changes, what chapters are called, and texts as vectors.

`proposal` is the door to chapters: `boundaries` and `cues` tell where they begin, `titles` what they are called.
`embedding` loads the model and makes vectors, in which texts of one subject lie close together; `support` tells
whether a text says what was said. Imports `models.languages`, `models.runtime` and `models.record`:
it knows neither who speaks nor how words were heard.
"""
