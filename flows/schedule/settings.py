"""episcribe.toml: which shows to follow, how, and where everything goes.

Every key may be overridden from the environment: EPISCRIBE_LIBRARY, EPISCRIBE_LIMITS__AT_ONCE,
EPISCRIBE_SHOWS__<NAME>__MODEL. EPISCRIBE_CONFIG names the file, default episcribe.toml in the current folder.
Logins of private feeds are never written there: a show names the environment variable that holds its own.
"""

from __future__ import annotations

import base64
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from flows.options import DEFAULT_FORMATS, DEFAULT_LIBRARY, EpisodeOptions, RunOptions
from flows.schedule.rules import EpisodeRules
from models.record.errors import InputError, MachineError
from models.runtime.cache import KINDS, Budgets
from outputs.library.files import is_local, resolve_location

if TYPE_CHECKING:
    from audio.transfer.access import Access

CONFIG_VARIABLE = "EPISCRIBE_CONFIG"
DEFAULT_CONFIG = "episcribe.toml"
DEFAULT_STORE = "episcribe.db"
DEFAULT_UPLOADS = "uploads"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")  # of a show: no dots, which TOML gives a meaning

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
Occasion = Literal["done", "failed", "held_back", "given_up", "review"]
"""As `flows.schedule.happenings.Event`, and that an episode is done and needs review."""

SEVERAL = re.compile(r",[a-z0-9]+://", re.IGNORECASE)  # addresses, as Apprise would take one apart
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80}")
SECRET_HEADERS = ("authorization", "cookie", "proxy-authorization")
OUR_HEADERS = ("accept-encoding", "connection", "content-length", "host", "if-range", "range", "user-agent")
HOST = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]+(?::[0-9]{1,5})?|\[[0-9a-f:.]+\](?::[0-9]{1,5})?")

SIZE = re.compile(r"0|([0-9]{1,15}(?:\.[0-9]{1,9})?)\s?([kKMGT]i?B|B)")
UNITS = {"b": 1} | {f"{letter}b": 1000**n for n, letter in enumerate("kmgt", 1)}
UNITS |= {f"{letter}ib": 1024**n for n, letter in enumerate("kmgt", 1)}

Count = Annotated[int, Field(ge=1)]
Whole = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Show(EpisodeRules, EpisodeOptions):
    """A show that is followed: its feed, which of its episodes are taken, and what is known about it."""

    url: str
    back_fill: Whole = Field(1, description="How many old episodes to take.")
    login_from: str = Field("", description="Variable that holds user:password.")
    header_from: str = Field("", description="Variable that holds a header, Name: value.")
    headers: dict[str, str] = Field({}, description="Further headers, none of them secret.")
    header_hosts: tuple[str, ...] = Field((), description="Hosts that get login and headers too.")
    user_agent: str = Field("", description="As whom to ask the show's servers.")
    proxy: str = Field("", description="Proxy of this show, or none.")

    @field_validator("url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        from audio.transfer.addresses import checked_url

        try:
            parsed = checked_url(url)
        except InputError as error:
            raise ValueError(str(error)) from None
        if parsed.userinfo:
            raise ValueError("a login does not belong in the file: put it into a variable, see login_from")
        return url

    @field_validator("headers")
    @classmethod
    def _are_headers_and_not_secret(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not HEADER_NAME.fullmatch(name) or not (value.isascii() and value.isprintable()):
                raise ValueError(f"{name!r} is no header that can be sent")
            if name.lower() in SECRET_HEADERS:
                raise ValueError(
                    f"{name} does not belong in the file: put it into a variable, see header_from"
                )
            if name.lower() in OUR_HEADERS:
                raise ValueError(f"{name} is for the program to set")
        return headers

    @field_validator("header_hosts")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not HOST.fullmatch(host.lower()):
                raise ValueError(f"{host!r} is no host: write cdn.example.org, or with a port")
        return tuple(host.lower() for host in hosts)

    @field_validator("user_agent")
    @classmethod
    def _can_be_sent(cls, user_agent: str) -> str:
        if not (user_agent.isascii() and user_agent.isprintable()):
            raise ValueError("only printable ASCII characters can be sent")
        return user_agent

    @field_validator("proxy")
    @classmethod
    def _is_proxy(cls, proxy: str) -> str:
        return _checked_proxy(proxy)

    @property
    def rules(self) -> EpisodeRules:
        """Its rules alone."""
        return EpisodeRules(**self.model_dump(include=set(EpisodeRules.model_fields)))

    def access(self, proxy: str = "") -> Access:
        """How the show's servers are to be asked; `proxy` where it has none of its own. Raises as `secret` does."""
        return replace(self.public_access(proxy), secret=self.secret())

    def public_access(self, proxy: str = "") -> Access:
        """As `access`, for servers that get to see no secret."""
        from audio.transfer.access import Access

        return Access(
            home=self.url,
            hosts=self.header_hosts,
            user_agent=self.user_agent,
            proxy=self.proxy or proxy,
            login=bool(self.login_from or self.header_from),
        )

    def secret(self) -> dict[str, str]:
        """Headers that let us in, from the environment; InputError where the variable is missing or odd."""
        headers = dict(self.headers)
        if self.login_from:
            login = _variable(self.login_from, ":", "user:password")
            headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        if self.header_from:
            name, _, value = _variable(self.header_from, ": ", "Name: value").partition(": ")
            headers[name.strip()] = value.strip()
        return headers


def _checked_proxy(proxy: str) -> str:
    """The address of a proxy as it is; ValueError where it is none, or holds a login."""
    from audio.transfer.proxies import DIRECT, checked_proxy

    try:
        if proxy not in ("", DIRECT) and checked_proxy(proxy).userinfo:
            raise ValueError("a login does not belong in the file: put the address into HTTPS_PROXY")
    except InputError as error:
        raise ValueError(str(error)) from None
    return proxy


def _variable(name: str, separator: str, form: str) -> str:
    """A variable's value; nothing of it ever gets into a message."""
    value = os.environ.get(name, "")
    if not value or separator not in value or not value.isprintable():
        raise MachineError(f"the environment variable {name} must hold {form}")
    return value


class Limits(_Strict):
    """What one installation may take on."""

    at_once: Count = Field(1, description="episodes worked on at once by `episcribe serve`")
    queue: Count = Field(20, description="episodes handed out at once, waiting ones included")
    new_per_poll: Count = Field(50, description="new episodes of one show taken from one poll")
    attempts: Count = Field(3, description="attempts at an episode before it is given up")
    retry_seconds: Seconds = Field(
        300, description="pause after a first failed attempt, then four times more"
    )
    lease_seconds: Seconds = Field(
        120, description="silence after which another worker takes an episode over"
    )
    queue_seconds: Seconds = Field(900, description="wait after which an episode handed out is looked after")
    feeds_at_once: Count = Field(16, description="feeds read at once")
    feed_seconds: Seconds = Field(60, description="for one feed, with all retries")
    audio_bytes: Count = 4_000_000_000
    audio_seconds: Seconds = Field(7200, description="for one download, with all retries")


class Publishing(_Strict):
    """Where the app publishes to, and what.

    Only this file says it, so that nobody who gets at the app can have it write elsewhere.
    """

    site: str = Field("site", description="folder of the site")
    feeds: str = Field("feeds", description="folder of the shows' feeds with links to transcripts")
    files: str = Field("", description="fsspec URL, such as s3://bucket/folder, that files are sent to")
    proposed_chapters: bool = Field(False, description="link feeds to chapters that no person made, too")


def _size(given: object) -> object:
    """The bytes that a text says; ValueError where it is no size.

    >>> _size("20 GB"), _size("1.5GiB"), _size("0"), _size("none")
    (20000000000, 1610612736, 0, None)
    """
    if not isinstance(given, str):
        return given
    if given.strip().lower() == "none":
        return None
    found = SIZE.fullmatch(given.strip())
    if found is None:
        raise ValueError(f"{given!r} is no size: write 20 GB, 500 MB, 1.5 GiB, 0 or none")
    return round(float(found[1] or 0) * UNITS[(found[2] or "B").lower()])


Size = Annotated[Annotated[int, Field(ge=0, strict=True)] | None, BeforeValidator(_size)]


def size(given: str) -> int | None:
    """The bytes that somebody says, None for no bound; InputError where it is no size."""
    try:
        return cast(int | None, _size(given))
    except ValueError as error:
        raise InputError(str(error)) from None


class Cache(_Strict):
    """How much may be kept in the cache folder, as 20 GB or none; what was not used for longest goes first."""

    downloads: Size = Field(None, description="audio from the web")
    results: Size = Field(None, description="kept results of steps")
    models: Size = Field(None, description="models, those of the hub that were used here included")

    def budgets(self) -> Budgets:
        """As `flows.keeping.prune` has them."""
        return {kind: getattr(self, kind) for kind in KINDS}


class Notify(_Strict):
    """Who is told by mail, chat or push when something happens; only a variable holds the address and its secrets."""

    url_from: str = Field(description="Variable that holds one or more addresses as Apprise writes them.")
    on: tuple[Occasion, ...] = Field(("done", "held_back", "given_up", "review"), description="What to tell.")
    shows: tuple[str, ...] = Field((), description="Of which shows; empty: of all, and of what people add.")
    every: Seconds = Field(900, description="Seconds that are gathered into one message at most.")
    doubtful: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1, description="Share of the words, or of the talk, in doubt above which an episode needs review."
    )

    @field_validator("url_from")
    @classmethod
    def _is_a_variable(cls, name: str) -> str:
        if not VARIABLE.fullmatch(name):
            raise ValueError(
                "an address does not belong in the file: put it into a variable and name that here"
            )
        return name

    @field_validator("on")
    @classmethod
    def _is_something(cls, on: tuple[Occasion, ...]) -> tuple[Occasion, ...]:
        if not on:
            raise ValueError(f"name at least one of {', '.join(get_args(Occasion))}")
        return on

    def addresses(self) -> tuple[str, ...]:
        """The addresses, from the environment; InputError where the variable is missing. Never to be shown."""
        found = tuple(os.environ.get(self.url_from, "").split())
        if (
            not found
            or not all("://" in one and one.isprintable() for one in found)
            or any(map(SEVERAL.search, found))
        ):
            raise InputError(
                f"the environment variable {self.url_from} must hold addresses of Apprise, with spaces between them"
            )
        return found


class Assistant(_Strict):
    """A language model behind an address that speaks OpenAI's API, which writes titles and summaries.

    Off without `url`: what is said in episodes is sent there.
    """

    url: str = Field("", description="address of the API, such as http://localhost:11434/v1")
    model: str = Field("", description="the model's name there")
    key_from: str = Field("", description="variable that holds the key, where it wants one")
    titles: bool = Field(True, description="for chapters that are proposed")
    summary: bool = Field(True, description="of 3 to 6 sentences")
    context: Annotated[int, Field(ge=2048)] = Field(4096, description="tokens that the model reads at once")
    seconds: Seconds = Field(900, description="for one episode, all requests together")

    @field_validator("url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        from audio.transfer.addresses import checked_url

        try:
            parsed = checked_url(url) if url else None
        except InputError as error:
            raise ValueError(str(error)) from None
        if parsed is not None and (parsed.userinfo or parsed.query):
            raise ValueError("a key does not belong in the file: put it into a variable, see key_from")
        return url

    @field_validator("key_from")
    @classmethod
    def _is_a_variable(cls, name: str) -> str:
        if name and not VARIABLE.fullmatch(name):
            raise ValueError("a key does not belong in the file: put it into a variable and name that here")
        return name

    @model_validator(mode="after")
    def _names_both(self) -> Self:
        if bool(self.url) != bool(self.model):
            raise ValueError("url and model belong together")
        return self

    def key(self) -> str:
        """The key, from the environment, "" where none is needed; InputError where the variable is missing or odd."""
        key = _variable(self.key_from, "", "a key") if self.key_from else ""
        if not key.isascii():
            raise MachineError(f"the environment variable {self.key_from} must hold a key")
        return key.strip()


class Settings(BaseSettings):
    """All of episcribe.toml. Unknown keys are errors."""

    model_config = SettingsConfigDict(
        env_prefix="EPISCRIBE_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    library: str = Field(DEFAULT_LIBRARY, description="folder or fsspec URL that holds all shows")
    store: str = Field(DEFAULT_STORE, description="file, or SQLAlchemy URL, that knows what was done")
    uploads: str = Field(
        DEFAULT_UPLOADS, description="folder or fsspec URL for files that are sent to the app"
    )
    base_url: str = Field("", description="where the library is published")
    schedule: str = Field("*/15 * * * *", description="when to look for new episodes, as cron writes it")
    device: str = "auto"
    formats: tuple[str, ...] = DEFAULT_FORMATS
    allow_private: bool = False
    extractors: bool = Field(False, description="ask yt-dlp for pages that people add in the app")
    proxy: str = Field("", description="proxy for feeds and audio, or none; else HTTPS_PROXY and HTTP_PROXY")
    limits: Limits = Limits()
    publish: Publishing = Publishing()
    cache: Cache = Cache()
    assistant: Assistant = Assistant()

    notify: dict[str, Notify] = {}
    shows: dict[str, Show] = {}

    @field_validator("notify")
    @classmethod
    def _names_are_plain(cls, notify: dict[str, Notify]) -> dict[str, Notify]:
        for name in notify:
            if not NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name for who is told: use a-z, 0-9, - and _")
        return notify

    @field_validator("shows")
    @classmethod
    def _names_are_plain_and_feeds_differ(cls, shows: dict[str, Show]) -> dict[str, Show]:
        for name in shows:
            if not NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name for a show: use a-z, 0-9, - and _")
        for url, times in Counter(show.url for show in shows.values()).items():
            if times > 1:
                raise ValueError(f"{times} shows have the feed {url}")
        return shows

    @field_validator("proxy")
    @classmethod
    def _is_proxy(cls, proxy: str) -> str:
        return _checked_proxy(proxy)

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, schedule: str) -> str:
        if len(schedule.split()) != 5:
            raise ValueError("a schedule has five fields, as in */15 * * * *")
        return schedule

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the caller says goes before the environment, this before the file, and that before what is built in."""
        if isinstance(env_settings, EnvSettingsSource):  # EPISCRIBE_CACHE is the folder
            named = env_settings.env_vars.items()
            env_settings.env_vars = {name: value for name, value in named if name != "episcribe_cache"}
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_path())

    def show(self, name: str) -> Show:
        """The show of this name; InputError names those that there are."""
        if name not in self.shows:
            known = ", ".join(self.shows) or "none yet: episcribe feeds add URL"
            raise InputError(f"no show is called {name!r} in {config_path()}; there are {known}")
        return self.shows[name]

    def run_options_for(self, name: str, own: Mapping[str, Any] | None = None) -> RunOptions:
        """How episodes of a show are processed, or for "" those of none; `own` goes before what the show says."""
        show = self.show(name).model_dump(include=set(EpisodeOptions.model_fields)) if name else {}
        return RunOptions.model_validate(
            {
                **show,
                "library": self.library,
                "device": self.device,
                "formats": self.formats,
                "allow_private": self.allow_private,
                "extractors": "use" if self.extractors else "off",
                **(own or {}),
            }
        )


def library_location(given: Path | None) -> Path:
    """The library a command works on: the one that was given, or else that of the settings; it may have a URL."""
    if given is not None:
        return given
    library = resolve_location(load().library)
    if not is_local(library):
        return library
    return library.relative_to(Path.cwd()) if library.is_relative_to(Path.cwd()) else library


def local_library(given: Path | None) -> Path:
    """As `library_location`. InputError where it has a URL: searching and building pages need files at hand."""
    return checked_local(library_location(given))


def checked_local(library: Path) -> Path:
    """A library that is a folder of this machine; InputError where it has a URL."""
    if not is_local(library):
        raise InputError(
            f"the library {library} is no folder of this machine: give a copy of it with --library"
        )
    return library


def config_path() -> Path:
    """Where the settings are read from; the file need not exist."""
    return Path(os.environ.get(CONFIG_VARIABLE) or DEFAULT_CONFIG)


def load() -> Settings:
    """The settings of this process. InputError names the file and the keys that are wrong."""
    path = config_path()
    if CONFIG_VARIABLE in os.environ and not path.is_file():
        raise InputError(f"{path}, which {CONFIG_VARIABLE} names, is not there")
    try:
        settings = Settings()
    except ValidationError as error:
        raise InputError(f"{path}: {'; '.join(map(validation_message, error.errors()))}") from None
    except (ValueError, OSError) as error:  # not TOML, or not readable
        raise InputError(f"{path} can't be read: {error}") from None
    here = path.absolute().parent
    places = {name: _beside(here, getattr(settings, name)) for name in ("library", "store", "uploads")}
    targets = settings.publish.model_dump(include={"site", "feeds", "files"})
    beside = {name: _beside(here, place) if place else "" for name, place in targets.items()}
    publish = settings.publish.model_copy(update=beside)
    return settings.model_copy(update={**places, "publish": publish})


def current() -> Settings:
    """As `load`, and quick where nothing has changed since: for what looks again and again."""
    path = config_path().absolute()
    try:
        found = path.stat()
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
    except OSError:
        stamp = (0, 0, 0)
    variables = (one for one in os.environ.items() if one[0].upper().startswith("EPISCRIBE_"))
    return _loaded((str(path), *stamp, *sorted(variables)))


@lru_cache(maxsize=1)
def _loaded(_: tuple[object, ...]) -> Settings:
    """The settings as they are while the file and the variables look so."""
    return load()


def validation_message(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors in words."""
    where = ".".join(map(str, error["loc"])) or "it"
    if error["type"] == "extra_forbidden":
        return f"{where} is not a setting"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"


def _beside(folder: Path, place: str) -> str:
    """A path of the file's is meant from the file's folder; an address is one anywhere."""
    return place if "://" in place else str(folder / Path(place).expanduser())
