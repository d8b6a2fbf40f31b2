"""Recordings in which people have tracks of their own: where these are, whose they are, how they belong together."""
