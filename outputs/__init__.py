"""What is published of an episode, all of it rendered from one `Transcript`, and what reads it again.

The rooms, each importing only those after it: publishing and scoring, library, formats, pages, captions, text.
`outputs.read` is the Python interface for other programs, at an address that stays.
"""
