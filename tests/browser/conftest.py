"""A real Chromium without a network."""

import os
from collections.abc import Iterator

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver

from tests.browser.driver import CHROMEDRIVER, CHROMIUM, chromium


@pytest.fixture
def browser() -> Iterator[WebDriver]:
    missing = [str(path) for path in (CHROMIUM, CHROMEDRIVER) if not path.exists()]
    if missing and os.environ.get("CLAWBACK_REQUIRE_ALL") == "1":
        pytest.fail(f"missing: {', '.join(missing)}; Debian's chromium and chromium-driver bring both")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    with chromium() as driver:
        yield driver
