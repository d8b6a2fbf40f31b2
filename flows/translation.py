"""Subtitles in other languages: by whom, and what of an episode; as plain functions that know nothing of Prefect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from audio.tracks.recording import DecodedAudio, Recording
from flows import own_tracks
from flows.options import EpisodeOptions, RunOptions
from models.asr import transcription, whisper_models
from models.asr.transcription import TranscriptionOptions
from models.diarisation.own_tracks import TracksDiarisation
from models.record.errors import InputError
from models.record.progress import Progress, silent
from models.record.transcript import Segment, Transcript, Translation, Word
from models.translation import by_sound, by_text, translator
from models.translation.by_text import TranslatorOptions
from models.translation.pieces import Translated, is_same_language

Options = TranscriptionOptions | TranslatorOptions
"""Who translates: a Whisper model that hears, or a translation model that reads."""


def check(options: RunOptions) -> None:
    """Refuse languages and models that can't be translated into or by; InputError, before any work is done."""
    check_languages(options)
    for language in options.translate:
        if options.translator is not None:
            translator.check(options.translator, language)
        else:
            whisper_models.check_translating(options.transcription().model)


def check_languages(options: EpisodeOptions) -> None:
    """Refuse languages that nothing can be translated into, whatever models there are; InputError."""
    from langcodes import tag_is_valid

    for language in options.translate:
        if not tag_is_valid(language):
            raise InputError(f"--translate has no language {language!r}: use a code such as en, de or fr")
        if options.translator is None and not is_same_language(language, by_sound.TARGET):
            raise InputError(
                f"Whisper translates into English only: --translate {language} takes a --translator too"
            )


def chosen(options: RunOptions, heeded: TranscriptionOptions) -> Options:
    """Who translates. heeded: what the words were transcribed with, the names to expect among it."""
    if options.translator is not None:
        return TranslatorOptions(options.translator, heeded.vocabulary, options.device)
    return replace(heeded, language=None, misheard=())


def load(options: Options) -> object:
    """The models that translate, loaded; once."""
    if isinstance(options, TranslatorOptions):
        return translator.load(options.model, options.device)
    return transcription.load(options)


def has_foreign(transcript: Transcript, language: str) -> bool:
    """Whether anything is said in another language than this."""
    return not all(
        is_same_language(transcript.language_of(segment), language) for segment in transcript.segments
    )


def heard_by(options: Options) -> dict[str, Any]:
    """What decides a translation beside its source: the options, the model's weights in place of its name."""
    resolve = translator.resolve if isinstance(options, TranslatorOptions) else whisper_models.resolve
    _, folder = resolve(options.model)
    heeded = {**asdict(options), "model": whisper_models.weights_sha256(str(folder))}
    return {name: value for name, value in heeded.items() if name not in ("device", "batch_size")}


def translate(
    recording: Recording,
    decoded: DecodedAudio,
    options: Options,
    segments: Sequence[Segment],
    language: str,
    target: str,
    joined: TracksDiarisation | None = None,
    progress: Progress = silent,
) -> Translated:
    """The segments in another language; see `models.translation.by_sound` and `by_text`.

    language: of segments that don't tell theirs. joined: who speaks on which track, where people have tracks.
    """
    if isinstance(options, TranslatorOptions):
        return by_text.translate(segments, options, language, target, progress)
    samples = recording.samples(decoded, progress)
    if joined is None:
        return by_sound.translate(samples, options, segments, language, progress, target=target)
    spliced = own_tracks.into_splice(decoded, joined, segments)
    found = by_sound.translate(samples, options, spliced, language, progress, target=target, apart=True)
    return replace(found, segments=own_tracks.out_of_splice(decoded, found.segments))


def read(language: str, kept: dict[str, Any]) -> tuple[Translation, tuple[str, ...]]:
    """A translation and its warnings, of what `dataclasses.asdict` has made of a `Translated`."""
    segments = tuple(
        Segment(**{**segment, "words": tuple(Word(**word) for word in segment["words"])})
        for segment in kept["segments"]
    )
    return Translation(language, kept["engine"], segments), tuple(kept["warnings"])
