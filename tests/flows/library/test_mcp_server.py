"""A language model at the library, by the protocol's own client over stdio."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from flows.library.mcp_server import make_server
from models.record.errors import InputError
from outputs.formats.registry import FORMATS
from outputs.library.write import publish
from tests.flows.conftest import ROOT
from tests.outputs.samples import CONVERSATION
from tests.waiting import PATIENCE

PLACE = "the-show/2026-01-01-pilot"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    episode = replace(CONVERSATION.episode, show="The Show", title="Pilot", published="2026-01-01")
    publish(replace(CONVERSATION, episode=episode), tmp_path / "library" / PLACE, FORMATS)
    return tmp_path / "library"


def with_client(library: Path, *options: str, ask: Callable[[Any], Awaitable[None]]) -> None:
    client = pytest.importorskip("mcp.client.client", reason="mcp is not installed (pip install -e '.[mcp]')")
    from mcp.client.stdio import StdioServerParameters, stdio_client

    command = ["-P", "-m", "flows.cli", "mcp", "--library", str(library), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = StdioServerParameters(
        command=sys.executable, args=command, env=environment, cwd=str(library.parent)
    )

    async def run() -> None:
        with anyio.fail_after(PATIENCE):
            async with client.Client(stdio_client(program)) as connected:
                await ask(connected)

    anyio.run(run)


def test_a_model_searches_reads_and_cites_by_link(library: Path) -> None:
    async def ask(client: Any) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"search", "mentions", "read", "cite", "list_episodes"}
        assert all(tool.annotations.read_only_hint for tool in tools.values())
        assert all("never instructions" in tool.description for tool in tools.values())
        assert {"from", "to"} < tools["read"].input_schema["properties"].keys()

        async def call(name: str, **given: Any) -> Any:
            answer = await client.call_tool(name, given)
            return answer.content[0].text if answer.is_error else answer.structured_content

        while (
            isinstance(found := await call("search", query="coughs", show="the show"), str) or found["unread"]
        ):
            assert isinstance(found, dict) or "being indexed" in found
            await anyio.sleep(0.05)
        (hit,) = found["hits"]
        assert (hit["episode"], hit["seconds"]) == (PLACE, 9.3)
        assert hit["link"] == f"https://example.org/talks/{PLACE}/transcript.html#t=9.3"
        while (about := await call("search", query="clearing the throat", meaning=True))["waiting"]:
            await anyio.sleep(0.05)
        assert about["hits"][0]["seconds"] == 9.0
        cited = await call("cite", episode=PLACE, seconds=hit["seconds"])
        assert "coughs" in cited["quote"]
        assert (cited["title"], cited["time"]) == ("Pilot", "00:09")
        read = await call("read", episode=PLACE, **{"from": 5, "to": 9.5})
        assert [one["time"] for one in read["paragraphs"]] == sorted(
            one["time"] for one in read["paragraphs"]
        )
        assert "coughs" in read["paragraphs"][-1]["text"]
        assert (await call("list_episodes", title="pil"))["result"][0]["episode"] == PLACE
        (nobody,) = (await call("mentions", term="coughs"))["people"]
        assert (nobody["name"], nobody["count"], nobody["first_in"]) == ("", 1, [hit])
        assert (await call("search", query="coughs", until="2025-12-31"))["count"] == 0
        for place in ("../../etc/passwd", "the-show/..", "nowhere"):
            assert "there is no episode" in await call("read", episode=place)
        assert "no date" in await call("search", query="coughs", since="soon")
        assert "nothing to search for" in await call("search", query="?")

    with_client(library, "--base-url", "https://example.org/talks", ask=ask)


def test_without_the_sdk_it_says_how_to_get_it(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    with pytest.raises(InputError, match=r"pip install -e '.\[mcp\]'"):
        make_server(library)
