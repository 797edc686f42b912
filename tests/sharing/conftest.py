"""The browser of the tests of shared pages."""

from tests.chromium import chromium
from tests.sharing.browser_pages import browser

__all__ = ["browser", "chromium"]
