"""Chapters in show notes."""

from __future__ import annotations

from models.record.transcript import Chapter


def chapters_in(notes: str) -> tuple[Chapter, ...]:
    """The chapters that notes list by their times, () where they list none."""
    return ()
