from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pyannote.core import Annotation, Segment
from pyannote.metrics.diarization import DiarizationErrorRate

from models.diarisation import turn_boundaries
from models.diarisation.diariser import DiariserOptions, diarise
from models.diarisation.embeddings.filter_banks import fbank
from models.record.errors import InputError
from models.record.transcript import Diarisation, Turn

RATE = 16_000
OFFLINE = DiariserOptions(model="offline", device="cpu")

Rows = list[tuple[float, float, str]]
Call = tuple[NDArray[np.float32], Rows]

pytestmark = pytest.mark.usefixtures("offline")


def annotation(rows: Sequence[tuple[float, float, str]]) -> Annotation:
    result = Annotation()
    for i, (start, end, speaker) in enumerate(rows):
        result[Segment(start, end), i] = speaker
    return result


def error_rate(reference: Rows, found: Diarisation) -> float:
    rows = [(turn.start, turn.end, turn.speaker) for turn in found.turns]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rate: float = DiarizationErrorRate()(annotation(reference), annotation(rows))
    return rate


def speakers(found: Diarisation) -> set[str]:
    return {turn.speaker for turn in found.turns}


def conversation(utterances: dict[str, list[NDArray[np.float32]]], people: int) -> Call:
    """Two minutes in which `people` take turns half a second apart."""
    parts, rows, now = [], [], 0.0
    decks = {name: iter(files) for name, files in list(utterances.items())[:people]}
    while now < 120:
        for name, deck in decks.items():
            speech = next(deck)[: 12 * RATE]
            rows.append((now, now + len(speech) / RATE, name))
            parts += [speech, np.zeros(RATE // 2, np.float32)]
            now = sum(map(len, parts)) / RATE
    return np.concatenate(parts), rows


def test_a_telephone_call_has_two_speakers_in_the_right_places(call: Call) -> None:
    found = diarise(call[0], OFFLINE)
    assert speakers(found) == {"SPEAKER_00", "SPEAKER_01"}
    assert error_rate(call[1], found) < 0.10


@pytest.mark.parametrize("people", [2, 3, 4])
def test_it_counts_the_people_of_a_conversation(
    utterances: dict[str, list[NDArray[np.float32]]], people: int
) -> None:
    samples, reference = conversation(utterances, people)
    found = diarise(samples, OFFLINE)
    assert len(speakers(found)) == people
    assert error_rate(reference, found) < 0.25


def test_sixteen_bit_samples_give_the_same_turns(call: Call) -> None:
    samples = np.round(call[0] * 32768).astype(np.int16)
    assert diarise(samples, OFFLINE) == diarise((samples / 32768).astype(np.float32), OFFLINE)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_given_count_is_kept(call: Call, count: int) -> None:
    options = DiariserOptions(model="offline", device="cpu", speakers=count)
    assert len(speakers(diarise(call[0], options))) == count


def test_voices_tell_the_speakers_apart(call: Call, offline: Any) -> None:
    found = diarise(call[0], OFFLINE)
    voices = np.array([voice.embedding for voice in found.voices])
    assert voices.shape == (2, 192)
    assert all(3 < voice.seconds < 30 for voice in found.voices)
    spoken = []
    for start, end, speaker in sorted(call[1], key=lambda row: row[0] - row[1])[:4]:  # the longest turns
        speech = call[0][round((start + 0.5) * RATE) : round((end - 0.5) * RATE)]
        spoken.append((speaker, offline.embedder.embed(fbank(torch.from_numpy(speech))[None])[0]))
    cosines = {
        speaker: unit(voices) @ unit(np.array([v for s, v in spoken if s == speaker])).mean(axis=0)
        for speaker, _ in spoken
    }
    (one, other) = cosines.values()
    assert np.argmax(one) != np.argmax(other)
    assert all(row.max() - row.min() > 0.25 for row in (one, other))


def unit(vectors: NDArray[Any]) -> NDArray[Any]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_exclusive_turns_never_overlap(call: Call) -> None:
    turns = diarise(call[0], OFFLINE).exclusive
    assert all(a.end <= b.start + 1e-6 for a, b in itertools.pairwise(turns))


def test_turns_tell_how_sure_their_voice_is(call: Call) -> None:
    found = diarise(call[0], OFFLINE)
    for turns in (found.turns, found.exclusive):
        assert all(0.0 < turn.probability < 1.0 for turn in turns)
        long = [turn.probability for turn in turns if turn.duration > 1.5]
        short = [turn.probability for turn in turns if turn.duration < 0.1]
        assert min(long) > 0.75
        assert short and max(short) < min(long)  # too short to tell a voice by


def test_a_single_voice_is_nobody_elses(call: Call) -> None:
    assert {
        turn.probability for turn in diarise(call[0], DiariserOptions(model="offline", speakers=1)).turns
    } == {1}


@pytest.fixture
def padded(offline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Embeddings in padded batches of a fixed shape, as on a GPU."""
    monkeypatch.setattr(offline.embedder, "padded_frames", 4_000)


@pytest.mark.usefixtures("padded")
def test_padded_batches_give_the_same_turns(
    call: Call,
    utterances: dict[str, list[NDArray[np.float32]]],
    monkeypatch: pytest.MonkeyPatch,
    offline: Any,
) -> None:
    for samples in (call[0], conversation(utterances, 3)[0]):
        found = diarise(samples, OFFLINE)
        with monkeypatch.context() as one_length:
            one_length.setattr(offline.embedder, "padded_frames", None)
            expected = diarise(samples, OFFLINE)
        assert spoken(found.turns) == spoken(expected.turns)
        assert spoken(found.exclusive) == spoken(expected.exclusive)
        for voice, same in zip(found.voices, expected.voices, strict=True):
            assert unit(np.array(voice.embedding)[None]) @ unit(np.array(same.embedding)[None]).T > 0.999


def spoken(turns: Sequence[Turn]) -> list[tuple[float, float, str]]:
    return [(turn.start, turn.end, turn.speaker) for turn in turns]


@pytest.mark.parametrize("kind", [np.float32, np.int16])
def test_what_is_skipped_as_silent_is_silent_to_the_network_too(
    call: Call, monkeypatch: pytest.MonkeyPatch, offline: Any, kind: type
) -> None:
    rng = np.random.default_rng(0)
    dither = (rng.random(40 * RATE) - rng.random(40 * RATE)) / 32768
    speech = call[0].astype(np.float64)
    samples = np.round(32768 * np.concatenate([dither, speech, np.zeros(40 * RATE), speech, dither]))
    samples = samples.astype(np.int16) if kind is np.int16 else (samples / 32768).astype(np.float32)
    windows: list[int] = []
    watching = offline._segmentation.model.register_forward_pre_hook(
        lambda network, inputs: windows.append(len(inputs[0]))
    )
    found = diarise(samples, OFFLINE)
    heard = sum(windows)
    monkeypatch.setattr(turn_boundaries, "SILENCE", -np.inf)
    windows.clear()
    everything = diarise(samples, OFFLINE)
    watching.remove()
    assert everything == found
    assert len(speakers(found)) == 2
    assert heard < sum(windows) / 2


def test_the_network_hears_nobody_in_dither_or_hum_that_nobody_hears(offline: Any) -> None:
    rng = np.random.default_rng(0)
    time = np.arange(10 * RATE) / RATE
    loudest = 10 ** (turn_boundaries.SILENCE / 20)
    for sound in (np.zeros(10 * RATE), rng.standard_normal(10 * RATE), np.sin(2 * np.pi * 50 * time)):
        quiet = torch.from_numpy(np.round(sound * loudest * 32768).astype(np.int16))
        with torch.inference_mode():
            segmentation = offline._segmentation
            scores = segmentation.conversion(segmentation.model((quiet / 32768)[None, None]))
        assert not scores.any()


def test_silence_has_no_turns() -> None:
    assert diarise(np.zeros(3 * RATE, np.float32), OFFLINE) == Diarisation()


def test_a_sound_too_short_to_embed_warns_nobody(call: Call) -> None:
    start = round(call[1][0][0] * RATE)
    samples = np.zeros(5 * RATE, np.float32)
    samples[RATE : RATE + RATE // 5] = call[0][start : start + RATE // 5]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = diarise(samples, OFFLINE)
    assert len(speakers(found)) <= 1
    assert len(found.voices) <= len(speakers(found))


def test_progress_only_grows_and_ends_at_one(call: Call) -> None:
    seen: list[float] = []
    diarise(call[0], OFFLINE, lambda stage, done, total: seen.append(done / total))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 3


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.99])
def test_progress_can_cancel_at_any_stage(call: Call, share: float) -> None:
    class CancelledError(Exception):
        pass

    def cancel(stage: str, done: float, total: float) -> None:
        if done >= share:
            raise CancelledError

    with pytest.raises(CancelledError):
        diarise(call[0], OFFLINE, cancel)


@pytest.mark.parametrize(
    "bad",
    [
        {"step": 0.0},
        {"step": 1.5},
        {"model": "best"},
        {"speakers": 0},
        {"speakers": 2, "min_speakers": 1},
        {"min_speakers": 3, "max_speakers": 2},
    ],
)
def test_impossible_options_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        DiariserOptions(**bad)
