"""Chromium and ChromeDriver as Debian installs them, started with no network, and what their logs tell of a page."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

CHROMIUM = Path("/usr/bin/chromium")
CHROMEDRIVER = Path("/usr/bin/chromedriver")
PATIENCE_S = 20.0

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1280,800",
)


@dataclass(frozen=True, slots=True)
class Sent:
    url: str
    headers: dict[str, str]


@contextmanager
def chromium() -> Iterator[WebDriver]:
    """A fresh profile each time, so that no test sees what another stored."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(str(CHROMEDRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


def until(driver: WebDriver, condition: Callable[[WebDriver], bool], what: str) -> None:
    redrawn = [StaleElementReferenceException]  # between finding an element and reading it: look again
    WebDriverWait(driver, PATIENCE_S, poll_frequency=0.05, ignored_exceptions=redrawn).until(
        condition, f"waited {PATIENCE_S:.0f} s in vain until {what}"
    )


def console_problems(driver: WebDriver) -> list[str]:
    """Warnings and errors of the console since the last look, refusals by the content security policy among them."""
    return [entry["message"] for entry in _log(driver, "browser") if entry["level"] in {"SEVERE", "WARNING"}]


def sent_requests(driver: WebDriver) -> list[Sent]:
    """What left for a network since the last look; data: and blob: never leave the browser."""
    events = [json.loads(entry["message"])["message"] for entry in _log(driver, "performance")]
    sent = [request for event in events if (request := _sent(event["method"], event["params"]))]
    return [request for request in sent if urlsplit(request.url).scheme in {"http", "https", "ws", "wss"}]


def _log(driver: WebDriver, name: str) -> list[dict[str, str]]:
    return list(driver.get_log(name))  # type: ignore[no-untyped-call]  # selenium leaves this one method untyped


def _sent(method: str, params: dict[str, Any]) -> Sent | None:
    if method == "Network.requestWillBeSent":
        return Sent(params["request"]["url"], params["request"]["headers"])
    return Sent(params["url"], {}) if method == "Network.webSocketCreated" else None
