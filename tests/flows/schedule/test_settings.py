"""episcribe.toml: what it may say, what overrides it, and how mistakes are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.options import RunOptions
from flows.schedule import settings
from flows.schedule.settings import Settings
from models.record.errors import InputError

TOLD = "[notify.us]\n"
MODEL = "[assistant]\nurl = 'http://localhost:11434/v1'\nmodel = 'm'\n"
Load = Callable[[str], Settings]
SHOW = '[shows.talk]\nurl = "https://feeds.example/talk"\n'


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """The settings that a file with this text makes."""

    def write(text: str) -> Settings:
        path = tmp_path / "episcribe.toml"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv(settings.CONFIG_VARIABLE, str(path))
        return settings.load()

    return write


def test_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = settings.load()
    assert (loaded.shows, loaded.library) == ({}, str(tmp_path / "library"))


def test_a_named_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.CONFIG_VARIABLE, "/no/such.toml")
    with pytest.raises(InputError, match=r"/no/such\.toml, which EPISCRIBE_CONFIG names, is not there"):
        settings.load()


def test_a_show(load: Load, tmp_path: Path) -> None:
    more = 'model = "base"\nmin_speakers = 2\npeople = ["Ann"]\nvocabulary = ["Prefect"]\nback_fill = 0'
    loaded = load(f'library = "lib"\ndevice = "cpu"\n{SHOW}{more}')
    options = loaded.run_options_for("talk")
    assert (options.model, options.min_speakers, options.device) == ("base", 2, "cpu")
    assert options.library == str(tmp_path / "lib")
    assert loaded.show("talk").known_people == ("Ann",)
    for name, value in {"known_people": ("Ann",), "vocabulary": ("Prefect",)}.items():
        if name in RunOptions.model_fields:
            assert getattr(options, name) == value


def test_the_key_of_the_language_model_comes_from_the_environment(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(MODEL).assistant.key() == ""
    told = load(f"{MODEL}key_from = 'MODEL_KEY'").assistant
    for odd in ("", "two\nlines", "schlüssel"):
        monkeypatch.setenv("MODEL_KEY", odd)
        with pytest.raises(InputError, match="the environment variable MODEL_KEY must hold a key") as caught:
            told.key()
        assert not odd or odd not in str(caught.value)
    monkeypatch.setenv("MODEL_KEY", "sk-1")
    assert told.key() == "sk-1"


@pytest.mark.parametrize(
    ("given", "size"),
    [("20 GB", 20 * 10**9), ("1.5GiB", 3 << 29), ("500 MB", 500_000_000), ("0", 0), ("none", None)],
)
def test_budgets(load: Load, monkeypatch: pytest.MonkeyPatch, given: str, size: int | None) -> None:
    monkeypatch.setenv("EPISCRIBE_CACHE__RESULTS", given)
    cache = load(
        f'[cache]\ndownloads = "{given}"\nresults = "1 GB"'
    ).cache  # beside EPISCRIBE_CACHE, a folder
    assert cache.budgets() == {"downloads": size, "results": size, "models": None}


@pytest.mark.parametrize("given", ['"20"', '"20 Gb"', '"-1 GB"', '"much"', '"GB"', "true", "1.5", "-1"])
def test_no_budgets(load: Load, given: str) -> None:
    with pytest.raises(InputError, match=r"cache\.models: "):
        load(f"[cache]\nmodels = {given}")


def test_addresses_are_left_as_they_are(load: Load) -> None:
    loaded = load('library = "s3://bucket/shows"\nstore = "postgresql://db/x"')
    assert (loaded.library, loaded.store) == ("s3://bucket/shows", "postgresql://db/x")


def test_the_environment_goes_first(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPISCRIBE_LIMITS__AT_ONCE", "4")
    monkeypatch.setenv("EPISCRIBE_SHOWS__TALK__MODEL", "tiny.en")
    monkeypatch.setenv("EPISCRIBE_BASE_URL", "https://shows.example")
    loaded = load(f"{SHOW}[limits]\nat_once = 2\nqueue = 9")
    assert (loaded.limits.at_once, loaded.limits.queue) == (4, 9)
    assert (loaded.show("talk").model, loaded.base_url) == ("tiny.en", "https://shows.example")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('colour = "red"', "colour is not a setting"),
        (f"{SHOW}colour = 1", "shows.talk.colour is not a setting"),
        ("[limits]\nat_once = 0", "limits.at_once: Input should be greater than or equal to 1"),
        ("[limits]\nat_twice = 1", "limits.at_twice is not a setting"),
        ("[shows.talk]\nmodel = 'base'", "shows.talk.url: Field required"),
        ("[shows.talk]\nurl = 'file:///etc/passwd'", "only http and https"),
        ("[shows.talk]\nurl = 'https://me:secret@feeds.example'", "a login does not belong in the file"),
        (f"{SHOW}voices = 'some'", "shows.talk.voices"),
        (f"{SHOW}headers = {{ Authorization = 'Bearer secret' }}", "does not belong in the file"),
        (f"{SHOW}headers = {{ Range = 'bytes=0-9' }}", "Range is for the program to set"),
        (f"{SHOW}headers = {{ 'A b' = 'x' }}", "'A b' is no header"),
        (f'{SHOW}headers = {{ A = "x\\ny" }}', "'A' is no header"),
        (f"{SHOW}header_hosts = ['https://cdn.example/']", "is no host"),
        (f"{SHOW}header_hosts = ['*.example']", "is no host"),
        (f"{SHOW}user_agent = 'Hörer'", "only printable ASCII"),
        (f"{SHOW}proxy = 'socks5://p.example'", "only http and https proxies"),
        ("proxy = 'http://me:secret@p.example'", "a login does not belong in the file"),
        ("[shows.'a b']\nurl = 'https://x.example'", "'a b' is no name for a show"),
        (SHOW + SHOW.replace("talk]", "again]"), "2 shows have the feed https://feeds.example/talk"),
        (f"{TOLD}url_from = 'slack://secret'", "notify.us.url_from: an address does not belong in the file"),
        (f"{TOLD}on = ['done']", "notify.us.url_from: Field required"),
        (f"{TOLD}url_from = 'US'\non = ['finished']", "notify.us.on.0: Input should be 'done', 'failed'"),
        (f"{TOLD}url_from = 'US'\non = []", "notify.us.on: name at least one of done, failed"),
        (f"{TOLD}url_from = 'US'\nevery = 0", "notify.us.every"),
        ("[notify]\nurl_from = 'US'", "notify.url_from"),
        (f"{MODEL}key_from = 'sk-proj-secret'", "assistant.key_from: a key does not belong in the file"),
        (f"{MODEL}context = 512", "assistant.context"),
        ("[assistant]\nurl = 'http://localhost:11434/v1'", "assistant: url and model belong together"),
        ("[assistant]\nurl = 'file:///etc/passwd'\nmodel = 'm'", "only http and https"),
        (
            "[assistant]\nurl = 'https://x.example/v1?key=secret'\nmodel = 'm'",
            "a key does not belong in the file",
        ),
        ("[notify.'a b']\nurl_from = 'US'", "'a b' is no name for who is told"),
        ('schedule = "hourly"', "a schedule has five fields"),
        ("colour = ", "can't be read"),
    ],
)
def test_mistakes_are_told_in_one_line(load: Load, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        load(text)
    assert said in str(caught.value)
    assert "episcribe.toml" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_how_a_show_is_asked(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "X-Key: hush")
    more = 'header_from = "KEY"\nheader_hosts = ["CDN.example"]\nheaders = { Referer = "https://x.example" }'
    loaded = load(f'proxy = "http://p.example:3128"\n{SHOW}user_agent = "Player/1.0"\n{more}')
    access = loaded.show("talk").access(loaded.proxy)
    assert dict(access.secret) == {"Referer": "https://x.example", "X-Key": "hush"}
    assert (access.home, access.hosts) == ("https://feeds.example/talk", ("cdn.example",))
    assert (access.user_agent, access.proxy) == ("Player/1.0", "http://p.example:3128")
    assert dict(loaded.show("talk").public_access().secret) == {}
    other = load(f'proxy = "http://p.example:3128"\n{SHOW}proxy = "none"')
    assert other.show("talk").access(other.proxy).proxy == "none"


def test_who_looks_again_sees_what_has_changed(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    load(SHOW)
    first = settings.current()
    assert settings.current() is first
    load(SHOW.replace("talk", "walk"))
    assert list(settings.current().shows) == ["walk"]
    monkeypatch.setenv("EPISCRIBE_LIMITS__QUEUE", "7")
    assert settings.current().limits.queue == 7


def test_an_unknown_show(load: Load) -> None:
    with pytest.raises(InputError, match="there are talk"):
        load(SHOW).run_options_for("walk")
