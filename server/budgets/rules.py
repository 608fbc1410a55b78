"""Which budgets are in force: those that were loaded, and the daily cap of the settings."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from finance.budgets import Rule, Window
from finance.windows import window_of
from store import Reader, StoreError

DAILY = "daily"
"""The id of the settings' cap; a loaded budget of this id replaces it."""

_COLUMNS = "budget_id, limit_usd, scope, member, period, zone, thresholds, action, exempt_triggers, unpriced_denied"


def default_rule(limit_usd: Decimal | None, zone: str) -> Rule | None:
    """A cap on everything that a local day costs, which blocks; None where there is no limit."""
    if limit_usd is None:
        return None
    return Rule(budget_id=DAILY, limit_usd=limit_usd, zone=zone, blocks=True)


def rules_in_force(reader: Reader, default: Rule | None, timeout_ms: int) -> tuple[Rule, ...]:
    """In the order of their ids."""
    found = reader.read(f"SELECT {_COLUMNS} FROM budgets ORDER BY budget_id", timeout_ms=timeout_ms).rows
    rules = {rule.budget_id: rule for rule in map(_rule, found)}
    if default is not None:
        rules.setdefault(default.budget_id, default)
    return tuple(rules[name] for name in sorted(rules))


def windows_at(rules: tuple[Rule, ...], at: datetime) -> dict[str, Window]:
    """Budget -> its window that contains an instant."""
    return {rule.budget_id: _window(rule, at) for rule in rules}


def _window(rule: Rule, at: datetime) -> Window:
    try:
        return window_of(at, rule.period, rule.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise StoreError(
            f"budget {rule.budget_id!r}: there is no time zone {rule.zone!r}; load it with another"
        ) from error


def _rule(row: tuple[Any, ...]) -> Rule:
    budget_id, limit_usd, scope, member, period, zone, thresholds, action, exempt, unpriced_denied = row
    return Rule(
        budget_id=budget_id,
        limit_usd=limit_usd,
        scope=scope,
        member=member,
        period=period,
        zone=zone,
        thresholds=tuple(sorted(share.normalize() for share in thresholds)),
        blocks=action == "block",
        exempt_triggers=frozenset(exempt),
        unpriced_denied=frozenset(unpriced_denied),
    )
