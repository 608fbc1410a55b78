"""The notice beside a store that says where it is served, so that a question finds the server that owns the file.

A server that is killed leaves its notice behind, and another may listen at that address since. So the notice holds a
token that only the server it was written for gives as its identity, and nobody else is asked.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from server.access.settings import LOOPBACK
from server.cli.exchange import exchange
from store import Store, StoreBusyError, StoreError

PATIENCE_S = 5.0


def _notice(store: Path) -> Path:
    return store.with_name(store.name + ".server")


@contextmanager
def announced(store: Path, url: str, token: str, key: str = "") -> Iterator[None]:
    """Says beside the store where it is served, for as long as that holds. Only its owner may read it.

    `key` opens what only the store's owner may ask of the server.
    """
    notice = _notice(store)
    notice.unlink(missing_ok=True)
    with os.fdopen(os.open(notice, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump({"url": url, "server": token, "key": key}, file)
    try:
        yield
    finally:
        notice.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    key: str = field(repr=False)


def server_of(store: Path) -> Server | None:
    """Where a store is served on this machine; None where no server there proves to be the one."""
    try:
        said = json.loads(_notice(store).read_text(encoding="utf-8"))
        server = Server(str(said["url"]), str(said.get("key", "")))
        token = str(said["server"])
        if urlsplit(server.url).hostname not in LOOPBACK:
            return None
        ready = exchange(f"{server.url}/health/ready", timeout_s=PATIENCE_S)
    except (OSError, ValueError, KeyError, TypeError, StoreError):
        return None
    return server if isinstance(ready, dict) and ready.get("server") == token else None


def opened_or_served(path: Path, opened: Callable[[], Store]) -> Store | Server:
    """The store, or the server that owns its file. Raises `StoreBusyError` where somebody else has it."""
    try:
        return opened()
    except StoreBusyError:
        server = server_of(path)
        if server is None:
            raise
        return server
