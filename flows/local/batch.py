"""Many episodes, one after the other or several at once: each goes through the store, so all are known afterwards.

What the sources mean is found out while the first are being heard: to know a file by its content takes reading it.
"""

from __future__ import annotations

import hashlib
import os
import queue as queues
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from audio.transfer.addresses import web_address, without_login, without_secrets
from flows import finding, keeping, steps
from flows.local.prefect_session import join_session, prefect_session, session_address
from flows.local.sources import Source, is_media, look_through
from flows.options import AUTO, EpisodeOptions, RunOptions
from flows.schedule import additions, leases, local_files, queue
from flows.schedule import settings as configuration
from flows.schedule.fingerprint import release
from flows.schedule.plan import ListedEpisode
from flows.schedule.settings import Settings
from flows.schedule.store import Store, open_store
from flows.schedule.uploads import check_sound
from flows.schedule.warm import WarmProcess
from models.asr import whisper_models
from models.record.errors import EpiscribeError, InputError, SettingsError
from models.record.transcript import Episode
from outputs.formats.registry import EPISODE
from outputs.library import write
from outputs.library.files import is_local, resolve_location
from outputs.library.rerendering import publish_in

LOOK_SECONDS = 1.0  # between two looks for what is to be tried again
JOIN_SECONDS = 0.1
SWEEP_SECONDS = 3600.0  # between two looks whether the cache is within its budgets
DIED = "its process died"
OF_THE_CALL = {"force", "out", "episode", "track"}  # options that are of a call, and not of its episodes
AHEAD = 4  # episodes that are ready for each process; no more wait in the store than that


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a source.

    state: done, done before, twice, elsewhere, or as the store has it. audio: its length, took: the work on it, both in
    seconds. folder: where its files are; why: the error, or what else there is to say.
    """

    source: str
    state: str
    audio: float | None = None
    took: float = 0.0
    folder: str = ""
    why: str = ""

    @property
    def failed(self) -> bool:
        """Whether it was wanted and is not there, nor with somebody who works on it."""
        return self.state not in ("done", "done before", "twice", "elsewhere")


@dataclass(frozen=True, slots=True)
class Taken:
    """A source as an episode of the store, to be worked on unless its `outcome` is known already.

    added: whether nobody else waits for it.
    """

    source: Source
    episode_id: str = ""
    outcome: Outcome | None = None
    added: bool = False


class Intake:
    """Makes episodes of the store of sources; each is known again by its content, its path or its address.

    given: the options of the call, of which `model_fields_set` goes with each episode. refused: by the shows whose
    episodes are not to be added any more, the reason.
    """

    def __init__(self, settings: Settings, store: Store, given: RunOptions) -> None:
        self._settings, self._store, self._given = settings, store, given
        self._own = own_options(given)
        self._options = in_effect(settings, given)
        self._known = local_files.known(store)
        self._taken: dict[str, str] = {}  # what episodes of this call are called
        self.refused: dict[str, str] = {}

    def take(self, source: Source) -> Taken:
        """The episode that a source is, listed in the store; what can't be listed is told by its outcome."""
        self._settings = current_or(self._settings)
        self._options = in_effect(self._settings, self._given)
        try:
            if source.error:
                raise InputError(source.error)
            return self._address(source) if source.kind == "address" else self._path(source)
        except EpiscribeError as error:
            return Taken(source, outcome=Outcome(source.called, "failed", why=str(error)))
        except OSError as error:
            return Taken(source, outcome=Outcome(source.called, "failed", why=(error.strerror or "").lower()))

    def _address(self, source: Source) -> Taken:
        address = web_address(source.place)
        steps.check_source(address, self._options)
        listed = self._store.episode(finding.identity_of(without_login(address)))  # if it is that of audio
        if listed is not None and self._is_done(listed):
            return self._listed(source, listed.episode, listed)  # without asking its server
        episode, show = additions.find_address(
            self._settings,
            self._store,
            address,
            self._options.episode,
            allow_private=self._options.allow_private,
            extract=self._options.extractors == "use",
        )
        return self._listed(source, episode, queue.known(self._store, episode, show), show)

    def _path(self, source: Source) -> Taken:
        stamp = stamp_of(Path(source.place))
        known_stamp, episode_id = self._known.get(source.place, ("", ""))
        listed = self._store.episode(episode_id) if stamp == known_stamp else None
        if listed is not None:
            return self._listed(source, listed.episode, listed)
        steps.check_source(source.place, self._options)
        if source.kind == "file" and not is_media(source.place):
            check_sound(Path(source.place), source.called)
        found = steps.download(source.place, self._options).episode
        episode = replace(found, audio_url=f"{local_files.SCHEME}{source.place}")
        with self._store.begin() as connection:
            local_files.remember(connection, source.place, stamp, episode.id)
        self._known[source.place] = (stamp, episode.id)
        return self._listed(source, episode, self._store.episode(episode.id))

    def _listed(
        self, source: Source, episode: Episode, listed: ListedEpisode | None, show: str = ""
    ) -> Taken:
        """The source as what is `listed`, which is added, or added again, where there is something to do."""
        if listed is not None and listed.id in self._taken and not _is_gone(listed):
            same = f"it is the same as {self._taken[listed.id]}"
            if self._taken[listed.id] == source.called:
                same = ""  # it was touched, and is what it was
            return Taken(source, outcome=Outcome(source.called, "twice", why=same))
        if listed is not None and not self._options.force and self._is_done(listed):
            why = self._write_missing(listed)
            self._taken[listed.id] = source.called
            outcome = Outcome(source.called, "done before", folder=listed.folder, why=why)
            return Taken(source, listed.id, outcome)
        show = listed.show if listed is not None else show
        if show in self.refused:
            return Taken(source, outcome=Outcome(source.called, "failed", why=self.refused[show]))
        own = dict(self._own)
        if episode.audio_url.startswith(finding.EXTRACTED):
            own["extractors"] = "use"  # as it was found, whatever the settings let others do
        added = listed is None or listed.state not in queue.LIVE
        fresh = listed is not None and listed.state == "waiting" and not listed.error
        if listed is None or not fresh or dict(listed.options) != own:
            try:
                listed = queue.add(self._store, episode, show=show, options=own, by=queue.OWNER)
            except queue.RunningError:
                outcome = Outcome(source.called, "elsewhere", why="it is worked on right now")
                return Taken(source, listed.id if listed else episode.id, outcome)
        self._taken[listed.id] = source.called
        return Taken(source, listed.id, added=added)

    def _is_done(self, listed: ListedEpisode) -> bool:
        """Whether an episode was done as it would be now, and its record is where it was put."""
        if listed.state != "done":
            return False
        try:
            was, now = (self._of(listed, own) for own in (listed.options, self._own))
        except ValueError:  # options of another version
            return False
        if any(getattr(was, name) != getattr(now, name) for name in EpisodeOptions.model_fields):
            return False
        folder = resolve_location(listed.folder)
        return not is_local(folder) or (folder / EPISODE.file_name).is_file()

    def _of(self, listed: ListedEpisode, own: Mapping[str, Any]) -> RunOptions:
        show = listed.show if listed.show in self._settings.shows else ""
        return self._settings.run_options_for(show, own)

    def _write_missing(self, listed: ListedEpisode) -> str:
        """Write the files of an episode that is done which it was not asked for then, and say so."""
        folder = resolve_location(listed.folder)
        if not is_local(folder):
            return ""
        wanted = write.formats_named(self._of(listed, self._own).formats)
        absent = [entry for entry in wanted if not (folder / entry.file_name).exists()]
        missing = [
            entry.name for entry in absent if not entry.needs
        ]  # others may have nothing to be written from
        if not missing:
            return ""
        publish_in(folder, [entry.name for entry in absent])
        return f"{', '.join(missing)} written from it"


def _is_gone(listed: ListedEpisode) -> bool:
    """Whether an episode waits since its file is not where it was, as when it was renamed meanwhile."""
    waits = listed.state == "waiting" and bool(listed.error)
    address = listed.episode.audio_url
    return waits and local_files.is_local(address) and not Path(local_files.path_of(address)).exists()


def own_options(given: RunOptions) -> dict[str, Any]:
    """What of the options of a call goes with each of its episodes: all that was given but what is of the call."""
    own = given.model_dump(mode="json", include=given.model_fields_set - OF_THE_CALL)
    for name in ("model", "translator", "library"):  # whoever goes on with it may be in another folder
        if own.get(name) and (name == "library" or _is_folder(own[name])):
            place = resolve_location(own[name])
            own[name] = str(place.expanduser().absolute()) if is_local(place) else own[name]
    return own


def _is_folder(model: str) -> bool:
    return model not in (AUTO, *whisper_models.OFFLINE) and Path(model).is_dir()


def in_effect(settings: Settings, given: RunOptions) -> RunOptions:
    """All options of a call: those that were given, or what the settings say; yt-dlp is asked as for one source."""
    of_call = {name: getattr(given, name) for name in OF_THE_CALL}
    chosen = settings.run_options_for("", own_options(given))
    return chosen.model_copy(update={**of_call, "extractors": given.extractors})


def current_or(before: Settings) -> Settings:
    """The settings as they are now, or as they were `before` where they can't be read: somebody may be writing them."""
    try:
        return configuration.current()
    except EpiscribeError:
        return before


def stamp_of(path: Path) -> str:
    """What changes when a file does, or one of the tracks in a folder; OSError where it isn't there."""
    if not path.is_dir():
        told = path.stat()
        return f"{told.st_size}-{told.st_mtime_ns}"
    files = (f"{file.relative_to(path)} {stamp_of(file)}" for file in look_through(path).below())
    return hashlib.sha256("\n".join(files).encode("utf-8", "surrogateescape")).hexdigest()[:32]


Told = Callable[[Outcome, int, int], None]
"""Hears of each outcome as it comes: the how manyth it is, and of how many, 0 where nobody knows."""


class Batch:
    """Works on sources, each of which is told when it is settled. jobs: processes that work at once.

    again: have those of these that wait after a failure tried again when their time has come, until stopped.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        given: RunOptions,
        told: Told,
        *,
        jobs: int = 1,
        again: bool = False,
    ) -> None:
        self._settings, self._store, self._force, self._told = settings, store, given.force, told
        self._intake = Intake(settings, store, given)
        self._ready: queues.Queue[Taken | None] = queues.Queue(AHEAD * jobs)
        self._lock, self._taking = threading.Lock(), threading.Lock()
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        self._jobs, self._again, self._count = jobs, again, 0
        self._waiting: dict[str, Source] = {}  # that failed, by their episodes
        self._elsewhere: list[Taken] = []  # that others work on
        self._held: dict[
            str, tuple[str, str]
        ] = {}  # by shows that settings fail: of which episode is known, and why
        self._swept = time.monotonic()
        self.outcomes: list[Outcome] = []

    def run(self, sources: Iterable[Source], count: int = 0) -> None:
        """All of them, until they end. count: how many there are, where that is known.

        Raises what `sources` raise, and what makes all work impossible.
        """
        self._count = count
        feeder = threading.Thread(target=self._feed, args=(sources,), daemon=True)
        feeder.start()
        try:
            if self._jobs == 1:
                with ExitStack() as stack:
                    self._work_off(partial(_here, stack, []))
            else:
                self._side_by_side()
            keeping.sweep(self._settings.cache.budgets())
        finally:
            self._stopped.set()
            feeder.join(2 * JOIN_SECONDS)
            self._withdraw_rest()
        if self._failure is not None:
            raise self._failure
        if len(self.outcomes) < count:
            raise EpiscribeError(f"of {count} sources only {len(self.outcomes)} were settled")

    def _feed(self, sources: Iterable[Source]) -> None:
        try:
            for source in sources:
                if self._stopped.is_set():
                    return
                taken = self._intake.take(source)
                if not self._offer(taken):
                    self._withdraw(taken)
        except BaseException as error:  # whatever it is, who waits for sources is to hear of it
            self._failure = self._failure or error
        finally:
            self._offer(None)

    def _offer(self, taken: Taken | None) -> bool:
        """Have somebody work on it, once there is room; False where all has stopped."""
        while not self._stopped.is_set():
            with suppress(queues.Full):
                self._ready.put(taken, timeout=JOIN_SECONDS)
                return True
        return False

    def _withdraw_rest(self) -> None:
        with suppress(queues.Empty):
            while True:
                self._withdraw(self._ready.get_nowait())

    def _withdraw(self, taken: Taken | None) -> None:
        """Nobody wants what only this call has added, and was stopped before it was begun."""
        if taken is None or not taken.added:
            return
        with suppress(EpiscribeError):
            now = self._store.episode(taken.episode_id)
            if now is not None and now.state in queue.WAITING and not now.attempts and not now.error:
                queue.cancel(self._store, now.id)

    def _work_off(self, do: Do) -> None:
        """Do one after another of what is ready, until there is no more."""
        while not self._stopped.is_set():
            try:
                taken = self._ready.get(timeout=LOOK_SECONDS)
            except queues.Empty:
                taken = self._due_again()
                if taken is None:
                    continue
            if taken is None:
                self._ready.put(None)  # for the others
                taken = self._free_again()
                if taken is None:
                    return
            self._settle(taken, do)

    def _settle(self, taken: Taken, do: Do) -> None:
        outcome = taken.outcome or self._outcome(taken, do)
        if self._stopped.is_set():  # and so was the work
            self._withdraw(taken)
            return
        waited_for = outcome.state == "elsewhere" and not self._again
        if outcome.state == "elsewhere":
            self._waiting[taken.episode_id] = taken.source
        if waited_for:
            self._elsewhere.append(taken)
            outcome = replace(outcome, why=f"{outcome.why}, which is waited for")
        with self._lock:
            if not waited_for:
                self.outcomes.append(outcome)
            self._told(outcome, len(self.outcomes), self._count)
            if time.monotonic() - self._swept > SWEEP_SECONDS:
                keeping.sweep(self._settings.cache.budgets())
                self._swept = time.monotonic()

    def _free_again(self) -> Taken | None:
        """One of those that others worked on, once they don't any more; None where there are no more."""
        while not self._stopped.is_set():
            with self._taking:
                if not self._elsewhere:
                    return None
                for taken in self._elsewhere:
                    now = self._store.episode(taken.episode_id)
                    if now is None or not now.held:
                        self._elsewhere.remove(taken)
                        ours = taken.outcome is None  # with the options of this call
                        return taken if ours else self._intake.take(taken.source)
            self._stopped.wait(LOOK_SECONDS)
        return None

    def _due_again(self) -> Taken | None:
        """One of ours that failed and is to be tried again now."""
        if not self._again or not self._waiting:
            return None
        with self._lock, suppress(EpiscribeError):  # a store that can't be reached now may be there next time
            self._settings = current_or(self._settings)
            release(self._settings, self._store)
            self._let_go()
            for listed in self._store.due(self._settings.limits.attempts):
                held, _ = self._held.get(listed.show, (listed.id, ""))
                if held == listed.id and (source := self._waiting.pop(listed.id, None)) is not None:
                    self._held.pop(listed.show, None)
                    return Taken(source, listed.id)
        return None

    def _let_go(self) -> None:
        """Of shows that settings failed, those go on whose episode that was known of doesn't wait any more."""
        for show, (episode_id, _) in list(self._held.items()):
            now = self._store.episode(episode_id)
            if now is None or now.state not in queue.LIVE:
                del self._held[show]

    def _outcome(self, taken: Taken, do: Do) -> Outcome:
        """What becomes of an episode that is worked on."""
        began, called = time.perf_counter(), taken.source.called
        listed = self._store.episode(taken.episode_id)
        if listed is None:
            return Outcome(called, "failed", why="it was removed from the store")
        if listed.state == "done":
            return Outcome(called, "done before", folder=listed.folder)
        if listed.show in self._held:
            self._waiting[listed.id] = taken.source
            return Outcome(called, "waiting", why=self._held[listed.show][1])
        self._waiting.pop(listed.id, None)
        self._settings = current_or(self._settings)
        try:
            ended = do(self._settings, listed, self._force)
        except Exception as error:  # whatever it is, others go on
            ended = Ended(error=without_secrets(f"{type(error).__name__}: {error}"))
        took = time.perf_counter() - began
        now = self._store.episode(listed.id) or listed
        if ended.folder:
            why = "; ".join(ended.warnings)
            return Outcome(called, "done", ended.seconds, took, ended.folder, why)
        if now.state == "done":
            return Outcome(called, "done before", folder=now.folder)
        if now.state == "waiting":
            self._waiting[now.id] = taken.source
        if now.held:
            return Outcome(called, "elsewhere", why="another run works on it")
        why = now.error or ended.error
        if ended.reach in ("all", "machine"):  # so others of the show would fail, too
            self._held[listed.show] = (listed.id, why)
            if not self._again:
                self._intake.refused[listed.show] = why
        state = "failed" if now.state == "queued" else now.state
        return Outcome(called, state, took=took, why=why)

    def _side_by_side(self) -> None:
        """In several processes, each with a thread here that has it do one after another."""
        crew = _Crew(self._jobs)
        threads = [
            threading.Thread(target=self._work_off_beside, args=(crew.hand(number),), daemon=True)
            for number in range(self._jobs)
        ]
        with ExitStack() as stack:
            try:
                for thread in threads:
                    thread.start()
                while alive := [thread for thread in threads if thread.is_alive()]:
                    crew.serve(stack)
                    alive[0].join(JOIN_SECONDS)
            finally:
                self._stopped.set()
                crew.close()
                for thread in threads:
                    thread.join()

    def _work_off_beside(self, do: Do) -> None:
        """The same in a thread: what goes wrong there stops all."""
        try:
            self._work_off(do)
        except BaseException as error:
            self._failure = self._failure or error
            self._stopped.set()


@dataclass(frozen=True, slots=True)
class Ended:
    """How the work on an episode ended; `folder` is "" where it was not done.

    reach: whom the error meets, as `SettingsError` has it; "" where no setting is at fault.
    """

    folder: str = ""
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    error: str = ""
    reach: str = ""


Do = Callable[[Settings, ListedEpisode, bool], Ended]


def _here(
    stack: ExitStack, began: list[bool], settings: Settings, listed: ListedEpisode, force: bool
) -> Ended:
    """Work on an episode in this process, where Prefect is started for the first one."""
    if not began:
        stack.enter_context(prefect_session())
        began.append(True)
    return _work(settings, listed, force)


def _work(settings: Settings, listed: ListedEpisode, force: bool) -> Ended:
    from flows.episode import process_episode
    from flows.schedule.poll import parameters_of

    parameters = parameters_of(listed, settings)
    if force:
        parameters["options"] = parameters["options"].model_copy(update={"force": True})
    state: Any = process_episode(**parameters, return_state=True)
    found = state.result(raise_on_failure=False)
    if isinstance(found, BaseException):
        reach = found.reach if isinstance(found, SettingsError) else ""
        return Ended(error=str(found), reach=reach)
    if not isinstance(found, dict):
        return Ended(error=state.message or state.name)
    return Ended(found["folder"], found["seconds"], tuple(found["warnings"]))


class _Crew:
    """Processes that work side by side, each for one thread; they and the server they share begin when first needed."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._wanted, self._serving, self._closed = (threading.Event() for _ in range(3))
        self._api_url = ""
        self._lock = threading.Lock()
        self._processes: dict[int, WarmProcess] = {}

    def hand(self, number: int) -> Do:
        """One that works in a process of its own."""
        return partial(self._do, number)

    def serve(self, stack: ExitStack) -> None:
        """Start Prefect, once somebody needs it; for the main thread."""
        if self._wanted.is_set() and not self._serving.is_set():
            stack.enter_context(prefect_session())
            self._api_url = session_address()
            self._serving.set()

    def _do(self, number: int, settings: Settings, listed: ListedEpisode, force: bool) -> Ended:
        try:
            return self._process(number).submit(_work, settings, listed, force).result()
        except (BrokenProcessPool, CancelledError):
            self._lost(number, settings, listed)
            return Ended(error=DIED)
        except RuntimeError:
            if not self._closed.is_set():
                raise
            return Ended(error=DIED)

    def _process(self, number: int) -> WarmProcess:
        """The process of this number, which is started, also in place of one that died."""
        self._wanted.set()
        while not self._serving.wait(JOIN_SECONDS):
            if self._closed.is_set():
                raise CancelledError
        if number not in self._processes:
            made = WarmProcess(_prepare, self._api_url, number, self._jobs)
            with self._lock:
                self._processes[number] = made
            if self._closed.is_set():  # meanwhile
                made.close()
        return self._processes[number]

    def _lost(self, number: int, settings: Settings, listed: ListedEpisode) -> None:
        """A process has died: its episode is given back at once, else its lease would have to run out."""
        with self._lock:
            process = self._processes.pop(number, None)
        if process is not None:
            process.close()
        now = open_store(settings.store).episode(listed.id)
        if now is not None and now.state == "running" and now.owner != listed.owner:
            leases.record_failure(now.id, now.owner, DIED, cut_off=True)

    def close(self) -> None:
        """End all processes; what they are at is given back."""
        self._closed.set()
        with self._lock:
            processes = list(self._processes.values())
        for process in processes:
            process.terminate()
        for process in processes:
            process.close()


def _prepare(api_url: str, number: int, jobs: int) -> None:
    """What a process of the crew begins with: the session it is of, and its share of the cores."""
    join_session(api_url)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) >= jobs:
            os.sched_setaffinity(0, cores[number::jobs])
