from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from models.record.transcript import Transcript
from outputs.formats.episode_json import render
from outputs.formats.schema import PATH, schema
from outputs.formats.schema import render as render_schema
from tests.outputs.samples import CONVERSATION, transcripts

VALIDATOR = jsonschema.Draft202012Validator(schema())


def test_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_published_file_is_up_to_date() -> None:
    assert PATH.read_text(encoding="utf-8") == render_schema(), "run python -m outputs.formats.schema"


@given(transcripts())
def test_every_record_fits(transcript: Transcript) -> None:
    VALIDATOR.validate(json.loads(render(transcript)))


@pytest.mark.parametrize(
    "change",
    [{"schema": 2}, {"colour": "red"}, {"language": None}, {"segments": [{}]}, {"audio": {"path": "x"}}],
)
def test_other_records_do_not(change: dict[str, Any]) -> None:
    record = json.loads(render(CONVERSATION)) | change
    assert not VALIDATOR.is_valid(record)
