"""The JSON Schema of episode.json, made from the dataclasses that it mirrors.

`python -m outputs.formats.schema` writes it to docs/schema/, where other programs find it.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from models.record.transcript import SCHEMA_VERSION, Transcript
from outputs.formats.episode_json import fields_of, required_fields

PATH = Path(__file__).parents[2] / "docs" / "schema" / f"episode-{SCHEMA_VERSION}.json"
_PLAIN = {str: "string", bool: "boolean", int: "integer", float: "number", NoneType: "null"}


def schema() -> dict[str, Any]:
    """The schema, JSON Schema draft 2020-12."""
    definitions: dict[str, Any] = {}
    record = _object(Transcript, definitions)
    record["properties"]["schema"] = {"const": SCHEMA_VERSION}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Episcribe episode record, schema {SCHEMA_VERSION}",
        **record,
        "$defs": dict(sorted(definitions.items())),
    }


def render() -> str:
    """The schema as the text of its file."""
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


def main() -> None:
    """Write the schema's file."""
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(render(), encoding="utf-8")
    print(PATH)


def _object(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    fields = fields_of(kind)
    return {
        "description": " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split()),
        "type": "object",
        "properties": {name: _schema_of(field, definitions) for name, field in fields.items()},
        "required": [name for name in fields if name in required_fields(kind)],
        "additionalProperties": False,
    }


def _schema_of(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin = get_origin(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        definitions.setdefault(kind.__name__, _object(kind, definitions))
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if origin is tuple:
        return {"type": "array", "items": _schema_of(get_args(kind)[0], definitions)}
    if origin in (Union, UnionType):
        return {"anyOf": [_schema_of(option, definitions) for option in get_args(kind)]}
    if origin is Mapping:
        return {"type": "object"}
    return {"type": _PLAIN[kind]}


if __name__ == "__main__":
    main()
