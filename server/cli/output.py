"""Rows on a terminal, as JSON or as CSV. A value that is not known shows its reason, never 0 and never a blank alone.

JSON and CSV keep every digit: money and dates are text as in GraphQL. The table rounds money to 6 places.
"""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from semantic import Catalog, MetricQuery, Result, Row, Value
from semantic.plan import key_name

SIX_PLACES = Decimal("0.000001")


def as_json(result: Result) -> str:
    """One object a row: keys, metrics, and `status` for each metric whose value is not the whole truth."""
    rows = [
        {**{k: exact(v) for k, v in {**row.keys, **row.values}.items()}, "status": _statuses(row)}
        for row in result.rows
    ]
    body = {"rows": rows, "truncated": result.truncated}
    return orjson.dumps(body, option=orjson.OPT_INDENT_2).decode()


def as_csv(result: Result, question: MetricQuery) -> str:
    """Keys, metrics, and a column `<metric>_status` after each metric."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    keys, metrics = key_columns(question), question.metrics
    writer.writerow([*keys, *(name for m in metrics for name in (m, f"{m}_status"))])
    for row in result.rows:
        cells = [exact(row.keys[k]) for k in keys]
        for metric in metrics:
            cells += [exact(row.values[metric]), row.evidence[metric].status]
        writer.writerow(["" if cell is None else cell for cell in cells])
    return out.getvalue().rstrip("\n")


def key_columns(question: MetricQuery) -> list[str]:
    """What the keys of every row are called, in their order; known also where there are no rows."""
    return [*(key_name(dimension) for dimension in question.by), *(["time"] if question.grain else [])]


def exact(value: Value) -> str | int | float | bool | None:
    """A value without loss: money in plain notation, days and instants in ISO form, instants in UTC."""
    match value:
        case Decimal():
            return format(value, "f")
        case datetime():
            instant = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
            return f"{instant.isoformat()}Z"
        case date():
            return value.isoformat()
    return value


def print_table(result: Result, catalog: Catalog, question: MetricQuery, title: str = "") -> None:
    """A table for people, with a note under it for every mark that it uses."""
    table = Table(title=title or None, title_justify="left", title_style="bold", header_style="bold")
    for key in key_columns(question):
        table.add_column(key)
    for metric in question.metrics:
        unit = catalog.metrics[metric].unit
        table.add_column(f"{metric}\n{unit}" if unit else metric, justify="right")
    for row in result.rows:
        table.add_row(*(_key_cell(v) for v in row.keys.values()), *(_metric_cell(row, m) for m in question.metrics))
    console = Console(width=None if Console().is_terminal else 200)
    console.print(table)
    for note in (*_notes(result), *_notes_on_metrics(catalog, question)):
        console.print(note, style="dim")


def _notes(result: Result) -> list[str]:
    statuses = {e.status for row in result.rows for e in row.evidence.values()}
    notes = []
    if "LOWER_BOUND" in statuses:
        notes.append("≥ a lower bound: some members do not know their value")
    if "PARTIAL" in statuses:
        notes.append("* over the rows whose value is known")
    if not result.rows:
        notes.append("no rows")
    if result.truncated:
        notes.append("there are more rows; raise --limit to see them")
    return notes


def _notes_on_metrics(catalog: Catalog, question: MetricQuery) -> list[str]:
    asked = [catalog.metrics[name] for name in question.metrics]
    estimates = [f"{metric.name} is an estimate" for metric in asked if metric.is_approximate]
    return estimates + [f"{metric.name} is deprecated: {metric.deprecated}" for metric in asked if metric.deprecated]


def _statuses(row: Row) -> dict[str, str]:
    return {metric: e.status for metric, e in row.evidence.items() if e.status != "OK"}


def _key_cell(value: Value) -> Text:
    return Text("-" if value is None else str(exact(value)), style="dim" if value is None else "")


def _metric_cell(row: Row, metric: str) -> Text:
    value, status = row.values[metric], row.evidence[metric].status
    if value is None:
        return Text(status, style="yellow")
    mark = {"LOWER_BOUND": "≥ ", "PARTIAL": "* "}.get(status, "")
    return Text(mark + _shown(value))


def _shown(value: Value) -> str:
    match value:
        case Decimal():
            return f"{value.quantize(SIX_PLACES):,f}"
        case bool():
            return str(value).lower()
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.6g}"
    return str(exact(value))
