"""A report in a real Chromium: what was asked for, what was complained of, and the page itself."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from report_samples import as_page, sample_report

playwright = pytest.importorskip("playwright.sync_api")

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
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
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = "no Chromium here: apt-get install --no-install-recommends chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with playwright.sync_playwright() as made:
        # A new, empty profile each time it is launched.
        browser = made.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with something of everything, hostile names among them."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(as_page(sample_report()), "utf-8")
    return path


@pytest.fixture
def opening(browser: Any, sample: Path) -> Iterator[Open]:
    """Opens the sample: ``opening("phone", "dark", java_script_enabled=False, at="#metrics", path=...)``."""
    contexts = []

    def make(size: str = "desktop", scheme: str = "light", at: str = "", path: Path = sample, **options: Any) -> Opened:
        width, height = SIZES[size]
        viewport = {"width": width, "height": height}
        context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce", **options)
        contexts.append(context)
        opened = Opened(context.new_page())
        opened.page.set_default_timeout(30_000)
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        opened.page.on("console", lambda said: opened.complaints.append(said.text) if said.type == "error" else None)
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.on("dialog", lambda dialog: (opened.complaints.append(dialog.message), dialog.dismiss()))
        opened.page.goto(path.as_uri() + at)
        return opened

    yield make
    for context in contexts:
        context.close()
