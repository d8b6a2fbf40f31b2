"""What settings come to for an episode, in a few letters: so that one that they failed waits until they are others.

A fingerprint has three parts: what episcribe.toml and the episode's own options say, which machine it is, and what
that machine has, variables and models. Variables may hold logins, so no more of them gets into the store than one of
256 values: nobody can tell by it whether they have guessed one.
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
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")


def fingerprint(settings: Settings, show: str, options: RunOptions) -> str:
    """Of the settings that count for an episode of a show, "" for none, with these options, on this machine."""
    followed = settings.shows.get(show)
    said = {
        "options": options.model_dump(mode="json", exclude=IRRELEVANT),
        "show": followed and followed.model_dump(mode="json"),
        "proxy": settings.proxy,
        "limits": settings.limits.model_dump(mode="json"),
    }
    variables = [*PROXIES, *map(str.lower, PROXIES)]
    if followed:
        variables += [followed.login_from, followed.header_from]
    secrets = [hub_token(), *(os.environ.get(name) for name in variables if name)]
    return f"{_digest(said, 8)}.{_digest(platform.node(), 4)}.{_digest(_at_hand(options), 8)}{_digest(secrets, 2)}"


def _digest(value: Any, letters: int) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:letters]


def _at_hand(options: RunOptions) -> list[Any]:
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
    """Have those tried again at once that wait for other settings than there were, where there are others now."""
    for show, options, was in store.waiting_for_settings():
        known = show if show in settings.shows else ""
        try:
            now = fingerprint(settings, known, settings.run_options_for(known, options))
        except ValueError:  # options of another version: the run will say so
            now = GONE
        if _differs(was, now):
            store.release(show, was)


def _differs(was: str, now: str) -> bool:
    """Whether what the settings say is another, or what the machine has that failed, where this is it.

    What another machine has can't be told from here.
    """
    (said, machine, there), (says, here, has) = was.split("."), now.split(".")
    return said != says or (machine == here and there != has)
