"""`clawback untagged`: calls that no known session made, what they cost, and what to do about each kind."""

import csv
import io
from decimal import Decimal
from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Table

from server.cli.one_field import ask_field
from server.cli.opening import open_catalog
from server.settings import Settings

DOCUMENT = """
query Untagged($range: String, $byDay: Boolean!, $limit: Int) {
  untagged(range: $range, byDay: $byDay, limit: $limit) {
    rows { kind provider model agent source day calls sessionIds costUsd costStatus share whatToDo }
    truncated calls costUsd costStatus share callShare
  }
}
"""
EVERYTHING_KNOWN = "every call belongs to a session that is known"
_COLUMNS = (
    "kind",
    "provider",
    "model",
    "agent",
    "source",
    "day",
    "calls",
    "sessionIds",
    "costUsd",
    "costStatus",
    "share",
)


@click.command("untagged")
@click.option("--range", "words", metavar="WORDS", help="Whole days, such as 'last 30 days'; default: all time.")
@click.option("--by-day", is_flag=True, help="A row for each day.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
def command(words: str | None, limit: int, form: str, *, by_day: bool) -> None:
    """Show the spend that can be laid on no session, the dearest first, and how to change that.

    \b
    clawback untagged
    clawback untagged --range 'last 7 days' --by-day --format csv
    """
    settings = Settings()
    asked = {"range": words, "byDay": by_day, "limit": limit}
    found = ask_field(settings, open_catalog(settings), "untagged", DOCUMENT, asked)
    match form:
        case "json":
            click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        case "csv":
            click.echo(_as_csv(found))
        case _:
            _print(found, by_day=by_day)


def _as_csv(found: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in found["rows"]:
        writer.writerow(["" if row[name] is None else row[name] for name in _COLUMNS])
    return out.getvalue().rstrip("\n")


def _print(found: dict[str, Any], *, by_day: bool) -> None:
    table = Table(header_style="bold")
    names = ["kind", "provider", "model", "agent", "source", *(["day"] if by_day else [])]
    for name in names:
        table.add_column(name)
    for name in ("calls", "session ids", "cost, USD", "of all spend"):
        table.add_column(name, justify="right")
    for row in (*found["rows"], *([_total(found)] if found["rows"] else [])):
        cells = ["-" if row[name] is None else str(row[name]) for name in names]
        ids = "" if row["sessionIds"] is None else f"{int(row['sessionIds']):,}"
        table.add_row(*cells, f"{int(row['calls']):,}", ids, _cost(row), _share(row["share"]))
    console = Console(width=None if Console().is_terminal else 200)
    console.print(table)
    if not found["rows"]:
        nothing = "there are no calls in this range" if found["callShare"] is None else EVERYTHING_KNOWN
        console.print(nothing, style="dim")
    for kind, advice in {row["kind"]: row["whatToDo"] for row in found["rows"]}.items():
        console.print(f"{kind}: {advice}", style="dim", highlight=False)
    if found["truncated"]:
        console.print("there are more rows; raise --limit to see them", style="dim")


def _total(found: dict[str, Any]) -> dict[str, Any]:
    nothing = dict.fromkeys(("provider", "model", "agent", "source", "day"), "")
    return {"kind": "all", **nothing, "sessionIds": None} | {
        name: found[name] for name in ("calls", "costUsd", "costStatus", "share")
    }


def _cost(row: dict[str, Any]) -> str:
    if row["costUsd"] is None:
        return str(row["costStatus"])
    return f"{'≥ ' if row['costStatus'] == 'LOWER_BOUND' else ''}{Decimal(row['costUsd']):,.4f}"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"
