"""Captions of one episode by our writers and by whisperX's, measured with `outputs.captions.lint`.

    python -m tests.bench.captions EPISODE.json --whisperx PATH/whisperx/utils.py

Both get the same words and the same limits of width and lines. whisperX isn't needed to be
installed: its writers are one file of the package, which needs nothing else. It is run without
speakers, which is kind to it: with them it puts a label before every cue, over the width, also
where the cue holds words of several people. How often that is so is counted from the words.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from models.record.transcript import Transcript
from outputs.captions.caption import Fault
from outputs.captions.lint import Violation, lint, parse
from outputs.captions.profiles import PROFILES, Profile
from outputs.formats import srt, vtt
from outputs.library import read


def main() -> None:
    """Print the table and, for each profile, which rules were broken how often."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("episode", type=Path)
    parser.add_argument("--whisperx", type=Path, metavar="utils.py")
    chosen = parser.parse_args()
    transcript = read.load(chosen.episode)
    other = load(chosen.whisperx) if chosen.whisperx else None
    print(f"{len(transcript.words)} words, {len({w.speaker for w in transcript.words})} speakers")
    print("| profile | writer | cues | violations | can't be helped | cues of several speakers |")
    print("|-|-|-|-|-|-|")
    details = []
    for profile in PROFILES.values():
        fmt = "vtt" if profile.name in ("vtt", "single-line") else "srt"
        texts = {"episcribe": (vtt if fmt == "vtt" else srt).render(transcript, profile)}
        mixed = {"episcribe": 0}
        if other:
            for name, mended in (("whisperx", False), ("whisperx, mended", True)):
                texts[name] = by_whisperx(other, transcript, fmt, profile, mended=mended)
                mixed[name] = mixed_cues(texts[name], fmt, transcript)
        for writer, text in texts.items():
            found, cues = lint(text, fmt, profile), len(parse(text, fmt))
            helpless = sum(violation.unavoidable for violation in found)
            numbers = [100 * n / cues for n in (len(found) - helpless, helpless, mixed[writer])]
            print(f"| {profile.name} | {writer} | {cues} | {' | '.join(f'{n:.1f}' for n in numbers)} |")
            details.append(f"{profile.name} {writer}: {by_rule(found)}")
    print("(per 100 cues)", *details, sep="\n")


def load(path: Path) -> ModuleType:
    """whisperX's module of writers, from its file alone."""
    spec = importlib.util.spec_from_file_location("whisperx_utils", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path}: no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_whisperx(
    module: ModuleType, transcript: Transcript, fmt: str, profile: Profile, *, mended: bool
) -> str:
    """What whisperX writes for these words, told the profile's width and number of lines.

    Its aligner gives words without spaces and its writer then forgets to count them, so that lines
    get too wide; `mended` gives it the spaces to count and takes away those that it doubles.
    """
    result: dict[str, Any] = {"language": transcript.language, "segments": []}
    for segment in transcript.segments:
        texts = [w.text if mended else w.text.strip() for w in segment.words]
        words = [
            {"word": text, "start": w.start, "end": w.end}
            for text, w in zip(texts, segment.words, strict=True)
        ]
        result["segments"].append({"start": segment.start, "end": segment.end, "words": words})
    options = {
        "max_line_width": profile.max_chars,
        "max_line_count": profile.max_lines,
        "highlight_words": False,
    }
    writer = {"srt": module.WriteSRT, "vtt": module.WriteVTT}[fmt](".")
    file = io.StringIO()
    writer.write_result(result, file, options)
    return re.sub(r" +\n *", "\n", file.getvalue().replace("  ", " ")) if mended else file.getvalue()


def mixed_cues(text: str, fmt: str, transcript: Transcript) -> int:
    """How many cues hold words of more than one speaker."""
    speakers = [
        segment.speaker
        for segment in transcript.segments
        for word in segment.words
        for _ in word.text.split()
    ]
    count = at = 0
    for caption in parse(text, fmt):
        tokens = len(" ".join(caption.lines).split())
        count += len(set(speakers[at : at + tokens])) > 1
        at += tokens
    return count


def by_rule(found: Sequence[Violation | Fault]) -> str:
    """The rules that were broken, those that could be helped first."""
    sure = Counter(violation.rule for violation in found if not violation.unavoidable)
    helpless = Counter(violation.rule for violation in found if violation.unavoidable)
    return f"{dict(sure)}, can't be helped: {dict(helpless)}"


if __name__ == "__main__":
    main()
