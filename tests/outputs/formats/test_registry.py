from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from models.alignment.track_words import merge_tracks
from models.record.errors import InputError
from models.record.matching import comparable_words
from models.record.transcript import FROM_FILE, Chapter, Chapters, Turn
from outputs.captions.lint import lint, parse
from outputs.captions.profiles import PODCAST, VIDEO, VTT
from outputs.formats.format import TextStyle
from outputs.formats.registry import FORMATS, OF_CHAPTERS, format_of
from tests.outputs.samples import CONVERSATION, WITH_CHAPTERS, apart, said, talk

ROOT = Path(__file__).parents[3]


def test_names_and_files() -> None:
    assert {name: entry.file_name for name, entry in FORMATS.items()} == {
        "episode": "episode.json",
        "json": "transcript.json",
        "srt": "transcript.srt",
        "vtt": "transcript.vtt",
        "ttml": "transcript.ttml",
        "ass": "transcript.ass",
        "txt": "transcript.txt",
        "md": "transcript.md",
        "docx": "transcript.docx",
        "html": "transcript.html",
        "rttm": "diarization.rttm",
        "csv": "transcript.csv",
        "tsv": "transcript.tsv",
        "csv-words": "words.csv",
        "tsv-words": "words.tsv",
        "whisper": "whisper.json",
        "whisperx": "whisperx.json",
        "podlove": "podlove.json",
        "chapters": "chapters.json",
        "chapters-vtt": "chapters.vtt",
        "podlove-chapters": "podlove-chapters.json",
    }
    assert all(entry.name == name for name, entry in FORMATS.items())
    assert len({entry.file_name for entry in FORMATS.values()}) == len(FORMATS)


def test_files_of_translations_have_no_name_of_another_format() -> None:
    others = [entry.file_name for entry in FORMATS.values() if not entry.file_name.startswith("transcript.")]
    assert all(name.count(".") == 1 for name in others)
    assert format_of("transcript.words.vtt") == (FORMATS["vtt"], "words")
    assert format_of("transcript.en.ttml") == (FORMATS["ttml"], "en")
    assert format_of("words.csv") == (FORMATS["csv-words"], "")
    for name in (
        "transcript.en.csv",
        "words.en.csv",
        "transcript.whisper.json",
        "whisper.en.json",
        "transcript",
    ):
        assert format_of(name) is None


def test_a_choice_is_heeded_or_refused() -> None:
    assert b"<v Ann>" in FORMATS["vtt"].render(CONVERSATION, profile=PODCAST)
    assert b"Ann: Welcome" in FORMATS["ass"].render(CONVERSATION, profile=PODCAST)
    assert FORMATS["ttml"].render(CONVERSATION) == FORMATS["ttml"].render(CONVERSATION, profile=VIDEO)
    assert FORMATS["txt"].render(CONVERSATION, style=TextStyle(names=False)).startswith(b"(00:00)\nWelcome")
    with pytest.raises(InputError, match="csv has no cues that a profile could cut"):
        FORMATS["csv"].render(CONVERSATION, profile=VTT)
    with pytest.raises(InputError, match="srt has names and times of its own"):
        FORMATS["srt"].render(CONVERSATION, style=TextStyle())


@pytest.mark.parametrize("name", [name for name, entry in FORMATS.items() if entry.charset])
def test_ends_with_one_newline(name: str) -> None:
    text = FORMATS[name].render(WITH_CHAPTERS).decode()
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_there_is_no_file_without_what_it_needs() -> None:
    needing = [entry for entry in FORMATS.values() if entry.needs]
    assert {*OF_CHAPTERS} == {entry.name for entry in needing}
    assert [entry.render(CONVERSATION) for entry in needing] == [b""] * 2
    late = replace(CONVERSATION, chapters=Chapters(FROM_FILE, (Chapter(99.0, "After the end"),)))
    assert [entry.render(late) for entry in needing] == [b""] * 2


def test_two_who_talk_at_once_are_whole_in_every_format() -> None:
    long = said("When we came to the old house by the river there was nobody, so we waited for hours.", 0.5)
    later = said("And then it began to rain, I remember that quite well.", 6.0)
    aside, answer = said("Mhm.", 2.6), said("No, the rain had started long before we came there.", 7.2)
    tracks = [
        [replace(word, speaker=label) for part in parts for word in part.words]
        for label, parts in (("A", (long, later)), ("B", (aside, answer)))
    ]
    turns = [Turn(one.start, one.end, "A") for one in (long, later)]
    turns += [Turn(one.start, one.end, "B") for one in (aside, answer)]
    segments = merge_tracks(tracks, turns, "en")
    assert [segment.speaker for segment in segments] == ["A", "B", "A", "B"]
    crosstalk = apart(talk(*segments, A="Ann", B="Bob"))

    for name in (
        "json",
        "srt",
        "vtt",
        "ttml",
        "ass",
        "txt",
        "html",
        "csv",
        "tsv-words",
        "whisperx",
        "podlove",
    ):
        text = FORMATS[name].render(crosstalk).decode().replace("\\N", " ")
        if name == "html":
            text = re.sub(r"<(style|script).*?</\1>", "", text, flags=re.DOTALL)
        shown = comparable_words(re.sub(r"<v (\w+)>|<[^>]*>", r" \1 ", text))
        spoken = comparable_words("".join(word.text for word in crosstalk.words))
        assert not Counter(spoken) - Counter(shown), name
        assert {"ann", "bob"} <= set(shown), name

    entries = json.loads(FORMATS["json"].render(crosstalk))["segments"]
    assert [entry["startTime"] for entry in entries] == [0.5, 2.6, 6.0, 7.2]
    assert (
        FORMATS["txt"]
        .render(crosstalk)
        .decode()
        .startswith(f"Ann (00:00)\n{long.text}\n\nBob (00:02)\nMhm.\n")
    )
    assert 'class="overlap">Mhm.<' in FORMATS["html"].render(crosstalk).decode()
    for name, profile in (("srt", PODCAST), ("vtt", VTT)):
        text = FORMATS[name].render(crosstalk).decode().replace("\\N", " ")
        assert lint(text, name, profile) == []
        starts = [cue.start for cue in parse(text, name)]
        assert starts == sorted(starts)


def test_importing_the_writers_is_light() -> None:
    program = (
        "import sys, outputs.library.write, outputs.scoring.score\n"
        "heavy = {'torch', 'numpy', 'prefect', 'pyannote', 'meeteval', 'jiwer', 'jinja2', 'pandas'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0
