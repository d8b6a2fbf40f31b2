"""A real browser for tests: Debian's chromium, headless, driven by playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Dialog, Page

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser; skips the test where there is none.

    playwright keeps an event loop running in this thread as long as it lives, which Prefect would take for
    its own: so it ends with the module that uses it.
    """
    program = os.environ.get("EPISCRIBE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no chromium: `make test-deps` installs it on Debian")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        try:
            yield found
        finally:
            found.close()


class Watched:
    """A page, and what went wrong on it: `faults` holds errors, dialogs, and requests that leave the machine."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("console", lambda said: self._console(said.type, said.text))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _dialog(self, dialog: Dialog) -> None:
        if dialog.type != "beforeunload":
            self.faults.append("a dialog opened")
        dialog.dismiss()

    def _console(self, kind: str, text: str) -> None:
        if kind == "error":
            self.faults.append(f"console: {text}")


@contextmanager
def watched(browser: Browser, **options: object) -> Iterator[Watched]:
    """A fresh page, at whose end nothing may have gone wrong."""
    context = browser.new_context(**{"viewport": {"width": 1200, "height": 800}, **options})  # type: ignore[arg-type]
    context.set_default_timeout(30_000)  # machines that run tests may be busy
    try:
        seen = Watched(context)
        yield seen
        assert seen.faults == [], seen.faults
    finally:
        context.close()


AXE = Path(__file__).parent / "web" / "node_modules" / "axe-core" / "axe.min.js"
AXE_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with a page as it is now, a line each; skips the test where npm didn't bring it."""
    if not AXE.is_file():
        pytest.skip("no axe-core: `make test-deps` installs it where there is npm")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "(tags) => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})",
        AXE_TAGS,
    )
    return [
        f"{page.url}: {one['id']}: {one['help']}: {node['html'][:200]} ({node['failureSummary'][:300]})"
        for one in found["violations"]
        for node in one["nodes"]
    ]
