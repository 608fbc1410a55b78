"""`clawback budget`: where budgets stand, and one round of what follows; by the server where one owns the store."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from finance.budgets import Standing
from server.alerts.actions import Actions
from server.alerts.exposition import MOST_SERIES, by_nearness, used_share
from server.alerts.routes import round_json
from server.alerts.words import instant, one_line, usd
from server.budgets.standing_json import plain, standing_json, standing_of
from server.cli.exchange import exchange
from server.cli.notice import Server, opened_or_served
from server.cli.opening import open_breakers, open_store
from server.settings import Settings
from store import StoreError

_ODD = (AttributeError, ArithmeticError, LookupError, TypeError, ValueError)
"""What reading an answer of another shape comes to."""


@click.group("budget")
def command() -> None:
    """Budgets: show where they stand, or look once and act on it."""


_format = click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How to print."
)


@command.command("show")
@_format
def show(form: str) -> None:
    """Print where every budget stands now. Nothing is sent and nothing changes."""
    found = _found(Settings(), is_round=False)
    print_found(found, form)


@command.command("run")
@_format
def run(form: str) -> None:
    """Look at the budgets once, send what is to be told, set the flag file and the gauges, and print what there was.

    For a timer; a server does the same by itself. It ends with an error where something could not be sent or written:
    what was not told is told by the next run.
    """
    found = _found(Settings(), is_round=True)
    print_found(found, form)
    problems = found["problems"]
    if problems:
        raise StoreError("\n".join(map(str, problems)))


def _found(settings: Settings, *, is_round: bool) -> dict[str, Any]:
    store = opened_or_served(settings.store, lambda: open_store(settings))
    if isinstance(store, Server):
        return _asked(store, is_round=is_round)
    now = datetime.now(UTC)
    with store, open_breakers(settings, store) as breakers:
        if is_round:
            return round_json(Actions.of(settings, breakers, lambda: datetime.now(UTC)).run(now))
        return {"standings": [standing_json(standing) for standing in breakers.standings(now)]}


def _asked(server: Server, *, is_round: bool) -> dict[str, Any]:
    """The answer of the server that owns the store. Raises `StoreError` in its words where it has none."""
    question: dict[str, object] | None = {} if is_round else None
    answer = exchange(f"{server.url}/budgets{'/run' if is_round else ''}", question, key=server.key)
    if isinstance(answer, dict) and "standings" in answer:
        return answer
    if isinstance(answer, dict) and "error" in answer:
        raise StoreError(str(answer["error"]))
    raise StoreError(f"the server at {server.url} owns the store and knows no budgets; is it of another version?")


def print_found(found: dict[str, Any], form: str) -> None:
    """Standings, and what a round has told, as JSON has them."""
    if form == "json":
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    try:
        standings = by_nearness(standing_of(said) for said in found["standings"])
        told = [str(alert["text"]) for alert in found.get("alerts", ())]
    except _ODD as error:
        raise StoreError(f"the server that owns the store answers in another form: {error!r}") from error
    console = Console(width=None if Console().is_terminal else 200, highlight=False)
    if not standings:
        click.echo("there is no budget: set CLAWBACK_DAILY_BUDGET_USD, or load some with `clawback load budgets FILE`")
        return
    console.print(_table(standings[:MOST_SERIES]))
    if len(standings) > MOST_SERIES:
        click.echo(f"{len(standings) - MOST_SERIES:,} more; --format json prints all")
    if any(standing.unpriced_requests for standing in standings):
        click.echo("≥ a lower bound: some requests have no price")
    for text in told:
        click.echo(f"alert: {text}")
    if found.get("is_flagged"):
        click.echo("the flag file is there")


def _table(standings: list[Standing]) -> Table:
    table = Table(header_style="bold")
    for name in ("budget", "member", "window"):
        table.add_column(name)
    for name in ("spent", "limit", "used", "held", "at its end"):
        table.add_column(name, justify="right")
    table.add_column("state")
    table.add_column("until (UTC)")
    for standing in standings:
        table.add_row(*map(_cell, _cells(standing)))
    return table


def _cells(standing: Standing) -> tuple[str, ...]:
    least = "≥ " if standing.unpriced_requests else ""
    return (
        one_line(standing.budget_id),
        "-" if standing.member is None else f"{standing.scope} {one_line(standing.member)}",
        one_line(standing.window.label),
        f"{least}{usd(standing.spent_usd)}",
        usd(standing.limit_usd),
        _used(standing),
        usd(standing.held_usd),
        "-" if standing.projected_usd is None else usd(standing.projected_usd),
        _state(standing),
        instant(standing.window.ends_at),
    )


def _used(standing: Standing) -> str:
    share = used_share(standing)
    return "-" if share is None else f"{plain((share * 100).quantize(Decimal('0.1')))} %"


def _state(standing: Standing) -> str:
    if standing.state == "CLOSED":
        return "within"
    return "over, stops requests" if standing.blocks else "over"


def _cell(text: str) -> Text:
    """Not markup: a member may be called [red]."""
    return Text(text)
