"""The tables that records are written to: their keys and columns, and how a staged line becomes a row.

A staged line is `{"seq", "item", "record"}` in JSON. Its types follow from the fields of the record, so that they are
listed in `store.records` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from store.priced import PricedRequest
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
    Request,
    Score,
    Session,
)

MONEY = "DECIMAL(38, 12)"

_SQL_TYPES: Mapping[type, str] = {
    str: "VARCHAR",
    bool: "BOOLEAN",
    int: "BIGINT",
    Decimal: MONEY,
    datetime: "TIMESTAMP",
    date: "DATE",
}


SESSION_EVIDENCE: Mapping[str, str] = {
    "agent": "agent_observed_at",
    "parent_session_id": "parent_observed_at",
    "trigger": "trigger_observed_at",
    "task_class": "task_class_observed_at",
    "model": "model_observed_at",
    "stated_termination": "termination_observed_at",
}
"""Column of a session -> the column with the instant of the evidence that decided it."""

WEIGHED: Mapping[str, tuple[str, str]] = {
    "trigger": ("trigger_rule", "trigger_confidence"),
    "stated_termination": ("termination_rule", "termination_confidence"),
}
"""Column of a session -> those with the rule that decided it and the confidence in it."""


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    record: type
    key: tuple[str, ...]
    staged: Mapping[str, str]
    """Column -> the SQL that reads it from `record`, the staged line."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What is compared to tell whether a row has changed: every column but those that name loads."""
        return tuple(self.staged)


def sql_type(hint: Any) -> str:
    """The SQL type of a field; a record inside a record is a STRUCT."""
    if is_dataclass(hint):
        return f"STRUCT({', '.join(f'{name} {sql_type(inner)}' for name, inner in get_type_hints(hint).items())})"
    if isinstance(hint, type):
        return _SQL_TYPES[hint]
    if get_origin(hint) is Literal:
        return _SQL_TYPES[str]
    if get_origin(hint) is tuple:
        return f"{sql_type(get_args(hint)[0])}[]"
    (inner,) = (part for part in get_args(hint) if part is not NoneType)
    return sql_type(inner)


def _as_it_is(record: type, path: str = "record") -> dict[str, str]:
    return {field.name: f"{path}.{field.name}" for field in fields(record)}


def _staged_session() -> dict[str, str]:
    """A field that says nothing carries no instant and no confidence: one piece of evidence in the form of a row.

    `stated_` is what the evidence says of the end; without it, the column is what holds for the session.
    """
    staged = _as_it_is(Session)
    staged["stated_termination"] = staged["termination"]
    staged["stated_ended_at"] = staged["ended_at"]
    staged["ended_at"] = "CASE WHEN NOT record.is_running THEN record.ended_at END"
    staged["is_running"] = "CASE WHEN record.is_running THEN TRUE WHEN record.termination IS NOT NULL THEN FALSE END"
    staged["state_observed_at"] = (
        "CASE WHEN record.is_running OR record.termination IS NOT NULL THEN record.observed_at END"
    )
    for column, instant in SESSION_EVIDENCE.items():
        staged[instant] = f"CASE WHEN {staged[column]} IS NOT NULL THEN record.observed_at END"
    for column, (rule, confidence) in WEIGHED.items():
        staged[rule] = f"CASE WHEN {staged[column]} IS NOT NULL THEN record.{rule} END"
        staged[confidence] = f"CASE WHEN {staged[column]} IS NULL THEN 0 ELSE record.{confidence} END"
    return staged


COST = ("cost_usd", "cost_status", "price_id")
LISTED = ("list_usd", "cache_read_usd", "cache_read_saving_usd", "cache_write_premium_usd")
"""What the book says of the tokens, whoever paid: of the copy that has the usage, not of the one with the bill."""

REQUESTS = Table(
    name="requests",
    record=PricedRequest,
    key=("request_key",),
    staged=_as_it_is(Request, "record.request")
    | {column: f"record.{column}" for column in (*COST, *LISTED)}
    | {"unbilled_status": "NULL::VARCHAR"}
    | {"identities": "list_sort(list_distinct(coalesce(record.request.identities, [])))"},
)
"""`unbilled_status` is what the copy that has the usage knew of its cost; None unless another copy has the bill."""
SIGHTINGS = replace(REQUESTS, name="sightings", key=("request_key", "source"))
"""What one source said of a call under one key, kept beside the row of the call where there was more than one."""
SESSIONS = Table(name="sessions", record=Session, key=("session_id",), staged=_staged_session())
OUTCOMES = Table(name="outcomes", record=Outcome, key=("outcome_id",), staged=_as_it_is(Outcome))
SCORES = Table(name="scores", record=Score, key=("session_id", "scorer"), staged=_as_it_is(Score))
CHARGES = Table(name="charges", record=Charge, key=("charge_id",), staged=_as_it_is(Charge))
CASH_BALANCES = Table(
    name="cash_balances", record=CashBalance, key=("account", "as_of_on"), staged=_as_it_is(CashBalance)
)
CASH_FLOWS = Table(name="cash_flows", record=CashFlow, key=("flow_id",), staged=_as_it_is(CashFlow))
CREDIT_USAGE = Table(name="credit_usage", record=CreditUsage, key=("usage_id",), staged=_as_it_is(CreditUsage))
CREDIT_QUOTAS = Table(
    name="credit_quotas", record=CreditQuota, key=("vendor", "plan", "observed_at"), staged=_as_it_is(CreditQuota)
)
REPORTED_USAGE = Table(name="reported_usage", record=ReportedUsage, key=("usage_id",), staged=_as_it_is(ReportedUsage))
BUDGETS = Table(name="budgets", record=Budget, key=("budget_id",), staged=_as_it_is(Budget))
PRICES = Table(name="prices", record=Price, key=("price_id", "known_at"), staged=_as_it_is(Price))

TABLES = (
    REQUESTS,
    SESSIONS,
    OUTCOMES,
    SCORES,
    CHARGES,
    CASH_BALANCES,
    CASH_FLOWS,
    CREDIT_USAGE,
    CREDIT_QUOTAS,
    REPORTED_USAGE,
    BUDGETS,
    PRICES,
)
TABLE_OF: Mapping[type, Table] = {table.record: table for table in TABLES}
