"""The steps of processing an episode, as plain functions that know nothing of Prefect.

Each takes and returns small values. Decoded audio, which is not small, stays in the `Recording` that the
steps of one run share.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from audio.media.ffmpeg import check_file
from audio.tracks.recording import DecodedAudio, Recording
from audio.tracks.sources import FoundTracks, TrackSource, check_sources, find_sources, is_collection
from audio.transfer import extraction, integrity
from audio.transfer.access import Access
from audio.transfer.addresses import (
    checked_url,
    is_fetchable,
    redacted,
    web_address,
    without_login,
)
from audio.transfer.download import Limits, RemoteSource, StoredFile, local_file
from audio.transfer.http import PROXY_LOGIN, LoginError, RefusedError
from flows import chapters, finding, translation
from flows.keeping import tracks_folder
from flows.library.audio import downloads_folder
from flows.naming import published
from flows.options import EpisodeOptions, RunOptions
from flows.witness import Witness, find_witness
from models.alignment import align as alignment
from models.asr import second_voice, transcription
from models.asr.one_script import Script, in_one_script
from models.asr.second_voice import SpokenWords
from models.asr.transcription import Transcription, TranscriptionOptions
from models.asr.vocabulary import expected_terms
from models.asr.whisper_models import check_language_code, check_model_languages
from models.asr.whisper_models import resolve as resolve_whisper
from models.diarisation import diariser
from models.diarisation.diariser import DiariserOptions
from models.naming.speakers import numbered_speakers
from models.naming.tracks import people_of
from models.record.errors import (
    DownloadError,
    EpiscribeError,
    InputError,
    NotAudioError,
    SettingsError,
    UnwritableError,
    WrongSettingError,
)
from models.record.identity import audio_key
from models.record.languages import language_shares
from models.record.progress import Heard, Progress, silent, unheard
from models.record.spans import Span
from models.record.transcript import (
    AudioFile,
    Diarisation,
    Enclosure,
    Episode,
    Segment,
    TrackDecision,
    Transcript,
    Turn,
    Word,
)
from models.runtime.cache import use
from models.runtime.device import resolve_device
from outputs.library import corrections, files, read, write
from outputs.library.corrections import Correction, carry_over
from outputs.library.folders import present_formats
from outputs.library.lessons import lessons_for
from outputs.library.migration import migrate
from outputs.library.placement import episode_folder
from outputs.text.times import clock
from outputs.text.translations import translations_of

MAX_PLACES = 10  # of an episode's audio that are tried


@dataclass(frozen=True)
class DownloadedEpisode:
    """An episode and where its audio lies; `fresh` is False where nothing had to be downloaded.

    `size` is what came and `promised_bytes` what the feed had told, 0 for nothing; `warnings` are for the record,
    `feed_warnings`, which tell of other items, only for who looks on. `witness` is a transcript that the feed offers,
    `chapters` what it tells of chapters.
    `tracks` are those that were given beside the mix, or in place of it: then `path` is where their sum goes, and
    `session` is the digest of all of them.
    """

    episode: Episode
    path: str
    sha256: str
    fresh: bool
    size: int = 0
    promised_bytes: int = 0
    warnings: tuple[str, ...] = ()
    feed_warnings: tuple[str, ...] = ()
    witness: Witness = field(default_factory=Witness)
    chapters: chapters.LinkedFile = field(default_factory=chapters.LinkedFile)
    tracks: FoundTracks | None = None
    session: str = ""


def is_url(source: str) -> bool:
    """Whether a SOURCE is an address rather than a path."""
    return "://" in source


def check_options(options: RunOptions) -> None:
    """Refuse options with which no episode can be processed here: WrongSettingError, MachineError, ModelError."""
    try:
        write.formats_named(options.formats)
        for folder in (options.out, options.library):
            if folder and files.is_local(files.resolve_location(folder)):
                _check_folder(Path(folder))
        check_languages(options)
        _check_models(options)
        translation.check(options)
    except SettingsError:
        raise
    except InputError as error:
        raise WrongSettingError(str(error)) from error


def _check_folder(folder: Path) -> None:
    """WrongSettingError, or UnwritableError, where results can't be written into a folder, which need not exist."""
    if folder.exists() and not folder.is_dir():
        raise WrongSettingError(f"{folder} is a file: results need a folder")
    there = next(one for one in (folder, *folder.absolute().parents) if one.is_dir())
    if not os.access(there, os.W_OK):
        raise UnwritableError(f"{there} can't be written to: results need a folder that can")


def check_input(source: str, options: RunOptions) -> None:
    """Refuse what can't work before any work is done; raises InputError. source: "" where tracks are given alone."""
    check_options(options)
    check_source(source, options)


def check_source(source: str, options: RunOptions) -> None:
    """Refuse a source that can't work, as far as can be told without reading it; raises InputError."""
    source = web_address(source)
    if options.episode != "latest" and not is_url(source):
        raise InputError(
            f"--episode {options.episode} chooses from a feed, and {source or '--track'} is a file"
        )
    try:
        source.encode()
    except UnicodeEncodeError:
        raise InputError(f"{source!r} is not a name in UTF-8: rename the file") from None
    if is_url(source):
        checked_url(source)
    elif source and not is_collection(source):
        check_file(source)
    check_sources(source, options.track, options.tracks)


def _check_models(options: RunOptions) -> None:
    """Refuse models that aren't here, may not be used, or don't know a language: with what helps."""
    _, folder = resolve_whisper(options.transcription().model)
    check_model_languages(folder, [one for one in (options.language, *options.languages) if one])
    diariser.require(options.diarisation(), resolve_device(options.device))


def download(source: str, options: RunOptions, progress: Progress = silent) -> DownloadedEpisode:
    """Find the episode SOURCE means and bring its audio to this machine.

    SOURCE is a file, the URL of audio, of an episode's page, or of a feed or a show's page, from which
    `options.episode` is taken. Raises InputError and DownloadError.
    """
    source = web_address(source)
    if options.track or (source and not is_url(source) and is_collection(source)):
        return _with_tracks(source, options, progress)
    if not is_url(source):
        stored = local_file(source)
        episode = Episode(id=finding.identity_of(stored.sha256), title=Path(source).stem)
        return DownloadedEpisode(episode, str(stored.path), stored.sha256, fresh=False)
    reach = finding.Reach(
        downloads_folder(), allow_private=options.allow_private, extract=options.extractors == "use"
    )
    with finding.found_at(source, options.episode, reach) as found:
        if found.audio is not None:
            return _fetched(found.episode, _save(found.audio, progress))
    downloaded = download_episode(found.episode, options, progress, last=True)
    return replace(downloaded, feed_warnings=found.warnings)


def download_upload(
    episode: Episode,
    source: str,
    options: RunOptions,
    progress: Progress = silent,
    *,
    unchanged: bool = False,
) -> DownloadedEpisode:
    """The audio of an episode whose file, or whose tracks, somebody sent; they lie on this machine.

    unchanged: InputError where they are others than the episode is known by, since nobody has added those.
    """
    found = download(source, options, progress)
    if unchanged and found.episode.id != episode.id:
        raise InputError(f"{source} has changed since it was added: add it again")
    return replace(found, episode=replace(episode, audio_url=""))


def _with_tracks(source: str, options: RunOptions, progress: Progress) -> DownloadedEpisode:
    """The episode of tracks that are given, or lie in a folder or a zip; of SOURCE too, if that is their mix."""
    mix = None
    if source and options.track:
        mix = download(source, options.model_copy(update={"track": ()}), progress)
    found = find_sources(
        mix.path if mix else source,
        options.track,
        options.tracks,
        tracks_folder(),
        options.audio_track,
    )
    if found.mix and not found.tracks:
        return replace(download(found.mix.path, options, progress), warnings=found.warnings)
    tracks = [local_file(path).sha256 for path in dict.fromkeys(track.path for track in found.tracks)]
    if mix is None and found.mix is not None:
        mix = download(found.mix.path, options.model_copy(update={"track": ()}), progress)
    sha256 = finding.sha256_of_all(tracks, mix.sha256 if mix else "")
    if mix is not None:
        return replace(mix, session=sha256, tracks=found)
    title = Path(source).stem if source else ", ".join(track.name or track.file for track in found.tracks)
    path = downloads_folder() / f"{sha256}.flac"
    use(path.parent, sha256)
    return DownloadedEpisode(
        Episode(id=finding.identity_of(sha256), title=title),
        str(path),
        sha256,
        fresh=False,
        session=sha256,
        tracks=found,
    )


def download_episode(
    episode: Episode,
    options: RunOptions,
    progress: Progress = silent,
    *,
    limits: Limits | None = None,
    access: Access | None = None,
    last: bool = False,
) -> DownloadedEpisode:
    """Bring the audio of a feed's episode to this machine. Raises InputError and DownloadError.

    Where nothing can be had from its first enclosure, as a page or a 404, the next one is tried, and so on. Where
    that may pass, as with a server that is down, it is better to come back later, since the next one may be cut
    otherwise or sound worse: only the `last` attempt goes on. access: as whom the servers are asked, and by which way.
    """
    if episode.audio_url.startswith(finding.EXTRACTED):
        return _extracted(episode, options, progress, limits, access)
    failures: list[InputError | DownloadError] = []
    for place in _places(episode)[:MAX_PLACES]:
        try:
            fetched = _from_place(place, episode, options, progress, limits, access)
        except (InputError, DownloadError) as error:
            if isinstance(error, SettingsError) and not _is_a_refusal(error, access, bool(failures)):
                raise  # it is for its user to mend
            failures.append(_as_refusal(error))
            if _may_pass(error) and not last:
                break
            continue
        warnings = (f"{failures[0]}; {redacted(place.url)} was taken instead",) if failures else ()
        witness = _witness(fetched.episode, options, access)
        return replace(
            fetched,
            promised_bytes=place.length,
            warnings=(*warnings, *witness.warnings),
            witness=witness,
            chapters=chapters.read_linked(
                fetched.episode, folder_for(fetched.episode, options), options, access
            ),
        )
    raise _all_failed(failures)


def _from_place(
    place: Enclosure,
    episode: Episode,
    options: RunOptions,
    progress: Progress,
    limits: Limits | None,
    access: Access | None,
) -> DownloadedEpisode:
    """The episode by what lies at one place."""
    allow_private = options.allow_private
    source = RemoteSource(
        place.url, downloads_folder(), limits=limits, allow_private=allow_private, access=access
    )
    with source as opened:
        if opened.kind == "page":
            raise NotAudioError(finding.no_media(opened))
        stored = _save(opened, progress)
    if not integrity.matches(stored.path, stored.sha256, place.sri):
        raise DownloadError(f"{redacted(place.url)} is not the file that the feed has the checksum of")
    return _fetched(_found_at(place.url, episode), stored)


def _is_a_refusal(error: EpiscribeError, access: Access | None, further: bool) -> bool:
    """Whether a server wants a login where we were given none, or it is of a `further` enclosure, as of a paywall."""
    ours = access is not None and access.login and not further
    return isinstance(error, LoginError) and error.status != PROXY_LOGIN and not ours


def _as_refusal(error: InputError | DownloadError) -> InputError | DownloadError:
    """An error as it is, and a login that is wanted where there is none as any other refusal."""
    return RefusedError(str(error), error.status) if isinstance(error, LoginError) else error


def _may_pass(error: EpiscribeError) -> bool:
    return isinstance(error, DownloadError) and error.transient


def _all_failed(failures: Sequence[InputError | DownloadError]) -> InputError | DownloadError:
    """The first failure, and how many there were after it; one to try again later where that may help with any."""
    first, others = failures[0], len(failures) - 1
    if not others:
        return first
    if all(isinstance(error, NotAudioError) for error in failures):
        return NotAudioError(f"{first}; none of its {others} other enclosures is audio")
    told = f"{first}; {others} other {'enclosures' if others > 1 else 'enclosure'} failed, too"
    if all(isinstance(error, InputError) for error in failures):
        return InputError(told)
    return DownloadError(told, transient=any(map(_may_pass, failures)))


def _extracted(
    episode: Episode,
    options: RunOptions,
    progress: Progress,
    limits: Limits | None,
    access: Access | None,
) -> DownloadedEpisode:
    """The audio that yt-dlp finds in the page of an episode that people gave."""
    page = episode.audio_url.removeprefix(finding.EXTRACTED)
    if options.extractors == "off":
        raise InputError(
            f"{redacted(page)} takes yt-dlp, which `extractors` in episcribe.toml lets nobody use"
        )
    stored = extraction.extract(
        page,
        downloads_folder(),
        limits=limits,
        allow_private=options.allow_private,
        access=Access(proxy=access.proxy) if access else None,
        progress=lambda done, total: progress("download", done, total or 0),
    )
    return _fetched(replace(episode, audio_url=""), stored)


def _witness(episode: Episode, options: RunOptions, access: Access | None) -> Witness:
    if options.published_transcript == "off" or not episode.transcripts:
        return Witness()
    return find_witness(episode, folder_for(episode, options), options, access)


def _places(episode: Episode) -> list[Enclosure]:
    """Where the media of an episode lies: at `audio_url`, or else at the other enclosures, in order."""
    told = {place.url: place for place in reversed(episode.enclosures)}
    first = told.pop(episode.audio_url, Enclosure(episode.audio_url))
    others = [place.url for place in episode.enclosures if is_fetchable(place.url)]
    return [first, *(told.pop(url) for url in others if url in told)]


def _found_at(url: str, episode: Episode) -> Episode:
    """The episode with the address that its audio came from; it stays the same episode."""
    if url == episode.audio_url:
        return episode
    return replace(episode, audio_url=url, audio_key=episode.audio_key or audio_key(episode.audio_url))


def _save(source: RemoteSource, progress: Progress) -> StoredFile:
    return source.save(lambda done, total: progress("download", done, total or 0))


def _fetched(episode: Episode, stored: StoredFile) -> DownloadedEpisode:
    return DownloadedEpisode(episode, str(stored.path), stored.sha256, stored.fresh, stored.size)


def check_languages(options: EpisodeOptions) -> None:
    """Refuse languages that there aren't, or that contradict each other; InputError."""
    if options.language is not None and options.languages:
        raise InputError("--language says which one is spoken, --languages which may be: give one of the two")
    for language in (options.language, *options.languages):
        if language is not None:
            check_language_code(language)


def with_vocabulary(
    options: RunOptions, source: DownloadedEpisode, folder: Path, tracks: Sequence[TrackSource] = ()
) -> TranscriptionOptions:
    """What decides the words, with the names and terms to expect, which become part of the step's cache key.

    They come from the user, also by what was corrected in earlier episodes of the show, from the feed, from a
    transcript that it offers, and from the names of tracks. folder: where the episode's files go.
    """
    lessons = lessons_for(source.episode, folder)
    people = (person for track in tracks for person in people_of(track.name))
    listed = (*options.vocabulary, *options.known_people, *people, *lessons.terms)
    terms = expected_terms(source.episode, listed, source.witness.terms)
    misheard = tuple(pair for pair in lessons.misheard if pair[1] in terms)
    return replace(options.transcription(), vocabulary=terms, misheard=misheard)


def load_models(options: RunOptions) -> None:
    """Load the models of a run side by side; the step that needs one that can't be loaded says so."""
    with ThreadPoolExecutor() as pool:
        pool.submit(transcription.load, options.transcription())
        if options.diariser != "none":
            pool.submit(diariser.load, options.diarisation())


def transcribe(
    recording: Recording,
    decoded: DecodedAudio,
    options: TranscriptionOptions,
    speech: Sequence[Span] | None = None,
    progress: Progress = silent,
    turns: Sequence[Turn] = (),
    heard: Heard = unheard,
) -> Transcription:
    """Write down the words of a recording; see `models.asr.transcription.transcribe`."""
    samples = recording.samples(decoded, progress)
    return transcription.transcribe(samples, options, progress, speech, turns, heard)


def diarise(
    recording: Recording, decoded: DecodedAudio, options: DiariserOptions, progress: Progress = silent
) -> Diarisation:
    """Find who speaks when in a recording; see `models.diarisation.diariser.diarise`."""
    return diariser.diarise(recording.samples(decoded, progress), options, progress)


def attribute(words: Transcription, turns: Diarisation) -> SpokenWords:
    """The words with who says them, by turns; see `models.alignment.align.attributed`."""
    spoken = alignment.attributed(words.words, turns.exclusive, words.language, turns.turns)
    return SpokenWords(tuple(spoken))


def has_overlaps(turns: Diarisation) -> bool:
    """Whether two people talk at once for long enough to say a word."""
    return bool(second_voice.find_overlaps(turns.turns))


def resolve_overlaps(
    recording: Recording,
    decoded: DecodedAudio,
    options: TranscriptionOptions,
    words: Sequence[Word],
    turns: Diarisation,
) -> SpokenWords:
    """Hear both who talk at once; see `models.asr.second_voice.resolve_overlaps`."""
    return second_voice.resolve_overlaps(recording.samples(decoded), options, words, turns.turns)


def align(
    episode: Episode,
    audio: AudioFile,
    words: Transcription,
    turns: Diarisation,
    *,
    diariser_model: str,
    effort: Mapping[str, Any] | None = None,
    warnings: Iterable[str] = (),
    spoken: SpokenWords | None = None,
    segments: tuple[Segment, ...] | None = None,
    tracks: TrackDecision | None = None,
    script: Script | None = None,
) -> Transcript:
    """Align words and turns, name the speakers, and put everything that is known into one record.

    effort: what `engine` is to tell beside models and versions. spoken: the words with their speakers, where more than
    turns told who says them; segments: the same as they read, where that is known. tracks: those that people have.
    script: what a language of two scripts is to be written in.
    """
    if segments is None:
        spoken = spoken or attribute(words, turns)
        segments = alignment.sentence_segments(spoken.words, words.language, spoken.second)
    segments = in_one_script(segments, words.language, script)
    return Transcript(
        episode=_published(episode),
        audio=replace(audio, path=Path(audio.path).name),
        language=words.language,
        segments=segments,
        speakers=numbered_speakers(segments),
        turns=turns.turns,
        exclusive=turns.exclusive,
        engine={**engine_versions(words.model, diariser_model), **(effort or {})},
        warnings=(*warnings, *turns.warnings, *words.warnings, *(spoken.warnings if spoken else ())),
        repairs=words.repairs,
        tracks=tracks,
        languages=language_shares((word for segment in segments for word in segment.words), words.language),
    )


def _published(episode: Episode) -> Episode:
    """An episode as its record has it: what addresses were good for is done, and a login in one is a secret."""
    return replace(
        episode,
        audio_url=without_login(episode.audio_url),
        enclosures=(),
        transcripts=tuple(replace(link, url=without_login(link.url)) for link in episode.transcripts),
        chapters=tuple(chapters.without_logins(one) for one in episode.chapters),
        chapters_url=without_login(episode.chapters_url),
    )


@lru_cache(maxsize=8)
def engine_versions(whisper: str, diariser_model: str) -> dict[str, Any]:
    """Which models and versions a transcript was made with."""
    packages = ("episcribe", "faster-whisper", "pyannote.audio")
    return {
        "whisper": whisper,
        "diariser": diariser_model,
        **{package: version(package) for package in packages},
    }


@dataclass(frozen=True)
class PublishedEpisode:
    """Where an episode's files are, and what its user should know of them."""

    folder: Path
    files: tuple[Path, ...]
    warnings: tuple[str, ...] = ()


def publish(transcript: Transcript, options: RunOptions, audio: str = "") -> PublishedEpisode:
    """Write the episode's folder. `audio` is where its audio lies.

    Corrections are kept, and files of formats that are not asked for now but were before are written again
    too, so that all files of a folder tell the same; translations that it has no more are removed.
    """
    folder = folder_for(transcript.episode, options)
    before = published(folder)
    formats = list(options.formats)
    if options.keep_audio and audio:
        name = write.keep_audio(Path(audio), folder)
        transcript = replace(transcript, audio=replace(transcript.audio, path=name))
    elif (
        before is not None
        and before.audio.sha256 == transcript.audio.sha256
        and read.kept_audio(folder, before.audio)
    ):
        transcript = replace(transcript, audio=before.audio)
    if before is None:
        return PublishedEpisode(folder, tuple(write.publish(transcript, folder, formats)))
    with corrections.locked(folder):  # whoever edits the episode meanwhile waits
        made = corrections.load(folder)
        moved = carry_over(made, before, transcript)
        formats += present_formats(folder)
        paths = write.publish(transcript, folder, formats, moved if moved != made else None)
    gone = translations_of(before).keys() - translations_of(transcript).keys()
    write.remove_translations(folder, gone)
    corrected = corrections.apply_corrections(transcript, moved)
    warnings = (*_warnings_of(corrected.waiting, folder), *_chapter_warnings(corrected, folder))
    return PublishedEpisode(folder, tuple(paths), warnings)


def _chapter_warnings(corrected: corrections.Corrected, folder: Path) -> Iterator[str]:
    """What to warn of when a person's chapters are shown in audio of another length."""
    if corrected.made_for is not None:
        was, now = clock(corrected.made_for), clock(corrected.transcript.audio.seconds)
        yield (
            f"chapters that you set were made for audio of {was}, and this plays {now}: they may be early or late; "
            f"`episcribe chapters {folder}` shows them, `episcribe chapters keep {folder}` says that they are right"
        )


def _warnings_of(waiting: Sequence[Correction], folder: Path) -> tuple[str, ...]:
    """What to warn of when corrections no longer fit the words of an episode."""
    beyond = [one for one in waiting if one.kind == corrections.CHAPTERS]
    if beyond:
        late = (f"chapters that you set lie beyond the end: `episcribe chapters {folder}` shows which",)
        return (*_warnings_of([one for one in waiting if one not in beyond], folder), *late)
    if not waiting:
        return ()
    which = f"{len(waiting)} corrections no longer fit" if len(waiting) > 1 else "a correction no longer fits"
    return (f"{which} the words: `episcribe edit {folder} --list` shows which",)


def refuse_to_lose_speakers(fetched: DownloadedEpisode, options: RunOptions, reason: str) -> None:
    """EpiscribeError where a transcript without speakers would replace one of the same audio with them."""
    folder = folder_for(fetched.episode, options)
    before = published(folder)
    if before is not None and before.audio.sha256 == fetched.sha256 and before.speakers:
        raise EpiscribeError(f"{reason}; {folder} keeps the transcript with speakers that it has")


def folder_for(episode: Episode, options: RunOptions) -> Path:
    """Where the files of an episode go."""
    if options.out:
        return files.resolve_location(options.out)
    library = files.resolve_location(options.library)
    migrate(library)
    return episode_folder(library, episode)
