"""What is known of an episode: the transcript and its parts, and the small values every stage speaks in.

Spans of time, shares of languages, errors, progress, punctuation, two texts matched. Imports nothing of the
project and nothing heavy, so that everything else may import it.
"""
