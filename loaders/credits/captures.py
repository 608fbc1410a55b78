"""What a vendor answered, as somebody kept it: the answer, when it came, and whose it is by its shape.

`{"observed_at": "...", "response": {...}}` for an answer, `{"observed_at": "...", "headers": {...}}` for its headers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from loaders.cell import Cell, CellError
from loaders.item import Item, Location, Parsed
from loaders.table import Row, nearest
from store import Record

SOURCE = "credits"
WRAPPER = ("observed_at", "response", "headers", "plan", "vendor", "metric")
_SLACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Capture:
    """One answer and the instant at which it was true."""

    location: Location
    observed_at: datetime
    content: Mapping[str, object]
    """The body, or the headers with their names in lower case."""
    is_headers: bool
    plan: str | None
    metric: str | None
    """What was asked for, where the answer does not say it."""
    source: str = SOURCE
    """Which loader has it."""

    def __getitem__(self, name: str) -> Cell:
        return Cell(name, self.content.get(name))

    def parsed(self, *records: Record) -> Item:
        return Parsed(self.location, records)


def capture_of(row: Row, observed_at: str | None, now: datetime) -> Capture:
    """The capture in a row; `observed_at` is for one that says no time of its own.

    Raises:
        CellError: it is none, or nobody says when it was true.
    """
    wrapped = row.values
    if not ({"response", "headers"} & wrapped.keys()):  # the bare answer
        wrapped = {"response": wrapped}
    unknown = next((word for word in wrapped if word not in WRAPPER), None)
    if unknown is not None:
        raise CellError(f"unknown word {unknown!r}{nearest(unknown, WRAPPER)}; known are {', '.join(WRAPPER)}")
    if "response" in wrapped and "headers" in wrapped:
        raise CellError("response and headers are both given: write two captures")
    is_headers = "headers" in wrapped
    content = wrapped["headers"] if is_headers else wrapped["response"]
    if not isinstance(content, dict):
        raise CellError(f"{'headers' if is_headers else 'response'} must be an object like {{...}}")
    return Capture(
        location=row.location,
        observed_at=_observed_at(Cell("observed_at", wrapped.get("observed_at", observed_at)), now),
        content={str(name).lower(): value for name, value in content.items()} if is_headers else content,
        is_headers=is_headers,
        plan=Cell("plan", wrapped.get("plan")).maybe(Cell.text),
        metric=Cell("metric", wrapped.get("metric")).maybe(Cell.text),
    )


def _observed_at(cell: Cell, now: datetime) -> datetime:
    if cell.is_empty:
        raise CellError(
            'observed_at is missing: keep an answer as {"observed_at": "2026-02-28T09:30:00Z", "response": {...}}, '
            "or give the option observed_at"
        )
    return cell.instant(latest=now + _SLACK)
