"""The records that loaders write: one frozen class a table, and what a valid one looks like.

A record that exists is valid: constructing it checks it and raises `RecordError` with the field and what would be
right. Money is `Decimal` in USD, instants are aware UTC datetimes, days are dates. `None` means "the source does not
say", never zero. Several records with one key are evidence about one row; `store.merge` says which of them wins. Every
table's record is described in this package and nowhere else.
"""

from store.records.calls import (
    Outcome,
    ReportedUsage,
    Request,
    RequestStatus,
    Scope,
    Score,
    Session,
    Termination,
    Trigger,
    UsageReporter,
)
from store.records.money import (
    AllocationPolicy,
    Budget,
    BudgetAction,
    BudgetPeriod,
    BudgetScope,
    CashBalance,
    CashFlow,
    Charge,
    ChargeCategory,
    ChargeItem,
    CreditQuota,
    CreditUsage,
    FlowKind,
    Price,
)

Record = (
    Request
    | Session
    | Outcome
    | Score
    | ReportedUsage
    | Charge
    | CashBalance
    | CashFlow
    | CreditUsage
    | CreditQuota
    | Budget
    | Price
)

__all__ = [
    "AllocationPolicy",
    "Budget",
    "BudgetAction",
    "BudgetPeriod",
    "BudgetScope",
    "CashBalance",
    "CashFlow",
    "Charge",
    "ChargeCategory",
    "ChargeItem",
    "CreditQuota",
    "CreditUsage",
    "FlowKind",
    "Outcome",
    "Price",
    "Record",
    "ReportedUsage",
    "Request",
    "RequestStatus",
    "Scope",
    "Score",
    "Session",
    "Termination",
    "Trigger",
    "UsageReporter",
]
