"""Whether tracks are people: conversations of real speech, made in stereo and more in the ways that recordings are."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import fftconvolve

from audio.media.decode import decode
from audio.tracks.decision import decide
from audio.tracks.signals import read_signals
from audio.tracks.sources import find_sources, tracks_in
from models.runtime.samples import SAMPLE_RATE, as_float
from tests.audio.conftest import Write

Floats = np.ndarray

SECONDS = 60
COUNT = SECONDS * SAMPLE_RATE


@dataclass(frozen=True)
class Studio:
    """People who speak in turn, each heard alone, and one after the other without pause: (people, COUNT)."""

    people: Floats
    monologues: Floats


@pytest.fixture(scope="module")
def studio() -> Studio:
    folder = Path(__file__).parents[4] / "shared" / "data" / "read_speech" / "librispeech_test-other"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the checkout")
    speakers = sorted(path for path in folder.iterdir() if path.is_dir())[:3]
    spoken = [[_spoken(path) for path in sorted(speaker.glob("*.flac"))[:10]] for speaker in speakers]
    monologues = np.stack([np.resize(np.concatenate(each), COUNT) for each in spoken])
    people, start, turn = np.zeros((3, COUNT), dtype=np.float32), SAMPLE_RATE, 0
    while start < COUNT - 4 * SAMPLE_RATE:
        said = spoken[turn % 3][turn // 3 % 10][: COUNT - start]
        people[turn % 3, start : start + len(said)] = said
        start += len(said) + SAMPLE_RATE // (5 if turn % 2 else -3)
        turn += 1
    return Studio(people, monologues)


def _spoken(path: Path) -> Floats:
    samples = as_float(decode(path).samples)
    levelled: Floats = samples * 0.05 / np.sqrt(np.mean(samples**2))
    return levelled


def decibels(level: float) -> float:
    return float(10 ** (level / 20))


def noise(level: float, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(0, decibels(level), COUNT).astype(np.float32)


def music(seed: int) -> Floats:
    """Chords that decay, one every half a second."""
    random = np.random.default_rng(seed)
    times = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    played = np.zeros(COUNT + SAMPLE_RATE, dtype=np.float32)
    for start in range(0, COUNT, SAMPLE_RATE // 2):
        tone = random.choice([220, 247, 262, 294, 330, 392])
        chord = sum(np.sin(2 * np.pi * tone * part * times) / part for part in (1, 2, 3, 4))
        played[start : start + SAMPLE_RATE] += 0.1 * random.uniform(0.2, 1) * np.exp(-3 * times) * chord
    return played[:COUNT]


def in_room(sound: Floats, direct: float = 5.0, later: float = 0.0, seed: int = 0) -> Floats:
    """With reverberation of 0.4 s, `direct` dB below the direct sound, which comes so many seconds later."""
    count, first = round(0.4 * SAMPLE_RATE), round(later * SAMPLE_RATE)
    tail = np.random.default_rng(seed).normal(size=count) * 10 ** (-3 * np.arange(count) / count)
    answer = np.zeros(count + first)
    answer[first:] = tail / np.sqrt(np.sum(tail**2)) * decibels(-direct)
    answer[first] += 1
    heard: Floats = fftconvolve(sound, answer)[:COUNT].astype(np.float32)
    return heard


def with_bleed(people: Floats, level: float) -> list[Floats]:
    """A microphone for each in one room, in which the others are heard at `level` dB, some ms later."""
    return [
        in_room(own)
        + decibels(level) * sum(in_room(other, later=0.008, seed=1) for other in people if other is not own)
        + noise(-60, seed)
        for seed, own in enumerate(people)
    ]


def int16(tracks: list[Floats] | Floats) -> np.ndarray:
    stacked: np.ndarray = np.clip(np.rint(np.stack(list(tracks)) * 32768), -32768, 32767).astype(np.int16)
    return stacked


Made = Callable[[Studio], list[Floats] | Floats]

PEOPLE: dict[str, Made] = {
    "each on a side": lambda studio: studio.people[:2],
    "at other levels, with noise": lambda studio: [
        studio.people[0] + noise(-60),
        decibels(-14) * (studio.people[1] + noise(-55, 1)),
    ],
    "a telephone call with side tone": lambda studio: [
        studio.people[0] + decibels(-20) * studio.people[1] + noise(-55),
        studio.people[1] + decibels(-20) * studio.people[0] + noise(-55, 1),
    ],
    "three microphones": lambda studio: studio.people,
    "three microphones in one room": lambda studio: with_bleed(studio.people, -14),
    "with channels that are not used": lambda studio: [
        *studio.people,
        *np.zeros((5, COUNT), dtype=np.float32),
    ],
    "interviewer and a short answer": lambda studio: [
        studio.monologues[0] * (np.arange(COUNT) < 52 * SAMPLE_RATE) + noise(-60),
        studio.monologues[1] * (np.arange(COUNT) > 53 * SAMPLE_RATE) * 0.5
        + decibels(-25) * studio.monologues[0] * (np.arange(COUNT) < 52 * SAMPLE_RATE)
        + noise(-60, 1),
    ],
}


@pytest.mark.parametrize("made", PEOPLE.values(), ids=PEOPLE)
def test_people(studio: Studio, made: Made) -> None:
    decision = decide(int16(made(studio)))
    assert decision.separate, decision.why
    assert " alone, " in decision.why


def both(studio: Studio) -> Floats:
    heard: Floats = studio.people.sum(axis=0)
    return heard


NO_PEOPLE: dict[str, Made] = {
    "a mono file in two channels": lambda studio: [both(studio)] * 2,
    "the same, one softer": lambda studio: [both(studio), 0.3 * both(studio)],
    "the same, each with its noise": lambda studio: [both(studio) + noise(-50, n) for n in range(2)],
    "panned by 6 dB": lambda studio: [
        studio.people[0] + 0.5 * studio.people[1],
        studio.people[1] + 0.5 * studio.people[0],
    ],
    "panned by 10 dB": lambda studio: [
        studio.people[0] + 0.3 * studio.people[1],
        studio.people[1] + 0.3 * studio.people[0],
    ],
    "panned, in a room": lambda studio: [
        in_room(studio.people[n], 0, seed=n) + 0.5 * in_room(studio.people[1 - n], 0, seed=2 + n)
        for n in range(2)
    ],
    "one scene in a room": lambda studio: [in_room(both(studio), seed=n) for n in range(2)],
    "music on both sides": lambda studio: [both(studio) + music(n) for n in range(2)],
    "soft music on both sides": lambda studio: [both(studio) + 0.2 * music(n) for n in range(2)],
    "a wide intro": lambda studio: [
        np.where(np.arange(COUNT) < 20 * SAMPLE_RATE, 2 * music(n), both(studio)) for n in range(2)
    ],
    "one channel silent": lambda studio: [both(studio), np.zeros(COUNT, dtype=np.float32)],
    "all silent": lambda studio: np.zeros((2, COUNT), dtype=np.float32),
    "noise on one": lambda studio: [noise(-30), both(studio)],
    "music on one": lambda studio: [music(0), both(studio)],
    "hum on one": lambda studio: [
        0.05 * np.sin(np.arange(COUNT) * 2 * np.pi * 50 / SAMPLE_RATE),
        both(studio),
    ],
    "a guest in opposite phase": lambda studio: [
        studio.people[0] + studio.people[1],
        studio.people[0] - studio.people[1],
    ],
    "a film in 5.1": lambda studio: [
        music(0) + 0.1 * both(studio),
        music(1) + 0.1 * both(studio),
        both(studio),
        np.zeros(COUNT, dtype=np.float32),
        0.3 * in_room(music(0)),
        0.3 * in_room(music(1)),
    ],
    "two languages": lambda studio: studio.monologues[:2],
    "two languages over one background": lambda studio: studio.monologues[1:] + 0.2 * music(0),
    "the interpreter over the speaker": lambda studio: [
        studio.monologues[0],
        np.roll(studio.monologues[1], SAMPLE_RATE) + decibels(-14) * studio.monologues[0],
    ],
    "a microphone, and all that is played": lambda studio: [studio.people[0], both(studio)],
}


@pytest.mark.parametrize("made", NO_PEOPLE.values(), ids=NO_PEOPLE)
def test_no_people(studio: Studio, made: Made) -> None:
    decision = decide(int16(made(studio)))
    assert not decision.separate, decision.why
    assert "\n" not in decision.why


@pytest.mark.parametrize("gain", [0.1, 1.0, 3.0])
def test_loudness_changes_nothing(studio: Studio, gain: float) -> None:
    assert decide(int16(gain * studio.people[:2])).separate
    assert not decide(int16([gain * (both(studio) + 0.5 * music(n)) for n in range(2)])).separate


def test_a_track_that_is_the_sum_of_others_is_the_mix(studio: Studio) -> None:
    """As OBS records: all on the first track, each source on one of its own."""
    tracks = [0.7 * both(studio) + noise(-50, 7), *(studio.people[n] + noise(-60, n) for n in range(3))]
    decision = decide(int16(tracks), ["All", "Anne", "Bob", "Cem"])
    assert decision.separate
    assert (decision.mix, decision.kept) == (0, (1, 2, 3))
    assert "s on Bob alone" in decision.why


def test_a_mixer_that_records_all_it_has(studio: Studio) -> None:
    """A RØDECaster: the mix on two channels, four microphones, and eight for what may be plugged in."""
    jingle = [0.5 * music(n) * (np.arange(COUNT) < 5 * SAMPLE_RATE) for n in range(2)]
    mix = [both(studio) + side for side in jingle]
    microphones = [studio.people[n] + noise(-62, n) for n in range(3)]
    unused = [np.zeros(COUNT, dtype=np.float32)] * 6
    decision = decide(int16([*mix, *microphones, *unused, *jingle]))
    assert decision.separate
    assert {0, 1}.isdisjoint(decision.kept)
    assert {2, 3, 4} <= set(decision.kept)


def test_what_is_there_twice_is_heard_once(studio: Studio) -> None:
    decision = decide(int16([studio.people[0], studio.people[1], 0.5 * studio.people[1]]))
    assert decision.separate
    assert (decision.equal, decision.kept) == (((1, 2),), (0, 1))


def test_silent_tracks_are_kept(studio: Studio) -> None:
    """Who joins late has said nothing yet."""
    decision = decide(int16([studio.people[0], np.zeros(COUNT, dtype=np.float32), studio.people[1]]))
    assert (decision.silent, decision.kept) == ((1,), (0, 1, 2))


# whole files


def test_a_stereo_call(studio: Studio, write_wav: Write, make_media: Write, tmp_path: Path) -> None:
    wav = write_wav(*studio.people[:2], name="call.wav")
    mp3 = make_media("call.mp3", "-i", str(wav), "-ar", "8000", "-b:a", "32k")
    for path in (wav, mp3):
        found = find_sources(str(path), (), "auto", tmp_path)
        assert found.mode == "separate", found.why
        assert [track.channel for track in found.tracks] == [0, 1]
        assert "the left channel alone" in found.why
        heard_as_one = find_sources(str(path), (), "mix", tmp_path)
        assert (heard_as_one.mode, heard_as_one.tracks) == ("mix", ())


def test_a_dozen_microphones_without_a_layout(studio: Studio, write_wav: Write, tmp_path: Path) -> None:
    silence = np.zeros(COUNT, dtype=np.float32)
    path = write_wav(studio.people[0], silence, *[silence] * 8, studio.people[1], silence)
    found = find_sources(str(path), (), "auto", tmp_path)
    assert found.mode == "separate"
    assert "channel 11 alone" in found.why


def test_streams_that_are_people_by_their_titles(
    studio: Studio, write_wav: Write, make_media: Write, tmp_path: Path
) -> None:
    files = [write_wav(studio.people[n], name=f"{n}.wav") for n in range(2)]
    inputs = ("-i", str(files[0]), "-i", str(files[1]), "-map", "0", "-map", "1")
    titles = ("-metadata:s:a:0", "title=Anne", "-metadata:s:a:1", "title=Gaël Duez")
    found = find_sources(str(make_media("two.mkv", *inputs, *titles, "-c:a", "aac")), (), "auto", tmp_path)
    assert [track.name for track in found.tracks] == ["Anne", "Gaël Duez"]
    assert found.why.endswith("s on Gaël Duez alone")


def test_a_noise_track_first_is_no_person(speech: Path, make_media: Write, tmp_path: Path) -> None:
    inputs = (
        "-f",
        "lavfi",
        "-i",
        "anoisesrc=d=30:a=0.05:r=16000",
        "-i",
        str(speech),
        "-map",
        "0",
        "-map",
        "1",
    )
    found = find_sources(str(make_media("two.mka", *inputs, "-c:a", "flac")), (), "auto", tmp_path)
    assert (found.mode, found.tracks) == ("mix", ())
    assert found.mix is not None
    assert found.mix.stream is None
    assert "track 2 alone" in found.why


def test_two_who_speak_at_once_on_unrelated_channels_are_people(shared: Path) -> None:
    path = shared / "conversations" / "faster_whisper" / "stereo_diarization.flac"
    signals = read_signals(tracks_in(path, path.parent).tracks)
    assert decide(signals, channels=True).separate
    assert not decide(signals).separate
    apart = np.stack([signals[0], (signals[1] * 0.9 + signals[0] * 0.3).astype(np.int16)])
    assert not decide(apart, channels=True).separate
