"""How the names of files with sound end, in small letters."""

from __future__ import annotations

# fmt: off
AUDIO_EXTENSIONS = frozenset((
    ".aac", ".ac3", ".aif", ".aiff", ".amr", ".ape", ".au", ".caf", ".ds2", ".dsf", ".dss", ".dts", ".eac3", ".flac",
    ".g722", ".gsm", ".m4a", ".m4b", ".mka", ".mp2", ".mp3", ".mpga", ".nist", ".oga", ".ogg", ".oma", ".opus", ".qcp",
    ".ra", ".snd", ".sph", ".spx", ".tta", ".voc", ".w64", ".wav", ".weba", ".wma", ".wv",
))
VIDEO_EXTENSIONS = frozenset((
    ".3g2", ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf",
    ".nut", ".ogm", ".ogv", ".rm", ".rmvb", ".ts", ".vob", ".webm", ".wmv",
))
# fmt: on
