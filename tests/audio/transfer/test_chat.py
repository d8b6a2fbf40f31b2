import json
from typing import Any

import pytest

from audio.transfer.chat import ChatServer, ask, json_in
from models.record.errors import DownloadError, InputError
from tests.audio.server import NO_LENGTH, Reply, Server

PATH = "/v1/chat/completions"
KEY = "sk-very-secret-key"


def completion(content: Any, **choice: Any) -> Reply:
    """What all these servers answer, as OpenAI's API reference has it."""
    message = {"role": "assistant", "content": content}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "some-model",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", **choice}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18},
    }
    return Reply(200, json.dumps(body).encode(), {"Content-Type": "application/json"})


def error(status: int, body: Any, **headers: str) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})


def asked(server: Server, *replies: Reply, key: str = KEY) -> str:
    server.routes[PATH] = list(replies)
    return ask(ChatServer(server.url("/v1/"), "some-model", key), "Be brief.", "Hello?", seconds=10)


def test_the_model_gets_what_all_such_servers_take_and_nothing_else(server: Server) -> None:
    assert asked(server, completion(" Hello! ")) == "Hello!"
    headers, body = server.posted[0]
    assert json.loads(body) == {
        "model": "some-model",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello?"},
        ],
        "stream": False,
    }
    assert headers["authorization"] == f"Bearer {KEY}"
    asked(server, completion("Hello!"), key="")
    assert "authorization" not in server.posted[1][0]


@pytest.mark.parametrize(
    "content",
    [
        "<think>The user wants\n</b> an answer.</think>\n\nHello!",
        "The template has begun to think for the model. </think> Hello!",
        [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo!"}],
    ],
)
def test_thoughts_are_no_part_of_an_answer(server: Server, content: Any) -> None:
    assert asked(server, completion(content)) == "Hello!"


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        # OpenAI says a part of the key that it was given.
        (
            error(
                401, {"error": {"message": f"Incorrect API key provided: {KEY}.", "code": "invalid_api_key"}}
            ),
            "key",
        ),
        # Ollama, whose own API says it in one text, vLLM as it was and as it is, llama.cpp
        (
            error(
                404, {"error": {"message": 'model "x" not found, try pulling it first', "type": "api_error"}}
            ),
            "pulling",
        ),
        (error(404, {"error": "model 'x' not found"}), "model 'x' not found"),
        (
            error(404, {"object": "error", "message": "The model `x` does not exist.", "code": 404}),
            "does not exist",
        ),
        (error(400, {"error": {"message": f"maximum context\x1b[2J\nlength {KEY}", "code": 400}}), "context"),
        (Reply(404, b"404 page not found"), "404"),
        (Reply(403, b"<html><script>alert(1)</script>"), "403"),
        (Reply(301, b"", {"Location": "https://elsewhere.example/"}), "301"),
        (Reply(200, b"<html>Log in to the Wi-Fi"), "/v1"),
        (Reply(200, b'{"choices": []}'), "/v1"),
        (Reply(200, b"[" * 100_000), "/v1"),
        (completion(None, finish_reason="tool_calls"), "answered nothing"),
        (completion("Once upon a ti", finish_reason="length"), "cut off"),
        (Reply(200, b" " * 1_200_000), "1,000,000 bytes"),
    ],
)
def test_what_goes_wrong_for_good_is_told_in_one_line_without_the_key(
    server: Server, reply: Reply, told: str
) -> None:
    with pytest.raises(DownloadError, match=told) as raised:
        asked(server, reply)
    message = str(raised.value)
    assert message.isprintable()
    assert KEY not in message
    assert "<" not in message
    assert len(server.posted) == 1


@pytest.mark.parametrize(
    "reply",
    [
        error(429, {"error": {"message": "Rate limit reached", "type": "requests"}}, **{"Retry-After": "0"}),
        error(503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}),
        Reply(500, b"Internal Server Error"),
        Reply(200, b'{"choices": [{"mess', length=5000),
    ],
)
def test_what_may_pass_is_asked_again(server: Server, reply: Reply) -> None:
    assert asked(server, reply, completion("Hello!")) == "Hello!"


def test_a_body_that_ends_early_without_saying_so_is_no_answer(server: Server) -> None:
    with pytest.raises(DownloadError, match="/v1"):
        asked(server, Reply(200, b'{"choices": [{"mess', length=NO_LENGTH))


def test_nobody_waits_for_longer_than_was_said(server: Server) -> None:
    server.routes[PATH] = [error(429, {}, **{"Retry-After": "30"})] * 3
    with pytest.raises(DownloadError):
        ask(ChatServer(server.url("/v1"), "m"), "", "", seconds=0.3)
    assert len(server.posted) == 1


def test_nothing_is_sent_in_the_open_through_the_internet(server: Server) -> None:
    for url in ("http://93.184.215.14/v1", "ftp://localhost/v1"):
        with pytest.raises(InputError):
            ChatServer(url, "m").check()
    with pytest.raises(InputError, match="in the open"):
        ChatServer("http://10.1.2.3/v1", "m", proxy="http://proxy.example:3128").check()
    for url in ("https://93.184.215.14/v1", "http://10.1.2.3/v1", "http://localhost:11434/v1"):
        ChatServer(url, "m").check()


def test_the_key_is_not_shown_with_the_server() -> None:
    assert KEY not in repr(ChatServer("http://localhost/v1", "m", KEY))


@pytest.mark.parametrize("answer", ["{" * 50_000, '{"a": ' * 50_000, "{}" * 3, "no { json", "[1]"])
def test_odd_answers_hold_no_json_or_some(answer: str) -> None:
    assert json_in(answer) in (None, {})
