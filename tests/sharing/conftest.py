"""The browser of the tests of shared pages."""

from tests.sharing.browser_pages import browser, chromium

__all__ = ["browser", "chromium"]
