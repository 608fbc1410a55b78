"""Reports of whole UTC days, as providers give them of an account: which days are asked for, what makes one whole.

A provider restates the days behind it for a while, so each load reads the last three again, and a day that was read
without a rejection replaces what is stored of it. The day that is still going on is left out: what it has is neither a
bill nor a lower bound of one that anybody could compare.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import TypedDict, Unpack

from loaders.cell import Cell, CellError
from loaders.item import Ignored, Item, LoadError, Location, Note, Parsed, Rejected, WholePart
from loaders.loader import Task
from loaders.read_until import ReadUntil
from loaders.web_json import shown
from store import Charge, Record, RecordError, ReportedUsage
from store.records import ChargeItem, UsageReporter

REPULL = timedelta(days=3)
FIRST = timedelta(days=92)
"""How far a first load reaches back where nobody says."""
_SETTLES = timedelta(hours=3)
"""What a day used is counted for a while after it has ended."""
_DAY = timedelta(days=1)
EMPTY = "a day of which the report has nothing"
NOT_ASKED_FOR = "a day that was not asked for"


@dataclass(frozen=True, slots=True)
class Days:
    """From the first of them up to but without the last."""

    starts_on: date
    ends_on: date

    @property
    def starts_at(self) -> datetime:
        return midnight(self.starts_on)

    @property
    def ends_at(self) -> datetime:
        return midnight(self.ends_on)

    def __contains__(self, day: date) -> bool:
        return self.starts_on <= day < self.ends_on

    def __iter__(self) -> Iterator[date]:
        return (self.starts_on + number * _DAY for number in range((self.ends_on - self.starts_on).days))


def days_to_read(until: ReadUntil, task: Task) -> Days:
    """Those that have ended and are not read, and a few before. Raises `LoadError` for an option `since` that is none.

    There may be none at all.
    """
    ends_on = (task.now.astimezone(UTC) - _SETTLES).date()
    return Days(min(until.start(task, REPULL, FIRST).date(), ends_on), ends_on)


def midnight(day: date) -> datetime:
    """The first instant of a day, in UTC."""
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True, slots=True)
class Report:
    """One of the reports of an account."""

    source: str
    """The loader's name."""
    account: str
    name: str
    """Such as 'costs'; part of ids, so it never changes."""

    def title(self, day: date) -> str:
        return f"{self.source} {self.account}, {self.name} of {day}"

    def part(self, day: date) -> str:
        return f"{self.account} | {self.name} | {day}"


class _OfLine(TypedDict, total=False):
    model: str | None
    line_item: ChargeItem | None


class _Counted(TypedDict, total=False):
    model: str | None
    member: str | None
    requests: int | None
    uncached_input_tokens: int | None
    cache_read_tokens: int | None
    cache_write_5m_tokens: int | None
    cache_write_1h_tokens: int | None
    output_tokens: int | None
    usd: Decimal | None
    is_lower_bound: bool
    is_billed_apart: bool


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One row of a day; its cells by name."""

    report: Report
    day: date
    values: dict[str, object]
    numbers: Counter[str] = field(repr=False)
    """How often each id was given so far, of this day."""

    def __getitem__(self, name: str) -> Cell:
        return Cell(name, self.values.get(name))

    def within(self, name: str, inner: str) -> Cell:
        """A cell of an object in the row, empty where there is no such object."""
        held = self.values.get(name)
        if held is not None and not isinstance(held, dict):
            raise CellError(f"{name} must be an object like {{'{inner}': ...}}, got {ascii(held)[:100]}")
        return Cell(f"{name}.{inner}", (held or {}).get(inner))

    def text(self, name: str) -> str | None:
        return self[name].maybe(Cell.text)

    def row_id(self, *identity: str | None) -> str:
        """An id of what the report says here, the same whenever it says it again, with whatever amounts.

        Rows that nothing tells apart are numbered: each of them counts. So a row is named before the rest of it is
        read: one that cannot be read keeps its number.
        """
        told = blake2b(json.dumps(identity).encode(), digest_size=16).hexdigest()
        self.numbers[told] += 1
        number = self.numbers[told]
        base = f"{self.report.source}:{self.report.account}:{self.report.name}:{self.day}:{told}"
        return base if number == 1 else f"{base}:{number}"

    def charge(self, charge_id: str, vendor: str, billed: Decimal, description: str, **of: Unpack[_OfLine]) -> Charge:
        """A line of the vendor's bill for the day. Raises `RecordError`."""
        return Charge(
            charge_id=charge_id,
            source=self.report.source,
            category="inference",
            amount_usd=billed,
            billed_usd=billed,
            starts_on=self.day,
            ends_on=self.day + _DAY,
            vendor=vendor,
            description=description,
            part=self.report.part(self.day),
            **of,
        )

    def usage(
        self, usage_id: str, provider: str, reporter: UsageReporter = "provider", **counted: Unpack[_Counted]
    ) -> ReportedUsage:
        """What was counted of the calls of the day. Raises `RecordError`."""
        return ReportedUsage(
            usage_id=usage_id,
            source=self.report.source,
            reporter=reporter,
            provider=provider,
            starts_at=midnight(self.day),
            ends_at=midnight(self.day + _DAY),
            part=self.report.part(self.day),
            **counted,
        )


Read = Callable[[ReportRow], tuple[Record, ...]]
"""Raises `CellError` or `RecordError`; no record where the row says nothing of use."""


def read_day(report: Report, day: date, rows: list[object], read: Read) -> Iterator[Item | Note]:
    """An item for every row of a day, and at the end that the day is whole, if nothing of it was rejected."""
    numbers: Counter[str] = Counter()
    is_whole = True
    if not rows:
        yield Ignored(Location(report.title(day)), EMPTY)
    for place, raw in enumerate(rows, start=1):
        item = _item(report, day, raw, Location(report.title(day), place), numbers, read)
        is_whole = is_whole and not isinstance(item, Rejected)
        yield item
    if is_whole:
        yield WholePart(report.part(day))


def read_buckets(
    pages: Iterable[list[object]],
    report: Report,
    days: Days,
    bucket: Callable[[dict[str, object]], tuple[date, list[object]]],
    read: Read,
) -> Iterator[Item | Note]:
    """The days of a report that comes in buckets. `bucket` gives the day and the rows of one; it raises `CellError`.

    Raises `LoadError` where a day comes twice: nobody could say which of the two is meant.
    """
    been: set[date] = set()
    for number, page in enumerate(pages, start=1):
        for place, raw in enumerate(page, start=1):
            location = Location(f"{report.source} {report.account}, {report.name}, page {number}", place)
            try:
                day, rows = bucket(_object(raw))
            except CellError as error:
                yield Rejected(location, str(error), shown(raw))
                continue
            if day not in days:
                yield Ignored(location, NOT_ASKED_FOR)
                continue
            if day in been:
                raise LoadError(f"{location}: has {day} a second time; the pages overlap, nothing of them is stored")
            been.add(day)
            yield from read_day(report, day, rows, read)


def rows_in(raw: dict[str, object], name: str) -> list[object]:
    """Raises `CellError` where there is no list."""
    rows = raw.get(name)
    if not isinstance(rows, list):
        raise CellError(f"{name} must be a list of rows, got {ascii(rows)[:100]}")
    return rows


def whole_day(starts: Cell, starts_at: datetime, ends: Cell, ends_at: datetime) -> date:
    """The UTC day of a bucket. Raises `CellError` where it is another time."""
    day = starts_at.astimezone(UTC).date()
    if starts_at != midnight(day) or ends_at - starts_at != _DAY:
        raise CellError(
            f"{starts.column} and {ends.column} must be the ends of one UTC day, got {starts_at.isoformat()} and "
            f"{ends_at.isoformat()}"
        )
    return day


def _item(report: Report, day: date, raw: object, place: Location, numbers: Counter[str], read: Read) -> Item:
    try:
        records = read(ReportRow(report, day, _object(raw), numbers))
    except (CellError, RecordError) as error:
        return Rejected(place, str(error), shown(raw))
    return Parsed(place, records) if records else Ignored(place, "a row that counts nothing")


def _object(raw: object) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise CellError(f"must be an object, got {ascii(raw)[:100]}")
    return raw
