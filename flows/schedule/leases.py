"""Working on an episode that the store lists, so that nobody else does at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from audio.transfer.access import Access
from audio.transfer.addresses import same_host
from audio.transfer.download import Limits
from flows import logs
from flows.options import RunOptions
from flows.schedule import local_files, queue, totals
from flows.schedule import settings as configuration
from flows.schedule.fingerprint import fingerprint
from flows.schedule.plan import ListedEpisode
from flows.schedule.settings import Settings
from flows.schedule.store import MAX_PAUSE, Finished, Store, open_store, pause_after
from flows.schedule.uploads import SCHEME, Uploads, ids_in, is_sent
from flows.schedule.watch import watched
from models.record.errors import AbsentFileError, EpiscribeError, InputError, InterruptedRun, SettingsError
from models.record.transcript import Episode
from outputs.library import read
from outputs.library.files import resolve_location

SOON = 1200.0  # seconds until another try at what may have mended itself
RENEWALS = 4  # of a lease before it would run out


class PassedOverError(EpiscribeError):
    """The rules of its show don't take an episode, as was seen by its audio, which is `seconds` long."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True)
class Lease:
    """An episode that is ours until the lease runs out."""

    listed: ListedEpisode
    owner: str
    store: Store
    settings: Settings

    @property
    def episode(self) -> Episode:
        """What the feed said."""
        return self.listed.episode

    @property
    def is_sent(self) -> bool:
        """Whether files are the episode, that somebody sent or that lie on this machine, instead of an address."""
        return is_sent(self.listed) or self.is_local

    @property
    def is_local(self) -> bool:
        """Whether the episode is a file of some machine, which may be changed at any time."""
        return local_files.is_local(self.episode.audio_url)

    @property
    def is_last_attempt(self) -> bool:
        """Whether the episode is given up if this fails."""
        return self.listed.attempts >= self.settings.limits.attempts

    def heed_rules(self, seconds: float) -> None:
        """PassedOverError where its show's rules don't take audio of this length; what people add they do."""
        show = self.settings.shows.get(self.listed.show)
        if show and not self.listed.added_by and (reason := show.reason_against(self.episode, seconds)):
            raise PassedOverError(reason, seconds)

    @contextmanager
    def files(self, options: RunOptions) -> Iterator[tuple[str, RunOptions]]:
        """What to hear, and the options with it, while the block lasts: the address, or files on this machine.

        Where the file that was sent is gone, since the episode was done before, the audio that was kept of it serves.
        InputError where there is none either.
        """
        uploads, audio = Uploads(self.settings, self.store), self.episode.audio_url
        if self.is_local:
            yield str(self._local_file()), options
            return
        with ExitStack() as stack:
            try:
                sent = {one: uploads.get(one) for one in ids_in(audio, options.track)}
            except InputError:
                if options.track or (kept := _kept(self.listed.folder)) is None:
                    raise
                yield str(kept), options
                return
            here = {f"{SCHEME}{one}": stack.enter_context(uploads.at_hand(it)) for one, it in sent.items()}
            called = {str(here[f"{SCHEME}{one}"]): it.name for one, it in sent.items()}
            track = tuple(_replaced(one, here) for one in options.track)
            try:
                yield str(here.get(audio, audio)), options.model_copy(update={"track": track})
            except EpiscribeError as error:
                error.args = (_replaced(str(error), called),)  # nobody knows the file by the name it has here
                raise

    def _local_file(self) -> Path:
        """Where the file is that the episode is made of, or the audio that was kept of it."""
        try:
            return local_files.at_hand(self.store, self.listed.id, self.episode.audio_url)
        except AbsentFileError:
            if (kept := _kept(self.listed.folder)) is None:
                raise
            return kept

    def forget_files(self) -> None:
        """Remove what was sent, since the episode is done; else it is swept later."""
        with suppress(EpiscribeError):
            used = ids_in(self.episode.audio_url, self.listed.options.get("track", ()))
            Uploads(self.settings, self.store).remove_unwanted(used)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within, the queue shows how far the run is, and can stop it; what its stages took is added up."""
        with watched(partial(queue.report, self.store, self.listed.id, self.owner)) as watch:
            try:
                yield
            finally:
                with suppress(EpiscribeError):
                    _add_up(self.store, watch.spent)

    def limits(self) -> Limits:
        """Bounds for the download."""
        limits = self.settings.limits
        return Limits(bytes=limits.audio_bytes, seconds=limits.audio_seconds)

    def access(self) -> Access:
        """How to ask for the audio: with the show's login where it lies on the server of the feed, or one named."""
        show = self.settings.shows.get(self.listed.show)
        if show is None:
            return Access(proxy=self.settings.proxy)
        places = [self.episode.audio_url, *(enclosure.url for enclosure in self.episode.enclosures)]
        if show.header_hosts or any(same_host(show.url, place) for place in places):
            return show.access(self.settings.proxy)
        return show.public_access(self.settings.proxy)  # a worker need not even know the login

    @contextmanager
    def finishing(self) -> Iterator[Finished]:
        """Publish within; see `Store.finishing`."""
        with self.store.finishing(self.listed.id, self.owner) as finished:
            yield finished

    def keep(self, stopped: threading.Event) -> None:
        """Renew the lease again and again until `stopped`."""
        seconds = self.settings.limits.lease_seconds
        while not stopped.wait(seconds / RENEWALS):
            # A store that can't be reached now may be there in time for the next renewal.
            with suppress(EpiscribeError):
                self.store.renew(self.listed.id, self.owner, seconds)


@contextmanager
def leased(episode_id: str, owner: str, options: RunOptions) -> Iterator[Lease | None]:
    """The lease on an episode, kept while the block lasts; None where there is nothing for us to do.

    options: what it is processed with, which may be at fault.
    """
    settings = configuration.load()
    store = open_store(settings.store)
    if store.episode(episode_id) is None:
        raise InputError(f"the store lists no episode {episode_id}")
    listed = store.lease(episode_id, owner, settings.limits.lease_seconds)
    if listed is None:
        yield None
        return
    lease, stopped = Lease(listed, owner, store, settings), threading.Event()
    keeper = threading.Thread(target=lease.keep, args=(stopped,), daemon=True)
    keeper.start()
    try:
        with logs.about(show=listed.show, episode=episode_id):
            yield lease
    except BaseException as error:
        if isinstance(error, InterruptedRun):
            store.end_cancelled(episode_id, owner)
        elif isinstance(error, PassedOverError):
            store.pass_over(listed.episode, owner, str(error), error.seconds)
        elif isinstance(error, SettingsError):
            _hold_back(lease, error, options)
        elif not isinstance(
            error, Exception
        ):  # told to stop: whatever becomes of the run's state, this is free again
            _give_back(lease, "cut off", cut_off=True)
        raise
    finally:
        stopped.set()
        keeper.join()


def _add_up(store: Store, spent: Sequence[tuple[str, float, float]]) -> None:
    """Add what stages took, with the seconds of their audio, to what all runs took."""
    with store.begin() as connection:
        for stage, seconds, audio in sorted(spent):
            totals.add(connection, totals.STAGE_SECONDS, {stage: seconds})
            totals.add(connection, totals.STAGE_AUDIO, {stage: audio})
            totals.add(connection, totals.STAGE_RUNS, {stage: 1})


def _kept(folder: str) -> Path | None:
    """The audio that an episode's folder keeps."""
    if not folder:
        return None
    with suppress(EpiscribeError):
        return read.kept_audio(resolve_location(folder), read.load_audio(resolve_location(folder)))
    return None


def _replaced(text: str, others: Mapping[str, object]) -> str:
    for one, other in others.items():
        text = text.replace(one, str(other))
    return text


def record_cancelled(episode_id: str, owner: str) -> None:
    """Note that the work on an episode was stopped, since nobody wants it."""
    open_store(configuration.load().store).end_cancelled(episode_id, owner)


def record_failure(episode_id: str, owner: str, error: BaseException | str, *, cut_off: bool = False) -> None:
    """Give an episode back: for another attempt, at once if it was cut off, or for good.

    Another attempt can't help where the input is at fault, nor after the last one that is allowed.
    """
    settings = configuration.load()
    store = open_store(settings.store)
    if (listed := store.episode(episode_id)) is not None:
        _give_back(Lease(listed, owner, store, settings), error, cut_off=cut_off)


def _give_back(lease: Lease, error: BaseException | str, *, cut_off: bool) -> None:
    limits, attempts = lease.settings.limits, lease.listed.attempts
    reason = str(error) if isinstance(error, (str, EpiscribeError)) else f"{type(error).__name__}: {error}"
    hopeless = isinstance(error, InputError) or attempts >= limits.attempts
    pause = 0.0 if cut_off else pause_after(attempts, limits.retry_seconds)
    lease.store.fail(lease.listed.id, lease.owner, reason, pause=None if hopeless else pause)


def _hold_back(lease: Lease, error: SettingsError, options: RunOptions) -> None:
    """Give an episode back until the settings are others, or, in case they were mended elsewhere, for some time."""
    settings, listed = lease.settings, lease.listed
    if error.counts and lease.is_last_attempt:
        _give_back(lease, error, cut_off=False)
        return
    show = listed.show if listed.show in settings.shows else ""
    lease.store.hold_back(
        listed,
        lease.owner,
        str(error),
        pause=SOON if error.soon else MAX_PAUSE,
        waits_for=fingerprint(settings, show, options),
        alike=error.reach == "all" or (error.reach == "machine" and lease.store.is_of_one_machine),
        counts=error.counts,
    )
