"""The `focus` loader: bills -> charges. It reads FOCUS 1.0 to 1.4, AWS CUR 2.0 and Google Cloud's billing export.

Each row is one charge. A row has no id of its own, so a charge is known by what the bill says of it and, where rows are
alike in all of that, by its number among them.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import cast, get_args

from loaders.cell import CellError
from loaders.focus.bill import Bill
from loaders.focus.charge import Place, charge_of, place_of
from loaders.focus.export import Export, Statement, survey
from loaders.focus.manifest import Extent
from loaders.focus.shape import BillRow, rows_of
from loaders.focus.whole import Read, whole_parts
from loaders.item import Item, LoadError, Location, Note, Parsed, Rejected, WholePart
from loaders.loader import Loader
from loaders.source import OnBytes, total_bytes
from store import RecordError

__all__ = ["LOADER", "paths", "read"]

_WHOLE = "whole"


def read(
    path: Path, *, now: datetime, on_bytes: OnBytes | None = None, whole: str | None = None
) -> Iterator[Item | Note]:
    """An item for every row. `now` plays no part: a bill may be for days to come.

    `path` is a file, or the directory with the parts of one export: rows that nothing tells apart are numbered, and a
    part that is read without the others would number them from 1 again. `whole` is what the user says of it, in the
    place of what its manifest says.

    Raises:
        LoadError: there is nothing to read at `path`, or a file that is reached is no bill.
    """
    return _items(survey(path), None if whole is None else _extent(whole), on_bytes)


def _extent(word: str) -> Extent:
    for extent in get_args(Extent):
        if extent == word:
            return cast(Extent, extent)
    raise LoadError(f"the option {_WHOLE} must be one of {', '.join(get_args(Extent))}, got {word!r}")


def paths(path: Path) -> list[Path]:
    """The files that `read` reads, in its order."""
    return survey(path).files


def _items(export: Export, whole: Extent | None, on_bytes: OnBytes | None) -> Iterator[Item | Note]:
    yield from export.left
    numbers: Counter[bytes] = Counter()
    holders: dict[Bill, Path | None] = {}
    reads: list[Read] = []
    for statement in export.statements:
        seen = Read(statement.extent, statement.owner) if whole is None else Read(whole)
        reads.append(seen)
        for file in statement.files:
            for row in rows_of(file, on_bytes):
                seen.rows += 1
                yield _item(row, numbers, seen)
        _refuse_second_statement(statement, seen, holders)
        if statement.rows is not None and statement.rows != seen.rows:
            seen.missed()
            yield Rejected(
                Location(str(statement.said_by)),
                f"the manifest counts {statement.rows:,} rows and its files have {seen.rows:,}; copy the export again",
            )
    if not any(isinstance(item, Rejected) for item in export.left):
        yield from map(WholePart, whole_parts(reads))


def _item(row: BillRow | Rejected, numbers: Counter[bytes], seen: Read) -> Item:
    """`numbers` counts the charges by what tells them apart, over all rows of a load."""
    if isinstance(row, Rejected):
        seen.missed()
        return row
    place: Place | None = None
    try:
        focus = row.in_focus()
        place = place_of(focus)
        charge = charge_of(focus, place, numbers[place.identity] + 1)
    except (CellError, RecordError) as error:
        if place is None:
            seen.missed()
        else:
            seen.missed(place.bill, place.day)
        return row.as_read.rejected(str(error))
    numbers[place.identity] += 1
    seen.saw(place.bill, place.day)
    return Parsed(row.as_read.location, (charge,))


def _refuse_second_statement(statement: Statement, seen: Read, holders: dict[Bill, Path | None]) -> None:
    """Two exports that each have all of one bill would count it twice."""
    for bill in seen.days:
        if statement.extent == "periods" and statement.owner == bill.account:
            if bill in holders:
                raise LoadError(
                    f"{statement.said_by}: states {bill}, which {holders[bill]} states too; load one of the two exports"
                )
            holders[bill] = statement.said_by


LOADER = Loader(
    "focus",
    "bills in FOCUS, AWS CUR 2.0 or Google Cloud's export: CSV, JSONL, Parquet, or the directory of an export",
    lambda task: read(task.path, now=task.now, on_bytes=task.on_bytes, whole=task.options.get(_WHOLE)),
    size=lambda path: total_bytes(paths(path)),
    options=(_WHOLE,),
)
