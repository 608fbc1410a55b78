"""`clawback reconcile`: each provider and day, what was billed and computed, and why the two differ."""

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
from server.cli.question import day_of
from server.settings import Settings

DOCUMENT = """
query Reconcile($since: Date, $until: Date, $provider: String) {
  reconciliation(since: $since, until: $until, provider: $provider) {
    rows {
      provider startsOn endsOn status computedUsd isLowerBound billedUsd driftUsd matchedShare callsInDoubt mayChange
      causes { kind usd model tokens calls missing }
      countedElsewhere { reporter source meter missingTokensAtLeast }
    }
    totals { billedUsd settledComputedUsd netDriftUsd pendingUsd matchedShare matchedIsUpperBound
      unknownCalls undatedCalls }
    causes { kind usd }
  }
}
"""
_COLUMNS = (
    "provider",
    "startsOn",
    "endsOn",
    "status",
    "computedUsd",
    "billedUsd",
    "driftUsd",
    "matchedShare",
    "callsInDoubt",
)
_CAUSE = ("kind", "usd", "model", "tokens", "calls", "missing")


@click.command("reconcile")
@click.option("--since", metavar="DAY", help="Periods that end after the start of this day.")
@click.option("--until", metavar="DAY", help="Periods that begin before this day.")
@click.option("--provider", metavar="NAME", help="One provider, as its bills or calls name it.")
@click.option("--all", "shows_all", is_flag=True, help="In the table also days that no bill covers.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
def command(since: str | None, until: str | None, provider: str | None, form: str, *, shows_all: bool) -> None:
    """Compare what calls cost with what their providers billed, and say why the two differ.

    \b
    clawback reconcile --since 2026-03-01
    clawback reconcile --provider anthropic --format csv
    """
    settings = Settings()
    asked = {
        "since": None if since is None else day_of(since, "--since").isoformat(),
        "until": None if until is None else day_of(until, "--until").isoformat(),
        "provider": provider,
    }
    found = ask_field(settings, open_catalog(settings), "reconciliation", DOCUMENT, asked)
    match form:
        case "json":
            click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        case "csv":
            click.echo(as_csv(found))
        case _:
            print_reconciliation(found, shows_all=shows_all)


def as_csv(found: dict[str, Any]) -> str:
    """A line for each cause, and one for a period without any; the amounts of a period are on each of its lines."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_COLUMNS, *(f"cause_{name}" for name in _CAUSE)])
    for row in found["rows"]:
        for cause in row["causes"] or [{}]:
            cells = [*(row[name] for name in _COLUMNS), *(cause.get(name) for name in _CAUSE)]
            writer.writerow(["" if cell is None else cell for cell in cells])
    return out.getvalue().rstrip("\n")


def print_reconciliation(found: dict[str, Any], *, shows_all: bool = False, title: str = "") -> None:
    """A table for people; amounts have 4 places, and the notes say what is not in it."""
    table = Table(title=title or None, title_justify="left", title_style="bold", header_style="bold")
    for name in ("provider", "days", "status"):
        table.add_column(name)
    for name in ("billed\nUSD", "computed\nUSD", "billed less\ncomputed", "matched"):
        table.add_column(name, justify="right")
    table.add_column("why")
    rows = [row for row in found["rows"] if shows_all or row["billedUsd"] is not None]
    for row in rows:
        bound = "≥ " if row["isLowerBound"] and row["computedUsd"] is not None else ""
        table.add_row(
            row["provider"] or "-",
            _days(row),
            row["status"],
            _usd(row["billedUsd"]),
            bound + _usd(row["computedUsd"]),
            _usd(row["driftUsd"]),
            "in doubt" if row["callsInDoubt"] else _share(row["matchedShare"]),
            "\n".join([*map(_cause, row["causes"]), *_missing(row)]),
        )
    totals = found["totals"]
    sums = (totals["billedUsd"], totals["settledComputedUsd"], totals["netDriftUsd"])
    bound = "≤ " if totals["matchedIsUpperBound"] and totals["matchedShare"] is not None else ""
    table.add_row("all", "", "", *map(_usd, sums), bound + _share(totals["matchedShare"]), "", style="bold")
    console = Console(width=None if Console().is_terminal else 200)
    console.print(table)
    for note in _notes(found, len(found["rows"]) - len(rows)):
        console.print(note, style="dim")


def _days(row: dict[str, Any]) -> str:
    mark = " *" if row["mayChange"] else ""
    return f"{row['startsOn']}{mark}" if row["status"] == "PENDING" else f"{row['startsOn']} to {row['endsOn']}{mark}"


def _cause(cause: dict[str, Any]) -> str:
    words = [_usd(cause["usd"], sign=True), cause["kind"], cause["model"] or ""]
    words += [f"({int(cause['tokens']):,} tokens)"] if cause["tokens"] else []
    words += [f"needs {cause['missing']}"] if cause["missing"] else []
    return " ".join(word for word in words if word)


def _missing(row: dict[str, Any]) -> list[str]:
    found = []
    for one in row["countedElsewhere"]:
        if more := int(one["missingTokensAtLeast"]):
            who = f"{one['meter'] or one['source']} ({one['reporter'].lower()})"
            found.append(f"{who} counted at least {more:,} tokens more")
    return found


def _usd(amount: str | None, *, sign: bool = False) -> str:
    if amount is None:
        return "-"
    return f"{Decimal(amount):{'+' if sign else ''},.4f}"


def _share(share: float | str | None) -> str:
    return "-" if share is None else f"{float(share):.2%}"


def _notes(found: dict[str, Any], left_out: int) -> list[str]:
    totals, notes = found["totals"], []
    if left_out:
        notes.append(
            f"{left_out} periods that no bill covers are not shown, with {_usd(totals['pendingUsd'])} USD; --all"
        )
    if any(row["callsInDoubt"] for row in found["rows"]):
        notes.append("in doubt: calls cost more than was billed, and nobody knows why; some may be counted twice")
    if any(row["mayChange"] for row in found["rows"]):
        notes.append("* the provider may still restate what it counted")
    if int(totals["unknownCalls"]):
        notes.append(f"≥ a lower bound: {int(totals['unknownCalls']):,} calls are of unknown cost")
    if int(totals["undatedCalls"]):
        notes.append(f"{int(totals['undatedCalls']):,} calls are of unknown time and in no row")
    return notes
