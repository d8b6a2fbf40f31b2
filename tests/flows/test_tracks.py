"""Episodes of which each person has a track: the flow with real models, on sessions whose words and turns are known."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from audio.media import ffmpeg
from audio.media.decode import decode
from flows.library.audio import find_audio
from models.diarisation import diariser
from models.record.transcript import Transcript
from outputs.library import read
from outputs.scoring.score import Score, score
from tests import sessions
from tests.flows.conftest import Process, episcribe
from tests.models.conftest import SHARED

pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="no recordings beside the checkout")
NAMES = dict(zip(sessions.CHOSEN_ON, ("Anne Currie", "Gaël Duez", "Bo Li"), strict=True))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> sessions.Session:
    return sessions.session("room -12 dB", tmp_path_factory.mktemp("room"), seconds=45.0)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> sessions.Session:
    return sessions.session("edited", tmp_path_factory.mktemp("edited"), seconds=120.0)


@pytest.fixture(scope="module")
def stereo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = sessions.session("interrupting", tmp_path_factory.mktemp("stereo"), seconds=40.0)
    return made.folder / made.stereo


def named(made: sessions.Session) -> tuple[str, ...]:
    return tuple(f"{NAMES[name]}={made.path(name)}" for name in made.tracks)


def scored(folder: Path, made: sessions.Session) -> tuple[float, Score]:
    found = score(folder, made.rttm, made.stm)
    assert found.der is not None
    return found.der.rate, found


def words_of(transcript: Transcript, name: str) -> str:
    return " ".join(s.text for s in transcript.segments if transcript.name_of(s.speaker) == name).lower()


def test_words_are_of_whose_track_they_are_in(
    process: Process, room: sessions.Session, tmp_path: Path
) -> None:
    result = process("", track=named(room))
    out = tmp_path / "out"
    rate, found = scored(out, room)
    assert rate <= 0.05
    assert found.wer is not None
    assert found.cpwer is not None
    assert found.cpwer.rate - found.wer.rate <= 0.02
    transcript = read.load(out)
    assert {speaker.name for speaker in transcript.speakers} == set(NAMES.values())
    assert {speaker.source for speaker in transcript.speakers} == {"track"}
    assert transcript.tracks is not None
    assert (transcript.tracks.mode, transcript.tracks.why) == ("separate", "3 tracks were given")
    assert [len(track.labels) for track in transcript.tracks.tracks] == [1, 1, 1]
    assert any(file.endswith("transcript.srt") for file in result["files"])  # type: ignore[attr-defined]


def test_a_second_run_computes_nothing_and_another_name_is_listened_for(
    process: Process, room: sessions.Session, tmp_path: Path
) -> None:
    process("", track=named(room))
    assert process("", track=named(room))["computed"] == []
    renamed = tuple(entry.replace("Anne Currie", "Annie") for entry in named(room))
    assert process("", track=renamed)["computed"] == ["transcribe"]
    assert "Annie" in {speaker.name for speaker in read.load(tmp_path / "out").speakers}


def test_the_sum_of_the_tracks_is_kept_to_play(
    process: Process, room: sessions.Session, tmp_path: Path
) -> None:
    process("", track=named(room), keep_audio=True)
    out = tmp_path / "out"
    kept = find_audio(out, read.load_audio(out))
    assert decode(kept).seconds == pytest.approx(room.seconds, abs=0.1)


def test_a_zip_of_tracks_is_a_session_whose_files_have_names(
    process: Process, room: sessions.Session, tmp_path: Path
) -> None:
    packed = tmp_path / "Riverside 12.zip"
    with zipfile.ZipFile(packed, "w") as into:
        for name in room.tracks:
            into.write(room.path(name), f"tracks/{NAMES[name].lower().replace(' ', '-')}-raw_0001.wav")
        into.writestr("tracks/info.txt", "recorded on Monday")
    process(packed)
    transcript = read.load(tmp_path / "out")
    assert transcript.episode.title == "Riverside 12"
    assert {speaker.name for speaker in transcript.speakers} == set(NAMES.values())


def test_tracks_may_be_heard_as_one_recording_all_the_same(
    process: Process, room: sessions.Session, tmp_path: Path
) -> None:
    folder = tmp_path / "call"
    folder.mkdir()
    for name in room.tracks:
        shutil.copy(room.path(name), folder / f"{NAMES[name]}.wav")
    process(folder, tracks="mix")
    transcript = read.load(tmp_path / "out")
    assert transcript.tracks is not None
    assert transcript.tracks.mode == "mix"
    assert len(transcript.speakers) == 3
    assert transcript.audio.seconds == pytest.approx(room.seconds, abs=0.1)
    find_audio(tmp_path / "out", transcript.audio).unlink()
    assert process(folder, tracks="mix")["computed"] == []
    assert find_audio(tmp_path / "out", transcript.audio).exists()


def test_what_an_edited_mix_lacks_is_told_and_what_it_adds_is_heard(
    process: Process, edited: sessions.Session, tmp_path: Path
) -> None:
    result = process(edited.folder / edited.mix, track=named(edited))
    transcript = read.load(tmp_path / "out")
    assert transcript.audio.path == edited.mix
    assert sum("is in the mix" in warning for warning in result["warnings"]) == 2  # type: ignore[attr-defined]
    rate, found = scored(tmp_path / "out", edited)
    assert rate <= 0.15  # most of it in the intro, which is read over music
    assert found.der is not None
    assert found.der.confusion / found.der.total <= 0.04
    intro = [segment for segment in transcript.segments if segment.end < 20]
    assert len(intro) >= 2
    assert {transcript.name_of(segment.speaker) for segment in intro}.isdisjoint(NAMES.values())


def test_channels_on_which_people_speak_in_turn_are_tracks(
    process: Process, stereo: Path, tmp_path: Path
) -> None:
    made = sessions.load(stereo.parent)
    process(stereo)
    rate, found = scored(tmp_path / "out", made)
    assert rate <= 0.03
    assert found.cpwer is not None
    assert found.wer is not None
    assert found.cpwer.rate - found.wer.rate <= 0.02
    decision = read.load(tmp_path / "out").tracks
    assert decision is not None
    assert decision.mode == "separate"
    assert "in turn" in decision.why
    process(stereo, tracks="mix")
    heard = read.load(tmp_path / "out").tracks
    assert heard is not None
    assert (heard.mode, heard.tracks) == ("mix", ())


def test_two_who_speak_at_once_from_the_start_are_both_complete(process: Process, tmp_path: Path) -> None:
    process(SHARED / "conversations" / "faster_whisper" / "stereo_diarization.flac", model="base")
    said = sorted(segment.text for segment in read.load(tmp_path / "out").segments)
    assert len(said) == 2
    assert "confused complaint against the wizard" in said[0]
    assert "behind the curtain on the left" in said[0]
    assert "horizon seems extremely distant" in said[1]


def test_streams_with_titles_are_tracks_with_names(process: Process, stereo: Path, tmp_path: Path) -> None:
    path = tmp_path / "call.mkv"
    split = "[0:a]channelsplit=channel_layout=stereo[l][r]"
    command = [ffmpeg.executable(), "-v", "error", "-i", str(stereo), "-filter_complex", split, "-map", "[l]"]
    titles = ["-metadata:s:a:0", "title=anne-currie", "-metadata:s:a:1", "title=Gaël Duez"]
    subprocess.run([*command, "-map", "[r]", *titles, "-c:a", "flac", str(path)], check=True)
    process(path)
    transcript = read.load(tmp_path / "out")
    assert {speaker.name for speaker in transcript.speakers} == {"Anne Currie", "Gaël Duez"}


def test_without_a_diariser_each_track_is_one_person(
    process: Process, room: sessions.Session, tmp_path: Path
) -> None:
    process("", track=named(room), diariser="none")
    assert {speaker.name for speaker in read.load(tmp_path / "out").speakers} == set(NAMES.values())


def test_a_diariser_that_fails_costs_no_speakers(
    process: Process, room: sessions.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(diariser, "diarise", fail)
    process("", track=named(room), force=True)
    transcript = read.load(tmp_path / "out")
    assert {speaker.name for speaker in transcript.speakers} == set(NAMES.values())
    assert any("out of luck" in warning for warning in transcript.warnings)


def test_diarise_hears_channels_as_people(stereo: Path, tmp_path: Path) -> None:
    turns = tmp_path / "turns.rttm"
    done = episcribe("diarise", stereo, "--out", turns, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "of 2 speakers" in done.stdout


def test_tracks_that_cannot_be_used_cost_one_line_and_nothing_that_is_there(
    room: sessions.Session, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    kept = tmp_path / "out" / "episode.json"
    kept.write_text(json.dumps({"mine": True}))
    first = f"Anne={room.path(next(iter(room.tracks)))}"
    bad = tmp_path / "notes.wav"
    bad.write_text("no audio at all")
    for second, said in ((tmp_path / "gone.wav", "no such file"), (bad, "not audio")):
        done = episcribe("run", "--track", first, "--track", f"Bob={second}", "--out", "out", cwd=tmp_path)
        assert done.returncode == 2
        assert said in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert json.loads(kept.read_text()) == {"mine": True}
