"""Diarisation: 16 kHz audio in, speaker turns out, by pyannote.audio's pipeline."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Self

import numpy as np

from models.diarisation.assignment import Assignment
from models.diarisation.doubts import Doubt, warnings_of
from models.record.errors import InputError, ModelError
from models.record.progress import Progress, silent
from models.record.spans import exclusive_turns, who_speaks
from models.record.transcript import Diarisation, Turn, Voice
from models.runtime import hub, offline_models
from models.runtime.cache import use_hub_model
from models.runtime.device import resolve_device
from models.runtime.gpu_failures import cpu_when_gpu_fails
from models.runtime.memory import limit_malloc_arenas, return_freed_memory
from models.runtime.samples import SAMPLE_RATE, Samples

MIN_SAMPLES = SAMPLE_RATE // 10  # less can't hold a voice
DEFAULT_STEP = 0.25  # of the segmentation window: 2.5 s
COMMUNITY = "pyannote/speaker-diarization-community-1"
MODELS = ("auto", "offline", "community-1", "none")
STAGE_SHARES = {
    "segmentation": (0.0, 0.4),
    "embeddings": (0.4, 0.55),
    "clustering": (0.95, 0.05),
}  # where a step starts, how much it is


@dataclass(frozen=True)
class DiariserOptions:
    """What decides the turns; part of the cache key of a diarisation.

    `model` is one of MODELS. `speakers` is an exact count, `min_speakers` and `max_speakers` bounds
    for an estimated one. `step` is the distance of two segmentation windows over their length, in
    (0, 1]. `long_windows` lets community-1's embedding network run over a minute at once.
    """

    model: str = "auto"
    speakers: int | None = None
    min_speakers: int | None = None
    max_speakers: int | None = None
    device: str = "auto"
    step: float = DEFAULT_STEP
    long_windows: bool = False

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise InputError(f"no diariser {self.model!r}: use {', '.join(MODELS)}")
        if not 0.0 < self.step <= 1.0:
            raise InputError(f"step {self.step:g}: it is a fraction of the window, above 0 and at most 1")
        counts = (self.speakers, self.min_speakers, self.max_speakers)
        if any(count is not None and count < 1 for count in counts):
            raise InputError("a speaker count is at least 1")
        if self.speakers and (self.min_speakers or self.max_speakers):
            raise InputError("give either the number of speakers or bounds for it, not both")
        if self.min_speakers and self.max_speakers and self.min_speakers > self.max_speakers:
            raise InputError(
                f"--min-speakers {self.min_speakers} is more than --max-speakers {self.max_speakers}"
            )

    def on_cpu(self) -> Self:
        """The same on the CPU, with the diariser that `auto` means here."""
        return replace(self, device="cpu", model=resolve(self.model, resolve_device(self.device)))


@cpu_when_gpu_fails("diarisation")
def diarise(samples: Samples, options: DiariserOptions, progress: Progress = silent) -> Diarisation:
    """Find who speaks when.

    samples: (samples,) mono at 16 kHz, float32 or, at half the memory, int16; either may be mapped
    from a file, since only windows of it are converted at a time. Labels are SPEAKER_00, SPEAKER_01,
    ... in order of first speech. Raises ModelError when the model isn't there or may not be used.
    """
    if options.model == "none" or len(samples) < MIN_SAMPLES:
        return Diarisation()
    import torch

    name, pipeline = load(options)
    hook = _hook(progress)
    doubts: list[Doubt] = []
    assignments: list[Assignment] = []

    def clustered(completed: int, total: int) -> None:
        hook("clustering", None, completed=completed, total=total)

    output = pipeline(
        {
            "waveform": torch.from_numpy(samples)[None],
            "sample_rate": SAMPLE_RATE,
            "uri": "audio",
            "report": clustered,
            "doubted": doubts.append,
            "assigned": assignments.append,
        },
        num_speakers=options.speakers,
        min_speakers=options.min_speakers,
        max_speakers=options.max_speakers,
        hook=hook,
    )
    found = _diarisation(output, name, len(samples) / SAMPLE_RATE)
    for assignment in assignments:
        found = _with_probabilities(found, assignment)
    if name != COMMUNITY and options.speakers is None:
        from models.diarisation.channels import join_channels

        found = join_channels(found, samples, pipeline.embedder, options.min_speakers or 1)
        found = replace(found, warnings=(*found.warnings, *warnings_of(doubts, found.turns)))
    return_freed_memory()
    progress("diarise", 1.0, 1.0)
    return found


def _hook(progress: Progress) -> Callable[..., None]:
    """pyannote's progress hook, translated: one share of the stage for each of its slow steps."""

    def hook(step: str, artefact: Any, *, total: int = 0, completed: int = 0, **_: Any) -> None:
        if step in STAGE_SHARES and total:
            start, share = STAGE_SHARES[step]
            progress("diarise", start + share * float(min(1.0, completed / total)), 1.0)

    return hook


def _diarisation(output: Any, model: str, seconds: float) -> Diarisation:
    turns = _turns(output.speaker_diarization, seconds)
    labels = {label: f"SPEAKER_{i:02d}" for i, label in enumerate(dict.fromkeys(t.speaker for t in turns))}
    alone = _seconds_alone(turns)
    voices = (
        Voice(labels[label], tuple(float(x) for x in embedding), alone.get(label, 0.0), model)
        for label, embedding in zip(
            output.speaker_diarization.labels(), output.speaker_embeddings, strict=True
        )
        if label in labels and np.isfinite(embedding).all() and np.any(embedding)
    )
    return Diarisation(
        turns=_relabel(turns, labels),
        # pyannote fills short pauses after it has made turns exclusive, also those in which another says something.
        exclusive=exclusive_turns(_relabel(_turns(output.exclusive_speaker_diarization, seconds), labels)),
        voices=tuple(sorted(voices, key=lambda voice: voice.speaker)),
    )


def _with_probabilities(found: Diarisation, assignment: Assignment) -> Diarisation:
    voices = {voice.speaker: assignment.voice_of(np.array(voice.embedding)) for voice in found.voices}
    told = tuple(assignment.told((*found.turns, *found.exclusive), voices))
    return replace(found, turns=told[: len(found.turns)], exclusive=told[len(found.turns) :])


def _turns(annotation: Any, seconds: float) -> list[Turn]:
    """pyannote's annotation as turns that stay inside the audio (its last window is padded)."""
    return sorted(
        Turn(max(0.0, segment.start), min(segment.end, seconds), label)
        for segment, _, label in annotation.itertracks(yield_label=True)
        if segment.start < seconds
    )


def _relabel(turns: Iterable[Turn], labels: dict[str, str]) -> tuple[Turn, ...]:
    return tuple(sorted(replace(t, speaker=labels[t.speaker]) for t in turns if t.speaker in labels))


def _seconds_alone(turns: list[Turn]) -> dict[str, float]:
    """Seconds each label speaks while nobody else does."""
    alone: dict[str, float] = {}
    for span, speakers in who_speaks(turns):
        if len(speakers) == 1:
            alone[speakers[0]] = alone.get(speakers[0], 0.0) + span.duration
    return alone


def load(options: DiariserOptions) -> tuple[str, Any]:
    """The pipeline `options` ask for: the id of its embedding model, and the pipeline. Loaded once."""
    limit_malloc_arenas()

    device = resolve_device(options.device)
    if resolve(options.model, device) == "community-1":
        return COMMUNITY, _community(device, options.step, options.long_windows)
    from models.diarisation.embeddings.campplus import EMBEDDING_ID

    return EMBEDDING_ID, _offline(device, options.step)


def resolve(model: str, device: str) -> str:
    """What `model` means here: "offline", "community-1" or "none".

    `auto` takes community-1 on a GPU with a token at hand, or where the offline set was never pulled.
    """
    if model != "auto":
        return model
    offline = offline_models.SEGMENTATION.present and offline_models.CAMPPLUS.present
    return "community-1" if hub_token() is not None and (device == "cuda" or not offline) else "offline"


def require(options: DiariserOptions, device: str) -> None:
    """ModelError, with what helps, where the diariser that `options` ask for can't be had here."""
    model = resolve(options.model, device)
    if model == "offline":
        offline_models.SEGMENTATION.require()
        offline_models.CAMPPLUS.require()
    elif model == "community-1" and hub_token() is None:
        raise ModelError(
            f"{COMMUNITY} is gated: accept its conditions on the hub and set HF_TOKEN, or use --diariser offline"
        )
    elif model == "community-1":
        use_hub_model(COMMUNITY)


def hub_token() -> str | None:
    """The hub token from the environment or a stored login, if any."""
    from huggingface_hub import get_token

    return os.environ.get("HF_TOKEN") or get_token()


@lru_cache(maxsize=1)
def _offline(device: str, step: float) -> Any:
    from models.diarisation.pipeline import load_offline

    return load_offline(device, step)


@lru_cache(maxsize=1)
def _community(device: str, step: float, long_windows: bool) -> Any:
    from models.runtime.pyannote import Pipeline

    try:
        pipeline = Pipeline.from_pretrained(COMMUNITY, token=hub_token())
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"the hub did not give {COMMUNITY}: {reason}; --diariser offline works without it",
            soon=hub.is_away(error),
        ) from error
    if pipeline is None:
        raise ModelError(
            f"the hub refused {COMMUNITY}: accept its conditions there, or use --diariser offline"
        )
    from models.diarisation.embeddings import wespeaker
    from models.diarisation.pipeline import bounded_community

    kind = wespeaker.LongWindowWeSpeakerEmbedder if long_windows else wespeaker.WeSpeakerEmbedder
    return bounded_community(pipeline, device, step, kind)
