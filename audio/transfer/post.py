"""Telling something to a server whose address a stranger wrote."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from audio.transfer.addresses import checked_url
from audio.transfer.http import network_errors
from audio.transfer.network import open_client


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: its status and the beginning of what it said."""

    status: int
    data: bytes


def post(
    url: str,
    data: bytes,
    headers: Mapping[str, str],
    *,
    allow_private: bool = False,
    proxy: str = "",
    seconds: float = 15,
    max_bytes: int = 4096,
) -> Answer:
    """Send a POST, once, and follow no redirect; of the answer `max_bytes` are read.

    The address is checked as for downloads, and the connection goes to the very one that was checked. InputError for
    one that may not be asked, DownloadError where no answer comes within `seconds`.
    """
    target = checked_url(url)
    deadline = time.monotonic() + seconds
    with open_client(allow_private=allow_private, deadline=deadline, proxy=proxy) as client:
        request = client.build_request("POST", target, content=data, headers=dict(headers))
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
    return Answer(response.status_code, bytes(said[:max_bytes]))
