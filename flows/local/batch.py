"""Many episodes, one after the other or several at once: each goes through the store, so all are known afterwards.

What the sources mean is found out while the first are being heard: to know a file by its content takes reading it.
"""

from __future__ import annotations

import hashlib
import json
import os
import queue as queues
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from audio.transfer.addresses import web_address, without_login
from flows import finding, steps
from flows.local.prefect_session import join_session, prefect_session, session_address
from flows.local.sources import Source, is_media, look_through
from flows.options import AUTO, RunOptions
from flows.schedule import additions, leases, local_files, queue
from flows.schedule.fingerprint import release
from flows.schedule.plan import ListedEpisode
from flows.schedule.settings import Settings
from flows.schedule.store import Store, open_store
from flows.schedule.uploads import check_sound
from flows.schedule.warm import WarmProcess
from models.asr import whisper_models
from models.record.errors import EpiscribeError, InputError
from models.record.transcript import Episode
from outputs.formats.registry import EPISODE
from outputs.library.files import is_local, resolve_location

LOOK_SECONDS = 1.0  # between two looks for what is to be tried again
JOIN_SECONDS = 0.1
DIED = "its process died"
OF_THE_CALL = ("force", "out", "episode", "track")  # options that are of a call, and not of its episodes


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
    """A source as an episode of the store, to be worked on unless its `outcome` is known already."""

    source: Source
    episode_id: str = ""
    outcome: Outcome | None = None


class Intake:
    """Makes episodes of the store of sources; each is known again by its content, its path or its address."""

    def __init__(self, settings: Settings, store: Store, options: RunOptions) -> None:
        self._settings, self._store = settings, store
        self._options = options
        self.own = own_options(settings, options)
        self._known = local_files.known(store)
        self._taken: dict[str, str] = {}  # what episodes of this call are called

    def take(self, source: Source) -> Taken:
        """The episode that a source is, listed in the store; what can't be listed is told by its outcome."""
        try:
            if source.error:
                raise InputError(source.error)
            return self._address(source) if source.kind == "address" else self._path(source)
        except queue.RunningError:
            return Taken(source, outcome=Outcome(source.called, "elsewhere", why="it is worked on right now"))
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
        if listed is not None and listed.id in self._taken:
            same = f"it is the same as {self._taken[listed.id]}"
            if self._taken[listed.id] == source.called:
                same = ""  # it was touched, and is what it was
            return Taken(source, outcome=Outcome(source.called, "twice", why=same))
        if listed is not None and self._is_done(listed) and not self._options.force:
            self._taken[listed.id] = source.called
            outcome = Outcome(source.called, "done before", folder=listed.folder)
            return Taken(source, listed.id, outcome)
        fresh = listed is not None and listed.state == "waiting" and not listed.error
        if listed is None or not fresh or dict(listed.options) != self.own:
            listed = queue.add(self._store, episode, show=show, options=self.own, by=queue.OWNER)
        self._taken[listed.id] = source.called
        return Taken(source, listed.id)

    def _is_done(self, listed: ListedEpisode) -> bool:
        """Whether an episode was done with the same options, and its record is where it was put."""
        if listed.state != "done" or dict(listed.options) != self.own:
            return False
        folder = resolve_location(listed.folder)
        return not is_local(folder) or (folder / EPISODE.file_name).is_file()


def own_options(settings: Settings, options: RunOptions) -> dict[str, Any]:
    """What of the options of a call goes with each of its episodes: all that the settings don't say by themselves."""
    beside = settings.run_options_for("").model_dump(mode="json")
    told = options.model_dump(mode="json", exclude=set(OF_THE_CALL))
    # Whoever goes on with it may be in another folder.
    folders = [name for name in ("model", "translator") if _is_folder(told[name])]
    for name in ("library", *folders):
        place = resolve_location(told[name])
        told[name] = str(place.expanduser().absolute()) if is_local(place) else told[name]
    own = {name: value for name, value in told.items() if value != beside[name]}
    return dict(json.loads(json.dumps(own)))


def _is_folder(model: str | None) -> bool:
    return model is not None and model not in (AUTO, *whisper_models.OFFLINE) and Path(model).is_dir()


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
        options: RunOptions,
        told: Told,
        *,
        jobs: int = 1,
        again: bool = False,
    ) -> None:
        self._settings, self._store, self._options, self._told = settings, store, options, told
        self._intake = Intake(settings, store, options)
        self._ready: queues.Queue[Taken | None] = queues.Queue()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        self._jobs, self._again, self._count = jobs, again, 0
        self._waiting: dict[str, Source] = {}  # that failed, by their episodes
        self.outcomes: list[Outcome] = []

    def run(self, sources: Iterable[Source], count: int = 0) -> None:
        """All of them, until they end. count: how many there are, where that is known.

        Raises what `sources` raise, and what makes all work impossible.
        """
        self._count = count
        threading.Thread(target=self._feed, args=(sources,), daemon=True).start()
        try:
            if self._jobs == 1:
                with ExitStack() as stack:
                    self._work_off(partial(_here, stack, []))
            else:
                self._side_by_side()
        finally:
            self._stopped.set()
        if self._failure is not None:
            raise self._failure

    def _feed(self, sources: Iterable[Source]) -> None:
        try:
            for source in sources:
                if self._stopped.is_set():
                    return
                self._ready.put(self._intake.take(source))
        except BaseException as error:  # whatever it is, who waits for sources is to hear of it
            self._failure = error
        finally:
            self._ready.put(None)

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
                return
            outcome = taken.outcome or self._outcome(taken, do)
            if self._stopped.is_set():  # and so was the work
                return
            with self._lock:
                self.outcomes.append(outcome)
                self._told(outcome, len(self.outcomes), self._count)

    def _due_again(self) -> Taken | None:
        """One of ours that failed and is to be tried again now."""
        if not self._again or not self._waiting:
            return None
        with self._lock, suppress(EpiscribeError):  # a store that can't be reached now may be there next time
            release(self._settings, self._store)
            for listed in self._store.due(self._settings.limits.attempts):
                if (source := self._waiting.pop(listed.id, None)) is not None:
                    return Taken(source, listed.id)
        return None

    def _outcome(self, taken: Taken, do: Do) -> Outcome:
        """What becomes of an episode that is worked on."""
        began, called = time.perf_counter(), taken.source.called
        listed = self._store.episode(taken.episode_id)
        if listed is None:
            return Outcome(called, "failed", why="it was removed from the store")
        try:
            ended = do(self._settings, listed, self._options.force)
        except Exception as error:  # whatever it is, others go on
            ended = Ended(error=f"{type(error).__name__}: {error}")
        took = time.perf_counter() - began
        now = self._store.episode(listed.id) or listed
        if ended.folder:
            why = "; ".join(ended.warnings)
            return Outcome(called, "done", ended.seconds, took, ended.folder, why)
        if now.state == "done":
            return Outcome(called, "done before", folder=now.folder)
        if now.held:
            return Outcome(called, "elsewhere", why="another run works on it")
        if now.state == "waiting":
            self._waiting[now.id] = taken.source
        state = "failed" if now.state == "queued" else now.state
        return Outcome(called, state, took=took, why=now.error or ended.error)

    def _side_by_side(self) -> None:
        """In several processes, each with a thread here that has it do one after another."""
        crew = _Crew(self._jobs)
        threads = [
            threading.Thread(target=self._work_off, args=(crew.hand(number),), daemon=True)
            for number in range(self._jobs)
        ]
        with ExitStack() as stack:
            try:
                for thread in threads:
                    thread.start()
                while any(thread.is_alive() for thread in threads):
                    crew.serve(stack)
                    threads[0].join(JOIN_SECONDS)
            finally:
                self._stopped.set()
                crew.close()
                for thread in threads:
                    thread.join()


@dataclass(frozen=True, slots=True)
class Ended:
    """How the work on an episode ended; `folder` is "" where it was not done."""

    folder: str = ""
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    error: str = ""


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
        return Ended(error=str(found))
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
