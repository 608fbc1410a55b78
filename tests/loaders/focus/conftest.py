"""Bills that a test writes row by row, and what comes of them."""

import csv
import gzip
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from loaders import focus
from loaders.item import Item, Note, Parsed, Rejected, WholePart
from loaders.job import run_load
from store import Charge, LoadReport, Store

NOW = datetime(2026, 12, 1, tzinfo=UTC)
ROW = {
    "BillingAccountId": "1001",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-11-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeDescription": "input tokens",
    "ChargePeriodEnd": "2026-11-20T00:00:00Z",
    "ChargePeriodStart": "2026-11-19T00:00:00Z",
    "BilledCost": "4",
    "EffectiveCost": "3.2174105",
    "ProviderName": "AWS",
    "ServiceCategory": "AI and Machine Learning",
    "ServiceName": "Amazon Bedrock",
    "x_UsageType": "USE1-Input",
}


def csv_of(rows: Iterable[Mapping[str, str]], columns: Iterable[str] = ROW) -> str:
    text = StringIO()
    writer = csv.DictWriter(text, list(columns), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write(path: Path, *rows: Mapping[str, str]) -> Path:
    columns = dict.fromkeys(column for row in rows for column in row)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = csv_of(rows, columns).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def read(path: Path, *rows: Mapping[str, str]) -> list[Item | Note]:
    return list(focus.read(write(path / "costs.csv", *rows), now=NOW))


def charges(items: Iterable[Item | Note]) -> list[Charge]:
    found = []
    for item in items:
        if isinstance(item, WholePart):
            continue
        assert isinstance(item, Parsed), item
        [charge] = item.records
        assert isinstance(charge, Charge)
        found.append(charge)
    return found


def charge_of(path: Path, **changed: str) -> Charge:
    [charge] = charges(read(path, ROW | changed))
    return charge


def reason(path: Path, **changed: str) -> str:
    [item] = read(path, ROW | changed)
    assert isinstance(item, Rejected)
    return item.reason


def load(store: Store, path: Path, whole: str | None = None) -> LoadReport:
    return run_load(store, "focus", str(path), focus.read(path, now=NOW, whole=whole), now=NOW)


def sums(store: Store) -> tuple[object, object]:
    """What was billed and what it cost in effect."""
    [(billed, effective)] = store.read("SELECT sum(billed_usd), sum(amount_usd) FROM charges").rows
    return billed, effective


def total(store: Store) -> object:
    [(amount,)] = store.read("SELECT sum(amount_usd) FROM charge_days").rows
    return amount
