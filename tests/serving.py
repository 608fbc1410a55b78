"""A real server on loopback for a test to talk to."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from server.websockets import WEBSOCKETS

Serve = Callable[[ASGIApp], str]
PATIENCE_S = 20.0
FAREWELL_S = 2.0


@contextmanager
def running(app: ASGIApp, http: Any = "auto") -> Iterator[str]:
    """Runs an app under uvicorn with a protocol; gives its address, such as http://127.0.0.1:49152."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        live = getattr(app.state, "live", None) if isinstance(app, Starlette) else None
        server = uvicorn.Server(uvicorn.Config(app, http=http, log_level="warning", lifespan="on", **WEBSOCKETS))
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
            if live:  # as `Lifecycle` does where a server is asked to stop: a stream has no end of its own
                live.end_soon()
                deadline = time.monotonic() + FAREWELL_S
                while live.places.taken and time.monotonic() < deadline:
                    time.sleep(0.01)
            server.should_exit = True
            thread.join()
