"""What decides whether an episode can be worked on, in a few letters: one that it failed waits until it is another.

A fingerprint has three parts: the episode's effective options, which machine it is, and what that machine has: models,
the way to the show's servers, and the values of variables. Variables may hold logins, so no more of them gets into the
store than one of 256 values: nobody can tell by it whether they have guessed one.

Processes with other settings or variables work on one store, so each fingerprint is tried once: what waits remembers
all that it was tried with, and goes on only with one that is new (`Store.release`).
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flows.options import RunOptions
from flows.schedule.settings import Settings
from flows.schedule.store import Store
from models.diarisation.diariser import hub_token
from models.runtime import offline_models
from models.runtime.cache import cache_folder

IRRELEVANT = {"force", "out", "episode"}  # options that can't be at fault in a run of the store
GONE = ".."  # unlike that of any settings
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY")  # and not NO_PROXY, to which runs add their server
ACCESS = {"url", "login_from", "header_from", "headers", "header_hosts", "user_agent", "proxy"}  # of a show


def fingerprint(settings: Settings, show: str, options: RunOptions) -> str:
    """Of what decides for an episode of a show, "" for none, that has these options, on this machine."""
    followed = settings.shows.get(show)
    variables = [*PROXIES, *map(str.lower, PROXIES)]
    if followed:
        variables += [followed.login_from, followed.header_from]
    access = followed.model_dump(mode="json", include=ACCESS) if followed else {}
    here = [_models(options), settings.proxy, access]
    secrets = [hub_token(), *(os.environ.get(name) for name in variables if name)]
    heeded = options.model_dump(mode="json", exclude=IRRELEVANT)
    return f"{_digest(heeded, 8)}.{_digest(platform.node(), 4)}.{_digest(here, 8)}{_digest(secrets, 2)}"


def _digest(value: Any, letters: int) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:letters]


def _models(options: RunOptions) -> list[Any]:
    """What of models is on this machine."""
    offline = [(model.name, model.present) for model in offline_models.OFFLINE_SET]
    named = [one for one in (options.model, options.translator) if one]
    folders = [(one, _contents(Path(one).expanduser())) for one in named]
    return [offline, folders, str(cache_folder()), find_spec("sentencepiece") is not None]


def _contents(folder: Path) -> list[Any]:
    try:
        return sorted([file.name, file.stat().st_size] for file in folder.iterdir())
    except OSError:
        return []


def release(settings: Settings, store: Store) -> None:
    """Have those tried again that wait for other settings, where there are some that they were not tried with yet."""
    for show, options, tried in store.waiting_for_settings():
        known = show if show in settings.shows else ""
        try:
            now = fingerprint(settings, known, settings.run_options_for(known, options))
        except ValueError:  # options of another version: the run will say so
            now = GONE
        if _is_new(now, tried.split()):
            store.release(show, tried, now)


def _is_new(now: str, tried: list[str]) -> bool:
    """Whether options are new, or what this machine has that has tried them; of others that can't be told from here."""
    options, machine, here = now.split(".")
    there = [
        at for said, where, at in (one.split(".") for one in tried) if (said, where) == (options, machine)
    ]
    return not any(one.startswith(f"{options}.") for one in tried) or (bool(there) and here not in there)
