"""Audio that is shorter than the feed had promised: a host may have cut it, and nothing else would tell."""

from __future__ import annotations

from dataclasses import dataclass

# Feeds round durations to minutes, and ads that are put in for each listener come and go, some four minutes an hour. A
# file that was cut lacks more than both together.
SHORTFALL_SECONDS = 60.0
SHORTFALL_SHARE = 0.10
SHORTFALL_BYTES = 1_000_000  # a minute at 128 kbit/s


@dataclass(frozen=True, slots=True)
class Amount:
    """How much audio there is, in seconds and in bytes; 0 where nobody says."""

    seconds: float
    bytes: int


def shortfall(came: Amount, promised: Amount) -> str:
    """A warning where clearly less audio came than was promised, or "".

    Bytes count only where no duration was promised: hosts encode files anew, and feeds go on telling the old length.

    >>> shortfall(Amount(600.0, 0), Amount(3600.0, 0))
    'the feed promises 60 minutes of audio and 10 minutes came: it may be cut short'
    >>> shortfall(Amount(3590.0, 1_000), Amount(3600.0, 50_000_000))
    ''
    """
    if promised.seconds:
        if _falls_short(came.seconds, promised.seconds, SHORTFALL_SECONDS):
            amounts = f"{_told(promised.seconds)} of audio and {_told(came.seconds)}"
            return f"the feed promises {amounts} came: it may be cut short"
    elif _falls_short(came.bytes, promised.bytes, SHORTFALL_BYTES):
        return f"the feed promises {promised.bytes:,} bytes and {came.bytes:,} came: it may be cut short"
    return ""


def _told(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


def _falls_short(came: float, promised: float, tolerance: float) -> bool:
    return promised - came > max(tolerance, SHORTFALL_SHARE * promised)
