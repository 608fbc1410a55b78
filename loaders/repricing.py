"""Stored requests at other prices: what a load of prices changes, whether it is done or only looked at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from finance.overlaps import overlaps
from finance.pricing import PriceBook
from loaders.costing import priced
from loaders.item import Item, LoadError, Note, Parsed
from store import Price, PricedRequest, RecordError, Store


@dataclass(frozen=True, slots=True)
class Repriced:
    """A stored request, and what it is with the new book."""

    before: PricedRequest
    after: PricedRequest
    reason: str


@dataclass(frozen=True, slots=True)
class Impact:
    """What the requests of one model whose cost would change come to."""

    provider: str | None
    model: str | None
    requests: int
    before_usd: Decimal
    """Of those whose cost is known."""
    after_usd: Decimal
    newly_priced: int
    """Among them those that had no cost and would have one."""
    unpriced: int
    """Among them those that had a cost and would have none."""

    @property
    def delta_usd(self) -> Decimal:
        return self.after_usd - self.before_usd


def repriced(
    store: Store, location: str, known: list[Price], new: list[Price], *, apart: bool = True
) -> Iterator[Repriced]:
    """The stored requests that cost something else with the lines `new` beside those that are `known`.

    Where several sources tell of a call, what each of them says has a cost; without `apart` it is the call that has.
    """
    book, reasons = PriceBook([*known, *new]), _reasons(known, new)
    touched = {(line.provider, line.model) for line in new}
    for stored in store.records_of(touched) if apart else store.requests_of(touched):
        try:
            anew = priced(stored.request, book)
        except RecordError as error:
            raise LoadError(f"{location}: {error}") from error
        if anew != stored:
            stated = reasons.get(anew.price_id) or reasons.get(stored.price_id)
            yield Repriced(stored, anew, stated or f"price book {location}")


def impact_of(store: Store, location: str, items: Iterable[Item | Note]) -> list[Impact]:
    """What loading these items of prices would change, by model, in the order of their names. Nothing is stored."""
    new = [record for item in items if isinstance(item, Parsed) for record in item.records if isinstance(record, Price)]
    changes: dict[tuple[str, str], Impact] = {}
    for change in repriced(store, location, store.prices(), new, apart=False) if new else ():
        request = change.before.request
        key = (request.provider or "", request.model or "")
        so_far = changes.get(key) or Impact(request.provider, request.model, 0, Decimal(0), Decimal(0), 0, 0)
        before, after = change.before.cost_usd, change.after.cost_usd
        if before == after:  # the same cost by another line
            continue
        changes[key] = replace(
            so_far,
            requests=so_far.requests + 1,
            before_usd=so_far.before_usd + (before or 0),
            after_usd=so_far.after_usd + (after or 0),
            newly_priced=so_far.newly_priced + (before is None),
            unpriced=so_far.unpriced + (after is None),
        )
    return [changes[key] for key in sorted(changes)]


def overlapping(known: list[Price], new: list[Price]) -> tuple[str, ...]:
    """For people: which lines of a load are in force at the same time as others, where that was not so before."""
    said = {(o.winner, o.loser) for o in overlaps(known)}
    newest = {line.price_id: line for line in (*known, *new)}
    return tuple(
        f"price line {o.winner!r} counts before {o.loser!r} for {o.provider} {o.model} from "
        f"{_utc(o.starts_at)} {'on' if o.ends_at is None else f'to {_utc(o.ends_at)}'}: both are in force; where that "
        "is not meant, give one an effective_to"
        for o in overlaps(newest.values())
        if (o.winner, o.loser) not in said
    )


def _utc(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _reasons(known: list[Price], new: list[Price]) -> dict[str | None, str | None]:
    """Why, by line, for those of which this load brings a new version: an older reason explains no change of today.

    A line that now prices a call may say nothing while the one that it follows says why it was ended.
    """
    said = {replace(line, known_at=None) for line in known}
    return {line.price_id: line.reason for line in new if replace(line, known_at=None) not in said}
