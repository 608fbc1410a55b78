"""The price book as one snapshot of the store has it, now or as it was known."""

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from store import Price, Reader, Rows

_END = datetime.max.replace(tzinfo=UTC)
_COLUMNS = tuple(field.name for field in fields(Price))


def lines_known(reader: Reader, known_at: datetime | None = None, *, timeout_ms: int | None = None) -> list[Price]:
    """The newest version of each line, of those that were loaded at an instant (by default, all)."""
    return lines_by(lambda sql, params: reader.read(sql, params, timeout_ms=timeout_ms), known_at)


def lines_by(read: Callable[[str, dict[str, Any]], Rows], known_at: datetime | None = None) -> list[Price]:
    """The same for whoever has a way to read and no reader."""
    instant = _END if known_at is None else known_at.astimezone(UTC)
    rows = read(
        f"SELECT {', '.join(_COLUMNS)} FROM prices_known_at($instant)"
        " ORDER BY provider, model, effective_from, price_id",
        {"instant": instant.replace(tzinfo=None)},
    ).rows
    return [Price(**{name: _zoned(value) for name, value in zip(_COLUMNS, row, strict=True)}) for row in rows]


def _zoned(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
