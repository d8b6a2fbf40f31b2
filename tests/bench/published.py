"""Names in published transcripts: `python -m tests.bench.published FOLDER ...`.

Each folder is one show's: Markdown in which a paragraph begins with "**Name:**" or is headed "Name (01:02:03):". Who
speaks is taken away, everybody becomes a label, and what is said names them again, without title, notes or
known people. Words have no times there: they come at an even pace. Prints a row of Markdown for each show.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.naming.person_names import same_person
from models.naming.speakers import NamingContext, name_by_evidence
from models.record.transcript import Transcript
from tests.models.talks import episode

SPEAKS = re.compile(r"^(?:\*\*([^*]{2,40}):\*\*|([^\n(:]{2,40}) \((?:\d+:)+\d+\):)[^\S\n]*", re.MULTILINE)
ASIDE = re.compile(r"\\?\[[^\]]*\\?\]")  # [laughs], [12:30]
NOBODY = re.compile(
    r"^(break|jingle|voice|song|music|clip|sponsor|ad\b|speaker|announcer|unknown|all|\W)|\d", re.I
)
MIN_WORDS = 150  # of somebody who is expected to have a name
HEAD = """\
| show | episodes | speakers | named right | wrong | without a name |
|-|-|-|-|-|-|"""


@dataclass(frozen=True)
class Published:
    """What is said, line by line ("L0: ..."), who each label is, and how many words each says."""

    lines: str
    people: dict[str, str]
    words: Counter[str]


def read_published(path: Path) -> Published:
    """A transcript in Markdown, a line a sentence."""
    text = path.read_text(encoding="utf-8")
    starts = [*SPEAKS.finditer(text)]
    labels: dict[str, str] = {}
    lines, words = [], Counter[str]()
    for match, end in zip(starts, [*(m.start() for m in starts[1:]), len(text)], strict=False):
        name = (match[1] or match[2]).strip()
        label = labels.setdefault(name, f"L{len(labels)}")
        for sentence in sentences(text[match.end() : end]):
            lines.append(f"{label}: {sentence}")
            words[label] += len(sentence.split())
    return Published("\n".join(lines), {label: name for name, label in labels.items()}, words)


def sentences(text: str) -> Iterator[str]:
    """The sentences of what one says, without remarks in brackets."""
    for sentence in re.split(r"(?<=[.!?…])\s+|\n+", re.sub(r"\s*--\s*", ", ", ASIDE.sub(" ", text))):
        if re.search(r"\w", sentence):
            yield " ".join(sentence.split())


def judge(published: Published, named: Transcript) -> Iterator[tuple[str, str, str]]:
    """For everybody who says something: the outcome ("right", "wrong", "none"), the name given, the true one."""
    for speaker in named.speakers:
        truth = published.people[speaker.label]
        if speaker.source != "order":
            yield "right" if same_person(speaker.name, truth) else "wrong", speaker.name, truth
        elif published.words[speaker.label] >= MIN_WORDS and not NOBODY.search(truth):
            yield "none", "", truth


def row(show: str, episodes: int, outcomes: Counter[str]) -> str:
    """What became of the speakers of a show."""
    total = outcomes.total()
    right, wrong, none = (outcomes[outcome] / total for outcome in ("right", "wrong", "none"))
    return f"| {show} | {episodes} | {total} | {right:.1%} | {wrong:.1%} | {none:.1%} |"


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--episodes", type=int, default=40, help="of each show")
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--verbose", action="store_true", help="print each wrong name with its evidence")
    options = parser.parse_args()
    print(HEAD)
    for folder in options.folders:
        paths = sorted(folder.rglob("*.md"))
        paths = random.Random(options.seed).sample(paths, min(options.episodes, len(paths)))
        outcomes: Counter[str] = Counter()
        heard = 0
        for path in sorted(paths):
            published = read_published(path)
            if len(published.people) < 2:
                continue
            heard += 1
            named = name_by_evidence(episode(published.lines), NamingContext())
            for outcome, name, truth in judge(published, named):
                outcomes[outcome] += 1
                if options.verbose and outcome == "wrong":
                    print(f"  {path.stem}: {truth} is called {name}")
                    for e in named.evidence:
                        if e.name == name:
                            print(
                                f"      {published.people.get(e.label)}: {e.kind} {e.weight} {e.words} @{e.start}"
                            )
        print(row(folder.name, heard, outcomes), flush=True)


if __name__ == "__main__":
    main()
