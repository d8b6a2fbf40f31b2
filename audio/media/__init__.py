"""Sound in files, by ffmpeg and pydub: what a file holds, its samples, clips and loudness.

`ffmpeg` is the only module that knows how the program is called. Knows nothing of feeds or of the web.
"""
