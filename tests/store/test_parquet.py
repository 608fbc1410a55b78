"""Parquet of others: exact values, and memory that a small file with a long text in many rows does not fill."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from store.parquet import ParquetError, read_parquet


def write(path: Path, select: str) -> Path:
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


def test_values_keep_their_types_and_their_digits(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.parquet",
        "SELECT 1.10::DECIMAL(38, 12) AS usd, 0.1::DOUBLE AS d, 'x' AS t, TIMESTAMPTZ '2026-03-01 10:00:00+01' AS at,"
        " MAP {'team': 'search'} AS tags, [{'k': 1}] AS listed",
    )
    assert list(read_parquet(path)) == [
        {
            "usd": Decimal("1.100000000000"),
            "d": 0.1,
            "t": "x",
            "at": datetime(2026, 3, 1, 9, tzinfo=UTC),
            "tags": {"team": "search"},
            "listed": [{"k": 1}],
        }
    ]


TOO_LONG = r"column 'tags' has a cell of 11,0.* bytes; a cell may have 10,000,000"


@pytest.mark.parametrize(
    ("wide", "message"),
    [
        ("repeat('x', 11000000)", TOO_LONG),
        ("{'a': repeat('x', 11000000)}", TOO_LONG),
        ("[repeat('x', 11000000)]", "Out of Memory"),  # a list is built before it can be measured, within the limit
    ],
)
def test_a_cell_that_is_longer_than_a_line_may_be_is_refused_before_it_is_read(
    tmp_path: Path, wide: str, message: str
) -> None:
    path = write(tmp_path / "bomb.parquet", f"SELECT {wide} AS tags FROM range(50)")
    assert path.stat().st_size < 1_000_000
    with pytest.raises(ParquetError, match=message):
        next(read_parquet(path))


def test_long_cells_are_read_few_rows_at_a_time(tmp_path: Path) -> None:
    path = write(tmp_path / "long.parquet", "SELECT range AS n, repeat('x', 2000000) AS t FROM range(100)")
    found = [(row["n"], len(str(row["t"]))) for row in read_parquet(path)]
    assert found == [(number, 2_000_000) for number in range(100)]
