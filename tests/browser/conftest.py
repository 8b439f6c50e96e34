"""A report in a real Chromium: what was asked for, what was complained of, and the page itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from chromium import launched
from report_samples import as_page, sample_report

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}


@dataclass
class Opened:
    """A page, all addresses that it asked for, and all errors that it told of."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def through(self) -> None:
        """Scroll through all of it, so that what waits to be seen is drawn, and back."""
        self.page.evaluate(_SCROLL)
        self.page.wait_for_function(_DRAWN)
        self.page.evaluate("scrollTo(0, 0)")


_SCROLL = """async () => {
    for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
        scrollTo(0, y);
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    }
}"""
_DRAWN = """() => [...document.querySelectorAll("figure, table.live")]
    .filter((one) => one.checkVisibility())
    .every((one) => one.tagName === "TABLE" ? one.classList.contains("dataTable") : one.querySelector(".main-svg"))"""

Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with something of everything, hostile names among them."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(as_page(sample_report()), "utf-8")
    return path


@pytest.fixture
def opening(browser: Any, sample: Path) -> Iterator[Open]:
    """Opens the sample: ``opening("phone", at="#debtags", java_script_enabled=False)``."""
    contexts = []

    def make(size: str = "desktop", at: str = "", **options: Any) -> Opened:
        contexts.append(_context(browser, size, **options))
        return _opened(contexts[-1], sample.as_uri() + at)

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def whole(browser: Any, sample: Path) -> Iterator[Opened]:
    """The sample on a desktop with all chapters unfolded and all figures drawn; tests leave it as they found it."""
    context = _context(browser, "desktop")
    opened = _opened(context, sample.as_uri())
    opened.page.evaluate("document.querySelectorAll('details.fold').forEach((fold) => (fold.open = true))")
    opened.through()
    yield opened
    context.close()


def _context(browser: Any, size: str, **options: Any) -> Any:
    width, height = SIZES[size]
    viewport = {"width": width, "height": height}
    return browser.new_context(viewport=viewport, color_scheme="light", reduced_motion="reduce", **options)


def _opened(context: Any, address: str) -> Opened:
    opened = Opened(context.new_page())
    opened.page.set_default_timeout(30_000)
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.on("console", lambda said: opened.complaints.append(said.text) if said.type == "error" else None)
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.page.on("dialog", lambda dialog: (opened.complaints.append(dialog.message), dialog.dismiss()))
    opened.page.goto(address)
    return opened
