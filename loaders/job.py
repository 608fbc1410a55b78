"""One load: the items of a loader are priced, staged and applied in one transaction; nothing is stored if it fails.

A load of prices re-prices what is stored: calls that had no price get one, and a cost that changes is kept as a
restatement with its reason.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from finance.pricing import PriceBook, cost_of
from loaders.costing import Costing
from loaders.item import Ignored, Item, Parsed, Rejected
from store import LoadReport, Price, PricedRequest, Record, Request, Stage, StagedRecord, Store


def run_load(store: Store, source: str, location: str, items: Iterable[Item], *, now: datetime) -> LoadReport:
    """Reads all items, then stores them together with the load's own row. The counts of the report add up."""
    known = store.prices()
    with Stage(source=source, location=location, directory=store.stage_directory) as stage:
        new_prices = stage_items(stage, items, Costing(known, now=now))
        if new_prices:
            _reprice(store, stage, known, new_prices)
        stage.close()
        return store.apply(stage, now=now)


def stage_items(stage: Stage, items: Iterable[Item], costing: Costing) -> list[Price]:
    """Writes every item into the stage; gives the prices that the source itself stated."""
    prices: list[Price] = []
    for number, item in enumerate(items):
        match item:
            case Parsed(_, records):
                prices += [r for r in records if isinstance(r, Price)]
                for record in (r for found in records for r in _costed(found, costing)):
                    stage.add(number, record)
            case Ignored(_, rule):
                stage.ignore(rule)
            case Rejected(location, reason, raw):
                stage.reject(str(location), reason, raw)
    return prices


def _costed(record: Record, costing: Costing) -> Iterator[StagedRecord]:
    if not isinstance(record, Request):
        yield record
        return
    yield from costing.lines_for(record)
    cost = costing.cost_of(record)
    yield PricedRequest(record, cost.usd, cost.status, cost.price_id)


def _reprice(store: Store, stage: Stage, known: list[Price], new: list[Price]) -> None:
    book = PriceBook([*known, *new])
    touched = {(line.provider, line.model) for line in new}
    for stored in store.requests_of(touched):
        cost = cost_of(stored.request, book)
        if (cost.usd, cost.status, cost.price_id) != (stored.cost_usd, stored.cost_status, stored.price_id):
            stage.recost(
                stored.request.request_key, cost.usd, cost.status, cost.price_id, f"price book {stage.location}"
            )
