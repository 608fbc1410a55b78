"""`clawback load prices FILE --dry-run`: what stored calls would cost otherwise with these lines."""

from collections.abc import Iterable
from decimal import Decimal

import click

from loaders.item import Item, Note, Parsed
from loaders.repricing import Impact, impact_of, overlapping
from server.cli.opening import open_store
from server.settings import Settings
from store import Price, StoreBusyError

NO_CHANGE = "no stored call would cost anything else"


def print_impact(settings: Settings, location: str, items: Iterable[Item | Note]) -> None:
    """One line a model: how many calls, what they cost, what they would cost. Warns of lines in force at once."""
    items = list(items)
    if not settings.store.exists():
        click.echo(f"there is no store at {settings.store}: no stored call could change")
        return
    try:
        store = open_store(settings)
    except StoreBusyError:
        click.echo(
            "what would change is not known here: a server owns the store; ask where it is not running, such as on a "
            "copy of the store (CLAWBACK_STORE)",
            err=True,
        )
        return
    with store:
        new = [r for item in items if isinstance(item, Parsed) for r in item.records if isinstance(r, Price)]
        for warning in overlapping(store.prices(), new):
            click.echo(f"warning: {warning}", err=True)
        impacts = impact_of(store, location, items)
    for line in _lines(impacts):
        click.echo(line)


def _lines(impacts: list[Impact]) -> list[str]:
    if not impacts:
        return [NO_CHANGE]
    whole = [sum((getattr(i, name) for i in impacts), Decimal(0)) for name in ("before_usd", "after_usd", "delta_usd")]
    told = [_line(f"{i.provider or '(none)'} {i.model or '(none)'}", i) for i in impacts]
    calls = sum(impact.requests for impact in impacts)
    return [
        *told,
        f"in all: {calls:,} calls  before {_usd(whole[0])}  after {_usd(whole[1])}  delta {_usd(whole[2])} USD",
    ]


def _line(name: str, impact: Impact) -> str:
    changed = f"before {_usd(impact.before_usd)}  after {_usd(impact.after_usd)}  delta {_usd(impact.delta_usd)} USD"
    more = f"  ({impact.newly_priced:,} had no price)" if impact.newly_priced else ""
    more += f"  ({impact.unpriced:,} would have none)" if impact.unpriced else ""
    return f"{name}: {impact.requests:,} calls  {changed}{more}"


def _usd(amount: Decimal) -> str:
    return format(amount.normalize() + Decimal(0), "f")
