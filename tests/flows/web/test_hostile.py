"""Requests that mean harm, or are none of ours: what the app answers to each."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi.routing import iter_route_contexts

from flows.web.config import API
from tests.flows.web.conftest import PASSWORD, TOKEN, Running

SAFE = {"get", "head", "options"}
OWN = {("patch", "/me"), ("post", "/logout"), ("post", "/tokens"), ("delete", "/tokens/{token}")}
WITHOUT_ROLE = {("post", f"{API}/login")}
MARK = b"root-of-the-library"


@pytest.fixture(scope="module")
def app(app_server: Callable[..., Running], tmp_path_factory: pytest.TempPathFactory) -> Running:
    library = tmp_path_factory.mktemp("files") / "library"
    library.mkdir()
    (library.parent / "episode.json").write_bytes(MARK)
    (library / "episode.json").write_bytes(MARK)
    return app_server(library)


@pytest.fixture(scope="module")
def reader(app: Running) -> httpx2.Client:
    return app.program("reader")


@pytest.fixture(scope="module")
def public(app_server: Callable[..., Running], tmp_path_factory: pytest.TempPathFactory) -> Running:
    found = app_server(tmp_path_factory.mktemp("library"), token="", url="https://example.org/talks")
    found.app.state.accounts.users.add("ann", PASSWORD)
    return found


def raw(app: Running, request: bytes) -> bytes:
    """What the server answers to these bytes, until it closes."""
    parts = urlsplit(app.address)
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=30) as connection:
        answer = b""
        with suppress(ConnectionError):  # it may close before it has read all
            connection.sendall(request)
            while part := connection.recv(65536):
                answer += part
        return answer


def asked(app: Running, target: str, *lines: str) -> bytes:
    """A GET of exactly this target."""
    told = [f"GET {target} HTTP/1.1", f"Host: {app.config.host}", "Connection: close", *lines, "", ""]
    return raw(app, "\r\n".join(told).encode())


def routes(app: Running) -> Iterator[tuple[str, str]]:
    """Method and path of all that the API describes."""
    for path, methods in app.app.openapi()["paths"].items():
        yield from ((method, path) for method in methods)


# Who may


def test_every_route_of_the_api_demands_a_role(app: Running) -> None:
    def demands(dependant: object) -> bool:
        call = getattr(getattr(dependant, "call", None), "__qualname__", "")
        return call.startswith("requires.") or any(map(demands, getattr(dependant, "dependencies", ())))

    found = [route for route in iter_route_contexts(app.app.routes) if str(route.path).startswith(API)]
    without = {
        (method.lower(), route.path)
        for route in found
        if route.path != f"{API}/openapi.json" and not demands(getattr(route, "dependant", None))
        for method in set(route.methods or ())
        - {"OPTIONS"}  # which does nothing, and not for strangers either
    }
    assert without == WITHOUT_ROLE


def test_strangers_get_401_from_every_route(app: Running) -> None:
    stranger = app.stranger()
    for method, path in routes(app):
        if (method, path) not in WITHOUT_ROLE:
            answer = stranger.request(method, path)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_readers_change_nothing_but_their_own(app: Running, reader: httpx2.Client) -> None:
    for method, path in routes(app):
        own = (method, path.removeprefix(API)) in OWN
        if method not in SAFE and not own and (method, path) not in WITHOUT_ROLE:
            answer = reader.request(method, path, headers={"Tus-Resumable": "1.0.0"})
            assert answer.status_code == 403, (method, path)


def test_pages_send_strangers_to_sign_in_and_back(app: Running) -> None:
    answer = app.stranger().get("/search?q=%22a%22&x=1")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fsearch%3Fq%3D%2522a%2522%26x%3D1"


def test_a_token_of_a_removed_user_lets_nobody_in(app: Running) -> None:
    accounts = app.app.state.accounts
    accounts.users.add("leaver", PASSWORD, "editor")
    _, secret = accounts.tokens.make("leaver", "x")
    program = app.stranger(headers={"Authorization": f"Bearer {secret}"})
    assert program.get(f"{API}/me").json()["name"] == "leaver"
    assert app.client.delete(f"{API}/users/leaver").status_code == 204
    assert program.get(f"{API}/me").status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer epi_",
        f"Bearer {TOKEN}",
        "Bearer \xff",
        "Basic b3duZXI6",
        f"Token {TOKEN}",
    ],
)
def test_no_odd_authorization_lets_in(app: Running, header: str) -> None:
    sent = header.encode("latin-1")
    assert app.stranger(headers={b"Authorization": sent}).get(f"{API}/me").status_code == 401


def test_a_wrong_token_in_the_address_lets_nobody_in(app: Running) -> None:
    for wrong in ("", "x", TOKEN[:-1], TOKEN + "x", "é", "%00", "%ff"):
        answer = app.stranger().get(f"/?token={wrong}")
        assert answer.status_code == 303
        assert "set-cookie" not in answer.headers


def test_the_cookie_of_the_owner_is_not_the_token(app: Running) -> None:
    assert TOKEN not in "".join(app.client.cookies.values())
    assert app.stranger(cookies={next(iter(app.client.cookies)): TOKEN}).get(f"{API}/me").status_code == 401


# From where


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1", "", "[::1]"])
def test_other_hosts_are_refused(app: Running, host: str) -> None:
    answer = app.stranger(headers={"Host": host}).get(f"{API}/me")
    assert answer.status_code == 421
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_two_hosts_or_none_are_refused(app: Running) -> None:
    host = app.config.host
    for lines in ("", f"Host: {host}\r\nHost: evil.example\r\n", f"Host: evil.example\r\nHost: {host}\r\n"):
        answer = raw(app, f"GET / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
        assert answer.split()[1] in (b"400", b"421")


def test_an_absolute_target_does_not_name_the_host(app: Running) -> None:
    answer = asked(app, "http://evil.example/")
    assert b"evil.example" not in answer


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_unsafe_requests_from_other_sites_are_refused(app: Running, headers: dict[str, str]) -> None:
    answer = app.client.post(f"{API}/tokens", json={"label": "x"}, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["type"].endswith(":origin")
    login = {"name": "ann", "password": PASSWORD}
    assert app.stranger(headers=headers).post(f"{API}/login", json=login).status_code == 403


@pytest.mark.parametrize("given", [None, "", "x", "é", TOKEN])
def test_unsafe_requests_of_a_browser_bear_its_secret(app: Running, given: str | None) -> None:
    browser = app.stranger(cookies=dict(app.client.cookies))
    headers = {} if given is None else {b"X-CSRF-Token": given.encode()}
    answer = browser.post(f"{API}/logout", headers=headers)
    assert answer.status_code == 403
    assert answer.json()["type"].endswith(":csrf")


def test_the_secret_of_one_session_is_none_of_another(app: Running) -> None:
    app.program("reader")
    first, second = app.signed_in("reader"), app.signed_in("reader")
    assert (
        second.post(f"{API}/logout", headers={"X-CSRF-Token": first.headers["X-CSRF-Token"]}).status_code
        == 403
    )


def test_what_other_sites_load_from_us_is_loaded_by_a_stranger(app: Running) -> None:
    embedded = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    assert app.client.get(f"{API}/me", headers=embedded).status_code == 401
    framed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert app.client.get("/search", headers=framed).status_code == 303
    link = {**framed, "Sec-Fetch-Dest": "document"}
    assert app.client.get("/search", headers=link).status_code == 200


def test_forms_of_other_sites_are_no_json(app: Running) -> None:
    body = '{"name": "reader", "password": "correct horse battery"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = app.stranger().post(f"{API}/login", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 422


# What every answer has


@pytest.mark.parametrize(
    "target",
    ["/", "/login", "/nothing", f"{API}/me", f"{API}/nothing", "/assets/x/app.css", "/assets/x/y", "/%00"],
)
def test_every_answer_can_be_framed_by_nobody_and_is_no_other_type(app: Running, target: str) -> None:
    for client in (app.client, app.stranger()):
        for accept in ("text/html", "*/*"):
            headers = client.get(target, headers={"Accept": accept}).headers
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert "server" not in headers
            assert "strict-transport-security" not in headers


def test_pages_run_no_script_but_ours(app: Running) -> None:
    policy = app.client.get("/").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "require-trusted-types-for 'script'" in policy


# Paths


@pytest.mark.parametrize(
    "name",
    [
        "../episode.json",
        "..%2fepisode.json",
        "%2e%2e%2fepisode.json",
        "%2e%2e/%2e%2e/episode.json",
        "..%5cepisode.json",
        "....//episode.json",
        "%00",
        "episode.json%00.css",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "%c0%ae%c0%ae/episode.json",
        "%ff",
        "a" * 5000,
        "%f0%9f%98%80" * 100,
    ],
)
def test_no_path_leads_out(app: Running, name: str) -> None:
    owner = f"Cookie: {'; '.join(f'{key}={value}' for key, value in app.client.cookies.items())}"
    for target in (
        f"/assets/x/{name}",
        f"/episodes/{name}/x",
        f"/episodes/x/{name}",
        f"/episodes/{name}",
        f"{API}/episodes/x/{name}",
        f"{API}/episodes/{name}/x/files",
        f"{API}/episodes/x/y/files/{name}",
        f"/{name}",
    ):
        answer = asked(app, target, owner)
        assert answer.split()[1] in (b"404", b"405"), target
        assert MARK not in answer
        assert b"root:" not in answer


def test_requests_below_another_base_are_none_of_ours(public: Running) -> None:
    outside = httpx2.Client(base_url=public.address.removesuffix("/talks"), headers={"Host": "example.org"})
    with outside as client:
        for path in ("/", "/login", f"{API}/me", "/talksx/login", "/other/login", "//talks/login"):
            assert client.get(path).status_code == 404, path
        assert client.get("/talks/login").status_code == 200
        answer = client.get("/talks")
        assert (answer.status_code, answer.headers["location"]) == (308, "https://example.org/talks/")


# What is answered into


def test_nothing_that_is_asked_becomes_a_header(app: Running) -> None:
    evil = "%0d%0aSet-Cookie:%20evil=1"
    for target in (
        f"/{evil}?token={TOKEN}",
        f"/?token={TOKEN}&{evil}={evil}",
        f"/search{evil}",
        f"/login?next={evil}",
    ):
        head = asked(app, target).partition(b"\r\n\r\n")[0]
        assert b"\r\nset-cookie: evil" not in head.lower()
    link = app.client.get(f"{API}/users?limit=1&{evil}={evil}")
    assert "evil" not in link.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/%09/evil.example",
        "\t//evil.example",
        "/\t/evil.example",
        " //evil.example",
        "evil.example",
        "/..//evil.example",
        "/%2e%2e//evil.example",
        "http:evil.example",
        "/\u2028//evil.example",
    ],
)
def test_signing_in_leads_nowhere_else(app: Running, wanted: str) -> None:
    answer = app.client.get("/login", params={"next": wanted})
    assert answer.status_code == 303
    target = httpx2.URL(f"{app.url}/login").join(answer.headers["location"])
    assert (target.host, f"{target.scheme}://{target.host}:{target.port}") == ("127.0.0.1", app.url)


def test_the_first_address_leads_nowhere_else(app: Running) -> None:
    answer = asked(app, f"//evil.example/?token={TOKEN}").decode()
    assert f"location: {app.url}//evil.example/" in answer


def test_signing_in_keeps_inside_the_base(public: Running) -> None:
    page = public.stranger().get("/login", params={"next": "/other/"})
    assert 'data-onward="/talks/"' in page.text


# How much


def test_large_bodies_are_refused_said_or_not(app: Running) -> None:
    answer = app.client.post(f"{API}/tokens", content=b'"' + b"a" * 1_000_001)
    assert answer.status_code == 413

    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b" " * 65536

    answer = app.client.post(f"{API}/tokens", content=endless(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["status"] == 413


def test_huge_and_broken_headers_are_refused(app: Running) -> None:
    for line in (
        f"X: {'a' * 200_000}",
        "X" * 200_000 + ": a",
        "Content-Length: -1",
        "Content-Length: 1e9",
        "a b: c",
    ):
        assert asked(app, "/", line).split()[1:2] in ([b"400"], []), line[:30]
    assert app.client.get(f"{API}/me").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 400_000, 400),
        (b'{"label": "\\ud800"}', 422),
        (b"\xff\xff", 400),
        (b"{", 422),
        (b'{"label": 1e999}', 422),
        (b'{"label": "x", "user": "admin"}', 422),
        (b"null", 422),
        (b"", 422),
    ],
)
def test_odd_bodies_are_told_in_a_line(app: Running, body: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    answer = app.client.post(f"{API}/tokens", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "\n" not in answer.json()["detail"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=%00", "cursor=Ii4uIg", "cursor=LTE"]
)
def test_odd_pages_are_refused(app: Running, query: str) -> None:
    answer = app.client.get(f"{API}/users?{query}")
    assert answer.status_code == 422


def test_https_cookies_are_secure_and_stay_below_the_base(public: Running) -> None:
    answer = public.stranger().post(f"{API}/login", json={"name": "Ann", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Secure-episcribe=")
    assert {"HttpOnly", "Secure", "Path=/talks", "SameSite=lax"} <= set(cookie.split("; "))
    assert answer.headers["Strict-Transport-Security"]
    secret = cookie.partition("=")[2].partition(";")[0]
    browser = public.stranger(headers={"Cookie": f"__Secure-episcribe={secret}"})
    assert browser.get(f"{API}/me").json()["name"] == "ann"
