"""What has to be known of each language: one data file a language, which needs no programmer to write.

To add one: write `<code>.toml` here, named by its ISO 639-1 code. `it.toml` is a good one to begin from. Every key
may be left out; what each means is told in `registry.py`, how phrases are written in `notation.py`. Give it twelve
`[[examples]]` or more, of what it must find and of what it must not: `tests/models/languages` runs them.

`registry` is the way in. Imports `models.record` alone.
"""
