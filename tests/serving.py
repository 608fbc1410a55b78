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

from server.serving import WEBSOCKETS, StreamingServer

Serve = Callable[[ASGIApp], str]
PATIENCE_S = 20.0


@contextmanager
def running(app: ASGIApp, http: Any = "auto") -> Iterator[str]:
    """Runs an app under uvicorn with a protocol; gives its address, such as http://127.0.0.1:49152."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        live = getattr(app.state, "live", None) if isinstance(app, Starlette) else None
        server = StreamingServer(uvicorn.Config(app, http=http, log_level="warning", lifespan="on", **WEBSOCKETS), live)
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
