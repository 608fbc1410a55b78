"""Rows for the tables that the repository's metrics.yaml reads, drawn once, with what engines disagree about."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import duckdb

from semantic import (
    Catalog,
    Comparison,
    Grain,
    Metric,
    MetricQuery,
    Op,
    Order,
    TimeRange,
    dimensions_of,
    load_catalog,
)
from tests.stores import new_store

CATALOG = load_catalog((Path(__file__).parents[3] / "metrics.yaml").read_text(), "metrics.yaml")
AS_OF = date(2026, 4, 20)
ROWS = 160
TOGETHER = 4
"""How many metrics one question asks for."""

_CLOCKS = tuple(
    datetime.fromisoformat(f"2026-{at}") for at in ("03-29 01:00", "03-08 07:00", "04-04 15:00", "04-01 00:00")
)
_CELLS: Mapping[str, tuple[object, ...]] = {
    "VARCHAR": ("a", "b", "B", "ä", "", "it's", "back\\slash", "50%_"),
    "BOOLEAN": (True, False),
    "INTEGER": (0, 1, 1),
    "BIGINT": (0, 1, 7, 1500, 2_000_000_000_000),
    "DATE": tuple(AS_OF + timedelta(days=n) for n in (-90, -40, -31, -30, -29, -8, -1, 0, 1)),
    "TIMESTAMP": tuple(at + timedelta(microseconds=n) for at in _CLOCKS for n in (-1, 0, 2_700_000_000)),
    "DECIMAL(38,12)": tuple(map(Decimal, ("0", "0.1", "3.333333333333", "2.5", "12345678.9", "0.000000000001"))),
}


def fill(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates the tables as a store has them, and draws their rows."""
    random = Random(20260420)
    enums = {d.sql.name: d.values for model in CATALOG.models.values() for d in model.dimensions.values() if d.values}
    with new_store() as store:
        for model in CATALOG.models.values():
            columns = [(str(c[0]), str(c[1])) for c in store.read(f"describe {model.source}").rows]
            connection.execute(f"create table {model.source} ({', '.join(f'{n} {kind}' for n, kind in columns)})")
            for place in range(ROWS):
                row = [_cell(random, place, name, kind, model.key, enums) for name, kind in columns]
                connection.execute(f"insert into {model.source} values ({', '.join('?' * len(row))})", row)


def _cell(
    random: Random, place: int, name: str, kind: str, key: tuple[str, ...], enums: Mapping[str, tuple[str, ...]]
) -> object:
    if name == key[0] and kind == "VARCHAR":
        return f"k{place:03}"
    if name in key:
        return AS_OF - timedelta(days=place) if kind == "DATE" else random.choice(_CELLS[kind])
    if random.random() < 0.15:
        return None
    if name == "session_id":
        return f"k{random.randrange(ROWS + 20):03}"
    cells = enums.get(name) or _CELLS.get(kind, _CELLS["DECIMAL(38,12)"])
    return random.choice(cells)


def questions() -> Iterator[MetricQuery]:
    """Every metric is in five of them."""
    for metrics, dimensions in _groups(CATALOG):
        asked = dimensions[:2] if len(dimensions) > 1 else dimensions
        march = TimeRange(datetime(2026, 3, 1, 5, tzinfo=UTC), datetime(2026, 4, 1, 4, tzinfo=UTC))
        yield MetricQuery(metrics=metrics, as_of=AS_OF, evidence=True)
        yield MetricQuery(metrics=metrics, as_of=AS_OF, time=march, zone="America/New_York", by=asked)
        yield MetricQuery(metrics=metrics, as_of=AS_OF, grain=Grain.DAY, time=march, zone="America/New_York")
        yield MetricQuery(metrics=metrics, as_of=AS_OF, grain=Grain.MONTH, evidence=True, zone="Australia/Lord_Howe")
        yield MetricQuery(
            metrics=metrics,
            as_of=AS_OF,
            by=asked[:1],
            grain=Grain.WEEK,
            where=Comparison(asked[0], Op.NE, ("a",)) if asked and asked[0] == "agent" else None,
            order_by=(Order(metrics[0], "desc"), *(Order(name) for name in asked[:1]), Order("time")),
            limit=25,
        )


def _groups(catalog: Catalog) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The metrics, a few at a time, with the dimensions that all of them reach."""
    by_reach: dict[tuple[str, ...], list[Metric]] = {}
    for metric in catalog.metrics.values():
        by_reach.setdefault(dimensions_of(catalog, metric.name), []).append(metric)
    for dimensions, metrics in by_reach.items():
        for start in range(0, len(metrics), TOGETHER):
            yield tuple(m.name for m in metrics[start : start + TOGETHER]), dimensions
