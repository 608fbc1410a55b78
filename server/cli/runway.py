"""`clawback runway`: how long the cash lasts, and what it would be with other inputs.

It asks the same GraphQL field as everybody, of the store itself or of the server that owns it.
"""

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Table

from semantic import QueryError
from server.cli.one_field import ask_field
from server.cli.opening import open_catalog
from server.cli.question import day_of
from server.settings import Settings

_POINT = """
name status flags cashUsd cashKnownOn callsKnownUntil basisDays grossBurnMonthlyUsd netBurnMonthlyUsd
runwayDays runwayMonths depletionDate sentence drivers { name isRecurring monthlyUsd } flat { days date errorDays }
rolledForward { cashUsd status runwayDays depletionDate }
agentsAffordable(months: [6, 12]) { months status maxSessionsPerDay low high }
"""
_PERCENTILES = "percentiles { status method basisDays values { p days date status } }"
_COLUMNS = (
    *("name", "status", "flags", "cashUsd", "cashKnownOn", "basisDays", "grossBurnMonthlyUsd", "netBurnMonthlyUsd"),
    *("runwayDays", "runwayMonths", "depletionDate"),
)
_FACTOR = re.compile(r"(\d+(?:\.\d+)?)x?", re.ASCII)
_PERCENT = re.compile(r"([+-]?\d+(?:\.\d+)?)%", re.ASCII)
_MONEY_ON_A_DAY = re.compile(r"(\d+(?:\.\d+)?)@(\S+)", re.ASCII)
_SWAP = re.compile(r"([^=]+)=([^*=]+)(?:\*(\d+(?:\.\d+)?))?", re.ASCII)


@click.command("runway")
@click.option("--as-of", metavar="DAY", help="The day on which it is asked; default: today.")
@click.option("--basis", type=click.Choice(["accrual", "cash"]), default="accrual", show_default=True)
@click.option("--agents", metavar="FACTOR", help="A scenario: so many times the calls, such as 2x.")
@click.option("--sessions", metavar="N", help="A scenario: so many sessions a day at their mean cost.")
@click.option("--swap", "swaps", multiple=True, metavar="FROM=TO[*TOKENS]", help="Calls to one model go to another.")
@click.option("--price", metavar="PERCENT", help="All calls cost more or less, such as -30%.")
@click.option("--hire", "hires", multiple=True, metavar="USD@DAY", help="Monthly pay from a day on: 12000@2027-01-01.")
@click.option("--funding", multiple=True, metavar="USD@DAY", help="Money that comes in: 500000@2027-03-01.")
@click.option("--horizon", type=int, default=3653, show_default=True, help="Days that the calendar is walked.")
@click.option("--percentiles", is_flag=True, help="Also by when the cash is gone at 5 % to 95 %.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
def command(form: str, *, percentiles: bool, **arguments: Any) -> None:
    """Say how long the cash lasts, beside a scenario where one is given.

    \b
    clawback runway
    clawback runway --agents 2x --price -30% --hire 12000@2027-01-01
    """
    settings = Settings()
    catalog = open_catalog(settings)
    document = _document(has_percentiles=percentiles)
    found = ask_field(settings, catalog, "runway", document, _variables(**arguments))
    match form:
        case "json":
            click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        case "csv":
            click.echo(_as_csv(found))
        case _:
            _print(found)


def _document(*, has_percentiles: bool) -> str:
    fields = _POINT + (_PERCENTILES if has_percentiles else "")
    return (
        "query Runway($asOf: Date, $basis: RunwayBasis!, $scenario: RunwayScenarioInput, $horizon: Int!) { "
        "runway(asOf: $asOf, basis: $basis, scenario: $scenario, horizonDays: $horizon) "
        f"{{ {fields} scenarios {{ {fields} }} }} }}"
    )


def _variables(
    *,
    as_of: str | None,
    basis: str,
    agents: str | None,
    sessions: str | None,
    swaps: tuple[str, ...],
    price: str | None,
    hires: tuple[str, ...],
    funding: tuple[str, ...],
    horizon: int,
) -> dict[str, Any]:
    scenario: dict[str, Any] = {}
    if agents is not None:
        scenario["agentsFactor"] = _matched(_FACTOR, agents, "--agents", "2x")[0]
    if sessions is not None:
        scenario["sessionsPerDay"] = _matched(_FACTOR, sessions, "--sessions", "200")[0]
    if price is not None:
        percent = _matched(_PERCENT, price, "--price", "-30%")[0]
        scenario["priceChange"] = f"{percent}e-2"
    if swaps:
        scenario["modelSwap"] = [_swap(text) for text in swaps]
    if hires:
        scenario["hire"] = [_dated(text, "--hire", "monthlyUsd", "startsOn") for text in hires]
    if funding:
        scenario["funding"] = [_dated(text, "--funding", "amountUsd", "on") for text in funding]
    return {
        "asOf": None if as_of is None else day_of(as_of, "--as-of").isoformat(),
        "basis": basis.upper(),
        "scenario": {"name": "scenario", **scenario} if scenario else None,
        "horizon": horizon,
    }


def _matched(form: re.Pattern[str], text: str, option: str, example: str) -> tuple[str, ...]:
    found = form.fullmatch(text.strip())
    if found is None:
        raise QueryError("BAD_SCENARIO", f"{option} is written like {example}, not '{text}'")
    return tuple(group or "" for group in found.groups())


def _swap(text: str) -> dict[str, str]:
    source, target, tokens = _matched(_SWAP, text, "--swap", "opus=sonnet, or opus=sonnet*1.2 for 20 % more tokens")
    return {"from": source.strip(), "to": target.strip(), "tokenMultiplier": tokens or "1"}


def _dated(text: str, option: str, amount: str, day: str) -> dict[str, str]:
    usd, on = _matched(_MONEY_ON_A_DAY, text, option, "12000@2027-01-01")
    return {amount: usd, day: day_of(on, option).isoformat()}


def _as_csv(found: dict[str, Any]) -> str:
    """One line for what is, and one for the scenario; with percentiles, a column of dates each."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    asked = found.get("percentiles", {"values": []})["values"]
    writer.writerow([*_COLUMNS, *(f"p{value['p'] * 100:g}" for value in asked)])
    for one in (found, *found["scenarios"]):
        dates = {value["p"]: value["date"] for value in one.get("percentiles", {"values": []})["values"]}
        cells = [" ".join(one[column]) if column == "flags" else one[column] for column in _COLUMNS]
        writer.writerow(["" if cell is None else cell for cell in (*cells, *(dates.get(v["p"]) for v in asked))])
    return out.getvalue().rstrip("\n")


def _print(found: dict[str, Any]) -> None:
    everything = (found, *found["scenarios"])
    table = Table(header_style="bold")
    table.add_column("")
    for one in everything:
        table.add_column(one["name"] or "as it is", justify="right")
    for label, read in _LINES.items():
        table.add_row(label, *(read(one) for one in everything))
    for driver in dict.fromkeys(d["name"] for one in everything for d in one["drivers"]):
        table.add_row(f"{driver}, USD/month", *(_driver(one, driver) for one in everything))
    for n, value in enumerate(found.get("percentiles", {"values": []})["values"]):
        table.add_row(f"gone by, at {value['p']:.0%}", *(_percentile(one, n) for one in everything))
    console = Console(width=None if Console().is_terminal else 200)
    console.print(table)
    for one in everything:
        click.echo(f"{one['name']}: {one['sentence']}" if one["name"] else one["sentence"])


def _money(value: str | None) -> str:
    return "-" if value is None else f"{float(value):,.2f}"


_LINES: dict[str, Callable[[dict[str, Any]], str]] = {
    "status": lambda one: " ".join([one["status"], *one["flags"]]),
    "cash, USD": lambda one: _money(one["cashUsd"]),
    "gross burn, USD/month": lambda one: _money(one["grossBurnMonthlyUsd"]),
    "net burn, USD/month": lambda one: _money(one["netBurnMonthlyUsd"]),
    "runway, months": lambda one: _money(one["runwayMonths"]),
    "gone on": lambda one: one["depletionDate"] or one["status"],
}


def _driver(one: dict[str, Any], name: str) -> str:
    found = [float(driver["monthlyUsd"]) for driver in one["drivers"] if driver["name"] == name]
    return f"{sum(found):,.2f}" if found else "-"


def _percentile(one: dict[str, Any], n: int) -> str:
    values = one["percentiles"]["values"]
    return (values[n]["date"] or values[n]["status"]) if n < len(values) else str(one["percentiles"]["status"])
