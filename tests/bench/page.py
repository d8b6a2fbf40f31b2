"""The page of a long episode in Chromium, measured: `python -m tests.bench.page`.

The talk of three hours of `tests.bench.edits`, served by `episcribe edit`: how long the page takes from its address to
words that can be edited, how long frames take while it scrolls, and how long a typed word takes to be saved.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from outputs.formats.registry import FORMATS
from outputs.library.write import publish
from tests.bench.edits import long_talk
from tests.browser import open_browser
from tests.flows.web.kills import edit_command

if TYPE_CHECKING:
    from playwright.sync_api import Page

OPENINGS = 5
FRAMES = 300
STEPS = (60, 400)  # pixels a frame: as by a wheel, and as fast as a page is thrown
EDITS = 10
SMOOTH = 1000 / 60 * 1.2  # milliseconds; a frame that takes longer was missed
SCROLL = """([step, count]) => new Promise((done) => {
  const took = [];
  let last = performance.now();
  scrollTo(0, 0);
  const frame = (now) => {
    took.push(now - last);
    last = now;
    scrollBy(0, step);
    if (took.length < count) requestAnimationFrame(frame); else done(took.slice(2));
  };
  requestAnimationFrame(frame);
})"""
SAVE = """() => new Promise((done) => {
  const begun = performance.now();
  const waiting = () => Object.keys(localStorage).some((key) => key.startsWith("episcribe-edit "));
  document.dispatchEvent(new KeyboardEvent("keydown", {key: "s", ctrlKey: true, bubbles: true}));
  const look = setInterval(() => {
    if (waiting()) return;
    clearInterval(look);
    done(performance.now() - begun);
  }, 1);
})"""


def main() -> None:
    """Print what was measured."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "talk"
        made = long_talk()
        publish(made, folder, FORMATS)
        print(f"{len(made.words)} words, {len(made.segments)} segments")
        with edit_command(folder) as (_, address), open_browser() as browser:
            page = browser.new_page(viewport={"width": 1200, "height": 800})
            page.goto(address)
            cold = _opened(page)
            warm = []
            for _ in range(OPENINGS):
                page.reload(wait_until="commit")
                warm.append(_opened(page))
            print(
                f"opened for the first time: {cold:.0f} ms; again: {' '.join(f'{one:.0f}' for one in warm)} ms"
            )
            page.wait_for_function("() => document.readyState === 'complete'")
            for step in STEPS:
                took = sorted(page.evaluate(SCROLL, [step, FRAMES]))
                late = sum(one > SMOOTH for one in took)
                print(
                    f"scrolled by {step} pixels a frame: median {statistics.median(took):.1f} ms, "
                    f"95 % within {took[int(0.95 * len(took))]:.1f} ms, {late} of {len(took)} frames missed"
                )
            print(f"saved: {' '.join(f'{one:.0f}' for one in _saved(page))} ms")


def _opened(page: Page) -> float:
    """Milliseconds from the beginning of the navigation until words are there to be edited."""
    page.wait_for_function("() => performance.getEntriesByName('open').length > 0")
    told: float = page.evaluate("() => performance.getEntriesByName('open')[0].startTime")
    return told


def _saved(page: Page) -> list[float]:
    """Milliseconds from Ctrl+S until the server has acknowledged what was typed before it."""
    page.evaluate("() => scrollTo(0, 0)")
    took = []
    for number in range(EDITS):
        page.locator("#transcript .words").nth(100 + number).focus()
        page.keyboard.type("x")
        took.append(page.evaluate(SAVE))
    return sorted(took)


if __name__ == "__main__":
    main()
