"""Sessions with a track a person, whose words, turns and clocks are known: what `tests.bench.tracks` and tests hear.

Readers of LibriSpeech talk to each other (`talk`), microphones of a room or of remote callers hear them (`room`,
`remote`), recorders have clocks of their own (`Clock`), and somebody edits the mix (`edit`). SESSIONS has the cases by
name, `session` makes one of them: a few files in a folder, the same ones for the same seed.
"""

from __future__ import annotations

import json
import random
import subprocess
import wave
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from audio.media import ffmpeg
from models.record.spans import Span, union
from models.record.transcript import TrackPiece, Turn
from models.runtime.samples import SAMPLE_RATE
from tests import sounds
from tests.bench.composed_talk import asides, cut, heard, levelled, readings, utterances
from tests.models.channels import telephone
from tests.models.conftest import SHARED, read_audio

Samples = NDArray[np.float32]
Voices = Mapping[str, Samples]  # (samples,) at 16 kHz by person or microphone, all of one length

CHOSEN_ON, HELD_OUT = ("1688", "1998", "2033"), ("2414", "2609", "3005")
DESCRIPTION = "session.json"
SECONDS = 180.0  # of a session, before it is edited
GAP = (0.15, 0.9)  # seconds between turns
MARGIN = 1.0  # seconds before the first word and after the last
FLOOR = 10 ** (
    -38 / 20
)  # of the loudest 10 ms of an utterance: what is louder is speech, as in compose_episode.py
MERGED_PAUSE = 0.3  # seconds
PEAK = 0.9  # of a mix, at most
HISS = 0.0005  # of a microphone, root mean square
LOUDNESS = 3.0  # dB by which a person is louder or softer than others, at most
GATE = (0.004, 0.15)  # root mean square that opens a noise gate, and the seconds for which it stays open
INTRO = 20.0  # seconds
CUT = 60.0  # seconds that an editor leaves out
SHORTENED = (0.5, 0.3)  # pauses longer than the first are as long as the second, in seconds


@dataclass(frozen=True)
class Said:
    """What a person says from `start` on, in seconds: (samples,) at 16 kHz, and its words."""

    start: float
    person: str
    samples: Samples
    text: str

    @property
    def end(self) -> float:
        """Seconds."""
        return self.start + len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True)
class Manner:
    """How people talk, as shares of turns.

    overlaps: begin so many seconds (`early`) before the last one ends; together: another begins with them and stops
    after some words; back_channels: the listener says a word or two meanwhile. The last two need Whisper's base model.
    """

    overlaps: float = 0.0
    early: tuple[float, float] = (0.3, 1.0)
    together: float = 0.0
    back_channels: float = 0.0


@dataclass(frozen=True)
class Clock:
    """A recorder's: begun at `start` (seconds of the session), too fast by `drift_ppm`; `lost` is missing."""

    start: float = 0.0
    drift_ppm: float = 0.0
    lost: Span | None = None

    @property
    def rate(self) -> float:
        """Seconds of the track for one of the session."""
        return 1 + self.drift_ppm * 1e-6


@dataclass(frozen=True)
class Kept:
    """A stretch of the session that is in the mix, from `at` on; seconds."""

    start: float
    end: float
    at: float


@dataclass(frozen=True)
class Track:
    """A file of one channel, who speaks in it (bleed apart), and where it lies; nobody and nowhere if it is no part."""

    file: str
    people: tuple[str, ...]
    places: tuple[TrackPiece, ...]


@dataclass(frozen=True)
class Session:
    """Tracks by name, and their mix, in a folder; truth is in the mix's time.

    `stereo` holds the tracks as channels. `given` says what a user has of it: the tracks alone, the mix as well, or
    the file with channels. `seconds` is the mix's length.
    """

    folder: Path
    tracks: Mapping[str, Track]
    given: str
    seconds: float
    mix: str = "mix.wav"
    stereo: str = ""

    @property
    def rttm(self) -> Path:
        """The turns."""
        return self.folder / "truth.rttm"

    @property
    def stm(self) -> Path:
        """The words, a line an utterance."""
        return self.folder / "truth.stm"

    def path(self, name: str) -> Path:
        """The file of a track."""
        return self.folder / self.tracks[name].file

    def clean(self, person: str) -> Path:
        """A person's voice as it left the mouth, in the mix's time."""
        return self.folder / f"clean-{person}.wav"


def talk(people: Sequence[str], seconds: float, manner: Manner, seed: int) -> list[Said]:
    """So many seconds of talk, in order of time; nobody talks over themselves."""
    dice = random.Random(seed)
    decks: dict[str, list[int]] = {person: [] for person in people}
    said = list[Said]()
    end, speaker, free = MARGIN, "", dict.fromkeys(people, 0.0)

    def say(start: float, person: str, samples: Samples, text: str) -> None:
        said.append(Said(start, person, samples, text))
        free[person] = said[-1].end + GAP[0]

    while end < seconds:
        before, speaker = speaker, dice.choice([each for each in people if each != speaker])
        for number in range(dice.choice((1, 1, 2))):
            deck = decks[speaker] or dice.sample(range(len(utterances(speaker))), len(utterances(speaker)))
            samples, text = utterances(speaker)[deck.pop()]
            decks[speaker] = deck
            interrupts = bool(before) and not number and dice.random() < manner.overlaps
            start = end - dice.uniform(*manner.early) if interrupts else end + dice.uniform(*GAP)
            start = max(start, free[speaker], MARGIN)
            others = [each for each in people if each != speaker and free[each] < start]
            if others and not number and not interrupts and dice.random() < manner.together:
                other = dice.choice(others)
                begun = cut(dice.choice(readings(other)), 0, dice.randint(1, 3))
                say(start, other, begun.samples, " ".join(word.text for word in begun.words))
                start += dice.uniform(0.0, 0.2)
            say(start, speaker, samples, text)
            length = said[-1].end - start
            listeners = [each for each in people if each != speaker and free[each] < start + length / 4]
            if listeners and length > 6 and dice.random() < manner.back_channels:
                listener = dice.choice(listeners)
                word = dice.choice(asides(listener))
                at = start + length * dice.uniform(0.3, 0.6)
                say(at, listener, word.samples, " ".join(each.text for each in word.words))
            end = max(end, start + length)
    return sorted(said, key=lambda one: one.start)


def voices(people: Sequence[str], said: Sequence[Said], seed: int) -> dict[str, Samples]:
    """What each person says, as it leaves the mouth: some are louder than others."""
    dice = np.random.default_rng((seed, 1))
    length = round((max(one.end for one in said) + MARGIN) * SAMPLE_RATE)
    return {
        person: _alone(person, said, length) * _ratio(dice.uniform(-LOUDNESS, LOUDNESS)) for person in people
    }


def _alone(person: str, said: Sequence[Said], length: int) -> Samples:
    sound = np.zeros(length, np.float32)
    for one in said:
        if one.person == person:
            first = round(one.start * SAMPLE_RATE)
            sound[first : first + len(one.samples)] += one.samples
    return sound


def room(spoken: Voices, bleed_db: float, seed: int) -> dict[str, Samples]:
    """What the microphone of each person hears in one room: the others `bleed_db` lower and up to 20 ms later."""
    dice = np.random.default_rng((seed, 2))
    decay = float(dice.uniform(0.3, 0.6))
    recorded = {}
    for own in spoken:
        sound = HISS * dice.standard_normal(len(spoken[own])).astype(np.float32)
        for person, voice in spoken.items():
            delay, direct_db, level = (0.0, 15.0, 0.0)
            if person != own:
                delay, direct_db, level = float(dice.uniform(0.003, 0.02)), 0.0, bleed_db
            path = _ratio(level) * _response(decay, delay, direct_db, dice)
            sound += signal.oaconvolve(voice, path)[: len(sound)].astype(np.float32)
        recorded[own] = sound
    return recorded


def _response(decay: float, delay: float, direct_db: float, dice: np.random.Generator) -> NDArray[np.float64]:
    """An impulse response of unit energy: sound that comes straight after `delay`, then a tail of noise.

    The tail dies away by 60 dB in `decay` seconds and is `direct_db` under what comes straight.
    """
    times = np.arange(round(decay * SAMPLE_RATE)) / SAMPLE_RATE
    tail = dice.standard_normal(len(times)) * 10.0 ** (-3.0 * times / decay)
    tail *= _ratio(-direct_db) / np.linalg.norm(tail)
    tail[0] = 1.0
    return np.concatenate([np.zeros(round(delay * SAMPLE_RATE)), tail / np.linalg.norm(tail)])


def remote(spoken: Voices, seed: int, noises: Mapping[str, Callable[[Samples, int], Samples]]) -> Voices:
    """What each person's own computer recorded: nobody else, digital silence between words, some with `noises`."""
    return {
        person: noises.get(person, _untouched)(_gated(voice), seed + number)
        for number, (person, voice) in enumerate(spoken.items())
    }


def _untouched(sound: Samples, _: int) -> Samples:
    return sound


def _gated(sound: Samples) -> Samples:
    threshold, hold = GATE
    hop = SAMPLE_RATE // 100
    level = np.sqrt(np.mean(np.square(sound[: len(sound) // hop * hop].reshape(-1, hop)), axis=1))
    reach = np.ones(2 * round(100 * hold) + 1)
    is_open = np.repeat(np.convolve(level > threshold, reach, "same") > 0, hop)
    return sound * np.pad(is_open, (0, len(sound) - len(is_open)))


def keyboard(sound: Samples, seed: int) -> Samples:
    """The sound with somebody typing beside it: some strokes a second, for seconds at a time."""
    dice = np.random.default_rng((seed, 3))
    typed, length = sound.copy(), SAMPLE_RATE // 30
    for begun in np.arange(2.0, len(sound) / SAMPLE_RATE - 6, 12.0):
        for at in begun + np.cumsum(dice.uniform(0.1, 0.3, 20)):
            stroke = dice.standard_normal(length) * np.exp(-np.arange(length) / (0.004 * SAMPLE_RATE))
            first = round(at * SAMPLE_RATE)
            typed[first : first + length] += (dice.uniform(0.02, 0.08) * stroke).astype(np.float32)
    return typed


def breath(sound: Samples, seed: int) -> Samples:
    """The sound with breaths of half a second, as loud as soft speech."""
    dice = np.random.default_rng((seed, 4))
    band = signal.butter(2, (500.0, 3000.0), "band", fs=SAMPLE_RATE, output="sos")
    length = SAMPLE_RATE // 2
    breathed = sound.copy()
    for at in np.arange(1.0, len(sound) / SAMPLE_RATE - 2, 5.0) + dice.uniform(0, 1):
        air = signal.sosfilt(band, dice.standard_normal(length)) * np.hanning(length)
        first = round(at * SAMPLE_RATE)
        breathed[first : first + length] += (0.01 * air / np.sqrt(np.mean(np.square(air)))).astype(np.float32)
    return breathed


def uneven(recorded: Voices, seed: int, spread_db: float = 15.0) -> dict[str, Samples]:
    """The same tracks, one of them recorded `spread_db` lower than another, the others between."""
    dice = np.random.default_rng((seed, 5))
    levels = dice.permutation(np.linspace(-spread_db, 0.0, len(recorded)))
    return {
        name: sound * _ratio(level) for (name, sound), level in zip(recorded.items(), levels, strict=True)
    }


def total(recorded: Voices) -> Samples:
    """All microphones in one."""
    mixed: Samples = np.sum(list(recorded.values()), axis=0, dtype=np.float32)
    return mixed


def edit(
    said: Sequence[Said], mix: Samples, narrator: str, seed: int, *, shorten: bool
) -> tuple[list[Said], Samples, list[Kept]]:
    """The talk as published: an intro that `narrator` reads over music, a minute left out, pauses shortened or not."""
    pauses = _pauses(said, len(mix) / SAMPLE_RATE)
    left_out = [_minute(pauses)]
    if shorten:
        longest, rest = SHORTENED
        left_out += [
            Span(pause.start + rest / 2, pause.end - rest / 2) for pause in pauses if pause.duration > longest
        ]
    intro, music = _intro(narrator, seed)
    kept, at, start = list[Kept](), INTRO, 0.0
    for gap in [*union(left_out), Span(len(mix) / SAMPLE_RATE, len(mix) / SAMPLE_RATE)]:
        kept.append(Kept(start, gap.start, at))
        at, start = at + gap.start - start, gap.end
    parts = [mix[round(one.start * SAMPLE_RATE) : round(one.end * SAMPLE_RATE)] for one in kept]
    moved = [
        replace(one, start=one.start - k.start + k.at)
        for one in said
        for k in kept
        if k.start <= one.start and one.end <= k.end
    ]
    return [*intro, *moved], np.concatenate([music, *parts]), kept


def _pauses(said: Sequence[Said], seconds: float) -> list[Span]:
    spoken = union([Span(one.start, one.end) for one in said])
    return [
        Span(one.end, other.start) for one, other in pairwise([Span(0, 0), *spoken, Span(seconds, seconds)])
    ]


def _minute(pauses: Sequence[Span]) -> Span:
    """From the middle of a pause, a third into the session, to that of another."""
    middles = [_middle(pause) for pause in pauses[1:-1]]
    start = min(middles, key=lambda at: abs(at - pauses[-1].end / 3))
    return Span(start, min(middles, key=lambda at: abs(at - start - CUT)))


def _middle(span: Span) -> float:
    return (span.start + span.end) / 2


def _intro(narrator: str, seed: int) -> tuple[list[Said], Samples]:
    music = 0.3 * sounds.music(INTRO, seed)
    said, end = list[Said](), 3.0
    for samples, text in utterances(narrator):
        if end + len(samples) / SAMPLE_RATE < INTRO - 1:
            said.append(Said(end, narrator, samples, text))
            end = said[-1].end + 0.5
    for one in said:
        first = round(one.start * SAMPLE_RATE)
        music[first : first + len(one.samples)] += one.samples
    return said, music


def recorded(sound: Samples, clock: Clock) -> Samples:
    """What a recorder with this clock has of a sound of the session."""
    lost = clock.lost or Span(0.0, 0.0)
    first, last = (round(at * SAMPLE_RATE) for at in (lost.start, lost.end))
    rest = np.concatenate([sound[:first], sound[last:]])
    count = int((len(rest) / SAMPLE_RATE - clock.start) * clock.rate * SAMPLE_RATE)
    at = clock.start * SAMPLE_RATE + np.arange(count) / clock.rate
    fine = signal.resample_poly(rest, 4, 1)  # between whose samples a straight line is good enough
    kept: Samples = np.interp(4 * at, np.arange(len(fine)), fine, left=0.0, right=0.0).astype(np.float32)
    return kept


def places(clock: Clock, kept: Sequence[Kept]) -> tuple[TrackPiece, ...]:
    """Where the mix lies in a track of this clock."""
    lost = clock.lost or Span(kept[-1].end, kept[-1].end)
    covered = ((clock.start, lost.start, clock.start), (lost.end, kept[-1].end, clock.start + lost.duration))
    found = []
    for one in kept:
        for first, last, shift in covered:
            start, end = max(one.start, first), min(one.end, last)
            if start < end:
                offset = (one.start - one.at - shift) * clock.rate
                found.append(
                    TrackPiece(start - one.start + one.at, end - one.start + one.at, offset, clock.drift_ppm)
                )
    return tuple(found)


def clocks(people: Sequence[str], said: Sequence[Said], seed: int) -> dict[str, Clock]:
    """Recorders begun up to 4 s early or late, up to 100 ppm off; one of them loses some of its person's silence."""
    dice = np.random.default_rng((seed, 6))
    drifts = dice.permutation([-100.0, 100.0, *dice.uniform(-100, 100, len(people))])[: len(people)]
    made = {
        person: Clock(float(dice.uniform(-4, 4)), float(drift))
        for person, drift in zip(people, drifts, strict=True)
    }
    unlucky = people[int(dice.integers(len(people)))]
    silent = _pauses([one for one in said if one.person == unlucky], said[-1].end)
    longest = max(silent, key=lambda pause: pause.duration)
    half = min(float(dice.uniform(0.3, 3.0)), longest.duration / 2) / 2
    made[unlucky] = replace(made[unlucky], lost=Span(_middle(longest) - half, _middle(longest) + half))
    return made


def write(
    folder: Path,
    said: Sequence[Said],
    tracks: Voices,
    mix: Samples,
    *,
    given: str = "tracks and mix",
    kept: Sequence[Kept] = (),
    of: Mapping[str, Clock] | None = None,
    people: Mapping[str, tuple[str, ...]] | None = None,
) -> Session:
    """The files of a session. `of` has clocks and `people` the speakers of tracks that hold more or less than one."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = (Kept(0.0, len(mix) / SAMPLE_RATE, 0.0),)
    described = {}
    for name, sound in tracks.items():
        clock = (of or {}).get(name, Clock())
        speakers = (people or {}).get(name, (name,))
        file = f"track-{name}.wav"
        write_wav(folder / file, recorded(sound, clock))
        described[name] = Track(file, speakers, places(clock, kept or whole) if speakers else ())
    write_wav(folder / "mix.wav", mix * min(1.0, PEAK / float(np.abs(mix).max())))
    made = Session(folder, described, given, len(mix) / SAMPLE_RATE)
    for person in {one.person for one in said}:
        write_wav(made.clean(person), _alone(person, said, len(mix)))
    made.rttm.write_text(
        "".join(
            f"SPEAKER mix 1 {t.start:.3f} {t.duration:.3f} <NA> <NA> {t.speaker} <NA> <NA>\n"
            for t in turns(said)
        )
    )
    made.stm.write_text(
        "".join(f"mix 1 {one.person} {one.start:.3f} {one.end:.3f} {one.text}\n" for one in said)
    )
    return made


def turns(said: Sequence[Said]) -> list[Turn]:
    """Where each person is heard, in order."""
    found = []
    for person in dict.fromkeys(one.person for one in said):
        spans = [
            Span(one.start + span.start, one.start + span.end)
            for one in said
            if one.person == person
            for span in heard(one.samples, FLOOR)
        ]
        found += [Turn(span.start, span.end, person) for span in union(spans, MERGED_PAUSE)]
    return sorted(found)


def write_wav(path: Path, sound: Samples, rate: int = SAMPLE_RATE) -> None:
    """(samples,) or (samples, channels) as 16-bit WAV; what is over full scale is clipped."""
    with wave.open(str(path), "wb") as out:
        out.setparams((1 if sound.ndim == 1 else sound.shape[1], 2, rate, 0, "NONE", ""))
        out.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def in_a_room(
    folder: Path,
    people: Sequence[str],
    seed: int,
    seconds: float = SECONDS,
    *,
    bleed_db: float = -20.0,
    manner: Manner = Manner(overlaps=0.2),
) -> Session:
    """A microphone each in one room, of levels up to 15 dB apart."""
    said = talk(people, seconds, manner, seed)
    taken = room(voices(people, said, seed), bleed_db, seed)
    return write(folder, said, uneven(taken, seed), total(taken))


def remotely(folder: Path, people: Sequence[str], seed: int, seconds: float = SECONDS) -> Session:
    """Clean tracks through a noise gate, without a mix; one of them types, one breathes."""
    said = talk(people, seconds, Manner(overlaps=0.2), seed)
    noises = dict(zip(people[1:], (keyboard, breath), strict=False))
    taken = remote(voices(people, said, seed), seed, noises)
    return write(folder, said, taken, total(taken), given="tracks")


def adrift(folder: Path, people: Sequence[str], seed: int, seconds: float = SECONDS) -> Session:
    """A room whose recorders begin apart, run at their own speed, and lose a piece."""
    said = talk(people, seconds, Manner(overlaps=0.2), seed)
    taken = room(voices(people, said, seed), -20.0, seed)
    return write(folder, said, uneven(taken, seed), total(taken), of=clocks(people, said, seed))


def edited(
    folder: Path, people: Sequence[str], seed: int, seconds: float = SECONDS, *, shorten: bool = False
) -> Session:
    """All but the last of the people in a call, the last one reads the intro of its mix: an MP3, compressed."""
    *talkers, narrator = people
    said = talk(talkers, seconds, Manner(overlaps=0.2), seed)
    taken = remote(voices(talkers, said, seed), seed, {})
    told, mix, kept = edit(said, total(taken), narrator, seed, shorten=shorten)
    made = write(folder, told, taken, mix, kept=kept, of=clocks(talkers, said, seed))
    filters = "acompressor=threshold=0.05:ratio=3:makeup=2,volume=-3dB"
    command = [
        ffmpeg.executable(),
        "-v",
        "error",
        "-y",
        "-i",
        "mix.wav",
        "-af",
        filters,
        "-b:a",
        "96k",
        "mix.mp3",
    ]
    subprocess.run(command, cwd=folder, check=True)
    (folder / "mix.wav").unlink()
    return replace(made, mix="mix.mp3")


def with_a_couple(folder: Path, people: Sequence[str], seed: int, seconds: float = SECONDS) -> Session:
    """The first has a microphone alone, the other two share one."""
    said = talk(people, seconds, Manner(overlaps=0.2), seed)
    taken = room(voices(people, said, seed), -20.0, seed)
    host, *couple = people
    tracks = {host: taken[host], "couple": total({one: taken[one] for one in couple})}
    return write(folder, said, uneven(tracks, seed), total(tracks), people={"couple": tuple(couple)})


def troubled(folder: Path, people: Sequence[str], seed: int, seconds: float = SECONDS) -> Session:
    """Two people, the second clipped; and a silent third one, the first track once more, and one of elsewhere."""
    talkers = people[:2]
    said = talk(talkers, seconds, Manner(overlaps=0.2), seed)
    spoken = voices(talkers, said, seed)
    taken = room({**spoken, "silent": np.zeros_like(total(spoken))}, -20.0, seed)
    mix = total(taken)
    speech = levelled(read_audio(SHARED / "read_speech" / "jfk" / "jfk.flac"))
    tracks = {
        talkers[0]: taken[talkers[0]],
        talkers[1]: taken[talkers[1]] * _ratio(12.0) / np.abs(taken[talkers[1]]).max(),
        "silent": taken["silent"],
        "copy": taken[talkers[0]],
        "foreign": np.resize(np.pad(speech, (0, 2 * SAMPLE_RATE)), len(mix)),
    }
    return write(folder, said, tracks, mix, people=dict.fromkeys(("silent", "copy", "foreign"), ()))


def on_channels(
    folder: Path,
    people: Sequence[str],
    seed: int,
    seconds: float = SECONDS,
    *,
    manner: Manner = Manner(overlaps=1.0, early=(1.0, 1.0)),
    line: Callable[[Samples], Samples] | None = None,
    side_tone_db: float = -120.0,
) -> Session:
    """Two people on the channels of a stereo file, each of whom begins before the other ends; over a `line`."""
    talkers = people[:2]
    said = talk(talkers, seconds, manner, seed)
    own, other = voices(talkers, said, seed).values()
    channels = [own + _ratio(side_tone_db) * other, other + _ratio(side_tone_db) * own]
    tracks = dict(zip(talkers, map(line, channels) if line else channels, strict=True))
    made = write(folder, said, tracks, total(tracks), given="channels")
    step = 2 if line else 1  # a line of 8 kHz
    stereo = np.stack(list(tracks.values()), axis=1)[::step]
    write_wav(folder / "channels.wav", stereo, SAMPLE_RATE // step)
    return replace(made, stereo="channels.wav")


LIVELY = Manner(overlaps=0.3, early=(1.0, 3.0), together=0.15, back_channels=0.4)
Maker = Callable[[Path, Sequence[str], int, float], Session]
SESSIONS: Mapping[str, Maker] = {
    "remote": remotely,
    "room -30 dB": partial(in_a_room, bleed_db=-30.0),
    "room -20 dB": in_a_room,
    "room -12 dB": partial(in_a_room, bleed_db=-12.0),
    "room -6 dB": partial(in_a_room, bleed_db=-6.0),
    "lively": partial(in_a_room, manner=LIVELY),
    "adrift": adrift,
    "edited": edited,
    "tightened": partial(edited, shorten=True),
    "couple": with_a_couple,
    "troubled": troubled,
    "interrupting": on_channels,
    "telephone": partial(on_channels, manner=LIVELY, line=telephone, side_tone_db=-20.0),
}


def session(
    kind: str, folder: Path, people: Sequence[str] = CHOSEN_ON, seed: int = 1, seconds: float = SECONDS
) -> Session:
    """The session of SESSIONS in a folder; made once."""
    if not (folder / DESCRIPTION).exists():
        save(SESSIONS[kind](folder, people, seed, seconds))
    return load(folder)


def save(made: Session) -> None:
    """Describe a session in its folder, for `load`."""
    told = asdict(made)
    del told["folder"]
    (made.folder / DESCRIPTION).write_text(json.dumps(told))


def load(folder: Path) -> Session:
    """The session that was made in a folder."""
    told = json.loads((folder / DESCRIPTION).read_text())
    tracks = {
        name: Track(one["file"], tuple(one["people"]), tuple(TrackPiece(**place) for place in one["places"]))
        for name, one in told.pop("tracks").items()
    }
    return Session(folder=folder, tracks=tracks, **told)
