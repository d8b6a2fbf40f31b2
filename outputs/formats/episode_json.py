"""episode.json: the full record of an episode, from which every other file can be rendered again.

Its shape is that of the dataclasses in `models/record/transcript.py`, field for field; `outputs/formats/schema.py`
publishes it as a JSON Schema. Reading is strict: a record that is not whole is no record.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass, replace
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, NoReturn, Union, get_args, get_origin, get_type_hints

from models.record.errors import OutputError
from models.record.transcript import (
    FROM_FEED,
    SCHEMA_VERSION,
    AudioFile,
    Chapters,
    Episode,
    Speaker,
    Transcript,
)
from outputs.text.times import whole_ms

TIME_FIELDS = {"start", "end", "seconds", "offset"}  # rounded to whole ms; other numbers are kept as they are
_AUDIO = re.compile(r',\s*"audio":\s*')
_EPISODE = re.compile(r'\{\s*"schema":\s*1,\s*"episode":\s*')
_REVIEW = b',\n "review": '  # the last of the record's fields; no text in JSON has a line break
KINDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}


def render(transcript: Transcript) -> str:
    """The record as JSON, the schema's number first; equal transcripts give equal text."""
    record = _encoded(transcript)
    record = {"schema": record.pop("schema"), **record}
    return json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def load(text: str, source: str = "episode.json") -> Transcript:
    """The transcript that `render` wrote.

    Raises OutputError, naming `source` and the field, for anything else.
    """
    try:
        record = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise OutputError(f"{source}: not JSON, damaged or cut short: {error}") from error
    _check_version(record, source)
    try:
        transcript: Transcript = _decoder(Transcript)(record)
    except _MismatchError as error:
        raise OutputError(f"{source}: {error}") from error
    if "chapters" not in record and transcript.episode.chapters:  # as before there were others than a feed's
        return replace(transcript, chapters=Chapters(FROM_FEED, transcript.episode.chapters))
    return transcript


def load_episode(text: str) -> Episode | None:
    """The episode alone from the beginning of a record; None where that does not hold it in whole."""
    begin = _EPISODE.match(text)
    if begin is None:
        return None
    try:
        record, _ = json.JSONDecoder().raw_decode(text, begin.end())
        episode: Episode = _decoder(Episode)(record)
    except (ValueError, RecursionError):
        return None
    return episode


def load_audio(text: str) -> AudioFile | None:
    """The audio alone from the beginning of a record; None where that does not hold it in whole."""
    begin = _EPISODE.match(text)
    try:
        end = json.JSONDecoder().raw_decode(text, begin.end())[1] if begin else 0
        found = _AUDIO.match(text, end)
        if found is None:
            return None
        audio: AudioFile = _decoder(AudioFile)(json.JSONDecoder().raw_decode(text, found.end())[0])
    except (ValueError, RecursionError):
        return None
    return audio


def load_speakers(text: str) -> tuple[Speaker, ...] | None:
    """The speakers alone, several times faster than `load`; None where the text is no record."""
    try:
        speakers: tuple[Speaker, ...] = _decoder(tuple[Speaker, ...])(json.loads(text)["speakers"])
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    return speakers


def heard(text: bytes) -> bytes:
    """The part of a record that tells what was heard, without how far people have come with reviewing it."""
    return text.rpartition(_REVIEW)[0] or text


@cache
def fields_of(kind: type) -> dict[str, Any]:
    """The fields of a dataclass with their types, in order."""
    return get_type_hints(kind)


def required_fields(kind: type) -> set[str]:
    """The fields that every record has; the others came later and have a default."""
    return {entry.name for entry in dataclasses.fields(kind) if not entry.metadata.get("added")}


class _MismatchError(ValueError):
    """A value that is not what the record has in its place; `where` that is, "" for the record itself."""

    def __init__(self, told: str, where: str = "") -> None:
        super().__init__(told)
        self.told, self.where = told, where

    def __str__(self) -> str:
        return f"{self.where or 'the record'} {self.told}"

    def inside(self, outer: str) -> _MismatchError:
        """The same, told from further outside."""
        point = "." if self.where and not self.where.startswith("[") else ""
        return _MismatchError(self.told, f"{outer}{point}{self.where}")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _check_version(record: Any, source: str) -> None:
    version = record.get("schema") if isinstance(record, dict) else None
    if type(version) is not int:
        raise OutputError(f"{source}: not an episode record: it has no schema number")
    if version > SCHEMA_VERSION:
        raise OutputError(
            f"{source}: written by a newer Episcribe (schema {version}; this one reads {SCHEMA_VERSION}), update it"
        )
    if version != SCHEMA_VERSION:
        raise OutputError(f"{source}: schema {version} is unknown, this Episcribe reads {SCHEMA_VERSION}")


def _encoded(value: Any) -> Any:
    """A dataclass, or tuples and plain values in one, as what the json module writes."""
    if is_dataclass(value) and not isinstance(value, type):
        fields = fields_of(type(value))
        return {name: _field(name, kind, getattr(value, name)) for name, kind in fields.items()}
    if isinstance(value, tuple):
        return [_encoded(item) for item in value]
    if isinstance(value, Mapping):
        return json.loads(json.dumps(dict(value), sort_keys=True, allow_nan=False))
    return value


def _field(name: str, kind: Any, value: Any) -> Any:
    if isinstance(value, float | int) and kind in (float, float | None):
        return whole_ms(value) if name in TIME_FIELDS else float(value)
    return _encoded(value)


@cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    """What makes of a plain value what `_encoded` made it of, of type `kind`; it raises _MismatchError."""
    origin = get_origin(kind)
    if is_dataclass(kind):
        return _record_decoder(kind)
    if origin in (Union, UnionType):
        present = _decoder(next(option for option in get_args(kind) if option is not NoneType))
        return lambda value: None if value is None else present(value)
    if origin is tuple:
        return partial(_decoded_items, _decoder(get_args(kind)[0]))
    if origin is Mapping:
        return partial(_checked, dict, "an object")
    if kind is float:
        return _decoded_number
    return partial(_checked, kind, KINDS[kind])


def _record_decoder(kind: Any) -> Callable[[Any], Any]:
    decoders = {name: _decoder(field) for name, field in fields_of(kind).items()}
    required = required_fields(kind)

    def decoded(value: Any) -> Any:
        _checked(dict, "an object", value)
        for name in required - value.keys() if not required <= value.keys() else ():
            raise _MismatchError("is missing", name)
        found = {}
        for name, item in value.items():
            decode = decoders.get(name)
            if decode is None:
                raise _MismatchError(f"is not a field of schema {SCHEMA_VERSION}", name)
            try:
                found[name] = decode(item)
            except _MismatchError as error:
                raise error.inside(name) from None
        return kind(**found)

    return decoded


def _decoded_items(decode: Callable[[Any], Any], value: Any) -> tuple[Any, ...]:
    found = list[Any]()
    try:
        for item in _checked(list, "a list", value):
            found.append(decode(item))
    except _MismatchError as error:
        raise error.inside(f"[{len(found)}]") if type(value) is list else error from None
    return tuple(found)


def _decoded_number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise _MismatchError(f"should be a number, not {_shown(value)}")
    return float(value)


def _checked(kind: type, called: str, value: Any) -> Any:
    if type(value) is not kind:
        raise _MismatchError(f"should be {called}, not {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:40]}…"
