"""The tables that metrics read, made from views over what is stored, inside the transaction that changed it.

A view of a session is dear to plan and to compute; a question asks for it thousands of times between two loads. So each
`<fact>_now` view is written down as the table `<fact>` whenever something that it reads has changed.
"""

from collections.abc import Container, Iterable
from datetime import datetime, timedelta

from duckdb import DuckDBPyConnection

ACCRUAL = "accrual"
"""The day until which fees of plans have accrued in the facts; it moves with the loads."""
_CALLS = frozenset({"requests", "sessions", "rejected_rows"})
_PLANS = _CALLS | {"charges", ACCRUAL}
_CREDITS = _CALLS | {"charges", "credit_usage"}
_TREES = _CALLS | {"charges", "allocation"}

FACTS: dict[str, frozenset[str]] = {
    "charge_days": frozenset({"charges"}),
    "allocated_days": frozenset({"sessions", "charges", "allocation"}),
    "cash_days": frozenset({"cash_balances"}),
    "flow_days": frozenset({"cash_flows"}),
    "request_facts": _CALLS,
    "plan_shares": _PLANS,
    "credit_facts": _CREDITS,
    "billed_periods": frozenset({"charges"}),
    "computed_days": _CALLS,
    "billed_fees": frozenset({"charges"}),
    "fee_facts": _CREDITS | {"prices"},
    "credit_purchases": _CREDITS,
    "expired_credits": _CREDITS | {ACCRUAL, "prices"},
    "session_credits": _CREDITS,
    "session_plans": _PLANS,
    "session_spend": _CALLS,
    "session_trees": _TREES,
    "outcome_facts": frozenset({"sessions", "outcomes", "outcome_rules"}),
    "session_facts": _PLANS | _CREDITS | _TREES | {"outcomes", "outcome_rules", "scores"},
    "compute_days": frozenset({"sessions", "charges", "allocation"}),
    "daily_spend": _CREDITS | {ACCRUAL, "cash_flows", "prices"},
    "reconciliation_days": _CALLS | {"charges", "tolerance"},
    "provider_days": _CALLS | {"charges", "tolerance"},
}
"""Each fact, after those it reads, with the tables whose rows it rests on."""

_INFRASTRUCTURE = "charge_days WHERE is_infrastructure"
_FEES_BILLED = "charges WHERE category = 'inference' AND line_item = 'fee'"
_CREDITS_BOUGHT = "charges WHERE category = 'credits'"

SOURCES: dict[str, str] = {
    "charge_days": "charges",
    "allocated_days": _INFRASTRUCTURE,
    "plan_shares": "charges WHERE category = 'subscription'",
    "credit_facts": "credit_usage",
    "credit_purchases": _CREDITS_BOUGHT,
    "expired_credits": _CREDITS_BOUGHT,
    "session_credits": "credit_usage",
    "session_plans": "request_facts WHERE cost_status = 'INCLUDED' AND session_id IS NOT NULL",
    "session_spend": "request_facts WHERE session_id IS NOT NULL",
    "session_trees": "sessions WHERE parent_session_id IS NOT NULL",
    "outcome_facts": "outcomes",
    "session_facts": "sessions",
    "compute_days": _INFRASTRUCTURE,
    "billed_periods": "charges WHERE category = 'inference'",
    "billed_fees": _FEES_BILLED,
    "fee_facts": _FEES_BILLED,
}
"""Some facts, with rows without any of which they have none. To plan a view is dear however little it reads, and many
stores have no plans, credits or machines: there the fact is emptied, and its view is not looked at."""

_ORDER = {"request_facts": "started_at", "session_facts": "started_at"}
"""Rows in the order of time, so that a question about some days skips the others."""


def define_facts(cursor: DuckDBPyConnection, definitions: Iterable[str]) -> None:
    """Makes the views and, after each text that defines some, writes down the facts that the next texts read."""
    for definition in definitions:
        cursor.execute(definition)
        for fact in FACTS:
            if f"VIEW {fact}_now " in definition:
                _write_down(cursor, fact)


def refresh_facts(cursor: DuckDBPyConnection, changed: Iterable[str], done: Container[str] = ()) -> None:
    """Writes down every fact that rests on one of the `changed` tables, but for those that are `done`."""
    changed = set(changed)
    for fact, tables in FACTS.items():
        if fact not in done and changed & tables:
            write_fact(cursor, fact)


def write_fact(cursor: DuckDBPyConnection, fact: str) -> None:
    """Writes down all of it."""
    if _has_rows(cursor, fact):
        _write_down(cursor, fact)
    else:
        cursor.execute(f"DELETE FROM {fact}")


def accrue_until(cursor: DuckDBPyConnection, now: datetime) -> bool:
    """Lets fees accrue through the UTC day of `now`; whether that changes facts. The day never moves back.

    A fee accrues with time and facts change with loads alone, so a load tells the facts what time it is: what they say
    of a plan is as old as the calls that they know.
    """
    until_on = (now + timedelta(days=1) - timedelta.resolution).date()
    moved = cursor.execute(
        "UPDATE accrual SET until_on = $until_on WHERE until_on IS NULL OR until_on < $until_on RETURNING 1",
        {"until_on": until_on},
    ).fetchone()
    paid_ahead = "SELECT 1 FROM charges WHERE category IN ('subscription', 'credits') LIMIT 1"
    return moved is not None and cursor.execute(paid_ahead).fetchone() is not None


def _write_down(cursor: DuckDBPyConnection, fact: str) -> None:
    order = f" ORDER BY {_ORDER[fact]}" if fact in _ORDER else ""
    cursor.execute(f"CREATE OR REPLACE TABLE {fact} AS SELECT * FROM {fact}_now{order}")


def _has_rows(cursor: DuckDBPyConnection, fact: str) -> bool:
    """Whether it may have some."""
    return fact not in SOURCES or cursor.execute(f"SELECT 1 FROM {SOURCES[fact]} LIMIT 1").fetchone() is not None
