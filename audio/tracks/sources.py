"""Where the tracks of a recording are: files that are named, in a folder, in a zip, or streams or channels of a file.

`find_sources` is the way in: it says which tracks there are, whose they are by their names, which of the files holds
all people together, and whether the streams or channels of a single file are people at all.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Literal

from audio.media import ffmpeg
from audio.media.extensions import AUDIO_EXTENSIONS, VIDEO_EXTENSIONS
from audio.media.tracks import choose_track
from audio.tracks import archive
from audio.tracks.checks import much_shorter
from audio.tracks.decision import decide
from audio.tracks.file_names import is_mix, people_in
from audio.tracks.signals import read_signals
from models.record.errors import InputError

Mode = Literal["separate", "mix"]

IN_PROJECTS = {".au", ".snd"}  # Audacity keeps a project in hundreds of them
EXTENSIONS = (AUDIO_EXTENSIONS | VIDEO_EXTENSIONS) - IN_PROJECTS
MAX_TRACKS = 32  # of one recording; a folder with more is a collection of recordings
MAX_DEPTH = 3  # folders within the one that is given
MAX_ENTRIES = 10_000  # files in a folder that are looked at

_PART = re.compile(r"\d+\)?$")


@dataclass(frozen=True, slots=True)
class TrackSource:
    """Where a track is.

    name: of whose track it is, "" where unknown. stream: its index among all streams of the file, None for the one that
    is heard by default; channel: None for all of them, mixed down. file: the name of the file as it came, without
    folders, also where `path` is what was unpacked of it. given: whether the user said the name.
    """

    name: str
    path: str
    stream: int | None = None
    channel: int | None = None
    file: str = ""
    given: bool = False

    @property
    def called(self) -> str:
        """What to call it in a message."""
        if self.channel is not None:
            return f"channel {self.channel + 1} of {self.file}"
        return f"{self.name} of {self.file}" if self.stream is not None and self.name else self.file


@dataclass(frozen=True, slots=True)
class FoundTracks:
    """What there is to hear, and in which `mode`.

    separate: `tracks` are people; `mix` is what was published or recorded of all together, where there is such a file.
    mix: `mix` is to be heard as any file is, or where it is None the sum of `tracks`.
    why: in one sentence, "" where nothing had to be decided.
    """

    mode: Mode
    tracks: tuple[TrackSource, ...] = ()
    mix: TrackSource | None = None
    why: str = ""
    warnings: tuple[str, ...] = ()


def is_collection(source: str | os.PathLike[str]) -> bool:
    """Whether SOURCE is a folder or a zip."""
    return Path(source).is_dir() or archive.is_zip(source)


def check_sources(source: str, given: Sequence[str], tracks: str) -> None:
    """Refuse what `find_sources` would refuse, as far as can be told without reading sound; raises InputError.

    source: a path, an address, or "" for none.
    """
    if given:
        if tracks == "mix":
            raise InputError("--track and --tracks mix contradict each other: leave out one of them")
        if source and is_collection(source):
            raise InputError(f"{source} holds tracks, and so does --track: give either")
        given_tracks(given)
    elif not source:
        raise InputError("nothing to hear: give an audio file, the URL of audio or of a feed, or --track")
    elif archive.is_zip(source):
        _checked_files([PurePosixPath(name) for name in archive.names(source) if _is_media(name)], source)
    elif Path(source).is_dir():
        _checked_files(list(_media_below(Path(source))), source)


def find_sources(
    source: str, given: Sequence[str], tracks: str, work: Path, audio_track: str | None = None
) -> FoundTracks:
    """What there is to hear.

    source: the path of a file, folder or zip, "" for none; given: entries of --track; tracks: auto, mix or separate;
    work: the folder that zips are unpacked into; audio_track: as `audio.media.tracks.choose_track` has it, the one of
    several streams that is wanted. Raises InputError.
    """
    if given:
        found = given_tracks(given)
        mix = _whole(source) if source else None
        return _with_warnings(FoundTracks("separate", tuple(found), mix, _count(len(found), "given")))
    if is_collection(source):
        collected = tracks_in(Path(source), work)
        if tracks == "mix":
            heard = () if collected.mix else collected.tracks
            return FoundTracks("mix", heard, collected.mix, "one recording was asked for")
        return _with_warnings(collected)
    if tracks == "mix":
        return FoundTracks("mix", mix=_whole(source), why="one recording was asked for")
    return _within_file(source, audio_track, asked=tracks == "separate")


def given_tracks(given: Sequence[str]) -> list[TrackSource]:
    """The tracks of entries of --track: "Anne Currie=anne.wav", or "anne.wav", whose name tells whose it is.

    InputError: a file that is missing, unreadable, empty or no audio; the same file or the same name twice.
    """
    entries = [_name_and_path(entry) for entry in given]
    unnamed = [Path(path).name for name, path in entries if not name]
    names = iter(people_in(unnamed))
    found = [
        TrackSource(name or next(names), path, file=Path(path).name, given=bool(name))
        for name, path in entries
    ]
    _refuse_more_than(MAX_TRACKS, len(found), "--track")
    _refuse_twins(found, "--track")
    seen: set[str] = set()
    for track in found:
        _check_audio(track)
        if (real := os.path.realpath(track.path)) in seen:
            raise InputError(f"--track has {track.path} twice: each person needs a track")
        seen.add(real)
    return found


def tracks_in(source: Path, work: Path, audio_track: str | None = None) -> FoundTracks:
    """The tracks of a folder or zip, one a file; of a media file its audio streams, or of a single one its channels.

    A file with one stream of one channel has none. Of a zip the files are unpacked into `work`. InputError: no
    audio in it, one file alone, a file that can't be read, several files of one person.
    """
    if source.is_dir():
        paths = sorted(_media_below(source))
        return _of_files([TrackSource("", str(path), file=path.name) for path in paths], paths, str(source))
    if archive.is_zip(source):
        members = archive.unpacked(source, work, _is_media)
        tracks = [TrackSource("", str(path), file=PurePosixPath(name).name) for name, path in members]
        return _of_files(tracks, [PurePosixPath(name) for name, _ in members], str(source))
    return _of_media(source, audio_track)


def _name_and_path(entry: str) -> tuple[str, str]:
    """Whose track an entry of --track says it is, and where.

    >>> _name_and_path("Anne Currie=takes/a=b.wav"), _name_and_path("anne.wav")
    (('Anne Currie', 'takes/a=b.wav'), ('', 'anne.wav'))
    """
    name, equals, path = entry.partition("=")
    if not equals or Path(entry).is_file():
        name, path = "", entry
    return " ".join(name.split()), str(Path(path).expanduser())


def _whole(source: str) -> TrackSource:
    return TrackSource("", source, file=Path(source).name)


def _is_media(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part == "__MACOSX" or (part[0] == "." and part != "..") for part in path.parts)
    return path.suffix.lower() in EXTENSIONS and not hidden


def _media_below(folder: Path) -> Iterator[Path]:
    """The files with sound in a folder, by their names, and in folders within it."""
    seen = 0

    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename} can't be read: {error.strerror}")

    for top, folders, files in os.walk(folder, onerror=refuse):
        inside = Path(top).relative_to(folder)
        if len(inside.parts) >= MAX_DEPTH:
            folders.clear()
        seen += len(files)
        if seen > MAX_ENTRIES:
            raise InputError(f"{folder} holds over {MAX_ENTRIES} files: give a folder with the tracks alone")
        yield from (folder / inside / name for name in files if _is_media((inside / name).as_posix()))


def _checked_files(names: Sequence[PurePath], where: str) -> None:
    """InputError where files with these names are not the tracks of one recording."""
    kind = "a folder" if Path(where).is_dir() else "a zip"
    if not names:
        raise InputError(f"{where} is {kind} without audio files")
    if len(names) == 1:
        raise InputError(f"{where} is {kind} with one audio file, {names[0].name}: give the file itself")
    _refuse_more_than(MAX_TRACKS, len(names), where)


def _of_files(tracks: Sequence[TrackSource], names: Sequence[PurePath], where: str) -> FoundTracks:
    """Tracks of a folder or zip, one a file, whose people and whose mix are told by the names of files."""
    _checked_files(names, where)
    for track in tracks:
        _check_audio(track, where)
    mixes = _mixes(tracks)
    people = [(track, name) for track, name in zip(tracks, names, strict=True) if track not in mixes]
    named = [replace(track, name=person) for (track, _), person in zip(people, _people(people), strict=True)]
    named = _without_videos(named)
    _refuse_twins(named, where)
    if len(named) < 2 and not mixes:
        raise InputError(f"{where} holds a track of one person alone, {named[0].file}: give the file itself")
    if len(named) < 2:
        return FoundTracks(
            "mix", mix=mixes[0], why=f"beside {mixes[0].file} there are no tracks of two people"
        )
    return FoundTracks("separate", tuple(named), mixes[0] if mixes else None, _count(len(named), "found"))


def _mixes(tracks: Sequence[TrackSource]) -> list[TrackSource]:
    """Those that hold all people together, the best one first: of several that may do so, ones that name nobody."""
    mixes = [track for track in tracks if is_mix(track.file)]
    if len(mixes) > 1:
        people = people_in([track.file for track in mixes])
        mixes = [track for track, person in zip(mixes, people, strict=True) if not person]
    return sorted(mixes, key=_is_video)


def _people(files: Sequence[tuple[TrackSource, PurePath]]) -> list[str]:
    """Whose the tracks are by the names of their files, or else of the folders in which each of them lies."""
    people = people_in([track.file for track, _ in files])
    folders = [name.parent.name for _, name in files]
    if len(set(people)) < len(people) and len(set(folders)) == len(folders):
        return people_in(folders)
    return people


def _without_videos(tracks: Sequence[TrackSource]) -> list[TrackSource]:
    """Without the videos of people of whom there is an audio file, too."""
    heard = {track.name for track in tracks if track.name and not _is_video(track)}
    return [track for track in tracks if not (_is_video(track) and track.name in heard)]


def _is_video(track: TrackSource) -> bool:
    return PurePosixPath(track.file).suffix.lower() in VIDEO_EXTENSIONS


def _refuse_twins(tracks: Sequence[TrackSource], where: str) -> None:
    """InputError where two tracks are of the same person by their names."""
    files = defaultdict(list)
    for track in tracks:
        if track.name:
            files[track.name.casefold()].append(track)
    for twins in files.values():
        if len(twins) < 2:
            continue
        listed = ", ".join(track.file for track in twins)
        if all(_PART.search(PurePosixPath(track.file).stem) for track in twins):
            raise InputError(
                f"{where}: {listed} look like parts of one recording of {twins[0].name}: join them, with the pauses "
                f"between them, or tell two people apart by --track NAME=FILE"
            )
        raise InputError(
            f"{where}: {listed} are all of {twins[0].name}: leave one, or tell two people apart by --track NAME=FILE"
        )


def _refuse_more_than(most: int, count: int, where: str) -> None:
    if count > most:
        raise InputError(f"{where} has {count} audio files: give the tracks of one recording, at most {most}")


def _check_audio(track: TrackSource, where: str = "") -> None:
    """InputError where a track can't be heard, in the words that its user knows it by."""
    try:
        ffmpeg.audio_streams(track.path)
    except InputError as error:
        known = f"{where}: {track.file}" if where else track.path
        raise InputError(str(error).replace(track.path, known)) from None


def _count(count: int, how: str) -> str:
    return f"{count} tracks were {how}" if count != 1 else f"one track was {how}"


def _with_warnings(found: FoundTracks) -> FoundTracks:
    """With a word about tracks that are far shorter than others, by what their headers say."""
    told = [ffmpeg.streams(track.path).seconds for track in found.tracks]
    seconds = [each or 0.0 for each in told]
    short = [number for number in much_shorter(seconds) if told[number] is not None]
    return replace(
        found,
        warnings=tuple(
            f"{found.tracks[number].file} plays for {seconds[number] / 60:.1f} min, "
            f"another track for {max(seconds) / 60:.1f} min"
            for number in short
        ),
    )


def _of_media(source: Path, audio_track: str | None) -> FoundTracks:
    """The streams of a media file, or the channels of its only one, or of the one that is wanted."""
    found = ffmpeg.audio_streams(source)
    wanted = (choose_track(source, audio_track)[0],) if audio_track else found.audio
    if len(wanted) > 1:
        people = people_in([track.title for track in wanted])
        streams = [
            TrackSource(person, str(source), track.index, file=source.name)
            for person, track in zip(people, wanted, strict=True)
        ]
        mixes = [stream for stream, track in zip(streams, wanted, strict=True) if is_mix(track.title)]
        tracks = [stream for stream in streams if stream not in mixes]
        return FoundTracks("separate", tuple(tracks), mixes[0] if mixes else None)
    (only,) = wanted
    channels = range(only.channels) if only.channels > 1 else ()
    tracks = [TrackSource("", str(source), only.index, number, source.name) for number in channels]
    return FoundTracks("separate", tuple(tracks))


def _within_file(source: str, audio_track: str | None, *, asked: bool) -> FoundTracks:
    """What a media file is to be heard as: its streams or channels are people where that is asked for, or so."""
    found = _of_media(Path(source), audio_track)
    whole = _whole(source)
    if not 2 <= len(found.tracks) <= MAX_TRACKS:
        why = f"{whole.file} has no tracks or channels of two people" if asked else ""
        return FoundTracks("mix", mix=whole, why=why, warnings=(why,) if asked else ())
    if asked:
        return replace(found, why=_count(len(found.tracks), "asked for"))
    decision = decide(
        read_signals(found.tracks),
        _called(found.tracks),
        channels=all(track.channel is not None for track in found.tracks),
    )
    if not decision.separate:
        return FoundTracks("mix", mix=whole, why=decision.why)
    return replace(
        found,
        tracks=tuple(found.tracks[number] for number in decision.kept),
        mix=found.mix or (None if decision.mix is None else found.tracks[decision.mix]),
        why=decision.why,
    )


def _called(tracks: Sequence[TrackSource]) -> list[str]:
    """What to call streams or channels."""
    if all(track.channel is None for track in tracks):
        return [track.name or f"track {number}" for number, track in enumerate(tracks, 1)]
    if len(tracks) == 2:
        return ["the left channel", "the right channel"]
    return [f"channel {number}" for number in range(1, len(tracks) + 1)]
