"""How good a result is beside a reference: DER, WER, cpWER and speaker counts; and how two transcripts differ.

What scores need is an extra (`score`), a comparison needs nothing; reads the library, and is read by `flows` alone.
"""
