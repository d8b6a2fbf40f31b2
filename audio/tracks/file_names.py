"""Whose track a file is, by its name, as recording services and recorders give it.

To teach another service, add its pattern to `NAMINGS`, or words that it writes beside the name to `NOISE`.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from audio.media.extensions import AUDIO_EXTENSIONS, VIDEO_EXTENSIONS

EXTENSIONS = AUDIO_EXTENSIONS | VIDEO_EXTENSIONS


@dataclass(frozen=True, slots=True)
class Naming:
    """How a service names its files: without a group `name` they tell of nobody.

    run_together: the words of a name are written without spaces.
    """

    service: str
    pattern: re.Pattern[str]
    run_together: bool = False


def _naming(service: str, pattern: str, *, run_together: bool = False) -> Naming:
    return Naming(service, re.compile(pattern, re.IGNORECASE), run_together)


NAMINGS = (
    # audioAnneCurrie21234567890.m4a, in "Audio Record"
    _naming("Zoom meetings", r"audio_?(?P<name>\D+?)\d{6,}", run_together=True),
    # riverside_anne_currie_raw-audio_green_io_0012.wav: the studio's name, and which of its sessions
    _naming(
        "Riverside", r"(?:riverside_)?(?P<name>.+?)[_-](?:raw|synced|hq|lq)-(?:audio|video)[a-z-]*_.+_\d{4}.*"
    ),
    # 1-anne.currie_1234.flac: a Discord user by the order of joining, with the discriminator of older names
    _naming("Craig", r"\d{1,3}-(?P<name>[^\s-]+?)(?:[_#]\d{1,4})?"),
    # ZOOM0001_Tr1.WAV, 260721_194345_TrMic.WAV, STE-000.wav, MONO-001.wav, 4CH-000I.wav
    _naming("Zoom recorders", r"(?:.*_)?Tr(?:\d+|LR|Mic)|(?:STE|MONO|MIX|\dCH)-\d+[a-z]?(?:-\d+)?"),
    # TASCAM_0001_2.wav
    _naming("Tascam", r"TASCAM_\d+.*"),
    # 1763152299562-12f0b87c-97d4-4dd3-a65c-cee1f854a79c-cam-audio-1763152314582.webm
    _naming("Daily", r"\d{13}-[0-9a-f-]{36}-.*"),
    # A title that OBS gives a track by itself
    _naming("OBS", r"simple_\w*recording\w*"),
)

# Words beside a name, wherever they stand.
# fmt: off
NOISE = frozenset((
    "raw", "audio", "video", "mic", "mics", "microphone", "mikrofon", "micro", "mikro", "track", "tracks", "spur",
    "tonspur", "piste", "pista", "channel", "kanal", "canal", "ch", "host", "cohost", "guest", "gast", "invité",
    "invitado", "ospite", "final", "edited", "edit", "wav", "flac", "mp3", "m4a", "aac", "ogg", "opus", "mp4", "mov",
    "recording", "recorded", "record", "rec", "aufnahme", "enregistrement", "grabación", "local", "remote", "cfr",
    "vfr", "backup", "left", "right", "links", "rechts", "stereo", "mono", "synced", "aligned", "hq", "lq", "hd",
    "stem", "stems", "export", "bounce", "isolated", "iso", "session", "speaker", "webcam", "camera", "screen",
    "screenshare", "podcast", "episode", "ep", "folge", "copy", "kopie", "untitled", "denoised", "processed",
    "enhanced", "normalized", "normalised", "compressed", "riverside", "riversidefm", "zencastr", "squadcast",
    "cleanfeed", "streamyard", "ringr", "discord", "skype", "zoom", "tascam", "rodecaster", "rødecaster", "audacity",
    "reaper", "obs", "interview",
))
# What is no name where nothing else is left.
ALONE = frozenset((
    "music", "musik", "musique", "música", "game", "desktop", "system", "browser", "commentary", "intro", "outro",
    "jingle", "jingles", "sfx", "sounds", "sound", "effects", "soundboard", "pads", "all", "both", "room", "ambience",
    "phone", "telephone", "caller", "call", "usb", "bluetooth", "aux", "line", "input", "output", "in", "out", "voice",
    "voices", "vox", "vocal", "vocals", "clean", "noise", "main", "new", "test", "unknown", "default", "take", "part",
    "cam", "me", "you", "other", "others", "english", "deutsch", "german", "français", "french", "español", "spanish",
    "italiano", "italian", "português", "portuguese", "nederlands", "dutch", "japanese", "chinese", "original", "l",
    "r", "a", "b", "the", "and", "i", "ii", "only",
))
MIXES = frozenset((
    "mix", "mixed", "mixdown", "premix", "downmix", "fullmix", "master", "mastered", "combined", "composed", "merged",
    "everyone", "trlr",
))
PARTICLES = frozenset((
    "al", "and", "bin", "da", "de", "del", "den", "der", "di", "du", "e", "et", "ibn", "la", "ten", "ter", "und", "van",
    "von", "y",
))
# fmt: on
_MIX = re.compile(r"audio_only(_\d+)?|(audio|video)\d{6,}|zoom_\d+|gmt\d+-\d+_recording.*", re.IGNORECASE)
_NOISY = re.compile(
    r"\d+([.:]\d+)*|\d+(k|khz|hz|bit|kbps|ch|fps|p|x\d+|st|nd|rd|th)|gmt[\d+-]*|\d{8}t\d{4,6}z?|s\d+e\d+"
    r"|(v|tr|ch|mic|track|ep|episode|part|pt|take|zoom|rec|audio|input|channel|guest|host|speaker|stem|usb|phone)\d+\w?"
    r"|(?=\D*\d)[0-9a-f]{8,}"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_GAP = r"[\s_.,-]+"
_DATE = re.compile(
    rf"(?<![^\W_])(?:\d{{1,2}}{_GAP}{_MONTH}{_GAP}\d{{2,4}}|{_MONTH}{_GAP}\d{{1,2}}{_GAP}\d{{2,4}})(?![^\W_])"
    rf"|\d{_GAP}?[ap]m(?![^\W_])",
    re.IGNORECASE,
)
_EDGES = " \t'\"-–—:!#~*"


def is_mix(file_name: str) -> bool:
    """Whether a file holds all people together, by its name.

    >>> [is_mix(name) for name in ("audio_only.m4a", "green-io-12-mix.wav", "ZOOM0001_TrLR.WAV", "anne.wav")]
    [True, True, True, False]
    """
    stem = _stem(file_name)
    return bool(_MIX.fullmatch(stem)) or not MIXES.isdisjoint(re.split(r"[\W_]+", stem.casefold()))


def naming_of(file_name: str) -> str:
    """Which service or recorder names files like this one; "" for none that is known."""
    stem = _stem(file_name)
    return next((naming.service for naming in NAMINGS if naming.pattern.fullmatch(stem)), "")


def person_in(title: str) -> str:
    """The person whom the name of a file, or the title of a track, tells of; "" for nobody.

    >>> person_in("anne-currie-raw_0001.wav"), person_in("Guest (Gaël Duez)"), person_in("TRACK1")
    ('Anne Currie', 'Gaël Duez', '')
    """
    return people_in([title])[0]


def people_in(file_names: Sequence[str]) -> list[str]:
    """The person whom each of the files of one recording tells of: `person_in`, less what all names share.

    What all begin or end with is the show or the day. A last word that is shared may be a family's.

    >>> people_in(["green-io-12-anne.wav", "green-io-12-gaël-duez.wav"])
    ['Anne', 'Gaël Duez']
    """
    words = [_words(_stem(name)) for name in file_names]
    if len(words) > 1 and all(words):
        words = _without_shared(words)
    return [_name(left) for left in words]


def _stem(file_name: str) -> str:
    # Names that come from a Mac have their accents as characters of their own.
    name = unicodedata.normalize("NFC", file_name)
    stem, extension = os.path.splitext(name)  # noqa: PTH122  (titles are no paths: "Mic/Aux")
    return stem if extension.lower() in EXTENSIONS else name


def _words(stem: str) -> list[str]:
    """What of a name may be a person's, words with hyphens in one piece."""
    for naming in NAMINGS:
        if found := naming.pattern.fullmatch(stem):
            stem = found.groupdict().get("name") or ""
            if naming.run_together:
                stem = re.sub(r"(?<=[^\W\d_])(?<!Mc)(?<!Mac)(?=[A-ZÀ-ÖØ-Þ][^\W\d_A-Z])", " ", stem)
            break
    pieces = re.split(r"[\s_.+,;()\[\]{}]+", _DATE.sub(" ", stem))
    return [kept for piece in pieces if (kept := _without_noise(piece))]


def _without_noise(piece: str) -> str:
    kept = [part for part in re.split(r"[-–—/]", piece) if not _is_noise(part.strip(_EDGES).casefold())]
    return "-".join(part.strip(_EDGES) for part in kept).strip(_EDGES)


def _is_noise(word: str) -> bool:
    return not word or word in NOISE or bool(_NOISY.fullmatch(word))


def _without_shared(names: list[list[str]]) -> list[list[str]]:
    """Names as lists of words, less the words that all begin and end with, where something is left of each."""
    split = [[word for piece in name for word in piece.split("-")] for name in names]
    first = _shared(split)
    last = _shared([name[first:][::-1] for name in split])
    if last == 1:
        last = 0
    if first + last == 0 or min(map(len, split)) <= first + last:
        return names
    return [name[first : len(name) - last] for name in split]


def _shared(names: list[list[str]]) -> int:
    """How many words all names begin with."""
    columns = zip(*names, strict=False)
    return len(list(takewhile(lambda column: len({word.casefold() for word in column}) == 1, columns)))


def _name(words: list[str]) -> str:
    if len(words) == 1:  # the hyphens are in place of spaces
        words = words[0].split("-")
    while words and "&" in (words[0], words[-1]):
        words.remove("&")
    if all(word.casefold() in ALONE for word in words):
        return ""
    shouted = sum(map(len, words)) > 3 and all(word.isupper() for word in words)
    return " ".join(_cased(word.lower() if shouted else word, first=i == 0) for i, word in enumerate(words))


def _cased(word: str, *, first: bool) -> str:
    """A word as names are written, unless it has its own case.

    >>> [_cased(word, first=False) for word in ("gaël", "jean-luc", "van", "McDonald", "iJustine")]
    ['Gaël', 'Jean-Luc', 'van', 'McDonald', 'iJustine']
    """
    if word != word.lower() or (not first and word in PARTICLES):
        return word
    return "-".join(part[:1].upper() + part[1:] for part in word.split("-"))
