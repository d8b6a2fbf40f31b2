"""The episodes of a library by their addresses in the app: "show/episode", as their folders are called."""

from __future__ import annotations

from pathlib import Path

from fastapi import HTTPException, Request

from flows.web.config import WebConfig
from outputs.library.folders import find_episode, library_episodes

ALONE = "-"  # in place of the show of an episode that lies in no library


def folder_of(config: WebConfig, show: str, name: str) -> Path:
    """The folder of an episode; 404 where there is none, whatever tricks a name plays with paths."""
    if config.only is not None:
        if (show, name) == (ALONE, config.only.name):
            return config.only
    elif (folder := find_episode(config.library, show, name)) is not None:
        return folder
    raise HTTPException(404, f"there is no episode {show}/{name}")


def all_folders(config: WebConfig) -> list[tuple[str, Path]]:
    """All episodes with their addresses, in order of these."""
    if config.only is not None:
        return [(f"{ALONE}/{config.only.name}", config.only)]
    return [(f"{folder.parent.name}/{folder.name}", folder) for folder in library_episodes(config.library)]


def config_of(request: Request) -> WebConfig:
    """What the app that answers this request was made with."""
    config: WebConfig = request.app.state.config
    return config
