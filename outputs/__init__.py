"""Writers and readers of what we publish, every one rendered from a `Transcript`."""
