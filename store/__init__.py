"""Where the rows are: schema, writes and reads. The only package that imports duckdb."""

from store.accounts import LoadReport
from store.checks import RecordError
from store.database import Store
from store.errors import QueryError, QueryTimeout, StoreBusyError, StoreError
from store.outcomes import OutcomeRule
from store.payloads import Part, Payload
from store.priced import CostStatus, PricedRequest
from store.read import Reader, Rows
from store.records import (
    AllocationPolicy,
    Budget,
    CashBalance,
    CashFlow,
    Charge,
    CreditQuota,
    CreditUsage,
    Outcome,
    Price,
    Record,
    ReportedUsage,
    Request,
    Score,
    Session,
)
from store.stage import Stage, StagedRecord
from store.stored import Load, SourceState

__all__ = [
    "AllocationPolicy",
    "Budget",
    "CashBalance",
    "CashFlow",
    "Charge",
    "CostStatus",
    "CreditQuota",
    "CreditUsage",
    "Load",
    "LoadReport",
    "Outcome",
    "OutcomeRule",
    "Part",
    "Payload",
    "Price",
    "PricedRequest",
    "QueryError",
    "QueryTimeout",
    "Reader",
    "Record",
    "RecordError",
    "ReportedUsage",
    "Request",
    "Rows",
    "Score",
    "Session",
    "SourceState",
    "Stage",
    "StagedRecord",
    "Store",
    "StoreBusyError",
    "StoreError",
]
