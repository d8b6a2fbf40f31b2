"""What people add: addresses and files they sent, checked and put into the queue with options of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from audio.tracks.file_names import is_mix, people_in
from audio.tracks.sources import MAX_TRACKS
from audio.transfer.access import Access
from audio.transfer.addresses import checked_url, web_address
from audio.transfer.download import Limits
from flows import finding
from flows.library.audio import downloads_folder
from flows.options import CommandLine, EpisodeOptions
from flows.schedule import feed_reading, queue
from flows.schedule.plan import ListedEpisode
from flows.schedule.settings import Settings, validation_message
from flows.schedule.store import Store
from flows.schedule.uploads import SCHEME, Upload, Uploads, title_of
from models.record.errors import InputError
from models.record.identity import feed_key
from models.record.transcript import Episode
from outputs.text.terminal import printable

MODELS = ("model", "translator")  # whose values may be folders of the machine
MODEL_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")  # also of a hub
KEEP = {"keep_audio": True}  # for the page to play; the file that was sent is removed
TITLE_CHARS = 300


def add_address(
    settings: Settings,
    store: Store,
    source: str,
    which: str,
    *,
    title: str = "",
    options: Mapping[str, Any],
    by: str,
) -> ListedEpisode:
    """Have the episode at an address processed, which is that of its audio, its page, a link to it, or of a feed.

    which: of a feed, as `audio.feeds.parse.pick_episode` has it. An item of a show that is followed is that show's.
    Raises InputError, RunningError and DownloadError.
    """
    source = web_address(source.strip())
    if "://" not in source:
        raise InputError("this is no address: files of your own are sent, those of the server can't be had")
    own = checked_options(options)
    episode, name = find_address(settings, store, source, which)
    if title:
        episode = replace(episode, title=printable(title)[:TITLE_CHARS])
    return queue.add(store, episode, show=name, options=own, by=by)


def find_address(
    settings: Settings,
    store: Store,
    source: str,
    which: str,
    *,
    allow_private: bool = False,
    extract: bool = False,
) -> tuple[Episode, str]:
    """The episode at an address, and the show that is followed of which it is an item, "" for none.

    allow_private, extract: on private networks, and by yt-dlp, too, whatever the settings say. Raises InputError and
    DownloadError.
    """
    checked_url(source)
    allow_private = allow_private or settings.allow_private
    followed = {feed_key(show.url): name for name, show in settings.shows.items()}

    def access_of(url: str) -> Access:
        show = settings.shows.get(followed.get(feed_key(url), ""))
        return show.access(settings.proxy) if show else Access(proxy=settings.proxy)

    reach = finding.Reach(
        downloads_folder(),
        allow_private,
        Limits(seconds=settings.limits.feed_seconds, attempts=feed_reading.ATTEMPTS),
        access_of,
        extract=extract or settings.extractors,
    )
    with finding.found_at(source, which, reach) as found:
        episode = found.episode
        if (
            found.audio is not None
        ):  # the run needs the login that may be in it, and which a transcript doesn't tell
            episode = replace(episode, audio_url=found.audio.url)
    name = followed.get(feed_key(episode.feed_url), "") if episode.feed_url else ""
    if name and store.feed(name, settings.shows[name].url).polled_at is None:
        # Else its first reading would find that something of it is known, and take all others as new.
        feed_reading.read_feeds(settings, store, [name])
    return episode, name


def add_uploads(
    settings: Settings,
    store: Store,
    ids: Sequence[str],
    *,
    together: bool = False,
    names: Mapping[str, str],
    title: str = "",
    options: Mapping[str, Any],
    by: str,
) -> list[ListedEpisode]:
    """Have files processed that `by` has sent: each an episode, or all of them `together` tracks of one.

    names: who speaks on a track, by the id of its upload; else its name tells, also which one is the mix.
    All of them are added, or none: InputError, and RunningError where one is worked on.
    """
    own = {**KEEP, **checked_options(options)}
    kept = Uploads(settings, store)
    uploads = [_usable(kept, one, by) for one in dict.fromkeys(ids)]
    if title and len(uploads) > 1 and not together:
        raise InputError("one title can't be that of several episodes: leave it out, or add them together")
    title = printable(title)[:TITLE_CHARS]
    if together and len(uploads) > 1:
        made = [(uploads, *_of_tracks(uploads, names, title, own))]
    else:
        made = [([one], _of_file(one, title), own) for one in uploads]
    with store.begin() as connection:  # killed in between, all can be used again
        for files, episode, _ in made:
            kept.attach(connection, files, episode.id)
        return [queue.add_within(connection, episode, options=chosen, by=by) for _, episode, chosen in made]


def _of_file(upload: Upload, title: str) -> Episode:
    title = title or title_of(upload.name)
    return Episode(finding.identity_of(upload.sha256), title=title, audio_url=f"{SCHEME}{upload.id}")


def _usable(kept: Uploads, upload_id: str, by: str) -> Upload:
    upload = kept.get(upload_id)
    if upload.user != by:
        raise InputError(f"{upload_id} is no upload of yours")
    if not upload.whole and kept.offset(upload) == upload.size:
        return kept.finish(upload)  # which had been cut off
    if not upload.whole:
        raise InputError(
            f"{upload.name} has not come wholly: {kept.offset(upload):,} of {upload.size:,} bytes"
        )
    return upload


def _of_tracks(
    uploads: Sequence[Upload], names: Mapping[str, str], title: str, options: Mapping[str, Any]
) -> tuple[Episode, Mapping[str, Any]]:
    """The episode whose tracks these are, and its options."""
    mixes = [one for one in uploads if not names.get(one.id) and is_mix(one.name)]
    mix = mixes[0] if len(mixes) == 1 else None
    tracks = [one for one in uploads if one is not mix]
    if len(tracks) > MAX_TRACKS:
        raise InputError(f"{len(tracks)} tracks are more than the {MAX_TRACKS} that an episode may have")
    heard = people_in([one.name for one in tracks])
    people = [_person(names.get(one.id) or told) for one, told in zip(tracks, heard, strict=True)]
    if twice := {one for one in people if one and people.count(one) > 1}:
        raise InputError(f"two tracks are of {min(twice)}: each person needs a name of their own")
    given = [
        f"{name}={SCHEME}{one.id}" if name else f"{SCHEME}{one.id}"
        for name, one in zip(people, tracks, strict=True)
    ]
    sha256 = finding.sha256_of_all([one.sha256 for one in tracks], mix.sha256 if mix else "")
    episode = Episode(
        finding.identity_of(sha256),
        title=title
        or (title_of(mix.name) if mix else ", ".join(filter(None, people)))
        or title_of(tracks[0].name),
        audio_url=f"{SCHEME}{mix.id}" if mix else "",
    )
    return episode, {**options, "track": given}


def _person(name: str) -> str:
    return " ".join(printable(name).replace("=", " ").split())[:200]


def checked_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options of an episode by the names of the command line, as `RunOptions` has them; only those that were given.

    InputError, in one line, for one that there isn't, a value that can't be, or two that contradict each other.
    """
    names = {told["name"]: told["field"] for told in map(_described, EpisodeOptions.model_fields)}
    plain = {str(name).replace("-", "_").lstrip("_"): value for name, value in given.items()}
    if unknown := sorted(plain.keys() - names.keys()):
        raise InputError(f"no option is called {printable(unknown[0])[:40]!r}: see GET /options")
    values = {names[name]: _listed(names[name], value) for name, value in plain.items() if value is not None}
    try:
        options = EpisodeOptions.model_validate(values)
    except ValidationError as error:
        raise InputError("; ".join(map(validation_message, error.errors()))) from None
    for name in MODELS:
        told = getattr(options, name)
        if name in values and not MODEL_NAME.fullmatch(told):
            raise InputError(
                f"{name}: {printable(told)[:60]!r} is no name of a model; folders can't be chosen here"
            )
    _check(options)
    return {
        name: list(told) if isinstance(told := getattr(options, name), tuple) else told for name in values
    }


def _listed(name: str, value: Any) -> Any:
    """A list written with commas is one."""
    if isinstance(value, str) and isinstance(EpisodeOptions.model_fields[name].default, tuple):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _check(options: EpisodeOptions) -> None:
    """Refuse what a run would refuse, as far as can be told without models, which may be on other machines."""
    from flows import steps, translation
    from models.diarisation.diariser import DiariserOptions

    steps.check_languages(options)
    translation.check_languages(options)
    DiariserOptions(options.diariser, options.speakers, options.min_speakers, options.max_speakers)


def described_options() -> list[dict[str, Any]]:
    """The options of an episode: name, type, choices, default, help."""
    told = map(_described, EpisodeOptions.model_fields)
    return [{key: value for key, value in one.items() if key != "field"} for one in told]


def _described(name: str) -> dict[str, Any]:
    field = EpisodeOptions.model_fields[name]
    look = next((entry for entry in field.metadata if isinstance(entry, CommandLine)), CommandLine())
    kinds: Iterable[Any] = (field.annotation, *get_args(field.annotation))
    choices = next((get_args(kind) for kind in kinds if get_origin(kind) is Literal), ())
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    return {
        "field": name,
        "name": look.name or name,
        "type": "choice" if choices else _type(default, field.annotation),
        "choices": list(choices),
        "default": default,
        "help": field.description or "",
    }


def _type(default: Any, annotation: Any) -> str:
    if isinstance(default, bool):
        return "flag"
    if isinstance(default, list):
        return "list"
    return "number" if int in (annotation, *get_args(annotation)) else "text"
