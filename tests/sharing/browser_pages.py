"""Debian's Chromium, driven by Playwright: pages from `file://`, without a network."""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import require

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-background-networking"]  # root has no sandbox
SECONDS = 120  # after which a page that hangs fails


@dataclass
class Page:
    """A shared page in a tab."""

    tab: Any
    messages: list[str] = field(default_factory=list)  # in the console
    requests: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        return str(self.tab.text_content("#status"))

    @property
    def text(self) -> str:
        return str(self.tab.text_content("#output"))

    def wait(self) -> None:
        """Wait until the page has written, or has said why not."""
        # Not `wait_for_function`: the page forbids `eval`.
        self.tab.wait_for_selector("#output[aria-busy=false]", timeout=1000 * SECONDS)

    def write(self, prompt: str, **fields: object) -> str:
        """Fill in the form, press the button, and return the text."""
        self.tab.check("#lock")
        self.tab.fill("#prompt", prompt)
        defaults = {"temperature": 0.8, "top_k": 0, "top_p": 1, "min_p": 0, "seed": 0, "length": 9}
        for name, value in {**defaults, **fields}.items():
            self.tab.fill(f"#{name.replace('_', '-')}", str(value))
        self.tab.click("#write")
        self.wait()
        return self.text


class Browser:
    """Opens pages, and checks in the end that none of them wrote to the console."""

    def __init__(self, chromium: Any) -> None:
        self.chromium = chromium
        self.pages: list[Page] = []

    def open(self, path: Path, width: int = 1280) -> Page:
        """Open a file, and wait until the model is read."""
        tab = self.chromium.new_page(viewport={"width": width, "height": 900})
        page = Page(tab)
        tab.on("console", lambda message: page.messages.append(message.text))
        tab.on("pageerror", lambda error: page.messages.append(str(error)))
        tab.on("request", lambda request: page.requests.append(request.url))
        tab.goto(path.resolve().as_uri())
        page.wait()
        assert page.status == "ready"
        self.pages.append(page)
        return page


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    require(
        importlib.util.find_spec("playwright") and CHROMIUM.exists(),
        "needs a browser: apt-get install chromium, and pip install playwright",
    )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def browser(chromium: Any) -> Iterator[Browser]:
    """The browser; no page may have an error in its console."""
    found = Browser(chromium)
    yield found
    for page in found.pages:
        page.tab.close()
    assert [message for page in found.pages for message in page.messages] == []
