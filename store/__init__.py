"""Where the rows are: schema, writes and reads. The only package that imports duckdb."""

from store.records import (
    CashBalance,
    Charge,
    Outcome,
    Price,
    Record,
    RecordError,
    Request,
    Session,
)

__all__ = [
    "CashBalance",
    "Charge",
    "Outcome",
    "Price",
    "Record",
    "RecordError",
    "Request",
    "Session",
]
