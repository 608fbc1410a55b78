"""One load on its way into the store: what a loader read, written down as NDJSON in a directory of its own.

Staging needs no database, so a loader that crashes leaves the store as it was. A stage that is closed never changes.
"""

from collections import Counter
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from types import TracebackType
from typing import BinaryIO, Self

import orjson

from store.errors import StoreError
from store.priced import CostStatus, PricedRequest
from store.records import CashBalance, Charge, Outcome, Price, Session
from store.tables import TABLE_OF

StagedRecord = PricedRequest | Session | Outcome | Charge | CashBalance | Price

MAX_RAW = 2000
SHOWN_REJECTIONS = 20
_PICO_USD = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Recost:
    """Another cost for a request that is stored, and why."""

    request_key: str
    cost_usd: Decimal | None
    cost_status: CostStatus
    price_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class RejectedRow:
    location: str
    reason: str
    raw: str


class Stage:
    def __init__(self, *, source: str, location: str, directory: Path | None = None) -> None:
        """`directory` is where the stage makes its own directory: `Store.stage_directory` spares a copy."""
        self.source = source
        self.location = _storable(location)
        self.cursor: str | None = None
        """Where the next load goes on: set by the loader, stored with the rows."""
        self.directory = Path(mkdtemp(prefix="load-", dir=directory))
        self.ignored: Counter[str] = Counter()
        self.items: set[int] = set()
        self.rejected = 0
        self.rejections: list[tuple[str, str]] = []
        self._lines = 0
        self.files: dict[str, BinaryIO] = {}
        """Table -> its file, `<table>.ndjson` in `directory`."""
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        rmtree(self.directory)

    def add(self, item: int, record: StagedRecord) -> None:
        """`item` numbers the lines or entries of the load; a line that gave several records has one number."""
        table = TABLE_OF.get(type(record))
        if table is None:
            raise StoreError(f"a {type(record).__name__} cannot be staged; a Request goes in as a PricedRequest")
        self._write(table.name, item, record)
        self.items.add(item)

    def ignore(self, rule: str) -> None:
        self._must_be_open()
        self.ignored[rule] += 1

    def reject(self, location: str, reason: str, raw: str = "") -> None:
        row = RejectedRow(_storable(location), _storable(reason), _storable(raw[:MAX_RAW]))
        self._write("rejected_rows", 0, row)
        self.rejected += 1
        if len(self.rejections) < SHOWN_REJECTIONS:
            self.rejections.append((row.location, row.reason))

    def recost(
        self, request_key: str, cost_usd: Decimal | None, cost_status: CostStatus, price_id: str | None, reason: str
    ) -> None:
        """Gives a stored request another cost; the old one is kept in `restatements` if it was known."""
        self._write("recosts", 0, Recost(request_key, cost_usd, cost_status, price_id, _storable(reason)))

    def close(self) -> None:
        self._closed = True
        for file in self.files.values():
            file.close()

    def _write(self, name: str, item: int, record: StagedRecord | Recost | RejectedRow) -> None:
        self._must_be_open()
        line = orjson.dumps(record, default=_decimal)
        if name not in self.files:
            self.files[name] = (self.directory / f"{name}.ndjson").open("wb")
        self._lines += 1
        self.files[name].write(b'{"seq":%d,"item":%d,"record":%b}\n' % (self._lines, item, line))

    def _must_be_open(self) -> None:
        if self._closed:
            raise StoreError(f"the load of {self.location} is closed; start another stage")


def _decimal(value: object) -> str:
    """Amounts in whole 10^-12 USD, as text: a JSON number would be read as a binary float."""
    if not isinstance(value, Decimal):
        raise TypeError(f"no JSON for {type(value).__name__}")
    return format(value.quantize(_PICO_USD, ROUND_HALF_EVEN), "f")


def _storable(text: str) -> str:
    """Text as it came in, with what a database cannot hold (NUL, half a surrogate pair) replaced."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode("utf-8")
