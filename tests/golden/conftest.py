"""The golden cases as a test sees them, and the way from their tables into a real store through the real job."""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest

from loaders import Task
from loaders.item import Item, Location, Parsed
from loaders.job import run_load
from loaders.kinds import LOADERS
from semantic import Catalog, MetricQuery, Result, Row, load_catalog
from server.answer import ask, only_row
from store import Record, Request, Session, Store
from tests.golden.leaves import watched
from tests.stores import check_facts, new_store

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
Case = dict[str, Any]
Golden = Callable[[str], Case]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog((ROOT / "metrics.yaml").read_text(), "metrics.yaml")


@pytest.fixture
def golden_module(shared: Callable[[str], Path]) -> ModuleType:
    path = shared("golden/golden.py")
    spec = spec_from_file_location("golden", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.dont_write_bytecode, kept = True, sys.dont_write_bytecode
    spec.loader.exec_module(module)
    sys.dont_write_bytecode = kept
    return module


@pytest.fixture
def golden(shared: Callable[[str], Path]) -> Golden:
    """The inputs and the expected answers of a case, by its name."""

    def read(name: str) -> Case:
        directory = shared(f"golden/cases/{name}")
        expected = json.loads((directory / "expected.json").read_text())["assertions"]
        files = [f for f in sorted(directory.iterdir()) if f.name != "expected.json"]
        return {"inputs": {f.name: _table(f) for f in files}, "expected": watched(name, expected)}

    return read


def _table(path: Path) -> Any:
    text = path.read_text()
    if path.suffix == ".csv":
        return [{k: (v or None) for k, v in row.items()} for row in csv.DictReader(text.splitlines())]
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    return json.loads(text)


@pytest.fixture
def store(shared: Callable[[str], Path]) -> Iterator[Store]:
    """A store that holds the fixture price book, loaded by the loader for price books."""
    with new_store() as opened:
        report = load(opened, "prices", shared("golden/pricebook.csv"))
        assert (report.stored, report.rejected) == (12, 0)
        yield opened


def load(store: Store, kind: str, path: Path, mapping: Path | None = None) -> Any:
    task = Task(str(path), NOW, {} if mapping is None else {"mapping": str(mapping)})
    report = run_load(store, kind, str(path), LOADERS[kind].read(task), now=NOW)
    check_facts(store)
    return report


def load_records(store: Store, records: list[Record], now: datetime = NOW) -> Any:
    items: list[Item] = [Parsed(Location("case", n), (r,)) for n, r in enumerate(records, start=1)]
    report = run_load(store, "case", "case", items, now=now)
    check_facts(store)
    return report


def requests_of(rows: list[dict[str, str | None]]) -> list[Record]:
    """Requests of a case's table; its inclusive input counts are made disjoint by the case's own rule."""
    made: list[Record] = []
    for row in rows:
        read, write_5m, write_1h = (int(row[k] or 0) for k in _CACHE)
        given = int(row["input_tokens"] or 0)
        cached = read + write_5m + write_1h if row["accounting"] == "INCLUSIVE" else 0
        made.append(
            Request(
                request_key=str(row["request_id"]),
                source="case",
                session_id=row["session_id"],
                agent=row["agent_id"],
                provider=row["provider"],
                model=row["model"],
                started_at=instant(row["ts"]),
                uncached_input_tokens=given - cached,
                cache_read_tokens=read,
                cache_write_5m_tokens=write_5m,
                cache_write_1h_tokens=write_1h,
                output_tokens=int(row["output_tokens"] or 0),
                billed_usd=Decimal(row["billed_usd"]) if row["billed_usd"] else None,
                is_included=row["billing_mode"] == "SUBSCRIPTION",
            )
        )
    return made


_CACHE = ("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")


def sessions_of(rows: list[dict[str, str | None]]) -> list[Record]:
    return [
        Session(
            session_id=str(row["session_id"]),
            source="case",
            agent=row["agent_id"],
            parent_session_id=row["parent_session_id"],
            trigger=cast(Any, row["trigger"]),
            trigger_confidence=100,
            started_at=instant(row["started_at"]),
            ended_at=instant(row["ended_at"]),
            termination=cast(Any, row["termination"]),
            termination_confidence=100 if row["termination"] else 0,
        )
        for row in rows
    ]


def instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC) if text else None


def answer(store: Store, catalog: Catalog, *metrics: str, **question: Any) -> Result:
    query = MetricQuery(metrics=metrics, **{"as_of": date(2026, 2, 21), "evidence": True, **question})
    return ask(catalog, store, query).result


def one(store: Store, catalog: Catalog, *metrics: str, **question: Any) -> Row:
    query = MetricQuery(metrics=metrics, **{"as_of": date(2026, 2, 21), "evidence": True, **question})
    return only_row(ask(catalog, store, query))


def write_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
