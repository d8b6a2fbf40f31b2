"""What is talked about: texts as vectors, in which texts of one subject lie close together.

`embedding` loads the model and makes the vectors. Imports `models.languages`, `models.runtime` and `models.record`:
it knows neither who speaks nor how words were heard.
"""
