"""Sessions by group as the sums that evidence rests on: one statement over `session_facts`, for `roi` and `routing`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Protocol

from finance.tally import Moments, Prior, Tally, prior_of
from server.slices import Slice
from store import Rows

DIMENSIONS = ("model", "task_class", "agent", "trigger", "provider")
"""What sessions can be grouped by: columns of `session_facts`, and dimensions of the catalog."""
NEEDS = ("sessions", "roi", "task_success_rate", "cost_per_scored_task", "cost_per_success")
"""Metrics that a caller must be allowed to see: what evidence tells of each of them."""
ROOT = "root_session_id"
"""The column of `session_facts` that says which sessions belong together."""
RESULTS = "SELECT session_id, result AS task_result FROM task_results_at($as_of)"
"""What had come of the task of each session by an instant: success, failure, pending, running or none."""

Keys = tuple[str | None, ...]


class Reads(Protocol):
    """A store, or one snapshot of it."""

    def read(self, sql: str, params: Mapping[str, Any] | None = None, *, timeout_ms: int | None = None) -> Rows: ...


@dataclass(frozen=True, slots=True)
class Counted:
    """One group, and what is pooled over the groups of its task class, or over all where that is no key."""

    keys: Keys
    tally: Tally
    pooled_resolved: int
    pooled_successes: int

    def prior(self, strength: float, source: str) -> Prior:
        return prior_of(self.pooled_resolved, self.pooled_successes, strength, source)


def counted(
    reader: Reads,
    chosen: Slice,
    by: Sequence[str],
    *,
    most: int,
    now: datetime,
    single_model_only: bool = False,
    timeout_ms: int | None = None,
) -> tuple[list[Counted], bool]:
    """The groups with the most sessions first, as they were `now`, and whether there are more than `most`."""
    unknown = [name for name in by if name not in DIMENSIONS]
    if unknown or not by:
        raise ValueError(f"sessions are grouped by some of {', '.join(DIMENSIONS)}, not by {unknown}")
    sql = _sql(chosen, by, most + 1, single_model_only=single_model_only)
    params = {**chosen.params, "as_of": now.astimezone(UTC).replace(tzinfo=None)}
    rows = reader.read(sql, params, timeout_ms=timeout_ms).rows
    return [_counted(row, len(by), now) for row in rows[:most]], len(rows) > most


def _sql(chosen: Slice, by: Sequence[str], most: int, *, single_model_only: bool) -> str:
    keys = ", ".join(f'"{name}"' for name in by)
    same = " AND ".join(f'session."{name}" IS NOT DISTINCT FROM counted."{name}"' for name in by)
    together = " AND ".join(f'counted."{name}" IS NOT DISTINCT FROM spread."{name}"' for name in by)
    pool = "PARTITION BY counted.task_class" if "task_class" in by else ""
    return _STATEMENT.format(
        keys=keys,
        of_session=", ".join(f'session."{name}"' for name in by),
        of_group=", ".join(f'counted."{name}"' for name in by),
        same=same,
        together=together,
        root=ROOT,
        results=RESULTS,
        chosen=chosen.sql,
        only="AND NOT fact.mixed_models" if single_model_only else "",
        pool=pool,
        most=most,
    )


# Deviations are from the means of the group, so that nothing is lost where they are small beside the means.
_STATEMENT = """
WITH session AS (
    SELECT fact.* REPLACE (result.task_result AS task_result), fact.{root} AS root,
        result.task_result IN ('success', 'failure') AS is_resolved,
        result.task_result IN ('pending', 'running') AS is_open,
        result.task_result IN ('success', 'failure') AND fact.cost_usd IS NOT NULL AS is_scored
    FROM session_facts AS fact
    JOIN ({results}) AS result ON result.session_id = fact.session_id
    WHERE fact.session_id IN ({chosen}) {only}
),
counted AS (
    SELECT {keys},
        count(*) AS sessions,
        count(*) FILTER (task_result = 'pending') AS pending,
        count(*) FILTER (is_resolved) AS resolved,
        count(*) FILTER (task_result = 'success') AS successes,
        count(*) FILTER (is_scored) AS scored,
        count(*) FILTER (is_scored AND task_result = 'success') AS scored_successes,
        sum(cost_usd) FILTER (is_scored) AS cost_usd,
        max(cost_usd) FILTER (is_scored) AS largest_cost_usd,
        count(*) FILTER (mixed_models) AS mixed_model_sessions,
        count(*) FILTER (is_open AND started_at IS NULL) AS open_without_a_start,
        min(started_at) FILTER (is_open) AS first_open_at
    FROM session
    GROUP BY {keys}
),
deviations AS (
    SELECT {of_session}, session.root,
        CASE WHEN is_scored THEN session.cost_usd::DOUBLE - counted.cost_usd::DOUBLE / scored END AS cost,
        CASE WHEN is_scored THEN (task_result = 'success')::INTEGER - scored_successes::DOUBLE / scored END AS success
    FROM session
    JOIN counted ON {same}
    WHERE is_resolved
),
roots AS (
    SELECT {keys}, root, count(*) AS resolved, count(cost) AS scored, sum(cost) AS cost, sum(success) AS success,
        sum(cost * cost) AS cost_squares, sum(success * success) AS success_squares, sum(cost * success) AS products
    FROM deviations
    GROUP BY {keys}, root
),
spread AS (
    SELECT {keys},
        sum(resolved * resolved)::BIGINT AS root_squares,
        count(*) FILTER (scored > 0) AS scored_roots,
        fsum(cost_squares) AS cost_squares, fsum(success_squares) AS success_squares, fsum(products) AS products,
        fsum(cost * cost) AS root_cost_squares, fsum(success * success) AS root_success_squares,
        fsum(cost * success) AS root_products
    FROM roots
    GROUP BY {keys}
)
SELECT {of_group}, sessions, pending, resolved, successes, coalesce(root_squares, 0), scored, scored_successes,
    coalesce(scored_roots, 0), cost_usd, largest_cost_usd, cost_squares, success_squares, products, root_cost_squares,
    root_success_squares, root_products, mixed_model_sessions, open_without_a_start, first_open_at,
    (sum(resolved) OVER ({pool}))::BIGINT, (sum(successes) OVER ({pool}))::BIGINT
FROM counted
LEFT JOIN spread ON {together}
ORDER BY sessions DESC, {of_group}
LIMIT {most}
"""


def _counted(row: Sequence[Any], width: int, now: datetime) -> Counted:
    keys, values = tuple(row[:width]), iter(row[width:])
    sessions, pending, resolved, successes, root_squares, scored, scored_successes, scored_roots = _ints(values, 8)
    cost, largest = (next(values) or Decimal(0) for _ in range(2))
    of_sessions = Moments(*_floats(values, 3))
    of_roots = Moments(*_floats(values, 3))
    mixed, without_a_start = _ints(values, 2)
    tally = Tally(
        sessions=sessions,
        pending=pending,
        resolved=resolved,
        successes=successes,
        root_squares=root_squares,
        scored=scored,
        scored_successes=scored_successes,
        scored_roots=scored_roots,
        cost_usd=cost,
        largest_cost_usd=largest,
        of_sessions=of_sessions,
        of_roots=of_roots,
        mixed_model_sessions=mixed,
        mature_through=_mature_through(next(values), without_a_start, now),
    )
    return Counted(keys, tally, *_ints(values, 2))


def _ints(values: Iterator[Any], count: int) -> list[int]:
    return [int(value) for value in islice(values, count)]


def _floats(values: Iterator[Any], count: int) -> list[float]:
    return [float(value or 0) for value in islice(values, count)]


def _mature_through(first_open_at: datetime | None, without_a_start: int, now: datetime) -> datetime | None:
    """Where nothing runs or is pending, all until now is decided; where something without a start is, nobody knows."""
    if without_a_start:
        return None
    return now if first_open_at is None else first_open_at.replace(tzinfo=UTC)
