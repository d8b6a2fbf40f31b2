"""Names and voices from audio to files: composed shows, renaming, back-fill, forgetting, privacy."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from flows import naming
from flows.library import speakers, voices
from flows.options import DEFAULT_FORMATS, RunOptions
from models.naming.speakers import numbered_speakers
from models.record.errors import InputError, OutputError
from models.record.transcript import Episode, Person, Track, TrackDecision, Transcript, Voice
from outputs.formats.registry import FORMATS
from outputs.library import read, voices_file
from outputs.library.corrections import LOCK_NAME, NAME, Correction
from outputs.library.write import publish
from tests.flows.composed_shows import (
    RATE,
    Composed,
    compose,
    is_number,
    label_of,
    level,
    named_time,
    process,
)
from tests.flows.conftest import ROOT, Process, episcribe
from tests.models.conftest import read_audio
from tests.outputs.samples import CONVERSATION, said, talk

HOSTS = ("2033", "2414")
GUESTS = ("2609", "1688", "1998")
TRAILER = "3005"
ALL_FILES = {FORMATS[name].file_name for name in ("episode", *DEFAULT_FORMATS) if not FORMATS[name].needs}
# Neither spoken nor anybody's who speaks.
MISLEADING = Episode(
    "m", "A show", "guid", "Green software, with Anne Currie", "", "", "Gaël Duez and Zoe Roth discussed books.",
    (Person("Tim Pritlove", "host"), Person("Ida Wells", "guest")),
)  # fmt: skip


@dataclass
class Show:
    """Composed episodes as they were processed: folders, what was said by whom, transcripts at first."""

    library: Path
    folders: list[Path]
    composed: list[Composed]
    first: list[Transcript]

    @property
    def folder(self) -> Path:
        return self.folders[0].parent


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory, read_speech: Path, cache: Path) -> Show:
    """Three episodes, two hosts and a new guest each time; the hosts are confirmed after the first."""
    people = {
        name: [level(read_audio(path)) for path in sorted((read_speech / name).glob("*.flac"))]
        for name in (*HOSTS, *GUESTS)
    }
    spoken = [level(read_audio(path)) for path in sorted((read_speech / TRAILER).glob("*.flac"))[:2]]
    trailer = np.concatenate(spoken)  # the same in every episode
    folder = tmp_path_factory.mktemp("shows")
    made = Show(folder / "library", [], [], [])
    for n, guest in enumerate(GUESTS):
        half = slice(0, 4) if n == 0 else slice(4, 10)
        talkers = {host: people[host][half] for host in HOSTS} | {guest: people[guest]}
        composed = compose(folder / f"{n}.wav", talkers, 45 + len(trailer) / RATE, seed=20 + n, front=trailer)
        episode = replace(MISLEADING, id=f"id-{n}", guid=f"guid-{n}", title=f"{n}: {MISLEADING.title}")
        options = RunOptions(library=str(made.library), model="tiny.en", language="en", diariser="offline")
        place, transcript = process(composed.path, episode, options)
        made.folders.append(place)
        made.composed.append(composed)
        made.first.append(transcript)
        if n == 0:
            for host in HOSTS:
                speakers.rename(place, label_of(host, composed, transcript), f"Host {host}")
    return made


def test_before_anybody_is_confirmed_misleading_notes_name_nobody(show: Show) -> None:
    assert show.first[0].speakers
    assert all(is_number(speaker.name) for speaker in show.first[0].speakers)


def test_hosts_are_known_by_voice_from_then_on_and_guests_are_not_taken_for_them(show: Show) -> None:
    for composed, transcript in zip(show.composed[1:], show.first[1:], strict=True):
        labels = {
            label_of(person, composed, transcript): person for person in named_time(composed, transcript)
        }
        for speaker in transcript.speakers:
            person = labels.get(speaker.label, TRAILER)
            assert speaker.name == f"Host {person}" if person in HOSTS else is_number(speaker.name)
            if person in HOSTS:
                assert (speaker.source, speaker.confidence > 0.9) == ("voice", True)


def test_a_trailer_is_told_by_its_words(show: Show) -> None:
    for composed, transcript in zip(show.composed[1:], show.first[1:], strict=True):
        voices = {
            label_of(person, composed, transcript) for person in (*HOSTS, *named_time(composed, transcript))
        }
        others = {speaker.label for speaker in transcript.speakers} - voices
        marked = {e.label for e in transcript.evidence if e.kind == "repeated"}
        assert others & marked
        assert not marked & {label_of(host, composed, transcript) for host in HOSTS}


def test_the_library_holds_voices_of_confirmed_people_in_one_file(show: Show) -> None:
    known = voices_file.load(show.folder)
    assert [voice.name for voice in known.voices] == [f"Host {host}" for host in HOSTS]
    assert all(sample.confirmed for voice in known.voices for sample in voice.samples)
    numbers = re.compile(r"-?0\.\d+(?:\s*,\s*-?0\.\d+){50}")
    holding = [
        path for path in show.library.rglob("*") if path.is_file() and numbers.search(path.read_text())
    ]
    assert holding == [show.folder / voices_file.FILE_NAME]


def test_the_table_explains_every_decision(show: Show) -> None:
    done = episcribe("speakers", show.folders[1], cwd=show.library)
    assert done.returncode == 0, done.stderr
    assert f"Host {HOSTS[0]} (SPEAKER_0" in done.stdout
    assert "% sure, mostly by voice" in done.stdout
    assert "no name is sure enough" in done.stdout
    assert re.search(r"voice +\+\d\.\d +cosine 0\.\d\d, \d+ s against \d+ s", done.stdout)
    assert episcribe("speakers", "show", show.folders[1], cwd=show.library).stdout == done.stdout


def test_back_fill_names_earlier_episodes(show: Show, tmp_path: Path) -> None:
    voices_file.change(show.folder, lambda now: now.forgot(f"Host {HOSTS[0]}").allowed(f"Host {HOSTS[0]}"))
    nameless = [speakers.name_others_by_voice(folder) for folder in show.folders[:1]]
    assert nameless[0][1] == 0
    transcript = read.load(show.folders[1])
    host = label_of(HOSTS[0], show.composed[1], transcript)
    assert is_number(transcript.name_of(host))
    done = episcribe(
        "speakers", "rename", show.folders[2], label_of(HOSTS[0], show.composed[2], show.first[2]), "Ada B",
        "--back-fill", cwd=show.library,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert str(show.folders[1]) in done.stdout
    assert "the voice of Ada B is known to the show" in done.stdout
    assert read.load(show.folders[1]).name_of(host) == "Ada B"
    assert "Ada B (0" in (show.folders[1] / "transcript.txt").read_text()
    assert (
        read.load(show.folders[0]).name_of(label_of(HOSTS[0], show.composed[0], show.first[0]))
        == f"Host {HOSTS[0]}"
    )  # the user's word stands


def test_voices_are_listed_merged_and_forgotten_for_good(show: Show, cache: Path) -> None:
    name = f"Host {HOSTS[1]}"
    listed = episcribe("voices", "list", "--library", show.library, cwd=show.library)
    assert re.search(rf"{show.folder.name} +{name} +\d+ +1 +yes +campplus", listed.stdout)
    merged = episcribe("voices", "merge", name, "Bob", "--library", show.library, cwd=show.library)
    assert merged.returncode == 0, merged.stderr
    assert voices_file.load(show.folder).voice_of("Bob") is not None

    results = cache / "results"
    results.mkdir()
    sha256 = show.first[1].audio.sha256
    (results / f"diarise-v2-{sha256}-0123456789abcdef").write_text("voices")
    (results / f"transcribe-v1-{sha256}-0123456789abcdef").write_text("words")
    forgotten = episcribe("voices", "forget", "Bob", "--library", show.library, cwd=show.library)
    assert forgotten.returncode == 0, forgotten.stderr
    assert voices_file.load(show.folder).voice_of("Bob") is None
    assert [path.name[:10] for path in results.iterdir()] == ["transcribe"]
    for composed, transcript in zip(show.composed, show.first, strict=True):
        gone = label_of(HOSTS[1], composed, transcript)
        kept = {voice.speaker for voice in voices_file.episode_voices(transcript.audio.sha256)}
        assert kept
        assert gone not in kept
    again = episcribe("voices", "list", "--library", show.library, cwd=show.library)
    assert re.search(r"Bob +- +- +forgotten", again.stdout)
    assert episcribe("voices", "allow", "Bob", "--library", show.library, cwd=show.library).returncode == 0


@pytest.fixture
def named_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An episode in which the second speaker has a name by a correction, and both have voices."""
    monkeypatch.setenv("EPISCRIBE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "library" / "show" / "episode"
    publish(CONVERSATION, folder, FORMATS, [Correction(NAME, speaker="SPEAKER_01", now="Bea Lind")])
    voices_file.keep_episode_voices(CONVERSATION.audio.sha256, VOICES)
    return folder


VOICES = tuple(
    Voice(label, embedding, 30.0, "m")
    for label, embedding in (("SPEAKER_00", (1.0, 0.0)), ("SPEAKER_01", (0.0, 1.0)))
)


def test_who_is_named_by_a_correction_is_forgotten_too(named_by_hand: Path) -> None:
    voices.forget(named_by_hand.parent.parent, "Bea Lind")
    assert [voice.speaker for voice in voices_file.episode_voices(CONVERSATION.audio.sha256)] == [
        "SPEAKER_00"
    ]
    assert naming.learn_voices(CONVERSATION, VOICES, named_by_hand, RunOptions()) == ()
    assert [voice.speaker for voice in voices_file.episode_voices(CONVERSATION.audio.sha256)] == [
        "SPEAKER_00"
    ]


@pytest.mark.parametrize(
    ("options", "learnt"),
    [
        (RunOptions(known_people=("Anne Currie",)), ["Anne Currie"]),
        (RunOptions(voices="all"), ["Anne Currie", "Gael"]),
        (RunOptions(voices="off"), []),
    ],
)
def test_voices_of_people_who_are_named_by_their_tracks_are_learnt(
    options: RunOptions, learnt: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPISCRIBE_CACHE", str(tmp_path / "cache"))
    files = {"SPEAKER_00": "anne-currie.wav", "SPEAKER_01": "gael.wav", "SPEAKER_02": "xXdragonXx.wav"}
    found = [
        Track(name, file, (label,))
        for name, (label, file) in zip(("Anne Currie", "Gael", "xXdragonXx"), files.items(), strict=True)
    ]
    spoken = [said("So where were you?", 3.0 * n, speaker=label) for n, label in enumerate(files)]
    transcript = replace(talk(*spoken), tracks=TrackDecision("separate", "Each has one.", tuple(found)))
    heard = replace(transcript, speakers=numbered_speakers(transcript.segments))
    folder = tmp_path / "library" / "show" / "episode"
    own = (*VOICES, replace(VOICES[0], speaker="SPEAKER_02", embedding=(-1.0, 0.0)))
    now = naming.name_speakers(heard, own, folder, options)
    assert [speaker.name for speaker in now.speakers] == ["Anne Currie", "Gael", "xXdragonXx"]
    publish(now, folder, FORMATS)
    assert naming.learn_voices(now, own, folder, options) == ()
    assert sorted(voice.name for voice in voices_file.load(folder.parent).voices) == learnt


def test_names_are_not_lost_where_the_record_cannot_be_read_for_now(
    named_by_hand: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> bytes:
        raise TimeoutError("the server did not answer")

    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(OutputError, match="cannot read"):
        naming.name_speakers(CONVERSATION, VOICES, named_by_hand, RunOptions())


def test_nobody_is_merged_into_who_was_forgotten(named_by_hand: Path) -> None:
    library = named_by_hand.parent.parent
    speakers.rename(named_by_hand, "Ann", "Anna")
    voices.forget(library, "Bea Lind")
    with pytest.raises(InputError, match="was forgotten"):
        voices.merge(library, "Anna", "Bea Lind")
    assert voices_file.load(named_by_hand.parent).voice_of("Anna") is not None


def test_a_rename_takes_the_place_of_a_corrected_name(named_by_hand: Path) -> None:
    speakers.rename(named_by_hand, "Bea Lind", "Bea Lindt")
    assert read.load(named_by_hand).name_of("SPEAKER_01") == "Bea Lindt"
    assert read.load_record(named_by_hand).name_of("SPEAKER_01") == "Bea Lindt"
    assert voices_file.load(named_by_hand.parent).voice_of("Bea Lindt") is not None


def test_a_record_from_elsewhere_leads_to_no_other_files(named_by_hand: Path) -> None:
    other = named_by_hand.parent.parent / "mine.json"
    other.write_text("mine")
    record = replace(CONVERSATION, audio=replace(CONVERSATION.audio, sha256=f"../../library/{other.stem}"))
    publish(record, named_by_hand, FORMATS)
    speakers.rename(named_by_hand, "Ann", "Anna")
    voices.forget(named_by_hand.parent.parent, "Anna")
    assert other.read_text() == "mine"


# One episode


@pytest.fixture
def sample(process: Process, sample_wav: Path, tmp_path: Path) -> Path:
    """The folder of the two-person call, processed by the flow with Whisper base."""
    process(sample_wav, model="base", out=str(tmp_path / "show" / "call"))
    return tmp_path / "show" / "call"


def test_two_callers_are_named_by_their_own_words(sample: Path) -> None:
    transcript = read.load(sample)
    assert [speaker.name for speaker in transcript.speakers] == ["Diane", "Sheila"]
    for segment in transcript.segments:
        if "Sheila" in segment.text:
            assert transcript.name_of(segment.speaker) == "Sheila"
        if "Diane" in segment.text:
            assert transcript.name_of(segment.speaker) == "Diane"
    shown = episcribe("speakers", sample, cwd=sample).stdout
    assert re.search(r"Diane +\d\d% +chosen +00:1\d +introduction +\+4\.0 +“This is Diane”", shown)


def test_renaming_renders_every_file_again_and_learns_the_voice(sample: Path) -> None:
    done = episcribe("speakers", "rename", sample, "diane", "Diané <b> & Co", cwd=sample)
    assert done.returncode == 0, done.stderr
    assert {Path(line).name for line in done.stdout.splitlines()[:-1]} == ALL_FILES
    assert read.load(sample).speakers[0].source == "user"
    for name in ("transcript.txt", "transcript.srt", "transcript.json"):
        assert "Diané <b> & Co" in (sample / name).read_text()
    assert "Diané &lt;b&gt; &amp; Co" in (sample / "transcript.html").read_text()
    assert [voice.name for voice in voices_file.load(sample.parent).voices] == ["Diané <b> & Co"]


def test_whoever_loses_a_name_to_another_is_told(sample: Path) -> None:
    (diane,) = [speaker.label for speaker in read.load(sample).speakers if speaker.name == "Diane"]
    done = episcribe("speakers", "rename", sample, "Sheila", "Diane", cwd=sample)
    assert done.returncode == 0, done.stderr
    assert f"{diane} was called Diane before, and is Speaker 1 now" in done.stdout.splitlines()


def test_whom_to_forget_may_be_typed_in_any_case(sample: Path) -> None:
    speakers.rename(sample, "Diane", "Diané Marsh")
    voices.forget(sample.parents[1], "DIANE MARSH", "show")
    assert voices_file.load(sample.parent).forgotten == ("Diané Marsh",)
    assert voices_file.load(sample.parent).voices == ()


def test_renaming_loads_no_model(sample: Path) -> None:
    code = (
        "import sys\nfrom flows.cli.main import app\n"
        f"try:\n    app(['speakers', 'rename', {str(sample)!r}, 'Diane', 'Ann'])\n"
        "except SystemExit as left:\n    assert not left.code\n"
        "print('LOADED', *{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert loaded & {"torch", "pyannote", "ctranslate2", "faster_whisper", "prefect"} == set()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rename", "{}", "Nobody", "Ann"], "no speaker 'Nobody'; there is 'Diane', 'Sheila'"),
        (["rename", "{}", "Diane", " "], "a name has 1 to 200 characters"),
        (["rename", "{}", "Diane", "x" * 201], "a name has 1 to 200 characters"),
        (["rename", "missing", "Diane", "Ann"], "missing: no such file or folder"),
        (["missing"], "missing: no such file or folder"),
    ],
)
def test_bad_input_changes_nothing(sample: Path, arguments: list[str], said: str) -> None:
    def files() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sample.iterdir() if path.name != LOCK_NAME}

    before = files()
    done = episcribe("speakers", *(a.format(sample) for a in arguments), cwd=sample.parent)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert said in line
    assert files() == before


def test_bad_input_for_voices(tmp_path: Path) -> None:
    for arguments, message in (
        (["list", "--library", "none"], "no such folder"),
        (["list", "--show", "none", "--library", "."], "no show 'none'"),
        (["merge", "A", "B", "--library", "."], "no voice is kept of 'A'"),
        (["forget", "A", "--library", "."], "nobody is called 'A'"),
        (["allow", "A", "--library", "."], "was not forgotten"),
    ):
        done = episcribe("voices", *arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert message in done.stderr
    assert "no voices are kept" in episcribe("voices", "list", "--library", ".", cwd=tmp_path).stdout
    assert "no --voices 'some'" in episcribe("run", "x.wav", "--voices", "some", cwd=tmp_path).stderr


def test_voices_switched_off_are_kept_nowhere(process: Process, sample_wav: Path, tmp_path: Path) -> None:
    out = tmp_path / "show" / "call"
    result = process(sample_wav, model="base", out=str(out), voices="off", known_people=("Diane Marsh",))
    assert result["warnings"] == []
    transcript = read.load(out)
    assert "Diane Marsh" in [speaker.name for speaker in transcript.speakers]
    assert voices_file.episode_voices(transcript.audio.sha256) == ()
    assert not (tmp_path / "show" / voices_file.FILE_NAME).exists()
    done = speakers.rename(out, "Diane Marsh", "Diane")
    assert not done.learnt
    assert not (tmp_path / "show" / voices_file.FILE_NAME).exists()


def test_forgetting_empties_the_kept_results_of_a_real_run(sample: Path, cache: Path) -> None:
    results = cache / "results"
    sha256 = read.load(sample).audio.sha256
    labels = {speaker.name: speaker.label for speaker in read.load(sample).speakers}
    assert list(results.glob(f"diarise-*{sha256}*"))
    assert {voice.speaker for voice in voices_file.episode_voices(sha256)} == {"SPEAKER_00", "SPEAKER_01"}
    voices.forget(sample.parents[1], "Diane", "show")
    assert list(results.glob(f"diarise-*{sha256}*")) == []
    assert list(results.glob(f"transcribe-*{sha256}*"))
    assert [voice.speaker for voice in voices_file.episode_voices(sha256)] == [labels["Sheila"]]
    assert not speakers.rename(sample, "Diane", "Diane").learnt


def test_who_was_forgotten_stays_forgotten_over_another_run(
    process: Process, sample: Path, sample_wav: Path
) -> None:
    speakers.rename(sample, "Diane", "Diane Marsh")
    voices.forget(sample.parents[1], "Diane Marsh", "show")
    process(sample_wav, model="base", out=str(sample), known_people=("Diane Marsh",))
    labels = {speaker.name: speaker.label for speaker in read.load(sample).speakers}
    assert set(labels) == {"Diane Marsh", "Sheila"}
    assert voices_file.load(sample.parent).voices == ()
    heard = voices_file.episode_voices(read.load(sample).audio.sha256)
    assert [voice.speaker for voice in heard] == [labels["Sheila"]]


def test_a_known_person_who_says_her_name_is_learnt(
    process: Process, sample_wav: Path, tmp_path: Path
) -> None:
    out = tmp_path / "show" / "call"
    process(sample_wav, model="base", out=str(out), known_people=("Sheila Marsh",))
    assert [voice.name for voice in voices_file.load(tmp_path / "show").voices] == ["Sheila Marsh"]


def test_a_damaged_registry_costs_names_by_voice_and_nothing_else(
    process: Process, sample_wav: Path, tmp_path: Path
) -> None:
    show = tmp_path / "show"
    show.mkdir()
    (show / voices_file.FILE_NAME).write_text("{")
    result = process(sample_wav, model="base", out=str(show / "call"))
    assert [speaker.name for speaker in read.load(show / "call").speakers] == ["Diane", "Sheila"]
    assert "no speaker was told by voice" in str(result["warnings"])
    assert "voices were not kept" in str(result["warnings"])
    assert (show / voices_file.FILE_NAME).read_text() == "{"


def test_old_records_have_no_evidence(sample: Path) -> None:
    record = json.loads((sample / "episode.json").read_text())
    del record["evidence"]
    (sample / "episode.json").write_text(json.dumps(record))
    shown = episcribe("speakers", sample, cwd=sample)
    assert shown.returncode == 0, shown.stderr
    (sheila,) = [speaker for speaker in read.load(sample).speakers if speaker.name == "Sheila"]
    assert f"Sheila ({sheila.label}" in shown.stdout
    speakers.rename(sample, "Sheila", "Ann")
    with pytest.raises(InputError, match="no speaker 'Sheila'"):
        speakers.rename(sample, "Sheila", "Ann")
