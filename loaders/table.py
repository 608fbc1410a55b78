"""Rows of CSV, JSONL, YAML and Parquet files, each with the place where it starts.

Every line of a file comes out as a row or as an item that says why it is none; what a row means is for the loader
that asked for it.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from difflib import get_close_matches
from itertools import chain, islice
from pathlib import Path
from typing import NoReturn

from loaders.cell import Cell, CellError
from loaders.csv_rows import csv_rows
from loaders.item import Ignored, Item, LoadError, Location, Parsed, Rejected
from loaders.source import OnBytes, excerpt, read_lines
from loaders.yaml_tree import entries
from store import Record, RecordError
from store.parquet import ParquetError, read_parquet

_PEEKED_ROWS = 1000
_PACKED = {".gz", ".zst"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row and the location of its first line."""

    location: Location
    values: Mapping[str, object]
    raw: bytes = b""
    """The row as it was written, where that is one line."""

    def __getitem__(self, column: str) -> Cell:
        """The cell of a column; an empty one where the row has no such key."""
        return Cell(column, self.values.get(column))

    def require_usd(self, amount: str) -> None:
        """Refuse a row whose `currency`, where it has one, is not USD; `amount` is the column that it is about."""
        currency = self["currency"].maybe(Cell.text)
        if currency is not None and currency.upper() != "USD":
            raise CellError(
                f"currency is {currency!r}: convert the amount to US dollars, put it in {amount} and leave this empty"
            )

    def rejected(self, reason: str) -> Rejected:
        raw = self.raw or json.dumps(dict(self.values), default=str).encode()
        return Rejected(self.location, reason, excerpt(raw))


RowItem = Row | Rejected


@dataclass(frozen=True, slots=True)
class Table:
    """A file as rows."""

    shown_as: str
    columns: tuple[str, ...]
    """Those of JSONL are the keys that occur in its first 1,000 rows; a file without rows has none."""
    rows: Iterator[RowItem]
    rows_name_columns: bool = False
    """There is no header (YAML): a mistyped word costs its row and not the load."""

    def rows_of(self, required: tuple[str, ...], optional: tuple[str, ...]) -> Iterator[RowItem]:
        """The rows, of which none has a column that nobody knows.

        Raises:
            LoadError: the header, or the keys of the first rows of JSONL, are not the expected ones.
        """
        if not self.rows_name_columns:
            self.expect(required, optional)
        known = dict.fromkeys((*required, *optional))
        return (_with_known_words(row, known.keys()) for row in self.rows)

    def expect(self, required: tuple[str, ...], optional: tuple[str, ...]) -> None:
        """Raise `LoadError` unless the file has every required column and none that nobody knows."""
        known = (*required, *optional)
        for column in self.columns:
            if column not in known:
                raise LoadError(
                    f"{self.shown_as}: unknown column {column!r}{nearest(column, known)}; known are {', '.join(known)}"
                )
        for column in required if self.columns else ():
            if column not in self.columns:
                raise LoadError(
                    f"{self.shown_as}: there is no column {column!r}; required are {', '.join(required)}, "
                    f"the file has {', '.join(self.columns)}"
                )


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row says: its records, and a name under which a file may say it only once ("charge 'c-1'")."""

    name: str
    records: tuple[Record, ...]


def open_table(path: Path, *, on_bytes: OnBytes | None = None) -> Table:
    """The table in a file, by its extension.

    Raises:
        LoadError: there is no such file, or its name or its header does not say what it holds.
    """
    shown_as = os.fsencode(path).decode("utf-8", "replace")
    if not path.is_file():
        raise LoadError(f"{shown_as}: " + ("is not a regular file" if path.exists() else "there is no such file"))
    suffixes = [suffix for suffix in map(str.lower, path.suffixes) if suffix not in _PACKED]
    match suffixes[-1:]:
        case [".csv"]:
            return _csv_table(path, shown_as, on_bytes)
        case [".jsonl" | ".ndjson"]:
            return _peeked(shown_as, _json_rows(path, shown_as, on_bytes))
        case [".parquet"]:
            return _peeked(shown_as, _parquet_rows(path, shown_as, on_bytes))
        case [".yaml" | ".yml"]:
            return _yaml_table(path, shown_as, on_bytes)
    raise LoadError(
        f"{shown_as}: the name must end in .csv, .jsonl, .yaml or .parquet (.csv.gz and .jsonl.gz are fine too)"
    )


def read_entries(rows: Iterable[RowItem], parse: Callable[[Row], Entry]) -> Iterator[Item]:
    """An item for every row. A row that repeats an earlier one is ignored; one that contradicts it is rejected."""
    seen: dict[str, tuple[int, Location]] = {}
    for row in rows:
        if isinstance(row, Rejected):
            yield row
            continue
        try:
            entry = parse(row)
        except (CellError, RecordError) as error:
            yield row.rejected(str(error))
            continue
        content = hash(entry.records)
        first_content, first = seen.setdefault(entry.name, (content, row.location))
        if first == row.location:
            yield Parsed(row.location, entry.records)
        elif content == first_content:
            yield Ignored(row.location, "repeats an earlier row")
        else:
            yield row.rejected(f"{entry.name} is already given at {first} with other values: remove one of the two")


def nearest(word: str, words: Iterable[str]) -> str:
    """`"; did you mean 'x'?"`, or nothing where no word is near."""
    close = get_close_matches(word, list(words), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _with_known_words(row: RowItem, known: KeysView[str]) -> RowItem:
    if isinstance(row, Rejected) or row.values.keys() <= known:
        return row
    word = next(word for word in row.values if word not in known)
    return row.rejected(f"unknown word {word!r}{nearest(word, known)}; known are {', '.join(known)}")


def _peeked(shown_as: str, rows: Iterator[RowItem]) -> Table:
    head = list(islice(rows, _PEEKED_ROWS))
    columns = dict.fromkeys(key for row in head if isinstance(row, Row) for key in row.values)
    return Table(shown_as, tuple(columns), chain(head, rows))


def _yaml_table(path: Path, shown_as: str, on_bytes: OnBytes | None) -> Table:
    listed = entries(path, shown_as, on_bytes)
    rows = [entry if isinstance(entry, Rejected) else Row(*entry) for entry in listed]
    columns = dict.fromkeys(key for row in rows if isinstance(row, Row) for key in row.values)
    return Table(shown_as, tuple(columns), iter(rows), rows_name_columns=True)


def _json_rows(path: Path, shown_as: str, on_bytes: OnBytes | None) -> Iterator[RowItem]:
    for line in read_lines(path, shown_as, on_bytes):
        if isinstance(line, Rejected):
            yield line
            continue
        location, content = line
        try:
            value = json.loads(content.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_number)
        except RecursionError:
            yield Rejected(location, "is nested too deeply for a row", excerpt(content))
        except (ValueError, DecimalException) as error:
            yield Rejected(location, f"is not JSON: {error}", excerpt(content))
        else:
            is_object = isinstance(value, dict)
            yield (
                Row(location, value, content)
                if is_object
                else Rejected(location, "must be a JSON object", excerpt(content))
            )


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number; write null where a value is unknown")


def _parquet_rows(path: Path, shown_as: str, on_bytes: OnBytes | None) -> Iterator[RowItem]:
    try:
        for number, values in enumerate(read_parquet(path), start=1):
            yield Row(Location(shown_as, number), values)
    except ParquetError as error:
        raise LoadError(str(error)) from error
    if on_bytes is not None:
        on_bytes(path.stat().st_size)


def _csv_table(path: Path, shown_as: str, on_bytes: OnBytes | None) -> Table:
    rows = csv_rows(path, shown_as, on_bytes)
    header = next(rows, None)
    if header is None or isinstance(header, Rejected):
        problem = f"line {header.location.line} {header.reason}" if header else "the file is empty"
        raise LoadError(f"{shown_as}: there is no header line with the names of the columns: {problem}")
    columns = tuple(name.strip() for name in header[1])
    for name in columns:
        if not name or columns.count(name) > 1:
            problem = f"{name!r} more than once" if name else "a column without a name"
            raise LoadError(f"{shown_as}: the header has {problem}: {', '.join(columns)}")
    return Table(shown_as, columns, _csv_named(columns, rows))


def _csv_named(columns: tuple[str, ...], rows: Iterator[tuple[Location, list[str]] | Rejected]) -> Iterator[RowItem]:
    for row in rows:
        if isinstance(row, Rejected):
            yield row
            continue
        location, values = row
        if len(values) == len(columns):
            yield Row(location, dict(zip(columns, values, strict=True)))
        else:
            reason = f"has {len(values)} columns where the header has {len(columns)}"
            yield Rejected(location, reason, excerpt(",".join(values).encode()))
