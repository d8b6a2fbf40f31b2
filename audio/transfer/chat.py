"""Asking a language model on a server that speaks OpenAI's chat completions API, of whomever.

https://platform.openai.com/docs/api-reference/chat; so do Ollama, llama.cpp's server, vLLM and others. Only what all of
them take is sent: the model, the messages, and that the answer is to come in one piece.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from audio.transfer.addresses import checked_url, redacted
from audio.transfer.http import LOGIN_STATUS, TRANSIENT_STATUS, LoginError, UnavailableError, with_retries
from audio.transfer.network import is_private
from audio.transfer.post import Answer, post
from audio.transfer.proxies import proxy_for
from models.record.errors import DownloadError, InputError

MAX_ANSWER = 1_000_000  # bytes, thoughts included
ATTEMPTS = 3
REASON_CHARS = 200  # of what a server says of a failure
MAX_OBJECTS = 20  # places in an answer at which JSON may begin
_THOUGHTS = re.compile(r"<(think|thinking|thought)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_THOUGHT_END = re.compile(r"</(?:think|thinking|thought)>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ChatServer:
    """Where a model is asked: the API's address, to which "/chat/completions" is added, and the model's name there.

    `key` is sent as a bearer token, "" for none; `proxy` as in `audio.transfer.proxies.proxy_for`.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    proxy: str = ""

    def check(self) -> None:
        """InputError for an address that is none, or to which what is sent would travel in the open."""
        target = checked_url(self.url)
        if target.scheme == "https":
            return
        if proxy_for(target, self.proxy) or not is_private(target.host, target.port or 80):
            raise InputError(
                f"{redacted(target)} would be sent what is said in the open: give an https address, or one of this"
                " machine or a private network"
            )


def ask(server: ChatServer, instruction: str, text: str, *, seconds: float) -> str:
    """What the model answers to a text, without its thoughts; `seconds` is for all attempts together.

    InputError for an address that may not be asked, DownloadError for all else: no answer, one that is cut off, too
    long or none of this API, a model that isn't there.
    """
    server.check()
    deadline = time.monotonic() + seconds
    url = f"{server.url.rstrip('/')}/chat/completions"
    messages = [{"role": "system", "content": instruction}, {"role": "user", "content": text}]
    body = json.dumps({"model": server.model, "messages": messages, "stream": False}).encode()
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
    }
    if server.key:
        headers["Authorization"] = f"Bearer {server.key}"

    def attempt() -> str:
        left = deadline - time.monotonic()
        if left <= 0:
            raise DownloadError(f"{redacted(url)} took too long and was given up")
        answer = post(
            url,
            body,
            headers,
            allow_private=True,  # the user's own choice
            proxy=server.proxy,
            seconds=left,
            silence=left,  # a model thinks as long as it likes
            max_bytes=MAX_ANSWER + 1,
        )
        return _said(answer, server, redacted(url))

    return with_retries(attempt, attempts=ATTEMPTS, sleep=_until(deadline))


def json_in(answer: str) -> Any:
    """The JSON object in an answer, whatever is written around it; None where there is none.

    >>> json_in('Sure!\\n```json\\n{"title": "Harbours"}\\n```'), json_in("I can't do that.")
    ({'title': 'Harbours'}, None)
    """
    decoder, at = json.JSONDecoder(), -1
    for _ in range(MAX_OBJECTS):
        at = answer.find("{", at + 1)
        if at < 0:
            break
        try:
            return decoder.raw_decode(answer, at)[0]
        except (ValueError, RecursionError):
            continue
    return None


def _until(deadline: float) -> Callable[[float], None]:
    def sleep(seconds: float) -> None:
        time.sleep(max(0.0, min(seconds, deadline - time.monotonic())))

    return sleep


def _said(answer: Answer, server: ChatServer, url: str) -> str:
    if len(answer.data) > MAX_ANSWER:
        raise DownloadError(f"{url} answered more than {MAX_ANSWER:,} bytes")
    if answer.status != 200:
        raise _refusal(answer, server, url)
    try:
        choice = json.loads(answer.data)["choices"][0]
        content, ended = choice["message"]["content"], choice.get("finish_reason")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise DownloadError(
            f"{url} doesn't answer as OpenAI's API does: is its path right, as in /v1?"
        ) from None
    if ended == "length":
        raise DownloadError(
            f"{url}: the answer of {server.model} was cut off, since it was too long for the model"
        )
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if not isinstance(content, str):
        raise DownloadError(f"{url}: {server.model} answered nothing")
    return _THOUGHT_END.split(_THOUGHTS.sub("", content))[-1].strip()


def _refusal(answer: Answer, server: ChatServer, url: str) -> DownloadError:
    message = f"{url} answered {answer.status}"
    if answer.status in LOGIN_STATUS:  # what it says of a wrong key may have that in it
        return LoginError(f"{message}: it wants a key, or another one", answer.status)
    if reason := _reason(answer.data, server.key):
        message = f"{message}: {reason}"
    if answer.status >= 500 or answer.status in TRANSIENT_STATUS:
        return UnavailableError(message, answer.retry_after, status=answer.status)
    return DownloadError(message)


def _reason(data: bytes, key: str) -> str:
    """What a server says of a failure, "" where it doesn't, or says it in HTML."""
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    told = told.get("error", told) if isinstance(told, dict) else ""
    told = told.get("message", "") if isinstance(told, dict) else told
    if not isinstance(told, str):
        return ""
    told = told.replace(key, "...") if key else told
    return "".join(filter(str.isprintable, " ".join(told.split())))[:REASON_CHARS]
