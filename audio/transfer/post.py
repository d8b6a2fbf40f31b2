"""Telling something to a server whose address a stranger wrote."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from audio.transfer.addresses import checked_url
from audio.transfer.http import network_errors, retry_after
from audio.transfer.network import CONNECT_TIMEOUT, READ_TIMEOUT, open_client


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: its status and the beginning of what it said.

    `retry_after` is how many seconds it asks to wait before the next attempt, None where it doesn't.
    """

    status: int
    data: bytes
    retry_after: float | None = None


def post(
    url: str,
    data: bytes,
    headers: Mapping[str, str],
    *,
    allow_private: bool = False,
    proxy: str = "",
    seconds: float = 15,
    silence: float = READ_TIMEOUT,
    max_bytes: int = 4096,
) -> Answer:
    """Send a POST, once, and follow no redirect; of the answer `max_bytes` are read.

    The address is checked as for downloads, and the connection goes to the very one that was checked. `silence` is how
    many seconds the server may say nothing. InputError for an address that may not be asked, DownloadError where no
    answer comes within `seconds`.
    """
    target = checked_url(url)
    deadline = time.monotonic() + seconds
    with open_client(allow_private=allow_private, deadline=deadline, proxy=proxy) as client:
        patience = httpx2.Timeout(silence, connect=CONNECT_TIMEOUT)
        request = client.build_request("POST", target, content=data, headers=dict(headers), timeout=patience)
        with network_errors(target):
            response = client.send(request, stream=True, follow_redirects=False)
            try:
                said = bytearray()
                for piece in response.iter_raw():
                    said += piece
                    if len(said) >= max_bytes:
                        break
            finally:
                response.close()
    asked = retry_after(response.headers.get("Retry-After", ""))
    return Answer(response.status_code, bytes(said[:max_bytes]), asked)
