"""The questions that the field `outcomes` asks of the store, about the sessions of a slice, as of an instant."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from strawberry import Info

from server.graphql.context import Context

MOST_KINDS = 200


@dataclass(frozen=True, slots=True)
class Asked:
    sql: str
    """Of the sessions that are meant."""
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Alike:
    """Sessions with one result that took, or were followed for, the same time."""

    result: str
    is_mature: bool
    after_us: int
    number: int
    window_us: int | None
    """The longest of their windows."""
    unknown_costs: int
    known_usd: Decimal


def read(info: Info[Context, None], sql: str, asked: Asked) -> list[tuple[Any, ...]]:
    context = info.context
    text = f"WITH chosen AS ({asked.sql}) {sql}"
    return context.reader.read(text, asked.params, timeout_ms=context.deadline.remaining_ms()).rows


WORDS = ("success", "failure", "pending", "running", "none")
COUNTED = ("outcomes", "sessions", "successes", "late", "taken_back", "undated", "before_start")
_THEN = "task_results_at($as_of::TIMESTAMP) SEMI JOIN chosen USING (session_id)"
RESULTS = f"""
SELECT
    result,
    is_mature,
    CASE result
        WHEN 'success' THEN coalesce(us_to_success, 0)
        WHEN 'pending' THEN coalesce(epoch_us($as_of::TIMESTAMP) - epoch_us(task.ended_at), 0)
        ELSE 0
    END AS after_us,
    count(*),
    max(epoch_us(task.decides_at) - epoch_us(task.ended_at)),
    count(*) FILTER (WHERE fact.cost_usd IS NULL),
    coalesce(sum(fact.cost_usd), 0)
FROM (FROM {_THEN}) AS task JOIN session_facts AS fact USING (session_id)
GROUP BY ALL"""
KINDS = f"""
SELECT kind, count(*), count(DISTINCT session_id),
    count(*) FILTER (WHERE is_success AND is_in_time AND NOT is_off),
    count(*) FILTER (WHERE is_success AND is_late), count(*) FILTER (WHERE is_success AND is_off),
    count(*) FILTER (WHERE occurred_at IS NULL), count(*) FILTER (WHERE is_before_start)
FROM (
    SELECT *, is_reversed AND coalesce(reversed_at <= $as_of::TIMESTAMP, TRUE) AS is_off
    FROM outcome_facts SEMI JOIN chosen USING (session_id)
    WHERE occurred_at IS NULL OR occurred_at <= $as_of::TIMESTAMP
) GROUP BY kind ORDER BY count(*) DESC, kind LIMIT {MOST_KINDS}"""
TASKS = f"""
SELECT session_id, result, ended_at, success_at, failure_at, decides_at
FROM {_THEN} ORDER BY session_id LIMIT $shown"""
