"""A new and empty store for a test: a copy of one that was made once, because making one takes four times as long."""

import atexit
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from shutil import copy, rmtree
from tempfile import TemporaryDirectory, mkdtemp

from store import Store
from store.facts import FACTS, SOURCES


@contextmanager
def new_store() -> Iterator[Store]:
    with (
        TemporaryDirectory(prefix="store-", dir=_template().parent) as directory,
        Store.open(Path(copy(_template(), directory))) as store,
    ):
        yield store


def check_facts(store: Store, facts: Iterable[str] = FACTS) -> None:
    """What a load has brought up to date row by row is what writing down everything would give."""
    for fact in facts:
        rows = store.read(f"SELECT * FROM {fact} ORDER BY ALL").rows
        if rows or _may_have_rows(store, fact):
            expected = store.read(f"SELECT * FROM {fact}_now ORDER BY ALL").rows
            assert rows == expected, f"{fact}: {_differing(rows, expected)}"
    marks = "SELECT request_key, md5_number_lower(unnest(identities)) AS mark FROM requests"
    assert store.read("FROM call_marks ORDER BY ALL").rows == store.read(f"FROM ({marks}) ORDER BY ALL").rows


def _differing(rows: Sequence[tuple[object, ...]], expected: Sequence[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return [row for row in (*rows, *expected) if row not in expected or row not in rows][:4]


def _may_have_rows(store: Store, fact: str) -> bool:
    """To plan a view is dear, and most tests have no plans and no machines."""
    return fact not in SOURCES or bool(store.read(f"SELECT 1 FROM {SOURCES[fact]} LIMIT 1").rows)


@cache
def _template() -> Path:
    directory = Path(mkdtemp(prefix="clawback-tests-"))
    atexit.register(rmtree, directory, ignore_errors=True)
    path = directory / "store.duckdb"
    Store.open(path).close()
    return path
