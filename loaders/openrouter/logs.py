"""The `openrouter-logs` loader: OpenRouter's export of its log, a CSV with one generation a row -> requests.

The export names a user, a key and an app, and no session: a session comes from another record of the call, which meets
this one by the generation's id.
"""

from collections.abc import Iterator
from datetime import datetime

from loaders.account import one_of
from loaders.cell import Cell
from loaders.item import Item, LoadError
from loaders.loader import Loader, Task
from loaders.openrouter.calls import AGENTS, PROVIDER, Generation, request_of
from loaders.source import total_bytes
from loaders.table import Entry, Row, open_table, read_entries

__all__ = ["LOADER", "read"]

NAME = "openrouter-logs"
_REQUIRED = ("generation_id", "created_at", "cost_total", "tokens_prompt", "tokens_completion", "model_permaslug")
"""Others that are read may be missing, and OpenRouter adds columns as it goes."""


def read(task: Task) -> Iterator[Item]:
    """An item for every row.

    Raises:
        LoadError: there is no such file, or it is no export of OpenRouter's log.
    """
    agent = one_of(task, "agent", AGENTS)
    table = open_table(task.path, on_bytes=task.on_bytes)
    missing = [column for column in _REQUIRED if column not in table.columns]
    if table.columns and missing:
        raise LoadError(
            f"{table.shown_as}: there is no column {missing[0]!r}; the export of OpenRouter's log has "
            f"{', '.join(_REQUIRED)} and more, this file has {', '.join(table.columns)}"
        )
    return read_entries(table.rows, lambda row: _entry(row, agent, task.now))


def _entry(row: Row, agent: str, now: datetime) -> Entry:
    request = request_of(
        Generation(
            id=row["generation_id"],
            created_at=row["created_at"],
            model=row["model_permaslug"].maybe(Cell.text),
            prompt=row["tokens_prompt"],
            completion=row["tokens_completion"],
            cached=row["tokens_cached"],
            cache_effect=row["cost_cache"],
            cost=row["cost_total"],
            upstream_cost=row["byok_usage_inference"],
            duration_ms=row["generation_time_ms"],
            status="aborted"
            if row["cancelled"].maybe(Cell.flag)
            else "error"
            if row["finish_reason_normalized"].maybe(Cell.text) == "error"
            else "ok",
            agent=None if agent == AGENTS[0] else row[agent].maybe(Cell.text),
        ),
        PROVIDER,
        now,
    )
    return Entry(f"generation {request.request_key!r}", (request,))


LOADER = Loader(
    NAME,
    "the export of OpenRouter's log: CSV with one generation a row",
    read,
    size=lambda path: total_bytes([path]),
    options=("agent",),
)
