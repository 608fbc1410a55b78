"""Budgets: a YAML, CSV or JSONL file with a limit on spend a line, and what happens when it is reached."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import cast, get_args
from zoneinfo import available_timezones

from loaders.cell import Cell, CellError
from loaders.item import Item, Note
from loaders.loader import of_files
from loaders.source import OnBytes
from loaders.table import Entry, Row, nearest
from loaders.whole_file import read_whole_file
from store import Budget
from store.records import BudgetAction, BudgetPeriod, BudgetScope, Trigger

_REQUIRED = ("budget_id", "limit_usd")
_OPTIONAL = (
    *("scope", "member", "period", "zone", "thresholds", "action", "exempt_triggers", "unpriced_denied"),
    "currency",
)
_DEFAULT_THRESHOLDS = (Decimal("0.5"), Decimal("0.8"), Decimal(1))
_MOST_LISTED = 20
_BETWEEN = re.compile(r"[\s;,|]+")


def read(path: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item | Note]:
    """An item for every budget. `now` plays no part: a budget holds until its file no longer has it.

    Raises:
        LoadError: there is no such file, or its columns are not those of budgets.
    """
    return read_whole_file(path, _REQUIRED, _OPTIONAL, _budget, on_bytes=on_bytes)


def _budget(row: Row, part: str) -> Entry:
    row.require_usd("limit_usd")
    scope = cast(BudgetScope, _word(row["scope"], get_args(BudgetScope)) or "global")
    budget = Budget(
        budget_id=row["budget_id"].text(),
        source="budgets",
        limit_usd=row["limit_usd"].price(),
        scope=scope,
        member=_member(row["member"], scope),
        period=cast(BudgetPeriod, _word(row["period"], get_args(BudgetPeriod)) or "day"),
        zone=row["zone"].maybe(_zone) or "UTC",
        thresholds=_thresholds(row["thresholds"]),
        action=cast(BudgetAction, _word(row["action"], get_args(BudgetAction)) or "alert"),
        exempt_triggers=_triggers(row["exempt_triggers"]),
        unpriced_denied=_triggers(row["unpriced_denied"]),
        part=part,
    )
    return Entry(f"budget {budget.budget_id!r}", (budget,))


def _member(cell: Cell, scope: BudgetScope) -> str | None:
    """A trigger is one of ours; agents, models and sessions have names that nobody can know beforehand."""
    return _word(cell, get_args(Trigger)) if scope == "trigger" else cell.maybe(Cell.text)


def _thresholds(cell: Cell) -> tuple[Decimal, ...]:
    """In rising order, each once; an empty list means that nothing is told before the limit stops anything."""
    advice = "must be shares of the limit like 0.5 (0.8 is 80 %)"
    listed = _listed(cell)
    if listed is None:
        return _DEFAULT_THRESHOLDS
    return tuple(sorted({share.number(advice) for share in listed}))


def _triggers(cell: Cell) -> tuple[str, ...]:
    words = (_word(listed, get_args(Trigger)) for listed in _listed(cell) or ())
    return tuple(sorted({word for word in words if word is not None}))


def _listed(cell: Cell) -> list[Cell] | None:
    """A list, or (in CSV) words with spaces or semicolons between them; None where there is nothing."""
    if cell.is_empty:
        return None
    values: Sequence[object] = cell.value if isinstance(cell.value, list) else _BETWEEN.split(cell.text())
    if len(values) > _MOST_LISTED:
        raise CellError(f"{cell.column} has {len(values):,} values; at most {_MOST_LISTED} make sense")
    return [Cell(cell.column, value) for value in values if value != ""]


def _word(cell: Cell, known: tuple[str, ...]) -> str | None:
    """One of a closed set, however its letters are written; None where there is nothing."""
    word = cell.maybe(Cell.text)
    if word is None:
        return None
    if word.lower() not in known:
        advice = f"must be one of {', '.join(known)}{nearest(word.lower(), known)}"
        raise CellError(f"{cell.column} {advice}, got {word!r}")
    return word.lower()


def _zone(cell: Cell) -> str:
    zone = cell.text()
    if zone not in _zones():
        advice = "must be the name of a time zone like America/New_York"
        raise CellError(f"{cell.column} {advice}{nearest(zone, _zones())}, got {zone!r}")
    return zone


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory"})  # these two mean nothing elsewhere


LOADER = of_files("budgets", "limits on spend; YAML, CSV or JSONL", read)
