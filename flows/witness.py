"""The transcript that a feed offers of an episode: which one to take, fetching it, keeping it.

It is heard as a witness (`models.naming.witness`) and for its names and terms; nothing of it becomes part of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audio.transfer.access import Access
from audio.transfer.addresses import redacted, with_login_of
from flows.offered import fetched, is_own, path_of, read_file
from models.asr.vocabulary import terms_said
from models.naming.witness import person_of
from models.record.errors import EpiscribeError
from models.record.transcript import Episode, TranscriptLink
from models.record.utterances import PublishedTranscript
from outputs.captions.published import read_transcript

if TYPE_CHECKING:
    from flows.options import RunOptions

MAX_LINKS = 4  # that are asked
# From what tells speakers best on; plain text has no form that could be read.
RANKS = {"application/json": 0, "text/vtt": 1, "application/x-subrip": 2, "application/srt": 2, "text/srt": 2,
         "text/html": 3}  # fmt: skip
SUFFIXES = {".json": 0, ".vtt": 1, ".srt": 2, ".html": 3}  # where the type is none of these


@dataclass(frozen=True, slots=True)
class Witness:
    """What a feed's transcript says (None where there is none), the file that it is kept in, and what to warn of."""

    transcript: PublishedTranscript | None = None
    file: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of its speakers, and the names and terms that they say."""
        if self.transcript is None:
            return ()
        names = filter(None, map(person_of, self.transcript.speakers))
        return (*names, *terms_said(self.transcript.paragraphs))


def find_witness(
    episode: Episode, folder: Path, options: RunOptions, access: Access | None = None
) -> Witness:
    """The first of an episode's transcripts that names its speakers, else the first that can be read.

    folder: where ours go; what a feed offers from there is no witness. Whatever fails is a warning, one for all.
    """
    best, failures = Witness(), list[str]()
    for link in links_to_ask(episode, folder, options.language or episode.language)[:MAX_LINKS]:
        try:
            transcript, file = _fetched(with_login_of(link.url, episode.audio_url), options, access)
        except EpiscribeError as error:
            failures.append(str(error))
            continue
        found = Witness(transcript, str(file))
        if any(map(person_of, transcript.speakers)):
            return found
        best = best if best.transcript else found
    if best.transcript or not failures:
        return best
    return Witness(warnings=(f"the feed's transcript was not heard: {failures[0]}",))


def read_witness(file: Path, source: str) -> PublishedTranscript:
    """A transcript by whomever from a file. InputError where it is none; `source` says where it is from."""
    return read_file(file, _reader(source), source)


def witness_at(where: str, options: RunOptions) -> PublishedTranscript:
    """A transcript by whomever, given by its path or its address. InputError, DownloadError where that is none."""
    if "://" not in where:
        return read_witness(Path(where), where)
    return _fetched(where, options)[0]


def links_to_ask(episode: Episode, folder: Path, language: str) -> list[TranscriptLink]:
    """The transcripts of an episode in the order in which they are asked; those of another language are not.

    language: that of the audio, "" where nobody knows.
    """
    ranked = []
    for link in episode.transcripts:
        rank = RANKS.get(link.type, SUFFIXES.get(path_of(link.url).suffix.lower()))
        other = bool(language and link.language) and _primary(language) != _primary(link.language)
        if rank is not None and not other and not is_own(link.url, folder):
            ranked.append((not link.language, rank, link.rel != "captions", link))
    return [link for *_, link in sorted(ranked, key=lambda one: one[:-1])]


def _primary(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()


def _fetched(url: str, options: RunOptions, access: Access | None = None) -> tuple[PublishedTranscript, Path]:
    return fetched(url, _reader(redacted(url)), options, access)


def _reader(source: str) -> Callable[[bytes], PublishedTranscript]:
    return lambda data: PublishedTranscript(source, read_transcript(data))
