"""A real Chromium without a network, and servers on loopback for it to read from."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
import uvicorn
from selenium.webdriver.chrome.webdriver import WebDriver
from starlette.types import ASGIApp

from tests.browser.driver import CHROMEDRIVER, CHROMIUM, PATIENCE_S, chromium

Serve = Callable[[ASGIApp], str]


@pytest.fixture
def browser() -> Iterator[WebDriver]:
    missing = [str(path) for path in (CHROMIUM, CHROMEDRIVER) if not path.exists()]
    if missing and os.environ.get("CLAWBACK_REQUIRE_ALL") == "1":
        pytest.fail(f"missing: {', '.join(missing)}; Debian's chromium and chromium-driver bring both")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    with chromium() as driver:
        yield driver


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Runs an app under uvicorn until the test ends; gives its address, such as http://127.0.0.1:49152."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(_running(app))


@contextmanager
def _running(app: ASGIApp) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not server.started:
                assert thread.is_alive(), "the server ended before it listened; its log says why"
                assert time.monotonic() < deadline, f"the server did not listen within {PATIENCE_S:.0f} s"
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
