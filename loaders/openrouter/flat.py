"""Rows of many days in one list, as OpenRouter gives them -> the items of each day."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from loaders.cell import Cell, CellError
from loaders.daily import NOT_ASKED_FOR, Days, Read, Report, read_day
from loaders.item import Ignored, Item, Location, Note, Rejected, WholePart
from loaders.web_json import shown

_DATE = 10
"""Characters of a date; a timestamp goes on."""


def read_flat(
    rows: Iterable[object], place: str, report: Report, days: Days, columns: Sequence[str], read: Read
) -> Iterator[Item | Note]:
    """An item for every row. The date is in the first of the columns that a row has.

    A day without use is in no row: each between the first and the last that have some is whole too. A row of which
    nobody knows the day may be missing in any of them, so then none is.
    """
    by_day: dict[date, list[object]] = {}
    is_whole = True
    for number, raw in enumerate(rows, start=1):
        try:
            day = _day(raw, columns)
        except CellError as error:
            is_whole = False
            yield Rejected(Location(place, number), str(error), shown(raw))
            continue
        if day in days:
            by_day.setdefault(day, []).append(raw)
        else:
            yield Ignored(Location(place, number), NOT_ASKED_FOR)
    for day in Days(min(by_day), max(by_day) + timedelta(days=1)) if by_day else ():
        items = read_day(report, day, by_day[day], read) if day in by_day else [WholePart(report.part(day))]
        yield from (item for item in items if is_whole or not isinstance(item, WholePart))


def _day(raw: object, columns: Sequence[str]) -> date:
    if not isinstance(raw, dict):
        raise CellError(f"must be an object, got {ascii(raw)[:100]}")
    name = next((column for column in columns if column in raw), columns[0])
    return Cell(name, str(raw.get(name) or "")[:_DATE]).day()
