"""Rows of SQL for fields that read facts by themselves."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from server.graphql.context import Context


def rows_of(context: Context, sql: str, params: Mapping[str, object]) -> list[dict[str, Any]]:
    """Column -> value for each row, within what is left of the question's time."""
    answer = context.reader.read(sql, params, timeout_ms=context.deadline.remaining_ms())
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def zoneless(instant: datetime) -> datetime:
    """As the store keeps instants: UTC, without saying so."""
    return instant.astimezone(UTC).replace(tzinfo=None)
