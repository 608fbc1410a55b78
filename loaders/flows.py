"""Cash flows: a YAML, CSV or JSONL file with revenue, funding and expenses, on one day or on a day of each month."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import cast, get_args

from loaders.cell import Cell, CellError
from loaders.item import Item, Note
from loaders.loader import of_files
from loaders.source import OnBytes
from loaders.table import Entry, Row, nearest
from loaders.whole_file import read_whole_file
from store import CashFlow
from store.records import FlowKind

_KINDS: tuple[str, ...] = get_args(FlowKind)
_REQUIRED = ("flow_id", "kind", "amount_usd")
_OPTIONAL = ("occurred_on", "day_of_month", "starts_on", "ends_on", "account", "description", "currency")


def read(path: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item | Note]:
    """An item for every flow. `now` plays no part: a flow may be planned.

    Raises:
        LoadError: there is no such file, or its columns are not those of flows.
    """
    return read_whole_file(path, _REQUIRED, _OPTIONAL, _flow, on_bytes=on_bytes)


def _flow(row: Row, part: str) -> Entry:
    row.require_usd("amount_usd")
    kind = row["kind"].text().lower()
    if kind not in _KINDS:
        raise CellError(f"kind must be one of {', '.join(_KINDS)}{nearest(kind, _KINDS)}, got {kind!r}")
    flow = CashFlow(
        flow_id=row["flow_id"].text(),
        source="flows",
        kind=cast(FlowKind, kind),
        amount_usd=row["amount_usd"].usd(),
        occurred_on=row["occurred_on"].maybe(Cell.day),
        day_of_month=row["day_of_month"].maybe(Cell.count),
        starts_on=row["starts_on"].maybe(Cell.day),
        ends_on=row["ends_on"].maybe(Cell.day),
        account=row["account"].maybe(Cell.text),
        description=row["description"].maybe(Cell.text),
        part=part,
    )
    return Entry(f"flow {flow.flow_id!r}", (flow,))


LOADER = of_files("flows", "revenue, funding and planned expenses; YAML, CSV or JSONL", read)
