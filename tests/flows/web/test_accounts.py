"""Users, their sessions and tokens, and who is kept from guessing."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import argon2
import httpx2
import pytest
from sqlalchemy import Table, insert, select, update

from flows.schedule.store import Store, open_store
from flows.schedule.tables import deliveries, login_attempts, sessions, users
from flows.web.config import API
from flows.web.sessions import IDLE_SECONDS, LIFE_SECONDS
from flows.web.throttle import ADDRESS, NAME, Throttle
from flows.web.users import ConflictError, Users
from flows.web.webhooks import Webhooks
from tests.browser import watched
from tests.flows.postgres import USER, create_database
from tests.flows.web.conftest import PASSWORD, Running
from tests.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

OTHER = "another horse battery"
_numbers = count()


@pytest.fixture(scope="module")
def app(app_server: Callable[..., Running], tmp_path_factory: pytest.TempPathFactory) -> Running:
    found = app_server(tmp_path_factory.mktemp("library"))
    for name, role in (("ann", "admin"), ("ed", "editor"), ("rea", "reader")):
        found.app.state.accounts.users.add(name, PASSWORD, role)
    return found


def login(client: httpx2.Client, name: str, password: str) -> httpx2.Response:
    return client.post(f"{API}/login", json={"name": name, "password": password})


def lets_in(client: httpx2.Client) -> bool:
    status = client.get(f"{API}/me").status_code
    assert status in (200, 401)
    return status == 200


def age(app: Running, table: Table, **seconds: float) -> None:
    """Let so many seconds have passed since what the columns tell."""
    with app.store.begin() as connection:
        values = {name: table.c[name] - passed for name, passed in seconds.items()}
        connection.execute(update(table).values(**values))
    app.app.state.accounts.forget()


# Sessions


def test_a_user_signs_in_and_out(app: Running) -> None:
    browser = app.signed_in("ED")
    told = browser.get(f"{API}/me").json()
    assert told == {"name": "ed", "role": "editor", "language": "", "csrf": browser.headers["X-CSRF-Token"]}
    kept = dict(browser.cookies)
    assert browser.post(f"{API}/logout").status_code == 204
    assert not browser.cookies
    assert not lets_in(app.stranger(cookies=kept))


def test_signing_in_begins_a_session_that_nobody_can_have_given(app: Running) -> None:
    name = next(iter(app.client.cookies))
    browser = app.stranger(cookies={name: "chosen-by-another-site"})
    assert not lets_in(browser)
    first = login(browser, "ed", PASSWORD).cookies[name]
    assert first != "chosen-by-another-site"
    again = app.stranger(cookies={name: first})
    second = login(again, "ed", PASSWORD).cookies[name]
    assert second != first
    assert not lets_in(app.stranger(cookies={name: first}))
    assert lets_in(app.stranger(cookies={name: second}))


def test_sessions_end_when_idle_and_when_old(app: Running) -> None:
    browser = app.signed_in("ed")
    age(app, sessions, seen_at=IDLE_SECONDS - 60)
    assert lets_in(browser)
    age(app, sessions, seen_at=IDLE_SECONDS + 60)
    assert not lets_in(browser)
    assert browser.get("/search").headers["location"] == "/login?next=%2Fsearch"
    browser = app.signed_in("ed")
    age(app, sessions, created_at=LIFE_SECONDS + 60)
    assert not lets_in(browser)


def test_another_password_ends_all_sessions_but_the_one_it_was_given_in(app: Running) -> None:
    here, there = app.signed_in("rea"), app.signed_in("rea")
    change = {"password": OTHER, "old": PASSWORD}
    assert here.patch(f"{API}/me", json={**change, "old": OTHER}).status_code == 403
    told = here.patch(f"{API}/me", json=change).json()
    assert not lets_in(there)
    assert here.get(f"{API}/me").json() == told
    assert told["csrf"] != here.headers["X-CSRF-Token"]
    assert login(app.stranger(), "rea", PASSWORD).status_code == 401
    assert login(app.stranger(), "rea", OTHER).status_code == 200


def test_who_gets_another_role_or_goes_is_signed_out(app: Running) -> None:
    new = {"name": "Temp", "password": PASSWORD, "role": "reader"}
    assert app.client.post(f"{API}/users", json=new).status_code == 201
    assert app.client.post(f"{API}/users", json=new).status_code == 409
    browser = app.signed_in("temp")
    assert app.client.patch(f"{API}/users/temp", json={"role": "editor"}).json()["role"] == "editor"
    assert not lets_in(browser)
    browser = app.signed_in("temp")
    assert app.client.delete(f"{API}/users/temp").status_code == 204
    assert not lets_in(browser)
    assert app.client.delete(f"{API}/users/temp").status_code == 404


def test_what_another_process_changes_is_heeded(app: Running) -> None:
    elsewhere = Users(app.store)
    elsewhere.add("guest", PASSWORD, "reader")
    browser = app.signed_in("guest")
    elsewhere.remove("guest")
    app.app.state.accounts.forget()  # as it does by itself within seconds
    assert not lets_in(browser)


def test_the_last_admin_stays(app: Running) -> None:
    for answer in (
        app.client.delete(f"{API}/users/ann"),
        app.client.patch(f"{API}/users/ann", json={"role": "editor"}),
    ):
        assert answer.status_code == 409
        assert answer.json()["detail"] == "ann is the last admin: make another user admin first"


def test_users_are_listed_in_pages(app: Running) -> None:
    names, target = [], f"{API}/users?limit=2"
    while target:
        answer = app.client.get(target)
        names += [user["name"] for user in answer.json()["items"]]
        target = answer.links.get("next", {}).get("url", "")
    assert names == sorted(names)
    assert {"ann", "ed", "rea"} <= set(names)


@pytest.mark.parametrize(
    "new",
    [
        {"name": "x", "password": "too short"},
        {"name": "x", "password": "e\u0301" * 9},  # nine letters
        {"name": "../x", "password": PASSWORD},
        {"name": "owner", "password": PASSWORD},
        {"name": "x y", "password": PASSWORD},
        {"name": "ехample", "password": PASSWORD},  # the first two are Cyrillic
        {"name": "x", "password": PASSWORD, "role": "root"},
    ],
)
def test_odd_users_are_refused(app: Running, new: dict[str, str]) -> None:
    answer = app.client.post(f"{API}/users", json=new)
    assert answer.status_code in (400, 422)
    assert "\n" not in answer.json()["detail"]


# Tokens


def test_a_token_is_shown_once_and_does_what_its_user_may(app: Running) -> None:
    browser = app.signed_in("ed")
    made = browser.post(f"{API}/tokens", json={"label": "scripts"}).json()
    assert made["token"].startswith("epi_")
    program = app.stranger(headers={"Authorization": f"Bearer {made['token']}"})
    assert program.get(f"{API}/me").json()["role"] == "editor"
    assert (
        program.patch(f"{API}/me", json={"language": "de"}).json()["language"] == "de"
    )  # without X-CSRF-Token
    wait_until(
        lambda: browser.get(f"{API}/tokens").json()["items"][0]["used_at"] is not None, "the note of it"
    )
    (listed,) = browser.get(f"{API}/tokens").json()["items"]
    assert "token" not in listed
    assert listed["used_at"] >= listed["created_at"]
    assert app.client.delete(f"{API}/tokens/{made['id']}").status_code == 404  # it is not theirs
    assert browser.delete(f"{API}/tokens/{made['id']}").status_code == 204
    assert not lets_in(program)


def test_a_token_makes_no_others(app: Running) -> None:
    answer = app.program("editor").post(f"{API}/tokens", json={"label": "x"})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:episcribe:problem:token")


def test_tokens_outlive_ones_own_new_password_but_not_an_admins(app: Running) -> None:
    app.app.state.accounts.users.add("kim", PASSWORD, "reader")
    browser = app.signed_in("kim")
    secret = browser.post(f"{API}/tokens", json={"label": "x"}).json()["token"]
    program = app.stranger(headers={"Authorization": f"Bearer {secret}"})
    assert browser.patch(f"{API}/me", json={"password": OTHER, "old": PASSWORD}).status_code == 200
    assert lets_in(program)
    assert app.client.patch(f"{API}/users/kim", json={"password": PASSWORD}).status_code == 200
    assert not lets_in(program)


def test_webhooks_are_there_as_long_as_their_admin(app: Running) -> None:
    users, hooks = app.app.state.accounts.users, Webhooks(app.store)
    ends = {"leaves": users.remove, "demoted": lambda name: users.set_role(name, "editor")}
    for name, end in ends.items():
        users.add(name, PASSWORD, "admin")
        hook, _ = hooks.add(name, "https://192.0.43.8/", ["episode.done"], allow_private=True)
        values = {"webhook": hook.id, "event": "episode.done", "body": "", "state": "waiting"}
        with app.store.begin() as connection:
            connection.execute(insert(deliveries).values(id=name, next_try_at=2e10, created_at=0.0, **values))
        end(name)
        assert (hooks.all(), hooks.deliveries(hook.id, 1)) == ([], [])


def test_the_owner_has_a_language_but_no_password_and_no_tokens(app: Running) -> None:
    assert app.client.patch(f"{API}/me", json={"language": "de"}).json()["language"] == "de"
    assert 'lang="de"' in app.client.get("/search").text
    assert app.client.patch(f"{API}/me", json={"language": "xx"}).status_code == 422
    assert app.client.patch(f"{API}/me", json={"language": ""}).status_code == 200
    assert app.client.post(f"{API}/tokens", json={"label": "x"}).status_code == 409
    assert app.client.patch(f"{API}/me", json={"password": OTHER}).status_code == 409


def test_the_store_holds_no_secret(app: Running) -> None:
    browser = app.signed_in("ed")
    token = browser.post(f"{API}/tokens", json={"label": "x"}).json()["token"]
    secrets = [token, PASSWORD, browser.headers["X-CSRF-Token"], *browser.cookies.values()]
    for file in Path(app.store.place).parent.iterdir():
        held = file.read_bytes()
        assert not any(secret.encode() in held for secret in secrets)


# Passwords


def test_a_password_is_the_same_from_all_keyboards(app: Running) -> None:
    accounts = app.app.state.accounts.users
    accounts.add("zoe", "p\u00e4ssw\u00f6rter")
    assert accounts.verified("Zoe", "pa\u0308sswo\u0308rter")


def test_hashes_of_older_parameters_are_renewed(app: Running) -> None:
    accounts = app.app.state.accounts.users
    accounts.add("old", PASSWORD)
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with app.store.begin() as connection:
        connection.execute(update(users).where(users.c.name == "old").values(password=weak))
    assert accounts.verified("old", PASSWORD)
    with app.store.look() as connection:
        held = connection.execute(select(users.c.password).where(users.c.name == "old")).scalar_one()
    assert held.startswith("$argon2id$")
    assert held != weak
    assert accounts.verified("old", PASSWORD)


def test_unknown_names_take_as_long_as_wrong_passwords(app: Running) -> None:
    accounts = app.app.state.accounts.users

    def took(name: str) -> float:
        began = time.process_time()
        assert accounts.verified(name, OTHER) is None
        return time.process_time() - began

    took("nobody")
    known, unknown = min(took("ann") for _ in range(3)), min(took("nobody") for _ in range(3))
    assert unknown > known / 2


# Guessing


def test_guesses_at_a_name_are_slowed_down_whether_it_is_one_or_not(app: Running) -> None:
    stranger = app.stranger()
    for name in ("ann", "nobody"):
        assert login(stranger, name, OTHER).status_code == 401
    with app.store.begin() as connection:
        many = login_attempts.c.who.in_(["name ann", "name nobody"])
        connection.execute(update(login_attempts).where(many).values(failures=NAME.free + 10))
    for name in ("ann", "nobody"):
        answer = login(stranger, name, PASSWORD)
        assert answer.status_code == 429
        assert 0 < answer.json()["retry_after"] == int(answer.headers["Retry-After"]) <= NAME.longest
    assert login(stranger, "ed", PASSWORD).status_code == 200
    age(app, login_attempts, last_at=NAME.longest)
    assert login(stranger, "ann", PASSWORD).status_code == 200
    assert Throttle(app.store).attempt("ann", "192.0.2.9") == 0


def test_pauses_grow(app: Running) -> None:
    throttle, waits = Throttle(app.store), list[int]()
    while len(waits) < 5:
        if wait := throttle.attempt("target", "192.0.2.1"):
            waits.append(round(wait))
            age(app, login_attempts, last_at=wait)
    assert waits == [1, 2, 4, 8, 16]


def test_guesses_from_an_address_are_slowed_down_and_one_password_pays_for_none(app: Running) -> None:
    throttle = Throttle(app.store)
    for number in range(ADDRESS.free):
        assert throttle.attempt(f"name{number}", f"2001:db8::{number}") == 0  # one customer's network
    throttle.succeeded("name0", "2001:db8::1")
    assert throttle.attempt("another", "2001:db8::ffff") == 0
    assert throttle.attempt("further", "2001:db8::1") > 0
    assert throttle.attempt("further", "2001:db8:1::1") == 0


def test_addresses_that_callers_claim_are_not_believed(app: Running) -> None:
    with app.store.begin() as connection:
        connection.execute(login_attempts.delete())
    login(app.stranger(headers={"X-Forwarded-For": "192.0.2.77"}), "nobody", OTHER)
    with app.store.look() as connection:
        counted = set(connection.execute(login_attempts.select()).scalars())
    assert counted == {"name nobody", "address 127.0.0.1"}


# Many at once


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "sqlite":
        return open_store(str(tmp_path / "store.db"))
    address = request.getfixturevalue("postgres_server")
    name = f"accounts{next(_numbers)}"
    create_database(address, name)
    return open_store(f"postgresql://{USER}@{address}/{name}")


def test_many_attempts_at_once_count_one_after_the_other(store: Store) -> None:
    throttle = Throttle(store)
    assert throttle.attempt("ann", "192.0.2.1") == 0
    with store.begin() as connection:
        long_ago = login_attempts.c.last_at - NAME.longest - 1
        connection.execute(update(login_attempts).values(failures=NAME.free + 10, last_at=long_ago))
    with ThreadPoolExecutor(8) as threads:
        waits = list(threads.map(lambda _: throttle.attempt("ann", "192.0.2.1"), range(8)))
    assert sorted(wait > 0 for wait in waits) == [False] + [True] * 7


def test_two_admins_can_not_remove_each_other(store: Store) -> None:
    users = Users(store)
    for name in ("ann", "bob"):
        users.add(name, PASSWORD, "admin")

    def remove(name: str) -> bool:
        try:
            users.remove(name)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(remove, ("ann", "bob"))) == [False, True]


# The page


def test_signing_in_on_the_page_leads_on(app: Running, browser: Browser) -> None:
    with watched(browser, locale="de") as seen:
        page = seen.page
        page.goto(f"{app.url}/search?q=x%20y")
        page.get_by_label("Name").fill("Ed")
        page.get_by_label("Passwort").fill("wrong wrong wrong")
        page.keyboard.press("Enter")
        page.get_by_role("alert").filter(has_text="Passwort stimmt nicht").wait_for()
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{app.url}/search?q=x%20y")
        seen.faults = [fault for fault in seen.faults if "401" not in fault]
