"""What an app is made with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from flows.schedule import settings as configuration
from flows.schedule.settings import Settings
from flows.schedule.store import Store

API = "/api/v1"


@dataclass(frozen=True)
class WebConfig:
    """Where the app is reached and what it works on.

    url: as browsers see it, without a slash at its end; a path in it is where a proxy mounts the app. token: lets in
    whoever has it, as admin, without users; "" where users sign in. only: the one episode that the app is about, which
    need not lie in the library (`episcribe edit`), with its audio where that was given.
    """

    settings: Settings
    store: Store
    library: Path
    url: str
    token: str = field(default="", repr=False)
    only: Path | None = None
    audio: Path | None = None

    def settings_now(self) -> Settings:
        """The settings with the shows that the file has now: they come and go while the app runs."""
        return self.settings.model_copy(update={"shows": configuration.load().shows})

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def base(self) -> str:
        """The path below which the app lies: "" or "/episcribe"."""
        return urlsplit(self.url).path.rstrip("/")

    @property
    def secure(self) -> bool:
        """Whether browsers reach the app by HTTPS."""
        return self.url.startswith("https:")

    @property
    def host(self) -> str:
        """What requests name as their host: "127.0.0.1:8300"."""
        return urlsplit(self.url).netloc

    def below(self, path: str) -> str | None:
        """A path as the app's routes know it, without the base; None where it isn't the app's.

        >>> WebConfig(..., ..., Path(), "https://example.org/talks").below("/talks/search")
        '/search'
        """
        if not self.base:
            return path
        return path[len(self.base) :] if path.startswith(f"{self.base}/") else None
