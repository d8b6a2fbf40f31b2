"""Checksums of files as Subresource Integrity writes them: "sha384-<base64>", several with spaces between.

https://www.w3.org/TR/SRI/
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from pathlib import Path

ALGORITHMS = ("sha256", "sha384", "sha512")  # the stronger the later
MAX_CHARS = 1000


def usable(sri: str) -> str:
    """The checksums in `sri` that can be compared with, "" where none can; others mean nothing, by the standard.

    >>> usable("md5-x sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=?ct=audio/mpeg sha512-short")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    told = (f"{name}-{base64.b64encode(digest).decode()}" for name, digest in _checksums(sri[:MAX_CHARS]))
    return " ".join(told)


def matches(path: Path, sha256: str, sri: str) -> bool:
    """Whether a file, whose SHA-256 is known, has one of the checksums of the strongest kind in `sri`; "" fits all."""
    told = list(_checksums(sri))
    if not told:
        return True
    strongest = max((name for name, _ in told), key=ALGORITHMS.index)
    if strongest == "sha256":
        found = bytes.fromhex(sha256)
    else:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, strongest).digest()
    return (strongest, found) in told


def _checksums(sri: str) -> Iterator[tuple[str, bytes]]:
    for told in sri.split():
        name, _, encoded = told.partition("?")[0].partition("-")
        if name not in ALGORITHMS:
            continue
        try:
            digest = base64.b64decode(encoded, b"-_" if {"-", "_"} & {*encoded} else None, validate=True)
        except (binascii.Error, ValueError):
            continue
        if len(digest) == hashlib.new(name).digest_size:
            yield name, digest
