"""A new and empty store for a test: a copy of one that was made once, because making one takes four times as long."""

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from shutil import copy, rmtree
from tempfile import TemporaryDirectory, mkdtemp

from store import Store
from store.touched import FACTS_OF_CALLS


@contextmanager
def new_store() -> Iterator[Store]:
    with (
        TemporaryDirectory(prefix="store-", dir=_template().parent) as directory,
        Store.open(Path(copy(_template(), directory))) as store,
    ):
        yield store


def check_facts(store: Store) -> None:
    """What a load has brought up to date row by row is what writing down everything would give."""
    for fact in FACTS_OF_CALLS:
        for one, other in ((fact, f"{fact}_now"), (f"{fact}_now", fact)):
            differing = store.read(f"SELECT * FROM {one} EXCEPT ALL SELECT * FROM {other}").rows
            assert differing == [], f"only in {one}: {differing[:3]}"


@cache
def _template() -> Path:
    directory = Path(mkdtemp(prefix="clawback-tests-"))
    atexit.register(rmtree, directory, ignore_errors=True)
    path = directory / "store.duckdb"
    Store.open(path).close()
    return path
