"""The Python interface to finished episodes, at an address that stays: see docs/consuming.md."""

from outputs.library.read import load, load_corrected, load_record

__all__ = ["load", "load_corrected", "load_record"]
