"""The Prefect flow that turns one episode into its folder of transcripts.

Every step that costs time is a task whose result is kept across runs and processes, under
`<step>-v<version>-<sha256 of the audio>-<hash of its options>`: with other options only what they
change is computed again. A path is never part of a result that is kept.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import flow, task
from prefect.context import TaskRunContext
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed

from audio.media.shortfall import Amount, shortfall
from audio.tracks.recording import DecodedAudio, Recording
from flows import chapters, naming, own_tracks, pace, steps, translation
from flows.assistant import assisted, read_summary, wanted
from flows.keeping import results_folder
from flows.options import RunOptions
from flows.pace import Work
from flows.progress import heard, progress, stage, took
from models.asr import transcription, whisper_models
from models.asr.second_voice import SpokenWords
from models.asr.transcription import Transcription, TranscriptionOptions
from models.diarisation import diariser
from models.diarisation.diariser import DiariserOptions
from models.diarisation.own_tracks import TracksDiarisation
from models.record.errors import EpiscribeError, InterruptedRun
from models.record.spans import Span, speech_of
from models.record.transcript import (
    AudioFile,
    Chapters,
    Diarisation,
    Repair,
    Segment,
    TrackDecision,
    Transcript,
    Translation,
    Turn,
    Voice,
    Word,
)
from models.runtime.cache import holding, use
from models.runtime.device import device_warnings, resolve_device
from models.runtime.energy import per_hour
from outputs.library.files import resolve_location as resolve_location
from outputs.library.placement import holds
from outputs.library.review import doubtful

if TYPE_CHECKING:
    from flows.schedule.leases import Lease
    from flows.schedule.settings import Assistant

# Raised when a step's results change their form or meaning, so that older ones are not reused.
DECODE_VERSION = 3
TRANSCRIBE_VERSION = 6
DIARISE_VERSION = 6
OVERLAPS_VERSION = 2
TRANSLATE_VERSION = 1
CHAPTERS_VERSION = 1
ASSIST_VERSION = 1

JSON_RESULT = "compressed/json"


@dataclass(frozen=True)
class Step:
    """What identifies the result of a task: the audio it heard and the options it heeded."""

    sha256: str
    options: dict[str, Any]


def result_key(name: str, step_version: int, step: Step) -> str:
    """The name under which a result is kept; the same for the same audio and options, anywhere."""
    return f"{name}-v{step_version}-{step.sha256}-{_hash(step.options)}"


def _hash(value: Any) -> str:
    """What tells a value from others, of what JSON has."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


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
        lease.episode,
        options,
        progress,
        limits=lease.limits(),
        access=lease.access(),
        last=lease.is_last_attempt,
    )


@task(name="download", persist_result=False)
def download_sent(lease: Lease, source: str, options: RunOptions) -> steps.DownloadedEpisode:
    """The audio of an episode whose files somebody sent, or that lie on this machine."""
    return steps.download_upload(lease.episode, source, options, progress, unchanged=lease.is_local)


@task(
    name="decode",
    version=str(DECODE_VERSION),
    cache_key_fn=_keyed("decode", DECODE_VERSION),
    persist_result=True,
    result_serializer=JSON_RESULT,
)
def decode(step: Step, recording: Recording, wanted: str | None, tracks: str) -> dict[str, Any]:
    """Decode the audio and tell its length, and whether people have tracks of their own; see `Recording.decode`."""
    return asdict(recording.decode(wanted, tracks, progress))


@task(
    name="transcribe",
    version=str(TRANSCRIBE_VERSION),
    cache_key_fn=_keyed("transcribe", TRANSCRIBE_VERSION),
    persist_result=True,
    result_serializer=JSON_RESULT,
)
def transcribe(
    step: Step,
    work: Work,
    recording: Recording,
    decoded: DecodedAudio,
    options: TranscriptionOptions,
    speech: Sequence[Span] | None,
    turns: Sequence[Turn],
) -> dict[str, Any]:
    """Write down the words; see `steps.transcribe`. `turns` of the result tells of which turns it is."""

    def compute() -> dict[str, Any]:
        found = steps.transcribe(recording, decoded, options, speech, progress, turns, heard)
        return {**asdict(found), "turns": _hash(list(map(astuple, turns)))}

    return work.computed("transcribe", partial(transcription.load, options), compute)


@task(
    name="diarise",
    version=str(DIARISE_VERSION),
    cache_key_fn=_keyed("diarise", DIARISE_VERSION),
    persist_result=True,
    result_serializer=JSON_RESULT,
)
def diarise(
    step: Step, work: Work, recording: Recording, decoded: DecodedAudio, options: DiariserOptions
) -> dict[str, Any]:
    """Find who speaks when; see `steps.diarise`, and for each of several tracks `own_tracks.diarise_tracks`.

    Without voices where none are to be kept.
    """

    def compute() -> dict[str, Any]:
        if decoded.layout is None:
            return asdict(steps.diarise(recording, decoded, options, progress))
        tracks = own_tracks.diarise_tracks(recording, decoded, options, progress)
        return {"tracks": [asdict(found) for found in tracks]}

    found = work.computed("diarise", partial(diariser.load, options), compute)
    if step.options.get("voices") == "off":
        for each in found.get("tracks", [found]):
            each["voices"] = ()
    return found


@task(
    name="overlaps",
    version=str(OVERLAPS_VERSION),
    cache_key_fn=_keyed("overlaps", OVERLAPS_VERSION),
    persist_result=True,
    result_serializer=JSON_RESULT,
)
def resolve_overlaps(
    step: Step,
    work: Work,
    recording: Recording,
    decoded: DecodedAudio,
    options: TranscriptionOptions,
    words: Sequence[Word],
    turns: Diarisation,
) -> dict[str, Any]:
    """Hear both who talk at once; see `steps.resolve_overlaps`."""
    return work.computed(
        "overlaps",
        partial(transcription.load, options),
        lambda: asdict(steps.resolve_overlaps(recording, decoded, options, words, turns)),
    )


@task(
    name="translate",
    version=str(TRANSLATE_VERSION),
    cache_key_fn=_keyed("translate", TRANSLATE_VERSION),
    persist_result=True,
    result_serializer=JSON_RESULT,
)
def translate(
    step: Step,
    work: Work,
    recording: Recording,
    decoded: DecodedAudio,
    options: translation.Options,
    transcript: Transcript,
    target: str,
    joined: TracksDiarisation | None,
) -> dict[str, Any]:
    """Say in another language what was said; see `flows.translation.translate`."""
    segments, language = transcript.segments, transcript.language
    return work.computed(
        "translate",
        partial(translation.load, options),
        lambda: asdict(
            translation.translate(recording, decoded, options, segments, language, target, joined, progress)
        ),
    )


@task(
    name="chapters",
    version=str(CHAPTERS_VERSION),
    cache_key_fn=_keyed("chapters", CHAPTERS_VERSION),
    persist_result=True,
    result_serializer=JSON_RESULT,
)
def propose_chapters(step: Step, work: Work, transcript: Transcript, folder: Path) -> dict[str, Any]:
    """Chapters for an episode that nobody tells any of; see `chapters.propose`."""
    return work.computed("chapters", chapters.load, lambda: asdict(chapters.propose(transcript, folder)))


@task(
    name="assist",
    version=str(ASSIST_VERSION),
    cache_key_fn=_keyed("assist", ASSIST_VERSION),
    persist_result=True,
    result_serializer=JSON_RESULT,
)
def assist(step: Step, transcript: Transcript, settings: Assistant, proxy: str) -> dict[str, Any]:
    """Titles and a summary by a language model of the user's; see `flows.assistant.assisted`."""
    stage("assist")
    helped, warnings = assisted(transcript, settings, proxy, progress)
    return {
        "chapters": asdict(helped.chapters),
        "summary": helped.summary and asdict(helped.summary),
        "warnings": warnings,
    }


@task(name="publish", persist_result=False)
def publish(transcript: Any, options: RunOptions, audio: str = "") -> steps.PublishedEpisode:
    """Write the episode's folder."""
    return steps.publish(transcript, options, audio)


@task(name="publish", persist_result=False)
def publish_listed(
    transcript: Any, options: RunOptions, lease: Lease, audio: str = ""
) -> steps.PublishedEpisode:
    """Write the episode's folder and mark the episode done, both or neither."""
    stage("publish")
    with lease.finishing() as finished:
        published = steps.publish(transcript, options, audio)
        finished.folder = str(published.folder)
        finished.warnings = (*transcript.warnings, *published.warnings)
        finished.doubtful = doubtful(transcript)
    return published


def record_failure(flow: Any, flow_run: Any, state: Any) -> None:
    """Hook: the store learns why a run of a listed episode failed, or that it was cut off or cancelled."""
    episode_id = flow_run.parameters.get("episode_id")
    if episode_id is None:
        return
    from flows.schedule import leases

    if state.is_cancelled() or state.is_cancelling():
        leases.record_cancelled(episode_id, str(flow_run.id))
        return
    error = state.result(raise_on_failure=False) if state.is_failed() else state.message or state.name
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
    """Process one episode: download, decode, diarise, transcribe, hear overlaps, align, translate, name, chapters,
    publish.

    source: a local audio or video file, the URL of audio, or the URL of a feed. Returns the folder,
    the length of the audio in seconds, its files, the steps that were computed and those whose kept result was
    reused, warnings, the languages with their shares, and where the transcript that the feed offers is kept ("" for
    none).
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

    try:
        with leases.leased(episode_id, str(flow_run.id), options) as lease:
            if lease is None:
                return Completed(name="Skipped", message="done already, or another worker is on it")  # type: ignore[return-value]
            with lease.watched():
                return _process_listed(lease, options)
    except leases.PassedOverError as error:
        return Completed(name="Skipped", message=str(error))  # type: ignore[return-value]
    except InterruptedRun as error:
        return Cancelled(message=str(error))  # type: ignore[return-value]


def _process_listed(lease: Lease, options: RunOptions) -> dict[str, Any]:
    from flows.schedule.artifacts import link_outputs

    if (folder := lease.listed.folder) and holds(
        resolve_location(folder), lease.episode
    ):  # also outside the library
        options = options.model_copy(update={"out": folder})
    steps.check_options(options)
    with lease.files(options) as (source, options):
        steps.check_source(source, options)
        result = _process(
            options,
            lambda: (
                download_sent(_opaque(lease), source, options)
                if lease.is_sent
                else download_listed(_opaque(lease), options)
            ),
            lambda transcript, audio: publish_listed(transcript, options, _opaque(lease), audio),
            lease.heed_rules,
        )
    lease.forget_files()
    link_outputs(lease, result["files"])
    return result


@holding()
def _process(
    options: RunOptions,
    download: Callable[[], steps.DownloadedEpisode],
    publish: Callable[[Any, str], steps.PublishedEpisode],
    heed_rules: Callable[[float], None] = lambda seconds: None,
) -> dict[str, Any]:
    """All steps between the two that differ: how the audio comes here, and where the files go.

    heed_rules: told how long the audio is, it raises where that is not to be heard.
    """
    run = _Run(force=options.force)
    began = time.perf_counter()
    source = download()
    use(results_folder(), source.session or source.sha256)
    run.note("download", computed=source.fresh)
    if source.fresh:
        run.took("download", began)
    with Recording(source.path, source.session or source.sha256, source.tracks) as recording:
        decoded = _decode(run, recording, options)
        run.begin(decoded.seconds)
        heed_rules(decoded.seconds)
        chosen = chapters.chosen(source.chapters, source.path, decoded.seconds, source.episode, options)
        run.work = Work(decoded.worked_seconds, *_stages(options, proposing=chosen.proposing))
        folder = steps.folder_for(source.episode, options)
        heeded = steps.with_vocabulary(options, source, folder, decoded.tracks)
        if decoded.layout is None:
            refuse = partial(steps.refuse_to_lose_speakers, source, options)
            heard = _hear_mix(run, recording, decoded, heeded, options, refuse)
        else:
            heard = _hear_tracks(run, recording, decoded, heeded, options)
        began = time.perf_counter()
        transcript = steps.align(
            source.episode,
            AudioFile(source.path, source.sha256, decoded.seconds, decoded.track),
            heard.words,
            heard.turns,
            diariser_model=heard.diariser_model,
            effort=_effort(options, heard.diariser_model),
            warnings=(
                *source.warnings,
                *decoded.warnings,
                *_shortfall(source, decoded.seconds),
                *device_warnings(options.device),
                *([heard.failure] if heard.failure else []),
            ),
            spoken=heard.spoken,
            segments=heard.segments,
            tracks=heard.tracks,
            script=options.script,
        )
        run.took("align", began)
        transcript = _translate(run, recording, decoded, heeded, options, transcript, heard.joined)
    transcript = naming.name_speakers(
        transcript, heard.turns.voices, folder, options, source.witness.transcript
    )
    propose = partial(_propose_chapters, run, source.session or source.sha256, folder)
    transcript = chapters.with_chapters(transcript, chosen, propose)
    if options.assistant == "use":
        transcript = _assisted(run, source.session or source.sha256, transcript)
    transcript = replace(transcript, engine={**transcript.engine, **run.energy(decoded.seconds)})
    began = time.perf_counter()
    published = publish(_opaque(transcript), source.path)
    run.took("publish", began)
    unkept = naming.learn_voices(transcript, heard.turns.voices, published.folder, options)
    run.work.end()
    return {
        "folder": str(published.folder),
        "seconds": decoded.seconds,
        "files": [str(file) for file in published.files],
        "published_transcript": source.witness.file,
        "computed": run.computed,
        "reused": run.reused,
        "tracks": transcript.tracks and asdict(transcript.tracks),
        "languages": [asdict(share) for share in transcript.languages],
        "warnings": [*source.feed_warnings, *transcript.warnings, *unkept, *published.warnings],
    }


def _shortfall(source: steps.DownloadedEpisode, seconds: float) -> tuple[str, ...]:
    """What to warn of where the feed had promised more than came."""
    came, promised = Amount(seconds, source.size), Amount(source.episode.duration, source.promised_bytes)
    warning = shortfall(came, promised)
    return (warning,) if warning else ()


class _Run:
    """Calls tasks and remembers which were computed and which had a kept result."""

    work: Work

    def __init__(self, force: bool) -> None:
        self._force = force
        self._energy: list[dict[str, float]] = []
        self._spent: list[tuple[str, float]] = []
        self._seconds: float | None = None
        self.computed: list[str] = []
        self.reused: list[str] = []

    def took(self, name: str, began: float) -> None:
        """Tell how long a stage took that began at a time of `time.perf_counter`, once the audio's length is known."""
        self._spent.append((name, time.perf_counter() - began))
        if self._seconds is not None:
            self.begin(self._seconds)

    def begin(self, seconds: float) -> None:
        """Go on with audio so long, in seconds."""
        self._seconds = seconds
        for name, spent in self._spent:
            took(name, spent, seconds)
        self._spent.clear()

    def note(self, name: str, *, computed: bool) -> None:
        (self.computed if computed else self.reused).append(name)

    def do(self, step_task: Any, *arguments: Any, fits: Callable[[Any], bool] = lambda found: True) -> Any:
        """The task's result; raises what the task raised. fits: whether a kept one will do, beyond its key."""
        began = time.perf_counter()
        given = [_opaque(argument) for argument in arguments]
        anew = step_task.with_options(refresh_cache=True)
        state = (anew if self._force else step_task)(*given, return_state=True)
        if state.name == "Cached" and not fits(state.result()):
            state = anew(*given, return_state=True)
        result = state.result()
        self.note(step_task.name, computed=state.name != "Cached")
        if state.name != "Cached":
            self.took(step_task.name, began)
        return result

    def do_with_models(
        self, step_task: Any, step: Step, *arguments: Any, fits: Callable[[Any], bool] = lambda found: True
    ) -> dict[str, Any]:
        """As `do`, of a task that models work in; what energy that took is kept apart."""
        found = dict(self.do(step_task, step, self.work, *arguments, fits=fits))
        self._energy.append(found.pop(pace.ENERGY, {}))
        return found

    def energy(self, seconds: float) -> dict[str, Any]:
        """Watt-hours an hour of audio by what took them, where that is known of all steps; for `engine`."""
        kinds = set.intersection(*map(set, self._energy)) if self._energy and seconds else ()
        spent = {kind: sum(step[kind] for step in self._energy) for kind in sorted(kinds)}
        return {"watt_hours_per_hour": per_hour(spent, seconds)} if spent else {}


def _opaque(value: Any) -> Any:
    """Keep Prefect from walking through a value in search of other tasks' results."""
    from prefect.utilities.annotations import opaque

    return opaque(value)


def _decode(run: _Run, recording: Recording, options: RunOptions) -> DecodedAudio:
    heeded = {"wanted": options.audio_track, "tracks": options.tracks}
    step = Step(recording.sha256, heeded)
    decoded = DecodedAudio.read(run.do(decode, step, recording, options.audio_track, options.tracks))
    recording.require_sum(decoded)
    return recording.as_named(decoded)


@dataclass(frozen=True)
class _Heard:
    """What models made of the audio; `failure` says why there are no speakers, where the diariser failed.

    `spoken`, or where people have tracks `segments`, are the words with their speakers; `joined` tells then who speaks
    on which.
    """

    words: Transcription
    turns: Diarisation
    diariser_model: str
    failure: str = ""
    spoken: SpokenWords | None = None
    segments: tuple[Segment, ...] | None = None
    tracks: TrackDecision | None = None
    joined: TracksDiarisation | None = None


def _hear_mix(
    run: _Run,
    recording: Recording,
    decoded: DecodedAudio,
    heeded: TranscriptionOptions,
    options: RunOptions,
    refuse: Callable[[str], None],
) -> _Heard:
    """The words of all people together, given to who is heard to say them. refuse: may stop a run without speakers."""
    (turns,), model, failure = _diarise(run, recording, decoded, options)
    if failure:
        refuse(failure)
    speech = speech_of(turns.turns) or None  # where no turn was found a voice detector is asked, too
    words = _transcribe(run, recording, decoded, heeded, speech, turns.exclusive)
    spoken = _resolve_overlaps(run, recording, decoded, heeded, words, turns)
    return _Heard(words, turns, model, failure, spoken=spoken, tracks=own_tracks.decision(decoded))


def _hear_tracks(
    run: _Run, recording: Recording, decoded: DecodedAudio, heeded: TranscriptionOptions, options: RunOptions
) -> _Heard:
    """The words of each track, which are its own people's."""
    found, model, failure = _diarise(run, recording, decoded, options)
    joined = own_tracks.join(decoded, found)
    turns = own_tracks.turns_in_splice(decoded, joined)
    words = _transcribe(run, recording, decoded, heeded, own_tracks.speech_in_splice(turns), turns)
    spoken = own_tracks.attribute(decoded, words, joined)
    return _Heard(
        spoken.words,
        joined.found,
        model,
        failure,
        segments=spoken.segments,
        tracks=own_tracks.decision(decoded, joined),
        joined=joined,
    )


def _stages(options: RunOptions, *, proposing: bool) -> tuple[list[pace.Stage], str]:
    """The work of models that a run may come to, and the device for it. proposing: of chapters too."""
    words, turns, device = options.transcription(), options.diarisation(), resolve_device(options.device)
    whisper, _ = whisper_models.resolve(words.model)
    stages = [pace.transcribe_stage(whisper, words.beam_size, device)]
    if (model := diariser.resolve(turns.model, device)) != "none":
        stages = [
            pace.diarise_stage(model, turns.step, device),
            *stages,
            pace.overlaps_stage(whisper, device),
        ]
    if options.translate:
        hears = options.translator is None
        stages.append(
            pace.translate_stage(whisper if hears else str(options.translator), device, hears=hears)
        )
    if proposing:
        stages.append(pace.chapters_stage())
    return stages, device


def _effort(options: RunOptions, diariser_model: str) -> dict[str, Any]:
    """What the quality came to, for `engine`, beside the models."""
    told = {"quality": options.quality, "beam_size": options.transcription().beam_size}
    return told if diariser_model == "none" else {**told, "segmentation_step": options.diarisation().step}


def _heeded(options: TranscriptionOptions, decoded: DecodedAudio) -> dict[str, Any]:
    """What of the options decides the words, and the model's weights in place of its name."""
    _, model = whisper_models.resolve(options.model)
    heeded = {**asdict(options), "model": whisper_models.weights_sha256(model), "track": decoded.heard}
    del heeded["device"], heeded["batch_size"]  # change the speed, not what is meant to come out
    return heeded


def _transcribe(
    run: _Run,
    recording: Recording,
    decoded: DecodedAudio,
    options: TranscriptionOptions,
    speech: Sequence[Span] | None,
    turns: Sequence[Turn],
) -> Transcription:
    heeded = _heeded(options, decoded)
    heeded["speech"] = None if speech is None else [astuple(span) for span in speech]

    def fits(kept: dict[str, Any]) -> bool:
        # Who speaks counts where several languages are spoken; else another number of speakers changes no word.
        told = {word["language"] for word in kept["words"]}
        return len(told) < 2 or kept["turns"] == _hash(list(map(astuple, turns)))

    step = Step(recording.sha256, heeded)
    found = run.do_with_models(transcribe, step, recording, decoded, options, speech, turns, fits=fits)
    del found["turns"]
    words = tuple(Word(**word) for word in found["words"])
    repairs = tuple(Repair(**repair) for repair in found["repairs"])
    return Transcription(
        **{**found, "words": words, "repairs": repairs, "warnings": tuple(found["warnings"])}
    )


def _resolve_overlaps(
    run: _Run,
    recording: Recording,
    decoded: DecodedAudio,
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
        **_heeded(options, decoded),
        "words": [astuple(word) for word in spoken.words],
        "turns": [astuple(turn) for turn in turns.turns],
    }
    step = Step(recording.sha256, heeded)
    found = run.do_with_models(resolve_overlaps, step, recording, decoded, options, spoken.words, turns)
    first, second = (tuple(Word(**word) for word in found[name]) for name in ("words", "second"))
    return SpokenWords(first, second, tuple(found.get("warnings", ())))


def _translate(
    run: _Run,
    recording: Recording,
    decoded: DecodedAudio,
    heeded: TranscriptionOptions,
    options: RunOptions,
    transcript: Transcript,
    joined: TracksDiarisation | None,
) -> Transcript:
    """The transcript with its translations into the languages that were asked for, where it isn't all in them."""
    chosen, made = translation.chosen(options, heeded), list[Translation]()
    warnings: tuple[str, ...] = transcript.warnings
    for target in dict.fromkeys(options.translate):
        if not translation.has_foreign(transcript, target):
            continue
        said = [
            [segment.speaker, segment.language, segment.continues, [astuple(word) for word in segment.words]]
            for segment in transcript.segments
        ]
        told = {"track": decoded.heard, "language": transcript.language, "target": target, "segments": said}
        step = Step(recording.sha256, {**translation.heard_by(chosen), **told})
        try:
            found = run.do_with_models(
                translate, step, recording, decoded, chosen, transcript, target, joined
            )
        except InterruptedRun:
            raise
        except Exception as error:  # whatever it is, the transcript is worth having
            warnings = (*warnings, f"no subtitles in {target}: translation failed ({_reason(error)})")
            continue
        translated, warned = translation.read(target, found)
        made.append(translated)
        warnings = (*warnings, *warned)
    return replace(transcript, translations=tuple(made), warnings=warnings)


def _propose_chapters(run: _Run, sha256: str, folder: Path, transcript: Transcript) -> Chapters:
    step = Step(sha256, chapters.heeded(transcript))
    return chapters.read(run.do_with_models(propose_chapters, step, transcript, folder))


def _assisted(run: _Run, sha256: str, transcript: Transcript) -> Transcript:
    """What a language model adds, where the settings name one; a kept answer of one that failed won't do."""
    from flows.schedule import settings

    configured = settings.current()
    asked = configured.assistant
    if not wanted(transcript, asked):
        return transcript
    heeded = {
        **chapters.heeded(transcript),
        "chapters": asdict(transcript.chapters),
        "assistant": asked.model_dump(exclude={"key_from", "seconds"}),
    }
    step = Step(sha256, heeded)
    found = run.do(assist, step, transcript, asked, configured.proxy, fits=lambda kept: not kept["warnings"])
    return replace(
        transcript,
        chapters=chapters.read(found["chapters"]),
        summary=read_summary(found["summary"]),
        warnings=(*transcript.warnings, *found["warnings"]),
    )


def _diarise(
    run: _Run, recording: Recording, decoded: DecodedAudio, run_options: RunOptions
) -> tuple[list[Diarisation], str, str]:
    """What was found in the mix, or on each track, by which diariser, and why it failed where it did."""
    options = run_options.diarisation()
    model = diariser.resolve(options.model, resolve_device(options.device))
    if model == "none":
        return [Diarisation()] * decoded.parts, model, ""
    heeded = {**asdict(options), "model": model, "track": decoded.heard}
    del heeded["device"]
    if run_options.voices == "off":
        heeded["voices"] = "off"
    try:
        found = run.do_with_models(diarise, Step(recording.sha256, heeded), recording, decoded, options)
    except InterruptedRun:
        raise
    except Exception as error:  # whatever it is, the words are worth having
        return [Diarisation()] * decoded.parts, "none", f"no speakers: diarisation failed ({_reason(error)})"
    return [_diarisation(each) for each in found.get("tracks", [found])], model, ""


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, EpiscribeError) else f"{type(error).__name__}: {error}"


def _diarisation(found: dict[str, Any]) -> Diarisation:
    turns, exclusive = (tuple(Turn(**turn) for turn in found[name]) for name in ("turns", "exclusive"))
    voices = tuple(Voice(**{**voice, "embedding": tuple(voice["embedding"])}) for voice in found["voices"])
    return Diarisation(turns, exclusive, voices, tuple(found["warnings"]))
