"""The `credits` loader: use of credits and the state of quotas, from files kept by hand or by a program, and from
answers of vendors that somebody captured (ElevenLabs, Brave).

What credits are worth is known only where a price is: of a plan or a list, in the same file or in that of the option
`plans`. Where there is none the worth is unknown, which is not zero.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from loaders.cell import CellError
from loaders.credits import brave, elevenlabs
from loaders.credits.captures import Capture, capture_of
from loaders.credits.plans import Plan, Plans
from loaders.credits.rows import OPTIONAL, REQUIRED, prices_in, read_rows
from loaders.item import Ignored, Item, LoadError, Location, Parsed, Rejected
from loaders.loader import Loader, Task
from loaders.openclaw.values import FieldError, parse
from loaders.source import OnBytes, read_document, total_bytes
from loaders.table import Row, RowItem, open_table
from store import CreditUsage, RecordError

__all__ = ["LOADER", "prices_of", "read"]

_CAPTURED = {"response", "headers"}


def read(
    path: Path,
    *,
    now: datetime,
    plans: Path | None = None,
    observed_at: str | None = None,
    on_bytes: OnBytes | None = None,
) -> Iterator[Item]:
    """An item for every row, or for every bucket of a captured answer.

    Raises:
        LoadError: there is no such file, or its columns are not those of credits.
    """
    prices = prices_of(plans) if plans else []
    if _is_document(path):
        return _answers([_document(path, on_bytes)], Plans(prices), observed_at, now)
    table = open_table(path, on_bytes=on_bytes)
    # What a credit is worth may stand below its use, so the file is read twice.
    if _CAPTURED & set(table.columns):
        prices += _prices(open_table(path).rows, observed_at, now)
        return _answers(table.rows, Plans(prices), observed_at, now)
    rows = table.rows_of(REQUIRED, OPTIONAL)
    prices += prices_in(open_table(path).rows)
    return read_rows(rows, Plans(prices), now)


def prices_of(plans: Path) -> list[Plan]:
    """What a file of plans and list prices says that credits are worth. Raises `LoadError` where it is none."""
    return list(prices_in(open_table(plans).rows_of(REQUIRED, OPTIONAL)))


def _is_document(path: Path) -> bool:
    return [suffix for suffix in map(str.lower, path.suffixes) if suffix not in {".gz", ".zst"}][-1:] == [".json"]


def _document(path: Path, on_bytes: OnBytes | None) -> RowItem:
    shown_as = os.fsencode(path).decode("utf-8", "replace")
    if not path.is_file():
        raise LoadError(f"{shown_as}: there is no such file")
    document = read_document(path, shown_as, on_bytes)
    if isinstance(document, Rejected):
        return document
    try:
        return Row(Location(shown_as), parse(document), document)
    except FieldError as error:
        return Row(Location(shown_as), {}, document).rejected(str(error))


def _prices(rows: Iterable[RowItem], observed_at: str | None, now: datetime) -> Iterator[Plan]:
    """Those of subscriptions; an answer that cannot be read is told of when it is read as an item."""
    for row in rows:
        if isinstance(row, Rejected):
            continue
        with suppress(CellError, RecordError):
            capture = capture_of(row, observed_at, now)
            price = elevenlabs.price(capture) if elevenlabs.is_subscription(capture) else None
            if price is not None:
                yield price


def _answers(rows: Iterable[RowItem], plans: Plans, observed_at: str | None, now: datetime) -> Iterator[Item]:
    most: dict[str, CreditUsage] = {}
    for row in rows:
        if isinstance(row, Rejected):
            yield row
            continue
        try:
            for item in _answer(row, plans, observed_at, now):
                yield _unless_outgrown(item, most)
        except (CellError, RecordError) as error:
            yield row.rejected(str(error))


def _answer(row: Row, plans: Plans, observed_at: str | None, now: datetime) -> Iterator[Item]:
    capture = capture_of(row, observed_at, now)
    if elevenlabs.is_subscription(capture):
        yield from elevenlabs.subscription(capture)
    elif elevenlabs.is_usage(capture):
        yield from elevenlabs.usage(capture, plans)
    elif brave.is_brave(capture):
        yield from brave.month(capture, plans)
    else:
        raise CellError(f"is no answer that is known ({_known(capture)})")


def _known(capture: Capture) -> str:
    if capture.is_headers:
        return "of Brave: headers with X-RateLimit-Limit"
    return "of ElevenLabs: character_count and character_limit, or time and usage"


def _unless_outgrown(item: Item, most: dict[str, CreditUsage]) -> Item:
    """What a bucket has used only grows: of several captures the largest count is the latest, in any order."""
    if not isinstance(item, Parsed):
        return item
    kept = []
    for record in item.records:
        if isinstance(record, CreditUsage):
            known = most.get(record.usage_id)
            if known is not None and _weight(known) >= _weight(record):
                continue
            most[record.usage_id] = record
        kept.append(record)
    if kept:
        return Parsed(item.location, tuple(kept))
    return Ignored(item.location, "another capture says more of the same bucket of time")


def _weight(usage: CreditUsage) -> tuple[Decimal, timedelta]:
    """Of equal counts the one seen first: the last of them to be used was used by then."""
    return usage.credits, datetime.max.replace(tzinfo=UTC) - usage.used_at


def _read(task: Task) -> Iterator[Item]:
    plans = task.options.get("plans")
    return read(
        task.path,
        now=task.now,
        plans=Path(plans) if plans else None,
        observed_at=task.options.get("observed_at"),
        on_bytes=task.on_bytes,
    )


LOADER = Loader(
    "credits",
    "use of credits; YAML, CSV or JSONL, or captured answers of ElevenLabs and Brave",
    _read,
    size=lambda path: total_bytes([path]),
    options=("plans", "observed_at"),
    paths=("plans",),
)
