"""episode.json: the full record of an episode, from which every other file can be rendered again.

Its shape is that of the dataclasses in `models/record/transcript.py`, field for field; `outputs/formats/schema.py`
publishes it as a JSON Schema. Reading is strict: a record that is not whole is no record.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, NoReturn, Union, get_args, get_origin, get_type_hints

from models.record.errors import OutputError
from models.record.transcript import SCHEMA_VERSION, Episode, Speaker, Transcript
from outputs.text.times import whole_ms

TIME_FIELDS = {"start", "end", "seconds", "offset"}  # rounded to whole ms; other numbers are kept as they are
_EPISODE = re.compile(r'\{\s*"schema":\s*1,\s*"episode":\s*')
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
    try:
        _check_version(record)
        transcript: Transcript = _decoded(record, Transcript, "")
    except _MismatchError as error:
        raise OutputError(f"{source}: {error}") from error
    return transcript


def load_episode(text: str) -> Episode | None:
    """The episode alone from the beginning of a record; None where that does not hold it in whole."""
    begin = _EPISODE.match(text)
    if begin is None:
        return None
    try:
        record, _ = json.JSONDecoder().raw_decode(text, begin.end())
        episode: Episode = _decoded(record, Episode, "episode")
    except (ValueError, RecursionError):
        return None
    return episode


def load_speakers(text: str) -> tuple[Speaker, ...] | None:
    """The speakers alone, several times faster than `load`; None where the text is no record."""
    try:
        speakers: tuple[Speaker, ...] = _decoded(
            json.loads(text)["speakers"], tuple[Speaker, ...], "speakers"
        )
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    return speakers


@cache
def fields_of(kind: type) -> dict[str, Any]:
    """The fields of a dataclass with their types, in order."""
    return get_type_hints(kind)


def required_fields(kind: type) -> set[str]:
    """The fields that every record has; the others came later and have a default."""
    return {entry.name for entry in dataclasses.fields(kind) if not entry.metadata.get("added")}


class _MismatchError(ValueError):
    """A value that is not what the record has in its place."""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _check_version(record: Any) -> None:
    version = record.get("schema") if isinstance(record, dict) else None
    if type(version) is not int:
        raise _MismatchError("not an episode record: it has no schema number")
    if version > SCHEMA_VERSION:
        raise _MismatchError(
            f"written by a newer Episcribe (schema {version}; this one reads {SCHEMA_VERSION}), update it"
        )
    if version != SCHEMA_VERSION:
        raise _MismatchError(f"schema {version} is unknown, this Episcribe reads {SCHEMA_VERSION}")


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
    if kind is float:
        return whole_ms(value) if name in TIME_FIELDS else float(value)
    return _encoded(value)


def _decoded(value: Any, kind: Any, where: str) -> Any:
    """What `_encoded` made of a value of type `kind`; `where` is its place in the record."""
    origin = get_origin(kind)
    if is_dataclass(kind):
        return _decoded_record(value, kind, where)
    if origin in (Union, UnionType):
        present = next(option for option in get_args(kind) if option is not NoneType)
        return None if value is None else _decoded(value, present, where)
    if origin is tuple:
        items = _checked(value, list, "a list", where)
        return tuple(_decoded(item, get_args(kind)[0], f"{where}[{n}]") for n, item in enumerate(items))
    if origin is Mapping:
        return _checked(value, dict, "an object", where)
    if kind is float:
        return _decoded_number(value, where)
    return _checked(value, kind, KINDS[kind], where)


def _decoded_record(value: Any, kind: Any, where: str) -> Any:
    value, fields = _checked(value, dict, "an object", where), fields_of(kind)
    inside = f"{where}." if where else ""
    for name in required_fields(kind) - value.keys():
        raise _MismatchError(f"{inside}{name} is missing")
    for name in value.keys() - fields.keys():
        raise _MismatchError(f"{inside}{name} is not a field of schema {SCHEMA_VERSION}")
    return kind(**{name: _decoded(item, fields[name], inside + name) for name, item in value.items()})


def _decoded_number(value: Any, where: str) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise _MismatchError(f"{where} should be a number, not {_shown(value)}")
    return float(value)


def _checked(value: Any, kind: type, called: str, where: str) -> Any:
    if type(value) is not kind:
        raise _MismatchError(f"{where or 'the record'} should be {called}, not {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:40]}…"
