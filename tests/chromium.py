"""Debian's Chromium, driven by Playwright."""

import importlib.util
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import require

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--autoplay-policy=no-user-gesture-required"]  # fmt: skip


@pytest.fixture(scope="module")  # a process can have one at a time, and no other event loop
def chromium() -> Iterator[Any]:
    """A `playwright.sync_api.Browser`."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    require(
        found and importlib.util.find_spec("playwright"),
        "needs a browser: apt-get install chromium, and pip install playwright",
    )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield started
        started.close()
