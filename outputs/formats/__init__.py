"""The files of an episode's folder, one module a format, each a function from `Transcript` to text (or bytes).

To add one: write a module with `render(transcript) -> str` that takes everything from the transcript and touches no
file, and name it in `registry.py`, which says what else a writer may take; its test goes to `tests/outputs/formats/`.

Imports `outputs.pages`, `outputs.captions` and `outputs.text`.
"""
