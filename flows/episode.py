"""The Prefect flow that turns one episode into its folder of transcripts.

Every step that costs time is a task whose result is kept across runs and processes, under
`<step>-v<version>-<sha256 of the audio>-<hash of its options>`: with other options only what they
change is computed again. A path is never part of a result that is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from typing import TYPE_CHECKING, Any

from prefect import flow, task
from prefect.context import TaskRunContext
from prefect.runtime import flow_run
from prefect.states import Completed

from audio.media.recording import DecodedAudio, Recording
from audio.media.shortfall import Amount, shortfall
from flows import naming, steps
from flows.options import RunOptions
from flows.progress import progress
from models.asr import whisper_models
from models.asr.second_voice import SpokenWords
from models.asr.transcription import Transcription, TranscriptionOptions
from models.diarisation import diariser
from models.diarisation.diariser import DiariserOptions
from models.record.errors import EpiscribeError, InputError
from models.record.spans import Span, speech_of
from models.record.transcript import AudioFile, Diarisation, Repair, Turn, Voice, Word
from models.runtime.device import resolve_device
from outputs.library.files import resolve_location as resolve_location
from outputs.library.placement import holds

if TYPE_CHECKING:
    from flows.schedule.leases import Lease

# Raised when a step's results change their form or meaning, so that older ones are not reused.
DECODE_VERSION = 2
TRANSCRIBE_VERSION = 4
DIARISE_VERSION = 6
OVERLAPS_VERSION = 1

JSON_RESULT = "compressed/json"


@dataclass(frozen=True)
class Step:
    """What identifies the result of a task: the audio it heard and the options it heeded."""

    sha256: str
    options: dict[str, Any]


def result_key(name: str, step_version: int, step: Step) -> str:
    """The name under which a result is kept; the same for the same audio and options, anywhere."""
    text = json.dumps(step.options, sort_keys=True)
    return f"{name}-v{step_version}-{step.sha256}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _keyed(name: str, step_version: int) -> Callable[[TaskRunContext, dict[str, Any]], str]:
    def key(_: TaskRunContext, parameters: dict[str, Any]) -> str:
        return result_key(name, step_version, parameters["step"])

    return key


@task(name="download", persist_result=False)
def download(source: str, options: RunOptions) -> steps.DownloadedEpisode:
    """Find the episode and bring its audio here; unchanged audio is not sent again."""
    return steps.download(source, options, progress)


@task(name="download", persist_result=False)
def download_listed(lease: Lease, options: RunOptions) -> steps.DownloadedEpisode:
    """Bring the audio of an episode that the store lists."""
    return steps.download_episode(
        lease.episode, options, progress, limits=lease.limits(), access=lease.access()
    )


@task(
    name="decode",
    version=str(DECODE_VERSION),
    cache_key_fn=_keyed("decode", DECODE_VERSION),
    persist_result=True,
    result_serializer=JSON_RESULT,
)
def decode(step: Step, recording: Recording, wanted: str | None) -> dict[str, Any]:
    """Decode the audio and tell its length; see `Recording.decode`."""
    return asdict(recording.decode(wanted, progress))


@task(
    name="transcribe",
    version=str(TRANSCRIBE_VERSION),
    cache_key_fn=_keyed("transcribe", TRANSCRIBE_VERSION),
    persist_result=True,
    result_serializer=JSON_RESULT,
)
def transcribe(
    step: Step, recording: Recording, track: int, options: TranscriptionOptions, speech: Sequence[Span] | None
) -> dict[str, Any]:
    """Write down the words; see `steps.transcribe`."""
    return asdict(steps.transcribe(recording, track, options, speech, progress))


@task(
    name="diarise",
    version=str(DIARISE_VERSION),
    cache_key_fn=_keyed("diarise", DIARISE_VERSION),
    persist_result=True,
    result_serializer=JSON_RESULT,
)
def diarise(step: Step, recording: Recording, track: int, options: DiariserOptions) -> dict[str, Any]:
    """Find who speaks when; see `steps.diarise`. Without their voices where none are to be kept."""
    found = asdict(steps.diarise(recording, track, options, progress))
    return {**found, "voices": ()} if step.options.get("voices") == "off" else found


@task(
    name="overlaps",
    version=str(OVERLAPS_VERSION),
    cache_key_fn=_keyed("overlaps", OVERLAPS_VERSION),
    persist_result=True,
    result_serializer=JSON_RESULT,
)
def resolve_overlaps(
    step: Step,
    recording: Recording,
    track: int,
    options: TranscriptionOptions,
    words: Sequence[Word],
    turns: Diarisation,
) -> dict[str, Any]:
    """Hear both who talk at once; see `steps.resolve_overlaps`."""
    return asdict(steps.resolve_overlaps(recording, track, options, words, turns))


@task(name="publish", persist_result=False)
def publish(transcript: Any, options: RunOptions, audio: str = "") -> steps.PublishedEpisode:
    """Write the episode's folder."""
    return steps.publish(transcript, options, audio)


@task(name="publish", persist_result=False)
def publish_listed(
    transcript: Any, options: RunOptions, lease: Lease, audio: str = ""
) -> steps.PublishedEpisode:
    """Write the episode's folder and mark the episode done, both or neither."""
    with lease.finishing() as finished:
        published = steps.publish(transcript, options, audio)
        finished.folder = str(published.folder)
        finished.warnings = (*transcript.warnings, *published.warnings)
    return published


def record_failure(flow: Any, flow_run: Any, state: Any) -> None:
    """Hook: the store learns why a run of a listed episode failed, or that it was cut off or cancelled."""
    episode_id = flow_run.parameters.get("episode_id")
    if episode_id is None:
        return
    from flows.schedule import leases

    error = state.message or state.name
    if state.is_failed():
        error = state.result(raise_on_failure=False)
    if state.is_cancelled() or state.is_cancelling():
        error = InputError("cancelled")  # nobody wants another attempt
    leases.record_failure(episode_id, str(flow_run.id), error, cut_off=state.is_crashed())


@flow(
    name="process-episode",
    validate_parameters=True,
    persist_result=False,
    on_failure=[record_failure],
    on_crashed=[record_failure],
    on_cancellation=[record_failure],
)
def process_episode(
    source: str, options: RunOptions | None = None, episode_id: str | None = None
) -> dict[str, Any]:
    """Process one episode: download, decode, diarise, transcribe, hear overlaps, align, name, publish.

    source: a local audio or video file, the URL of audio, or the URL of a feed. Returns the folder,
    its files, the steps that were computed and those whose kept result was reused, warnings, and where the
    transcript that the feed offers is kept ("" for none).
    Raises InputError for input that can't be used, EpiscribeError for a run that failed. Without a
    working diariser the transcript is written all the same, without speakers, and a warning says so.

    episode_id: an episode that the store lists. It is leased first, and its address, with what its feed said,
    comes from the store, so that `source` need not hold secrets. Where somebody else has it, or it is done,
    the run does nothing.
    """
    options = options or RunOptions()
    if episode_id is None:
        steps.check_input(source, options)
        return _process(
            options,
            lambda: download(source, options),
            lambda transcript, audio: publish(transcript, options, audio),
        )
    from flows.schedule import leases

    with leases.leased(episode_id, str(flow_run.id)) as lease:
        if lease is None:
            return Completed(name="Skipped", message="done already, or another worker is on it")  # type: ignore[return-value]
        return _process_listed(lease, options)


def _process_listed(lease: Lease, options: RunOptions) -> dict[str, Any]:
    from flows.schedule.artifacts import link_outputs

    if (folder := lease.listed.folder) and holds(
        resolve_location(folder), lease.episode
    ):  # also outside the library
        options = options.model_copy(update={"out": folder})
    steps.check_input(lease.episode.audio_url, options)
    result = _process(
        options,
        lambda: download_listed(_opaque(lease), options),
        lambda transcript, audio: publish_listed(transcript, options, _opaque(lease), audio),
    )
    link_outputs(lease, result["files"])
    return result


def _process(
    options: RunOptions,
    download: Callable[[], steps.DownloadedEpisode],
    publish: Callable[[Any, str], steps.PublishedEpisode],
) -> dict[str, Any]:
    """All steps between the two that differ: how the audio comes here, and where the files go."""
    run = _Run(force=options.force)
    source = download()
    run.note("download", computed=source.fresh)
    with Recording(source.path, source.sha256) as recording:
        decoded = _decode(run, recording, options.audio_track)
        turns, diariser_model, warnings = _diarise(run, recording, decoded.track, options)
        if warnings:
            steps.refuse_to_lose_speakers(source, options, warnings[0])
        speech = speech_of(turns.turns) or None  # where no turn was found a voice detector is asked, too
        folder = steps.folder_for(source.episode, options)
        heeded = steps.with_vocabulary(options, source, folder)
        words = _transcribe(run, recording, decoded.track, heeded, speech)
        spoken = _resolve_overlaps(run, recording, decoded.track, heeded, words, turns)
    transcript = steps.align(
        source.episode,
        AudioFile(source.path, source.sha256, decoded.seconds, decoded.track),
        words,
        turns,
        diariser_model=diariser_model,
        warnings=(*source.warnings, *decoded.warnings, *_shortfall(source, decoded.seconds), *warnings),
        spoken=spoken,
    )
    transcript = naming.name_speakers(transcript, turns.voices, folder, options, source.witness.transcript)
    published = publish(_opaque(transcript), source.path)
    unkept = naming.learn_voices(transcript, turns.voices, published.folder, options)
    return {
        "folder": str(published.folder),
        "files": [str(file) for file in published.files],
        "published_transcript": source.witness.file,
        "computed": run.computed,
        "reused": run.reused,
        "warnings": [*source.feed_warnings, *transcript.warnings, *unkept, *published.warnings],
    }


def _shortfall(source: steps.DownloadedEpisode, seconds: float) -> tuple[str, ...]:
    """What to warn of where the feed had promised more than came."""
    came, promised = Amount(seconds, source.size), Amount(source.episode.duration, source.promised_bytes)
    warning = shortfall(came, promised)
    return (warning,) if warning else ()


class _Run:
    """Calls tasks and remembers which were computed and which had a kept result."""

    def __init__(self, force: bool) -> None:
        self._force = force
        self.computed: list[str] = []
        self.reused: list[str] = []

    def note(self, name: str, *, computed: bool) -> None:
        (self.computed if computed else self.reused).append(name)

    def do(self, step_task: Any, *arguments: Any) -> Any:
        """The task's result; raises what the task raised."""
        if self._force:
            step_task = step_task.with_options(refresh_cache=True)
        state = step_task(*(_opaque(argument) for argument in arguments), return_state=True)
        result = state.result()
        self.note(step_task.name, computed=state.name != "Cached")
        return result


def _opaque(value: Any) -> Any:
    """Keep Prefect from walking through a value in search of other tasks' results."""
    from prefect.utilities.annotations import opaque

    return opaque(value)


def _decode(run: _Run, recording: Recording, wanted: str | None) -> DecodedAudio:
    found = run.do(decode, Step(recording.sha256, {"wanted": wanted}), recording, wanted)
    return DecodedAudio(**{**found, "warnings": tuple(found["warnings"])})


def _heeded(options: TranscriptionOptions, track: int) -> dict[str, Any]:
    """What of the options decides the words, and the model's weights in place of its name."""
    _, model = whisper_models.resolve(options.model, resolve_device(options.device))
    heeded = {**asdict(options), "model": whisper_models.weights_sha256(model), "track": track}
    del heeded["device"], heeded["batch_size"]  # change the speed, not what is meant to come out
    return heeded


def _transcribe(
    run: _Run, recording: Recording, track: int, options: TranscriptionOptions, speech: Sequence[Span] | None
) -> Transcription:
    heeded = _heeded(options, track)
    heeded["speech"] = None if speech is None else [astuple(span) for span in speech]
    found = run.do(transcribe, Step(recording.sha256, heeded), recording, track, options, speech)
    words = tuple(Word(**word) for word in found["words"])
    repairs = tuple(Repair(**repair) for repair in found["repairs"])
    return Transcription(
        **{**found, "words": words, "repairs": repairs, "warnings": tuple(found["warnings"])}
    )


def _resolve_overlaps(
    run: _Run,
    recording: Recording,
    track: int,
    options: TranscriptionOptions,
    words: Transcription,
    turns: Diarisation,
) -> SpokenWords:
    """The words with who says them; where two talk at once, both are heard."""
    spoken = steps.attribute(words, turns)
    if not words.words or not steps.has_overlaps(turns):
        return spoken
    options = replace(options, language=words.language, vocabulary=(), misheard=())  # they are spelled right
    heeded = {
        **_heeded(options, track),
        "words": [astuple(word) for word in spoken.words],
        "turns": [astuple(turn) for turn in turns.turns],
    }
    step = Step(recording.sha256, heeded)
    found = run.do(resolve_overlaps, step, recording, track, options, spoken.words, turns)
    return SpokenWords(*(tuple(Word(**word) for word in found[name]) for name in ("words", "second")))


def _diarise(
    run: _Run, recording: Recording, track: int, run_options: RunOptions
) -> tuple[Diarisation, str, tuple[str, ...]]:
    """Turns, the diariser that found them, and warnings; no turns where it failed."""
    options = run_options.diarisation()
    model = diariser.resolve(options.model, resolve_device(options.device))
    if model == "none":
        return Diarisation(), model, ()
    heeded = {**asdict(options), "model": model, "track": track}
    del heeded["device"]
    if run_options.voices == "off":
        heeded["voices"] = "off"
    try:
        found = run.do(diarise, Step(recording.sha256, heeded), recording, track, options)
    except Exception as error:  # whatever it is, the words are worth having
        reason = str(error) if isinstance(error, EpiscribeError) else f"{type(error).__name__}: {error}"
        return Diarisation(), "none", (f"no speakers: diarisation failed ({reason})",)
    turns, exclusive = (tuple(Turn(**turn) for turn in found[name]) for name in ("turns", "exclusive"))
    voices = tuple(Voice(**{**voice, "embedding": tuple(voice["embedding"])}) for voice in found["voices"])
    return Diarisation(turns, exclusive, voices, tuple(found["warnings"])), model, ()
