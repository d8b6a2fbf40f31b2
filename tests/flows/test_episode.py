"""The flow on a real Prefect server, real audio, and a real HTTP server."""

from __future__ import annotations

import itertools
import json
import logging
import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import srt
import webvtt

from audio.media.decode import decode
from flows.local.demo import serve_show
from flows.options import DEFAULT_FORMATS
from flows.progress import watched_by
from models.asr import transcription, whisper_models
from models.asr.transcription import TranscriptionOptions
from models.diarisation import diariser
from models.record.errors import DownloadError, EpiscribeError, InputError, ModelError, OutputError
from models.record.spans import speech_of
from models.runtime import energy
from models.runtime.energy import Counter
from outputs.formats.registry import FORMATS
from outputs.library import read
from outputs.scoring.score import score
from tests.audio.conftest import Write, sine
from tests.audio.server import Reply, Server
from tests.flows.conftest import ROOT, Process
from tests.models.channels import one_after_the_other, studio, telephone
from tests.models.conftest import read_audio

ALL_FILES = {FORMATS[name].file_name for name in ("episode", *DEFAULT_FORMATS) if not FORMATS[name].needs}


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_show(tmp_path_factory.mktemp("show")) as url:
        yield url


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("library")


class Watcher:
    """Keeps what a run tells to who watches all of it."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.words = ""
        self.took_time: list[str] = []

    def progress(self, stage: str, done: float, total: float) -> None:
        assert done >= 0.0

    def stage(self, name: str, expected: Mapping[str, float]) -> None:
        self.stages.append(name)
        assert next(iter(expected)) == name
        assert all(seconds >= 0.0 for seconds in expected.values())

    def heard(self, words: str) -> None:
        self.words += f" {words}"

    def took(self, stage: str, seconds: float, audio: float) -> None:
        assert (seconds > 0.0, audio > 1.0) == (True, True)
        self.took_time.append(stage)


def test_the_newest_episode_of_a_feed_comes_out_whole(process: Process, show: str, library: Path) -> None:
    watcher = Watcher()
    with watched_by(watcher):
        result = process(f"{show}/feed.xml", out=None, library=str(library), model="base", allow_private=True)
    assert watcher.stages == ["diarise", "transcribe", "overlaps"]
    assert "Chicago" in watcher.words
    assert watcher.took_time == ["download", "decode", *watcher.stages, "align", "publish"]
    folder = library / "strangers-on-the-line" / "2026-11-16-both-from-chicago"
    assert result["folder"] == str(folder)
    assert {path.name for path in folder.iterdir()} == ALL_FILES
    transcript = read.load(folder)
    assert transcript.episode.title == "Both from Chicago"
    assert transcript.language == "en"
    assert [speaker.name for speaker in transcript.speakers] == ["Diane", "Sheila"]
    assert "originally from Chicago" in " ".join(segment.text for segment in transcript.segments)
    captions = webvtt.read(folder / "transcript.vtt")
    assert {caption.voice for caption in captions} == {"Sheila", "Diane"}
    assert list(srt.parse((folder / "transcript.srt").read_text()))
    assert json.loads((folder / "transcript.json").read_text())["version"] == "1.0.0"


def test_turns_and_words_are_right(process: Process, show: str, library: Path, reference: Path) -> None:
    result = process(f"{show}/feed.xml", out=None, library=str(library), model="base", allow_private=True)
    found = score(Path(str(result["folder"])), reference / "sample.rttm", reference / "sample.stm")
    assert found.hypothesis_speakers == 2
    assert found.der is not None
    assert found.der.rate <= 0.08
    assert found.cpwer is not None
    assert found.cpwer.rate <= 0.25


def test_a_second_run_computes_nothing(process: Process, show: str, library: Path) -> None:
    again = {"out": None, "library": str(library), "model": "base", "allow_private": True}
    process(f"{show}/feed.xml", **again)
    result = process(f"{show}/feed.xml", **again)
    assert result["computed"] == []
    assert result["reused"] == ["download", "decode", "diarise", "transcribe", "overlaps"]


def test_only_what_an_option_changes_is_computed_again(process: Process, sample_wav: Path) -> None:
    process(sample_wav)
    assert process(sample_wav, speakers=1)["computed"] == ["diarise"]
    assert process(sample_wav, model="base", language="en", speakers=1)["computed"] == ["transcribe"]
    assert process(sample_wav, vocabulary=("Chikago",), speakers=1)["computed"] == ["transcribe"]
    assert process(sample_wav, formats=("srt",))["computed"] == []


def test_force_computes_everything_and_what_that_took_is_told_as_long_as_it_is_known(
    process: Process, sample_wav: Path, tmp_path: Path
) -> None:
    process(sample_wav)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(energy, "processors", lambda: [Counter(itertools.count(0.0, 3600.0).__next__)])
        forced = process(sample_wav, force=True)
        assert forced["computed"] == ["decode", "diarise", "transcribe", "overlaps"]
        told = read.load(tmp_path / "out").engine
        assert (
            told["watt_hours_per_hour"]["cpu"] >= 360
        )  # a watt-hour and more for each of three steps, of half a minute
        assert (told["quality"], told["beam_size"], told["segmentation_step"]) == ("balanced", 5, 0.25)
    assert process(sample_wav)["computed"] == []
    assert read.load(tmp_path / "out").engine == told
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(energy, "processors", list)
        assert process(sample_wav, max_speakers=5)["computed"] != []
    assert "watt_hours_per_hour" not in read.load(tmp_path / "out").engine


def test_where_nobody_looks_on_the_log_tells_how_long_it_takes(
    process: Process, sample_wav: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("prefect.task_runs")
    logger.addHandler(caplog.handler)
    try:
        process(sample_wav, quality="fast", diariser="none")
    finally:
        logger.removeHandler(caplog.handler)
    assert any(record.getMessage().startswith("00:30 of audio: about ") for record in caplog.records)


def test_the_same_audio_elsewhere_is_known(process: Process, sample_wav: Path, tmp_path: Path) -> None:
    process(sample_wav)
    moved = tmp_path / "moved.wav"
    moved.write_bytes(sample_wav.read_bytes())
    result = process(moved)
    assert result["computed"] == []
    assert read.load(tmp_path / "out").audio.path == "moved.wav"


def test_without_speakers(process: Process, sample_wav: Path, tmp_path: Path) -> None:
    result = process(sample_wav, diariser="none")
    transcript = read.load(tmp_path / "out")
    assert result["warnings"] == []
    assert transcript.segments
    assert transcript.speakers == ()


def test_a_failing_diariser_costs_the_speakers_only(
    process: Process, sample_wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(diariser, "load", broken)
    result = process(sample_wav, min_speakers=2, max_speakers=7)
    transcript = read.load(tmp_path / "out")
    assert transcript.segments
    assert transcript.speakers == ()
    assert (
        result["warnings"]
        == ["no speakers: diarisation failed (RuntimeError: out of memory)"]
        == list(transcript.warnings)
    )


def test_a_failing_diariser_does_not_cost_speakers_that_were_found_before(
    process: Process, sample_wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("out of memory")

    process(sample_wav)
    before = (tmp_path / "out" / "episode.json").read_bytes()
    monkeypatch.setattr(diariser, "load", broken)
    with pytest.raises(EpiscribeError, match="keeps the transcript with speakers that it has"):
        process(sample_wav, min_speakers=2, max_speakers=8)
    assert (tmp_path / "out" / "episode.json").read_bytes() == before


def test_a_gated_model_without_a_token_is_refused_before_any_work(
    process: Process, sample_wav: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="set HF_TOKEN, or use --diariser offline"):
        process(sample_wav, diariser="community-1")
    assert files_below(tmp_path / "out") == []


def test_models_with_one_name_are_told_apart(process: Process, sample_wav: Path, tmp_path: Path) -> None:
    for folder, model in (("a", whisper_models.OFFLINE["tiny.en"]), ("b", whisper_models.OFFLINE["base"])):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model").symlink_to(model.require())
    process(sample_wav, model=str(tmp_path / "a" / "model"), language="en")
    first = read.load(tmp_path / "out").words
    process(sample_wav, model=str(tmp_path / "b" / "model"), language="en")
    second = read.load(tmp_path / "out")
    options = TranscriptionOptions(model="base", language="en")
    words = transcription.transcribe(
        decode(sample_wav).samples, options, speech=speech_of(second.turns)
    ).words
    texts = [word.text for word in words]
    assert [word.text for word in second.words] == texts
    assert [word.text for word in first] != texts


def test_files_of_one_folder_tell_the_same(process: Process, sample_wav: Path, tmp_path: Path) -> None:
    process(sample_wav)
    process(sample_wav, diariser="none", formats=("srt",))
    assert "Speaker" not in (tmp_path / "out" / "transcript.txt").read_text()
    assert "Speaker" not in (tmp_path / "out" / "transcript.vtt").read_text()


def test_both_diarisations_are_kept(process: Process, sample_wav: Path, tmp_path: Path) -> None:
    process(sample_wav)
    transcript = read.load(tmp_path / "out")
    assert any(a.end > b.start for a, b in pairwise(transcript.turns))
    assert transcript.exclusive
    assert all(a.end <= b.start for a, b in pairwise(transcript.exclusive))


def test_how_sure_it_is_that_two_voices_are_one_person_is_told_from_kept_results_too(
    process: Process, write_wav: Write, read_speech: Path, tmp_path: Path
) -> None:
    utterances = [read_audio(path) for path in sorted((read_speech / "1998").glob("*.flac"))[:4]]
    file = write_wav(
        one_after_the_other([studio(u) for u in utterances[:2]] + [telephone(u) for u in utterances[2:]])
    )
    for computed in (["decode", "diarise", "transcribe"], []):
        result = process(file, language="en")
        assert [name for name in result["computed"] if name != "download"] == computed  # type: ignore[attr-defined]
        (told,) = [warning for warning in read.load(tmp_path / "out").warnings if "% sure" in warning]
        assert told in result["warnings"]  # type: ignore[operator]


def test_as_a_deployment_with_options_as_json(prefect_server: str, sample_wav: Path, tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client
    from prefect.deployments import run_deployment
    from prefect.exceptions import PrefectHTTPStatusError
    from prefect.flow_engine import run_flow

    from flows.episode import process_episode

    deployment: Any = process_episode.to_deployment("here")
    identity = deployment.apply()
    options = {"out": str(tmp_path / "out"), "model": "tiny.en", "diariser": "none"}
    parameters = {"source": str(sample_wav), "options": options}
    run: Any = run_deployment(identity, parameters=parameters, timeout=0)
    with pytest.raises(PrefectHTTPStatusError):
        run_deployment(identity, parameters={"source": "x", "options": {"colour": "red"}}, timeout=0)
    with get_client(sync_client=True) as client:
        flow_run = client.read_flow_run(run.id)
    run_flow(process_episode, flow_run=flow_run, parameters=flow_run.parameters)
    assert read.load(tmp_path / "out").segments


def test_the_example_in_the_readme(
    prefect_server: str, sample_wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "interview.mp3").write_bytes(sample_wav.read_bytes())
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert re.search(r"^[\d.]+ Diane +.*Diane in New Jersey", printed, re.MULTILINE)
    assert re.search(r"^[\d.]+ Sheila +And I'm Sheila", printed, re.MULTILINE)


def test_names_given_by_the_user_survive_another_run(
    process: Process, sample_wav: Path, tmp_path: Path
) -> None:
    from outputs.library.write import publish

    process(sample_wav)
    transcript = read.load(tmp_path / "out")
    publish(transcript.renamed(transcript.speakers[0].label, "Sheila"), tmp_path / "out", ["txt"])
    process(sample_wav, min_speakers=2)
    assert read.load(tmp_path / "out").speakers[0].name == "Sheila"
    assert "Sheila (00:0" in (tmp_path / "out" / "transcript.txt").read_text()


def test_two_episodes_with_one_title_have_two_folders(
    process: Process, write_wav: Write, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    folders = set()
    for place, hertz in (("a", 440), ("b", 550)):
        file = write_wav(sine(1, hertz=hertz), name=f"{place}/same.wav")
        folders.add(process(file, out=None, library=str(tmp_path / "library"))["folder"])
    assert len(folders) == 2


# What is no speech, or hardly any


@pytest.mark.parametrize("seconds", [0.2, 35.0])
def test_silence_gives_a_valid_empty_transcript(
    process: Process, write_wav: Write, tmp_path: Path, seconds: float
) -> None:
    process(write_wav(np.zeros(int(seconds * 16_000))))
    folder = tmp_path / "out"
    assert {path.name for path in folder.iterdir()} == ALL_FILES
    assert read.load(folder).segments == ()
    assert list(webvtt.read(folder / "transcript.vtt")) == []
    assert (folder / "transcript.srt").read_text() == ""
    assert json.loads((folder / "transcript.json").read_text())["segments"] == []


def test_a_truncated_mp3_gives_what_is_left_and_says_so(
    process: Process, show: str, sample_wav: Path, tmp_path: Path
) -> None:
    from audio.media.clip import cut, encode

    whole = encode(cut(sample_wav, 0, 30), tmp_path / "whole.mp3", tags={"title": "x"})
    (tmp_path / "half.mp3").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    result = process(tmp_path / "half.mp3", diariser="none")
    transcript = read.load(tmp_path / "out")
    assert 13 < transcript.audio.seconds < 17
    assert transcript.segments
    assert "breaks off at 14.9 s of 30.0 s" in str(result["warnings"])


def test_other_forms_of_the_same_speech(
    process: Process, sample_wav: Path, make_media: Write, tmp_path: Path
) -> None:
    video = make_media(
        "v.mp4", "-f", "lavfi", "-i", "color=black:s=64x64:d=30", "-i", str(sample_wav), "-shortest"
    )
    wide = make_media("w.flac", "-i", str(sample_wav), "-ac", "2", "-ar", "96000")
    narrow = make_media("n.wav", "-i", str(sample_wav), "-ar", "8000")
    twice = make_media("t.mka", "-i", str(sample_wav), "-i", str(sample_wav), "-map", "0", "-map", "1")
    for file in (video, wide, narrow, twice):
        result = process(file, diariser="none")
        text = " ".join(segment.text for segment in read.load(tmp_path / "out").segments)
        assert "Chicago" in text, file
        if file == twice:
            assert "2 audio tracks" in str(result["warnings"])


def test_the_track_that_is_asked_for(
    process: Process, sample_wav: Path, make_media: Write, tmp_path: Path
) -> None:
    """Of a noise track and the call the call is heard, unless the other is asked for; clips are cut from what was."""
    from flows.library.clips import make_clip

    noise = ("-f", "lavfi", "-i", "anoisesrc=d=30:a=0.05:r=16000", "-i", str(sample_wav))
    file = make_media(
        "two.mka", *noise, "-map", "0", "-map", "1", "-metadata:s:a:1", "language=eng", "-c:a", "flac"
    )
    result = process(file)
    heard = read.load(tmp_path / "out")
    assert heard.audio.track == 1
    assert "track 2 (eng) was heard" in str(result["warnings"])
    assert "Chicago" in " ".join(segment.text for segment in heard.segments)
    again = process(file, audio_track="en")
    assert read.load(tmp_path / "out").segments == heard.segments
    assert (again["computed"], again["warnings"]) == (["decode"], [])
    clip, _ = make_clip(tmp_path / "out", 14.3, 17.6, tmp_path / "clip.wav", file)
    assert len(set(np.frombuffer(clip.read_bytes()[44:], "<i2")[:1000])) > 10
    process(file, audio_track="1")
    assert read.load(tmp_path / "out").segments == ()
    with pytest.raises(InputError, match=r"no audio track in fr: it has 1 \(no language\), 2 \(eng\)"):
        process(file, audio_track="fr")


@pytest.mark.parametrize("decibels", [-55, 20])
def test_the_level_of_a_recording_changes_no_word(
    process: Process, sample_wav: Path, make_media: Write, tmp_path: Path, decibels: int
) -> None:
    def words(level: int) -> list[tuple[str | None, str]]:
        shape = ("-af", f"aformat=flt,volume={level}dB", "-c:a", "pcm_f32le")
        process(make_media(f"{level}.wav", "-i", str(sample_wav), *shape))
        return [(word.speaker, word.text.strip(" ,.?").lower()) for word in read.load(tmp_path / "out").words]

    there, changed = words(0), words(decibels)
    same = SequenceMatcher(None, there, changed, autojunk=False).ratio()
    assert len(there) > 60
    assert same > 0.95


def test_a_video_whose_sound_begins_late_has_its_captions_there(
    process: Process, sample_wav: Path, make_media: Write, tmp_path: Path
) -> None:
    process(sample_wav)
    before = read.load(tmp_path / "out").words
    picture = ("-f", "lavfi", "-i", "testsrc=s=160x120:r=10:d=40")
    streams = ("-map", "0:v", "-map", "1:a", "-c:v", "libx264", "-c:a", "flac", "-strict", "-2")
    result = process(make_media("late.mp4", *picture, "-itsoffset", "4", "-i", str(sample_wav), *streams))
    late = read.load(tmp_path / "out")
    one, other = ([word.text for word in words] for words in (before, late.words))
    pairs = [
        (before[match.a + i].start + 4, late.words[match.b + i].start)
        for match in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
        for i in range(match.size)
    ]
    assert len(pairs) > 0.8 * len(before)
    assert np.median([abs(there - here) for here, there in pairs]) < 0.05
    assert sum(abs(there - here) < 0.2 for here, there in pairs) > 0.9 * len(pairs)
    assert result["warnings"] == []
    assert webvtt.read(tmp_path / "out" / "transcript.vtt")[0].start_in_seconds == 10


# Bad input: what it says, and that nothing is written


def files_below(folder: Path) -> list[Path]:
    return list(folder.rglob("*")) if folder.exists() else []


@pytest.mark.parametrize(
    ("reply", "error", "message"),
    [
        (Reply(404), DownloadError, "404"),
        (Reply(500), DownloadError, "500"),
        (
            Reply(200, b"<!doctype html><title>Sorry</title>", {"Content-Type": "text/html"}),
            InputError,
            "neither",
        ),
    ],
    ids=["404", "500", "html"],
)
def test_bad_answers_of_a_server(
    process: Process,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reply: Reply,
    error: type[Exception],
    message: str,
) -> None:
    monkeypatch.setattr("audio.transfer.http.FIRST_PAUSE", 0.01, raising=True)
    server.routes["/a.mp3"] = reply
    with pytest.raises(error, match=message):
        process(server.url("/a.mp3"), allow_private=True)
    assert files_below(tmp_path / "out") == []


def test_private_addresses_are_refused_unless_allowed(process: Process, server: Server) -> None:
    with pytest.raises(InputError, match="not a public address"):
        process(server.url("/a.mp3"))
    assert server.requests == []


def test_bad_files(process: Process, make_media: Write, tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "text.mp3").write_text("this is no music\n" * 100)
    (tmp_path / "folder.mp3").mkdir()
    make_media("mute.mp4", "-f", "lavfi", "-i", "color=black:s=64x64:d=1")
    for name in ("missing.mp3", "empty.mp3", "text.mp3", "folder.mp3", "mute.mp4"):
        with pytest.raises(InputError, match=name.replace(".", r"\.")) as raised:
            process(tmp_path / name)
        assert "\n" not in str(raised.value)
    assert files_below(tmp_path / "out") == []


def test_what_was_written_before_stays_when_a_run_fails(
    process: Process, sample_wav: Path, tmp_path: Path
) -> None:
    process(sample_wav)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "text.mp3").write_text("no music")
    with pytest.raises(InputError):
        process(tmp_path / "text.mp3")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_a_folder_that_cannot_be_written(process: Process, sample_wav: Path) -> None:
    with pytest.raises(OutputError, match="cannot write /proc/"):
        process(sample_wav, out="/proc/episcribe")


def test_contradicting_options_are_refused_at_once(process: Process, sample_wav: Path) -> None:
    with pytest.raises(InputError, match="is more than"):
        process(sample_wav, min_speakers=3, max_speakers=2)
    with pytest.raises(InputError, match="unknown format 'doc'"):
        process(sample_wav, formats=("doc",))
