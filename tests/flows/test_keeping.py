"""What is kept in the cache folder and what of it goes, with real files, downloads and locks of other processes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from threading import Event, Thread

import pytest
from prefect import Task
from typer.testing import CliRunner

from audio.transfer.download import Limits, download
from flows import episode, keeping
from flows.cli.main import app
from flows.keeping import DAY, Pruned
from flows.progress import reporting_to
from models.record.errors import DownloadError, OutputError
from models.runtime.cache import KINDS, USED, Kind, cache_folder, holding, last_used, use, use_hub_model
from models.runtime.offline_models import WHISPER_BASE, models_folder
from outputs.library.voices_file import HEARD_DAYS
from tests.audio.server import Reply, Server, ranged
from tests.flows.conftest import Process
from tests.flows.shows import clip
from tests.models.runtime.test_cache import held_elsewhere

LENT_MODELS = models_folder()
ONE, TWO, THREE = (digit * 64 for digit in "123")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("EPISCRIBE_CACHE", str(folder))
    monkeypatch.setenv("PREFECT_LOCAL_STORAGE_PATH", str(folder / "results"))
    return folder


def put(path: str, size: int = 1000, days: float = 0.0) -> Path:
    """A file of the cache folder that was last changed so many days ago."""
    file = cache_folder() / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bytes(size))
    then = time.time() - days * DAY
    os.utime(file, (then, then))
    os.utime(file.parent, (then, then))
    return file


def prune(kind: Kind, budget: int, **options: object) -> Pruned:
    done = keeping.prune({kind: budget}, **options)  # type: ignore[arg-type]
    return next(each for each in done if each.kind == kind)


def audio(sha256: str, days: float) -> Path:
    return put(f"downloads/{sha256}.mp3", days=days)


def test_what_was_not_used_for_longest_goes_first(cache: Path) -> None:
    used_again, unused, new = audio(ONE, days=30), audio(TWO, days=20), audio(THREE, days=1)
    use(cache / "downloads", ONE)
    assert prune("downloads", 3000) == Pruned("downloads")
    assert prune("downloads", 2500, dry_run=True) == Pruned("downloads", removed=1, freed=1000)
    assert unused.exists()
    assert prune("downloads", 2500) == Pruned("downloads", removed=1, freed=1000)
    assert (used_again.exists(), unused.exists(), new.exists()) == (True, False, True)
    assert prune("downloads", 0) == Pruned("downloads", removed=2, freed=2000)
    assert last_used(cache / "downloads") == {}


def test_what_a_run_needs_stays_and_goes_once_its_process_has_died(cache: Path) -> None:
    needed, other = audio(ONE, days=30), audio(TWO, days=1)
    result = put(f"results/transcribe-v6-{ONE}-{'a' * 16}", days=30)
    with held_elsewhere(cache / "downloads", ONE), held_elsewhere(cache / "results", ONE):
        assert prune("downloads", 500) == Pruned("downloads", removed=1, freed=1000, needed=1, over=500)
        assert prune("results", 0, spare=()) == Pruned("results", needed=1, over=1000)
        assert (needed.exists(), result.exists(), other.exists()) == (True, True, False)
    assert prune("downloads", 500) == Pruned("downloads", removed=1, freed=1000)
    assert prune("results", 0).removed == 1
    assert not needed.exists()
    assert not result.exists()


def test_only_files_with_names_of_ours_go_and_no_link_is_followed(cache: Path, tmp_path: Path) -> None:
    outside = tmp_path / "library" / "audio.mp3"
    outside.parent.mkdir()
    kept_in_library = audio(ONE, days=9)
    os.link(kept_in_library, outside)  # frees nothing
    linked = cache / "downloads" / f"{TWO}.mp3"
    linked.symlink_to(outside)
    (cache / "tracks").mkdir()
    (cache / "tracks" / f"zip-{'a' * 32}").symlink_to(outside.parent)
    others = [put("downloads/notes.txt"), put("results/other-flow-result"), put("results/sub/decode")]
    zipped = put(f"tracks/zip-{'b' * 32}/0000.wav")
    (zipped.parent / "link").symlink_to(outside.parent)
    assert prune("downloads", 0, spare=()) == Pruned("downloads", removed=1, freed=1000)
    assert prune("results", 0) == Pruned("results")
    assert not zipped.parent.exists()
    assert all(path.exists() for path in (outside, kept_in_library, linked, *others))


def test_a_download_that_was_cut_off_goes_on_for_a_day(cache: Path) -> None:
    key = "a" * 32
    part = put(f"downloads/{key}.part", days=0.5)
    told = put(f"downloads/{key}.part.json", size=10)
    assert prune("downloads", 0) == Pruned("downloads", needed=1, over=1000)
    os.utime(part, (1.0, 1.0))
    assert prune("downloads", 0).removed == 1
    assert not part.exists()
    assert not told.exists()
    assert prune("downloads", 0, spare=()) == Pruned("downloads")


def test_pruning_while_a_download_comes_and_is_used(server: Server, cache: Path) -> None:
    url, data = server.url("/a.wav"), clip(1)
    asked_again, go_on, done, leave = Event(), Event(), Event(), Event()

    def slowly(headers: dict[str, str]) -> Reply:
        if len(server.requests) == 1:
            return ranged(data, cut=len(data) // 2)(headers)
        asked_again.set()
        go_on.wait()
        return ranged(data)(headers)

    server.routes["/a.wav"] = slowly

    def run() -> None:
        with holding():
            download(url, cache / "downloads", allow_private=True, sleep=lambda _: None)
            done.set()
            leave.wait()

    runner = Thread(target=run, daemon=True)
    runner.start()
    asked_again.wait()
    assert prune("downloads", 0, spare=()) == Pruned(
        "downloads", needed=1, over=next((cache / "downloads").glob("*.part")).stat().st_size
    )
    go_on.set()
    done.wait()
    assert prune("downloads", 0, spare=()) == Pruned("downloads", needed=1, over=len(data))
    leave.set()
    runner.join()
    assert prune("downloads", 0, spare=()) == Pruned("downloads", removed=1, freed=len(data))
    assert [path.name for path in (cache / "downloads").iterdir()] == [USED]
    assert len(server.requests) == 2
    assert download(url, cache / "downloads", allow_private=True).fresh


def test_a_disk_that_is_full_says_how_to_make_room(server: Server, cache: Path) -> None:
    server.routes["/a.wav"] = Reply(200, clip(1), {"Content-Type": "audio/wav"}, length=3_900_000_000_000)
    with pytest.raises(DownloadError, match=r"`episcribe cache prune --downloads SIZE` makes room"):
        download(server.url("/a.wav"), cache / "downloads", limits=Limits(bytes=1 << 60), allow_private=True)


def test_voices_go_after_their_days_though_nobody_processes_the_show(cache: Path) -> None:
    gone = [
        put(f"voices/{ONE}.json", days=HEARD_DAYS + 1),
        put(f"results/diarise-v6-{ONE}-{'a' * 16}", days=HEARD_DAYS + 1),
    ]
    stay = [
        put(f"voices/{TWO}.json", days=HEARD_DAYS - 1),
        put(f"results/diarise-v6-{TWO}-{'a' * 16}", days=HEARD_DAYS - 1),
        put(f"results/transcribe-v6-{ONE}-{'a' * 16}", days=HEARD_DAYS + 1),
    ]
    assert keeping.prune({})[1] == Pruned("results", removed=1, freed=1000)
    assert [path.exists() for path in (*gone, *stay)] == [False] * 2 + [True] * 3


def test_results_of_a_recording_go_together(cache: Path) -> None:
    old = [put(f"results/{step}-{ONE}-{'a' * 16}", days=9) for step in ("decode-v3", "transcribe-v6")]
    old.append(put(f"results/translate-v1-{ONE}-{'b' * 16}", days=3))
    new = put(f"results/decode-v3-{TWO}-{'a' * 16}", days=2)
    assert prune("results", 3999) == Pruned("results", removed=1, freed=3000)
    assert [path.exists() for path in (*old, new)] == [False, False, False, True]


def test_models_that_were_used_here_go_a_day_later(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = cache / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(hub))
    blob = put("hub/models--Systran--faster-whisper-small/blobs/1", size=5000, days=3)
    (blob.parents[1] / "model.bin").symlink_to(blob)
    of_others = put("hub/models--someone--else/blobs/1", days=90)
    offline = put(f"models/{WHISPER_BASE.name}/model.bin", days=9)
    use_hub_model("Systran/faster-whisper-small")
    assert prune("models", 0) == Pruned("models", removed=1, freed=1000, needed=1, over=5000)
    assert not offline.parent.exists()
    with held_elsewhere(cache, "models--Systran--faster-whisper-small"):
        assert prune("models", 0, spare=()).removed == 0
    assert prune("models", 0, spare=()) == Pruned("models", removed=1, freed=5000)
    assert not blob.parents[1].exists()
    assert of_others.exists()


@pytest.mark.parametrize(("read_days", "removed"), [(0.5, 0), (1.5, 0), (9.0, 1)])
def test_a_model_of_the_hub_that_other_programs_read_stays(
    cache: Path, monkeypatch: pytest.MonkeyPatch, read_days: float, removed: int
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache / "hub"))
    blob = put("hub/models--Systran--faster-whisper-small/blobs/1", days=90)
    os.utime(blob, (time.time() - read_days * DAY, blob.stat().st_mtime))
    for folder in (blob.parent, blob.parents[1]):
        os.utime(folder, (1.0, 1.0))
    put(f"{USED}/models--Systran--faster-whisper-small", size=0, days=9)
    assert prune("models", 0).removed == removed
    assert blob.exists() != bool(removed)


def test_what_processes_left_that_were_killed_goes_after_a_day(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache / "hub"))
    names = (
        f"downloads/{'a' * 32}.part.json.new",
        f"downloads/{'b' * 32}.lock",
        "tracks/zip-abcd_123/0000.wav",
        "downloads/extract-abcd_123/media",
        "models/.pull-abcd_123/model.whl",
        f"voices/.{ONE}.json.0123abcd.part",
        ".0123abcd.part",
        ".pace.json.0123abcd.part",
        f"tracks/.zip-{'f' * 32}.0123abcd.part/0000.wav",
        f"models/.{WHISPER_BASE.name}.0123abcd.part/model.bin",
        "hub/.models--Systran--faster-whisper-small.0123abcd.part/blobs/1",
        "prefect-2.0.1.db",
        "prefect-2.0.1.db-wal",
        f"fetched/{'c' * 32}.mp3",
    )
    left = [put(name, days=2) for name in names]
    for folder in cache.glob("hub/.*"):
        os.utime(folder, (1.0, 1.0))
    new = [put(name.replace("abcd", "0123").replace("a" * 32, "d" * 32)) for name in names if "abcd" in name]
    stay = [put(f"downloads/{'e' * 32}.{ending}", days=2) for ending in ("lock", "json")]
    stay += [put("pace.json", days=99), put("prefect-server.db", days=99)]
    stay.append(put("prefect-2.0.2.db"))  # of another program that shares the folder, perhaps
    stay.append(put("prefect-2.0.3.db.backup", days=99))
    keeping.prune({})
    assert [path for path in left if path.exists()] == []
    assert all(path.exists() for path in (*new, *stay))


def test_files_of_other_programs_stay_in_a_folder_that_is_theirs_too(cache: Path) -> None:
    names = (
        ".notes.backup.deadbeef.part",
        "downloads/.film.mkv.deadbeef.part",
        "models/.other.deadbeef.part/1",
        "voices/me.json",
    )
    others = [put(name, days=HEARD_DAYS + 1) for name in names]
    keeping.prune(dict.fromkeys(KINDS, 0), spare=())
    assert all(path.exists() for path in others)


def test_a_folder_that_is_a_link_is_left_alone(cache: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    put(f"models/{WHISPER_BASE.name}/model.bin", days=9)
    put("models/.pull-abcd_123/model.whl", days=9)
    (cache / "models").rename(shared)
    (cache / "models").symlink_to(shared)
    assert prune("models", 0, spare=()) == Pruned("models")
    assert [total.number for total in keeping.totals({}) if total.kind == "models"] == [0]
    assert len([path for path in shared.rglob("*") if path.is_file()]) == 2


def test_it_is_told_where_nothing_can_be_removed(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = audio(ONE, days=9)
    (cache / ".prune.lock").mkdir()
    result = CliRunner().invoke(app, ["cache", "prune", "--downloads", "0"])
    assert isinstance(result.exception, OutputError)
    keeping.sweep({"downloads": 0})
    assert capsys.readouterr().err == f"{result.exception}\n"
    assert str(result.exception).startswith(f"cannot make room in {cache}: ")
    assert kept.exists()


def test_a_run_ends_well_though_all_that_it_does_not_need_goes_on_its_way(
    process: Process, server: Server, cache: Path
) -> None:
    (cache / "models").symlink_to(LENT_MODELS)
    server.routes["/a.wav"] = ranged(clip(1))
    stages = set[str]()

    def make_room(stage: str, done: float, total: float) -> None:
        if stage not in stages:
            keeping.prune({"downloads": 0, "results": 0}, spare=())
            stages.add(stage)

    options = {"allow_private": True, "diariser": "none"}
    with reporting_to(make_room):
        first = process(server.url("/a.wav"), **options)
    assert {"download", "decode", "transcribe"} <= stages
    assert process(server.url("/a.wav"), **options)["reused"] == ["download", "decode", "transcribe"]
    keeping.prune({"downloads": 0, "results": 0}, spare=())
    assert process(server.url("/a.wav"), **options)["computed"] == first["computed"]


def test_the_commands(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "episcribe.toml").write_text('[cache]\ndownloads = "1.5 kB"\n', encoding="utf-8")
    monkeypatch.setenv("EPISCRIBE_CONFIG", str(tmp_path / "episcribe.toml"))
    audio(ONE, days=2)
    audio(TWO, days=1)

    def called(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["cache", *arguments], catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout

    kept = {total["kind"]: total for total in json.loads(called("list", "--json"))}
    assert (kept["downloads"]["number"], kept["downloads"]["size"], kept["downloads"]["budget"]) == (
        2,
        2000,
        1500,
    )
    assert [kind for kind, total in kept.items() if total["oldest"]] == ["downloads"]
    assert "2.0 kB  1.5 kB" in called("list")
    assert "downloads: 1 would be removed, 1.0 kB" in called("prune", "--dry-run")
    assert "downloads: 1 removed, 1.0 kB" in called("prune")
    assert "results: 0 removed, 0 B" in called("prune", "--results", "20 GB")
    assert json.loads(called("prune", "--downloads", "0", "--json"))[0]["freed"] == 1000


def test_what_any_step_keeps_is_counted_and_removed(cache: Path) -> None:
    kept = [one for one in vars(episode).values() if isinstance(one, Task) and one.persist_result]
    assert {"decode", "assist"} <= {task.name for task in kept}
    for task in kept:
        assert task.cache_key_fn is not None
        name = task.cache_key_fn(None, {"step": episode.Step(ONE, {})})  # type: ignore[arg-type]
        put(f"results/{name}")
    (total,) = [one for one in keeping.totals({}) if one.kind == "results"]
    assert total.size == 1000 * len(kept)
    assert prune("results", 0).freed == 1000 * len(kept)
