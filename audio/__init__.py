"""Getting sound: feeds, safe downloads, and any audio file as 16 kHz mono samples."""
