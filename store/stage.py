"""One load on its way into the store: what a loader read, written down as NDJSON in a directory of its own.

Staging needs no database, so a loader that crashes leaves the store as it was. A stage that is closed never changes.
"""

from collections import Counter
from contextlib import ExitStack, suppress
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
from store.records import (
    Budget,
    CashBalance,
    CashFlow,
    Charge,
    CreditQuota,
    CreditUsage,
    Outcome,
    Price,
    ReportedUsage,
    Score,
    Session,
)
from store.tables import TABLE_OF

StagedRecord = (
    PricedRequest
    | Session
    | Outcome
    | Score
    | Charge
    | CashBalance
    | CashFlow
    | CreditUsage
    | CreditQuota
    | ReportedUsage
    | Budget
    | Price
)

MANIFEST = "manifest.json"
INTAKE = "intake"
"""The location of loads that were sent to us, some at a time. What one of them rejected, no later one reads anew."""
MAX_RAW = 2000
SHOWN_REJECTIONS = 20
_PICO_USD = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Recost:
    """Another cost for a request that is stored, and why."""

    request_key: str
    source: str
    """Of the record: where several sources tell of a call, each has a cost of its own."""
    cost_usd: Decimal | None
    cost_status: CostStatus
    price_id: str | None
    list_usd: Decimal | None
    cache_read_usd: Decimal | None
    cache_read_saving_usd: Decimal | None
    cache_write_premium_usd: Decimal | None
    reason: str


@dataclass(frozen=True, slots=True)
class RejectedRow:
    location: str
    reason: str
    raw: str
    session_id: str | None


class Stage:
    def __init__(self, *, source: str, location: str, directory: Path | None = None) -> None:
        """`directory` is where the stage makes its own directory: `Store.stage_directory` spares a copy."""
        self.source = source
        self.location = storable(location)
        self.cursor: str | None = None
        """Where the next load goes on: set by the loader, stored with the rows."""
        self.directory = Path(mkdtemp(prefix="load-", dir=directory))
        self.ignored: Counter[str] = Counter()
        self.items = 0
        """Items that gave records."""
        self.whole_parts: set[str] = set()
        """Parts of the source that this load states as a whole: what is stored of them and not staged is removed."""
        self.rejected = 0
        self.rejections: list[tuple[str, str]] = []
        self._lines = 0
        self._last_item = -1
        self._files: dict[str, BinaryIO] = {}
        self._closed = False

    @classmethod
    def reopened(cls, directory: Path) -> Self:
        """What another process has staged and closed in `directory`; costs may be added. `StoreError` where it is none.

        Leaving it removes the directory, like every stage.
        """
        stage = cls.__new__(cls)
        try:
            written = orjson.loads((directory / MANIFEST).read_bytes())
            stage.source, stage.location, stage.cursor = written["source"], written["location"], written["cursor"]
            stage.ignored, stage.items = Counter(written["ignored"]), written["items"]
            stage.whole_parts, stage.rejected = set(written["whole_parts"]), written["rejected"]
            stage.rejections = [(where, why) for where, why in written["rejections"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{directory} holds no finished load: {error}") from error
        stage.directory, stage._files, stage._closed = directory, {}, False
        stage._lines, stage._last_item = 0, -1
        return stage

    @property
    def tables(self) -> frozenset[str]:
        """What has something staged: for each a file `<table>.ndjson` in `directory`."""
        return frozenset(path.stem for path in self.directory.glob("*.ndjson"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # the disk is full: what was staged goes now
            self._end_files()
        rmtree(self.directory, ignore_errors=True)

    def add(self, item: int, record: StagedRecord) -> None:
        """`item` numbers the lines or entries of the load, ascending; one that gave several records has one number."""
        table = TABLE_OF.get(type(record))
        if table is None:
            raise StoreError(f"a {type(record).__name__} cannot be staged; a Request goes in as a PricedRequest")
        self._write(table.name, item, record)
        self.items += item > self._last_item
        self._last_item = max(item, self._last_item)

    def ignore(self, rule: str) -> None:
        self._must_be_open()
        self.ignored[rule] += 1

    def reject(self, location: str, reason: str, raw: str = "", session_id: str | None = None) -> None:
        """With a `session_id` the cost of that session is not known until the row can be read."""
        named = storable(session_id) if session_id is not None else None
        row = RejectedRow(storable(location), storable(reason), storable(raw[:MAX_RAW]), named)
        self._write("rejected_rows", 0, row)
        self.rejected += 1
        if len(self.rejections) < SHOWN_REJECTIONS:
            self.rejections.append((row.location, row.reason))

    def recost(self, anew: PricedRequest, reason: str) -> None:
        """Gives a stored request another cost; the old one is kept in `restatements` if it was known."""
        recost = Recost(
            anew.request.request_key,
            anew.request.source,
            anew.cost_usd,
            anew.cost_status,
            anew.price_id,
            anew.list_usd,
            anew.cache_read_usd,
            anew.cache_read_saving_usd,
            anew.cache_write_premium_usd,
            storable(reason),
        )
        self._write("recosts", 0, recost)

    def state_whole(self, part: str) -> None:
        """What the store has of this part from this source, and this load does not stage, is gone from the source."""
        self._must_be_open()
        self.whole_parts.add(part)

    def close(self) -> None:
        """Ends the files and, last of all, writes the manifest: a directory without one holds no finished load."""
        if self._closed:
            return
        manifest = {
            "source": self.source,
            "location": self.location,
            "cursor": self.cursor,
            "ignored": dict(self.ignored),
            "items": self.items,
            "whole_parts": sorted(self.whole_parts),
            "rejected": self.rejected,
            "rejections": self.rejections,
        }
        try:
            self._end_files()
            (self.directory / MANIFEST).write_bytes(orjson.dumps(manifest))
        except OSError as error:
            raise self._no_room(error) from error

    def _end_files(self) -> None:
        self._closed = True
        with ExitStack() as files:
            for file in self._files.values():
                files.callback(file.close)

    def _no_room(self, error: OSError) -> StoreError:
        reason = error.strerror or error
        return StoreError(f"the load of {self.location} cannot be staged in {self.directory}: {reason}")

    def _write(self, name: str, item: int, record: StagedRecord | Recost | RejectedRow) -> None:
        self._must_be_open()
        line = orjson.dumps(record, default=_decimal)
        self._lines += 1
        try:
            if name not in self._files:
                self._files[name] = (self.directory / f"{name}.ndjson").open("wb")
            self._files[name].write(b'{"seq":%d,"item":%d,"record":%b}\n' % (self._lines, item, line))
        except OSError as error:
            raise self._no_room(error) from error

    def _must_be_open(self) -> None:
        if self._closed:
            raise StoreError(f"the load of {self.location} is closed; start another stage")


def _decimal(value: object) -> str:
    """Amounts in whole 10^-12 USD, as text: a JSON number would be read as a binary float."""
    if not isinstance(value, Decimal):
        raise TypeError(f"no JSON for {type(value).__name__}")
    return format(value.quantize(_PICO_USD, ROUND_HALF_EVEN), "f")


def storable(text: str) -> str:
    """Text as it came in, with what a database cannot hold (NUL, half a surrogate pair) replaced."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode("utf-8")
