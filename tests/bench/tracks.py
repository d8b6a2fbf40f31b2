"""A track a person against the mix, and against each track transcribed by itself: `python -m tests.bench.tracks`.

Sessions are those of `tests/sessions.py`, and ones that ../shared/tools/compose_episode.py makes. Each is heard three
times, in processes of their own: by `episcribe run` with its tracks, by `episcribe run` on the mix alone, and as other
programs do it: faster-whisper writes down each track, and all segments are sorted by time, their speaker the track's.
All have the same base model, and what they wrote is kept for the next time. Writes to docs/tracks.md what readers give
on whom nothing was chosen; `--development` prints what the others give.

A word that is "doubled" stands under somebody's name who says it not: it isn't among the words of theirs that were
found, and it either repeats one that another says within half a second, or comes while another speaks and they are
silent for half a second around it. A word is "lost" that the base model surely hears in the clean voice of a person who
has a track, and that isn't found under the person's name, where they have no other word within a quarter of a second.
Both are shares of all words that are heard in clean voices.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from audio.tracks.placement import track_time
from models.asr.repair import bare_word
from models.asr.transcription import transcribe
from models.record.spans import Span, union
from models.record.transcript import AudioFile, Episode, TrackPiece, Transcript, Turn, Word
from models.runtime import offline_models
from outputs.formats import episode_json
from outputs.library import read
from outputs.scoring.score import Score, score
from tests.bench.__main__ import WORK
from tests.bench.composed_talk import Spoken
from tests.bench.conversations import pairs
from tests.bench.polling import host
from tests.bench.report import publish
from tests.bench.short import ROOT, Cost, spent
from tests.bench.transcription import BASE, faster_whisper_segments, percent, source
from tests.models.conftest import SHARED, read_audio, read_rttm
from tests.sessions import (
    CHOSEN_ON,
    DESCRIPTION,
    HELD_OUT,
    MERGED_PAUSE,
    SESSIONS,
    Session,
    Track,
    load,
    save,
    session,
)

OURS, MIXED, ALONE = "Episcribe, tracks", "Episcribe, mix", "faster-whisper, tracks by time"
SYSTEMS = (OURS, MIXED, ALONE)
SEEDS: Mapping[tuple[str, ...], tuple[int, ...]] = {CHOSEN_ON: (1,), HELD_OUT: (101,)}
COMPOSED = ("composed", "composed, adrift")
MINUTES = 5  # of composed episodes
SURE = 0.5  # probability of a word in a clean voice from which on it may be lost
REPEATED = 0.5  # seconds around a word in which another says the same, or somebody is silent
REPLACED = 0.25  # seconds around a lost word in which there is another in its place
CHECKED = 0.5  # seconds of speech from one look at a track's place to the next
HOUR = 3600.0
FASTEST = ("--model=base", "--diariser=offline", "--device=cpu", "--formats=json", "--force")


@dataclass(frozen=True)
class Placing:
    """How far tracks are off where their people speak, in seconds: errors; at an hour's end; and the share nowhere."""

    errors: tuple[float, ...]
    drift: float
    unplaced: float


@dataclass(frozen=True)
class Found:
    """What a system made of a session. `heard` is how many words clean voices have, by the people who have a track."""

    score: Score
    heard: int
    doubled: int
    lost: int
    cost: Cost
    placing: Placing | None = None


def composed(kind: str, folder: Path, people: Sequence[str], seed: int) -> Session:
    """An episode of compose_episode.py with a track a person: bleed at -20 dB, a fifth of the turns overlap."""
    if not (folder / DESCRIPTION).exists():
        folder.mkdir(parents=True, exist_ok=True)
        apart = ("--offset=5", "--drift-ppm=100") if kind == COMPOSED[1] else ()
        _compose(folder / "clean", people, seed, "--bleed-db=-100")
        _compose(folder / "mix", people, seed, "--bleed-db=-20", *apart)
        for person in people:
            (folder / f"clean.{person}.wav").rename(folder / f"clean-{person}.wav")
        for suffix in ("rttm", "stm"):
            (folder / f"mix.{suffix}").rename(folder / f"truth.{suffix}")
        tracks = {
            name: _composed_track(name, **told)
            for name, told in json.loads((folder / "mix.tracks.json").read_text()).items()
        }
        save(Session(folder, tracks, "tracks and mix", 60.0 * MINUTES))
    return load(folder)


def _compose(out: Path, people: Sequence[str], seed: int, *options: str) -> None:
    tool = SHARED.parent / "tools" / "compose_episode.py"
    command = [
        sys.executable,
        str(tool),
        f"--source={source(people)}",
        f"--out={out}",
        f"--minutes={MINUTES}",
    ]
    command += [f"--speakers={len(people)}", f"--seed={seed}", "--overlap=0.2", "--tracks", *options]
    spent(command, out.parent, {})


def _composed_track(name: str, file: str, offset_seconds: float, drift_ppm: float) -> Track:
    start = max(0.0, offset_seconds)
    offset = -offset_seconds * (1 + drift_ppm * 1e-6)
    return Track(file, (name,), (TrackPiece(start, 60.0 * MINUTES, offset, drift_ppm),))


def sessions(people: Sequence[str], kinds: Sequence[str]) -> Iterator[tuple[str, Session]]:
    """Those of the kinds, by kind; made once."""
    for kind in kinds:
        for seed in SEEDS[tuple(people)]:
            folder = WORK / "tracks" / f"{'-'.join(people)}-{seed}" / kind.replace(" ", "-").replace(",", "")
            yield (
                kind,
                (
                    composed(kind, folder, people, seed)
                    if kind in COMPOSED
                    else session(kind, folder, people, seed)
                ),
            )


def run(system: str, made: Session, *, again: bool) -> tuple[Path, Cost]:
    """The folder of what a system wrote of a session, which is kept, and what it cost."""
    folder = made.folder / system.replace(", ", "-").replace(" ", "-")
    kept = folder / "cost.json"
    if again or not kept.exists():
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as cache:
            (Path(cache) / "models").symlink_to(offline_models.models_folder())
            environment = {
                "EPISCRIBE_CACHE": cache,
                "PREFECT_HOME": str(Path(cache) / "prefect"),
                "PYTHONPATH": str(ROOT),
            }
            cost = spent(COMMANDS[system](made, folder), made.folder, environment)
        kept.write_text(json.dumps(asdict(cost)))
    return folder, Cost(**json.loads(kept.read_text()))


def _episcribe(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-P", "-m", "flows.cli", "run", *map(str, arguments), *FASTEST]


def _ours(made: Session, folder: Path) -> list[str]:
    if made.given == "channels":
        return _episcribe(made.folder / made.stereo, "--tracks=separate", "--out", folder)
    tracks = [f"--track={name}={made.path(name)}" for name in made.tracks]
    mix = [made.folder / made.mix] if made.given == "tracks and mix" else []
    return _episcribe(*mix, *tracks, "--out", folder)


def _mixed(made: Session, folder: Path) -> list[str]:
    return _episcribe(made.folder / made.mix, "--out", folder)


def _alone(made: Session, folder: Path) -> list[str]:
    return [sys.executable, "-P", "-m", "tests.bench.tracks", "--alone", str(made.folder), str(folder)]


COMMANDS: Mapping[str, Callable[[Session, Path], list[str]]] = {OURS: _ours, MIXED: _mixed, ALONE: _alone}


def hear_alone(made: Session, folder: Path) -> None:
    """Each track transcribed by faster-whisper with its voice detector, all segments sorted by time: the peers' way."""
    segments = [
        replace(segment, speaker=name)
        for name in made.tracks
        for segment in faster_whisper_segments(read_audio(made.path(name)), batched=False, vad_filter=True)
        if segment.words
    ]
    segments.sort(key=lambda segment: segment.start)
    turns = [
        Turn(span.start, span.end, name)
        for name in made.tracks
        for span in union(
            [Span(w.start, w.end) for s in segments if s.speaker == name for w in s.words], MERGED_PAUSE
        )
    ]
    transcript = Transcript(
        Episode("bench"),
        AudioFile(made.mix, "", made.seconds),
        "en",
        tuple(segments),
        turns=tuple(sorted(turns)),
    )
    (folder / "episode.json").write_text(episode_json.render(transcript), encoding="utf-8")


def heard_clean(made: Session) -> dict[str, list[Word]]:
    """The words that the base model hears in the clean voice of each person who has a track."""
    kept = made.folder / "clean.json"
    if not kept.exists():
        people = {person for track in made.tracks.values() for person in track.people}
        turns = read_rttm(made.rttm)
        words = {
            person: transcribe(
                read_audio(made.clean(person)),
                replace(BASE, language="en"),
                speech=[Span(start, end) for start, end, who in turns if who == person],
            ).words
            for person in sorted(people)
        }
        kept.write_text(json.dumps({person: list(map(asdict, own)) for person, own in words.items()}))
    told = json.loads(kept.read_text())
    return {person: [Word(**word) for word in own] for person, own in told.items()}


def doubled_and_lost(clean: Mapping[str, Sequence[Word]], written: Sequence[Word]) -> tuple[int, int]:
    """How many words are doubled and lost, as the module has it, labels being people so that most words are found."""
    labels = list(dict.fromkeys(word.speaker for word in written))
    under = {label: sorted((w for w in written if w.speaker == label), key=_middle) for label in labels}
    truth = {
        person: [Spoken(w.start, w.end, w.text, person, 0) for w in sorted(own, key=_middle)]
        for person, own in clean.items()
    }
    matched = {
        (label, person): list(pairs(under[label], truth[person])) for label in labels for person in truth
    }
    table = [[-len(matched[label, person]) for person in truth] for label in labels]
    rows, columns = linear_sum_assignment(np.reshape(table, (len(labels), len(truth))))
    label_of = {list(truth)[column]: labels[row] for row, column in zip(rows, columns, strict=True)}
    person_of = {label: person for person, label in label_of.items()}
    doubled = lost = 0
    for label in labels:
        person = person_of.get(label, "")
        right = {here for here, _ in matched.get((label, person), ())}
        wrong = [word for i, word in enumerate(under[label]) if i not in right]
        doubled += sum(_is_doubled(word, person, truth) for word in wrong)
    for person, own in truth.items():
        label = label_of.get(person)
        found = {there for _, there in matched.get((label, person), ())}
        middles = np.array([_middle(word) for word in under.get(label, ())])
        surely = [word.probability >= SURE for word in sorted(clean[person], key=_middle)]
        missing = [_middle(word) for j, word in enumerate(own) if surely[j] and j not in found]
        lost += sum(not np.any(np.abs(middles - at) <= REPLACED) for at in missing)
    return doubled, lost


def _is_doubled(word: Word, person: str, truth: Mapping[str, Sequence[Spoken]]) -> bool:
    near = {
        who: [bare_word(w.text) for w in own if abs(_middle(w) - _middle(word)) <= REPEATED]
        for who, own in truth.items()
    }
    others = [texts for who, texts in near.items() if who != person and texts]
    repeats = any(bare_word(word.text) in texts for texts in others)
    return bool(others) and (repeats or not near.get(person))


def _middle(word: Word | Spoken) -> float:
    return (word.start + word.end) / 2


def placing(made: Session, record: Path) -> Placing | None:
    """How far the tracks of a record are from the truth; None where it says nothing of them."""
    told = json.loads(record.read_text(encoding="utf-8")).get("tracks")
    if not told:
        return None
    pieces = {track["file"]: [TrackPiece(**piece) for piece in track["pieces"]] for track in told["tracks"]}
    errors, drifts, times = list[float](), [0.0], 0
    for track in made.tracks.values():
        for place, time in _spoken_times(track, read_rttm(made.rttm)):
            times += 1
            own = next((p for p in pieces.get(track.file, ()) if p.start <= time < p.end), None)
            if own:
                errors.append(abs(track_time(own, time) - track_time(place, time)))
                drifts.append(abs(own.drift_ppm - place.drift_ppm) * 1e-6 * HOUR)
    return Placing(tuple(errors), max(drifts), 1 - len(errors) / times)


def _spoken_times(
    track: Track, turns: Sequence[tuple[float, float, str]]
) -> Iterator[tuple[TrackPiece, float]]:
    """Moments at which a track's people speak, and the place in which each lies."""
    for place in track.places:
        for start, end, person in turns:
            if person in track.people:
                for time in np.arange(max(start, place.start), min(end, place.end), CHECKED):
                    yield place, float(time)


def judge(made: Session, folder: Path, cost: Cost) -> Found:
    """What a system's record of a session is worth."""
    record = folder / "episode.json"
    clean = heard_clean(made)
    written = [replace(w, speaker=each.speaker) for each in read.load(record).segments for w in each.words]
    scored = score(record, rttm=made.rttm, stm=made.stm)
    where = placing(made, record) if made.given != "channels" else None
    return Found(scored, sum(map(len, clean.values())), *doubled_and_lost(clean, written), cost, where)


COLUMNS = (
    "session, system, DER %, WER %, cpWER %, cpWER - WER, doubled %, lost %, speakers, CPU s, "
    "times the mix's, peak MB"
)
HEAD = f"| {' | '.join(COLUMNS.split(', '))} |\n{12 * '|-'}|"


def row(kind: str, system: str, found: Sequence[Found], mixed: Sequence[Found]) -> str:
    """A line of the table: all sessions of a kind pooled."""
    der = [each.score.der for each in found if each.score.der]
    wrong = sum(each.missed + each.false_alarm + each.confusion for each in der)
    wer, cpwer = (
        percent(words for each in found if (words := getattr(each.score, name))) for name in ("wer", "cpwer")
    )
    heard = sum(each.heard for each in found)
    doubled, lost = (100 * sum(getattr(each, name) for each in found) / heard for name in ("doubled", "lost"))
    counts = ", ".join(
        f"{each.score.hypothesis_speakers} for {each.score.reference_speakers}" for each in found
    )
    cpu, base = (sum(each.cost.cpu for each in group) for group in (found, mixed))
    cells = [
        f"{100 * wrong / sum(each.total for each in der):.1f}",
        f"{wer:.1f}",
        f"{cpwer:.1f}",
        f"{cpwer - wer:+.1f}",
        f"{doubled:.1f}",
        f"{lost:.1f}",
        counts,
        f"{cpu:.0f}",
        f"{cpu / base:.2f}" if base else "-",
        f"{max(each.cost.peak for each in found):.0f}",
    ]
    return f"| {kind} | {system} | {' | '.join(cells)} |"


PLACES_HEAD = """\
| session | 95 % of speech within ms | farthest ms | drift left after an hour, ms | speech not placed % |
|-|-|-|-|-|"""


def places_row(kind: str, found: Sequence[Placing]) -> str:
    """How far the tracks of a kind of session are from where they lie."""
    errors = 1000 * np.array([error for each in found for error in each.errors] or [np.nan])
    drift, unplaced = max(each.drift for each in found), np.mean([each.unplaced for each in found])
    return (
        f"| {kind} | {np.percentile(errors, 95):.1f} | {errors.max():.1f} | {1000 * drift:.0f} "
        f"| {100 * unplaced:.1f} |"
    )


def tables(people: Sequence[str], kinds: Sequence[str], systems: Sequence[str], again: Sequence[str]) -> str:
    """Both tables, as Markdown."""
    rows, places = [HEAD], [PLACES_HEAD]
    by_kind: dict[str, list[Session]] = {}
    for kind, made in sessions(people, kinds):
        by_kind.setdefault(kind, []).append(made)
    for kind, group in by_kind.items():
        found = {
            system: [judge(made, *run(system, made, again=system in again)) for made in group]
            for system in systems
        }
        for system, own in found.items():
            rows.append(row(kind, system, own, found.get(MIXED, ())))
            print(rows[-1], flush=True)
        placed = [each.placing for each in found.get(OURS, ()) if each.placing]
        if placed:
            places.append(places_row(kind, placed))
    return "\n".join(rows) + "\n" + ("\n" + "\n".join(places) + "\n" if len(places) > 1 else "")


def main() -> None:
    """Measure, print, and write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kinds", nargs="*", help=", ".join((*COMPOSED, *SESSIONS)))
    parser.add_argument("--development", action="store_true", help="readers that constants are chosen on")
    parser.add_argument("--systems", nargs="*", default=SYSTEMS, help=", ".join(map(repr, SYSTEMS)))
    parser.add_argument("--again", nargs="*", default=(), help="systems whose kept results are dropped")
    parser.add_argument("--alone", type=Path, nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.alone:
        made, folder = chosen.alone
        hear_alone(load(made), folder)
        return
    offline_models.pull()
    kinds = chosen.kinds or [*COMPOSED, *SESSIONS]
    people = CHOSEN_ON if chosen.development else HELD_OUT
    load_before = os.getloadavg()[0]
    measured = tables(people, kinds, chosen.systems, chosen.again)
    report = f"{host()}\nLoad of the machine at the beginning: {load_before:.1f}.\n\n{measured}"
    print(f"\n{report}")
    if not chosen.development and not chosen.kinds:
        publish("tracks.md", "tracks", report)


if __name__ == "__main__":
    main()
