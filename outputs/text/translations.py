"""Translations of a transcript as transcripts of their own, so that every writer can write them."""

from __future__ import annotations

from dataclasses import replace

from models.record.transcript import Transcript, Translation
from outputs.text.characters import one_line


def translations_of(transcript: Transcript) -> dict[str, Translation]:
    """The translations by their languages, as names of files may have them; those in no language are left out."""
    if not transcript.translations:
        return {}
    import langcodes  # takes some hundredths of a second

    return {one.language: one for one in transcript.translations if langcodes.tag_is_valid(one.language)}


def translated(transcript: Transcript, translation: Translation) -> Transcript:
    """The transcript in the language of one of its translations, with the same speakers."""
    return replace(
        transcript,
        language=translation.language,
        languages=(),
        segments=translation.segments,
        translations=(translation,),
    )


def notice(transcript: Transcript) -> str:
    """What a translation has to say of itself, on one line; "" for a transcript of what was said."""
    made = next(
        (one for one in transcript.translations if one.segments and one.segments is transcript.segments),
        None,
    )
    return one_line(f"Machine translation by {made.engine}").strip() if made else ""
