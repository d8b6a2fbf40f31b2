"""Flows here and now, without a server to start: sessions, progress, the demo, `check` and `bench`."""
