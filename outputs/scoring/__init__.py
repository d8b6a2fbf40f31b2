"""How good a result is beside a reference: DER, WER, cpWER and speaker counts.

Its packages are an extra (`score`); reads the library, and is read by `flows` alone.
"""
