"""Running flows here and now, for the command line."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from flows import logs
from flows.local.prefect_session import prefect_session
from flows.local.progress_bars import bars
from flows.progress import progress
from models.record.errors import InputError, InterruptedRun
from outputs.text.terminal import printable

if TYPE_CHECKING:
    from flows.local.batch import Batch, Outcome, Told
    from flows.local.sources import Source
    from flows.options import RunOptions
    from models.diarisation.diariser import DiariserOptions
    from models.record.transcript import Diarisation


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C within ends as an error of ours: one line, exit code 1."""
    pressed: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    except BaseException as error:
        # Libraries turn an interrupt into other errors when it comes while they import something.
        if not pressed and not isinstance(error, KeyboardInterrupt):
            raise
        message = "interrupted; finished steps are kept, and the same command goes on from there"
        raise InterruptedRun(message) from error
    finally:
        signal.signal(signal.SIGINT, before)


def _quieten_prefect(*, debug: bool) -> None:
    """What goes wrong is told once, by us. Read by Prefect when it is imported."""
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "INFO" if debug else "CRITICAL")


def run_episode(source: str, options: RunOptions, *, debug: bool = False) -> dict[str, Any]:
    """`process_episode` in this process, with progress shown; returns what the flow returns."""
    _quieten_prefect(debug=debug)

    def prepare() -> None:
        from flows import steps

        steps.check_input(source, options)  # a wrong option should not take seconds to tell
        if options.force:
            steps.load_models(options)

    with interruptible(), prefect_session(prepare), bars():
        from flows.episode import process_episode

        result: dict[str, Any] = process_episode(source, options)
        return result


def run_batch(
    sources: list[Source], given: RunOptions, *, jobs: int = 1, debug: bool = False
) -> list[Outcome]:
    """Process episodes through the store, telling each as it is settled; returns what became of them, in that order.

    given: options, of which those that are not among its `model_fields_set` are as the settings have them.
    What was settled is told also where the rest is not, since somebody pressed Ctrl-C.
    """
    from flows.local.batch_report import print_outcomes, settled_one_by_one
    from flows.schedule.notices import telling

    _quieten_prefect(debug=debug)
    with stoppable(), interruptible(), settled_one_by_one() as told, telling(_warn):
        batch = _batch(given, told, jobs=jobs)
        try:
            batch.run(sources, len(sources))
        finally:
            print_outcomes(batch.outcomes)
    return batch.outcomes


def run_watch(folder: Path, given: RunOptions, *, jobs: int = 1, debug: bool = False) -> None:
    """Process what is in a folder, and what appears in it, until Ctrl-C or SIGTERM; `given` as of `run_batch`.

    InputError where there is no such folder, EpiscribeError where it goes away.
    """
    import threading

    from flows.local.batch_report import settled_one_by_one
    from flows.local.watch import appearing
    from flows.schedule.notices import telling

    _quieten_prefect(debug=debug)
    stopped = threading.Event()

    def say(line: str) -> None:
        print(printable(line), flush=True)

    with stoppable(), settled_one_by_one(watching=True) as told, telling(_warn, at_end=False):
        try:
            with interruptible():
                batch = _batch(given, told, jobs=jobs, again=True)
                say(f"watching {folder}; stop with Ctrl-C")
                batch.run(appearing(folder, given.tracks, stopped, say))
        except InterruptedRun:
            say("stopped; what was under way is taken up again next time")
        finally:
            stopped.set()


def _batch(given: RunOptions, told: Told, *, jobs: int, again: bool = False) -> Batch:
    from flows import steps
    from flows.local.batch import Batch, in_effect
    from flows.schedule import settings as configuration
    from flows.schedule.store import open_store

    settings = configuration.load()
    steps.check_options(in_effect(settings, given))  # once, instead of failing each episode
    return Batch(settings, open_store(settings.store), given, told, jobs=jobs, again=again)


@contextmanager
def stoppable() -> Iterator[None]:
    """Within, SIGTERM does what Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run_poll(shows: list[str] | None, *, debug: bool = False) -> dict[str, Any]:
    """`poll_feeds` in this process, with progress shown and people told; returns what the flow returns."""
    from flows.schedule.notices import telling

    _quieten_prefect(debug=debug)
    with interruptible(), prefect_session(), bars(), telling(_warn):
        from flows.schedule.poll import poll_feeds

        result: dict[str, Any] = poll_feeds(shows)
        return result


def _warn(text: str) -> None:
    logs.warn(f"warning: {printable(text)}", event="notify")


def print_result(result: dict[str, Any]) -> None:
    """Say what was done, what had been done before, what to be warned of, and where the files are."""
    if logs.is_json():
        logs.say(f"{result['folder']} is written", event="run.done", **result)
        return
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True, emoji=False)
    if result["computed"]:
        console.print(f"computed: {', '.join(result['computed'])}", markup=False)
    if result["reused"]:
        console.print(f"reused from earlier runs: {', '.join(result['reused'])}", markup=False)
    if not result["computed"]:
        console.print("nothing had to be computed again", markup=False)
    if result["tracks"]:
        console.print(printable(_told(result["tracks"])), markup=False)
    if len(result["languages"]) > 1:
        shares = (f"{one['language']} {one['share']:.0%}" for one in result["languages"])
        console.print(f"languages: {printable(', '.join(shares))}", markup=False)
    for warning in result["warnings"]:
        console.print(f"warning: {printable(warning)}", style="yellow", markup=False)
    for file in result["files"]:
        console.print(printable(file), markup=False)


def _told(tracks: dict[str, Any]) -> str:
    """How tracks were heard, and why, in one line."""
    how = "each as its own people's" if tracks["mode"] == "separate" else "together, as one recording"
    return f"tracks: heard {how} ({tracks['why']})"


def diarise_file(audio: Path, out: Path, options: DiariserOptions, tracks: str = "auto") -> Diarisation:
    """Diarise one file and write the turns as RTTM. Raises InputError, ModelError and OutputError.

    tracks: auto, mix or separate: whether its streams or channels are people.
    """
    from audio.tracks.recording import Recording
    from audio.transfer.download import local_file
    from flows import own_tracks, steps
    from models.diarisation import diariser
    from models.runtime.device import resolve_device
    from outputs.formats import rttm
    from outputs.library import files

    if out.is_dir() or not out.absolute().parent.is_dir():
        raise InputError(f"{out} can't be written: give the name of a file in a folder that is there")
    diariser.require(options, resolve_device(options.device))
    stored = local_file(audio)
    with interruptible(), bars(), Recording(str(stored.path), stored.sha256) as recording:
        decoded = recording.decode(tracks=tracks, progress=progress)
        if decoded.layout is None:
            found = steps.diarise(recording, decoded, options, progress)
        else:
            each = own_tracks.diarise_tracks(recording, decoded, options, progress)
            found = own_tracks.join(decoded, each).found
    files.replace_files({out: rttm.render_turns(found.turns, audio.stem).encode()})
    return found
