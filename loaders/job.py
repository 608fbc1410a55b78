"""One load: the items of a loader are priced, staged and applied in one transaction; nothing is stored if it fails.

A load of prices re-prices what is stored: calls that had no price get one, and a cost that changes is kept as a
restatement with its reason.
"""

from collections.abc import Iterable
from datetime import datetime

from finance.pricing import PriceBook, cost_of
from loaders.costing import Costing
from loaders.item import Ignored, Item, LoadError, Note, Parsed, Reached, Rejected, WholePart
from store import LoadReport, Price, PricedRequest, Record, RecordError, Request, Stage, StagedRecord, Store


def run_load(store: Store, source: str, location: str, items: Iterable[Item | Note], *, now: datetime) -> LoadReport:
    """Reads all items, then stores them together with the load's own row. The counts of the report add up."""
    known = store.prices()
    with Stage(source=source, location=location, directory=store.stage_directory) as stage:
        new_prices = stage_items(stage, items, Costing(known, now=now))
        if new_prices:
            _reprice(store, stage, known, new_prices)
        stage.close()
        return store.apply(stage, now=now)


def stage_items(stage: Stage, items: Iterable[Item | Note], costing: Costing) -> list[Price]:
    """Writes every item into the stage; gives the prices that the source itself stated.

    An item with a cost that cannot be stored is rejected as a whole; library lines that it needed wait for the next.
    """
    prices: list[Price] = []
    lines: list[Price] = []
    for number, item in enumerate(items):
        match item:
            case Parsed(location, records):
                lines += [line for r in records if isinstance(r, Request) for line in costing.lines_for(r)]
                try:
                    costed = [_costed(record, costing) for record in records]
                except RecordError as error:
                    stage.reject(str(location), str(error))
                    continue
                for record in (*lines, *costed):
                    stage.add(number, record)
                lines.clear()
                prices += [r for r in records if isinstance(r, Price)]
            case Ignored(_, rule):
                stage.ignore(rule)
            case Rejected(location, reason, raw):
                stage.reject(str(location), reason, raw)
            case WholePart(part):
                stage.state_whole(part)
            case Reached(cursor):
                stage.cursor = cursor
    return prices


def _costed(record: Record, costing: Costing) -> StagedRecord:
    if not isinstance(record, Request):
        return record
    cost = costing.cost_of(record)
    return PricedRequest(record, cost.usd, cost.status, cost.price_id)


def _reprice(store: Store, stage: Stage, known: list[Price], new: list[Price]) -> None:
    book = PriceBook([*known, *new])
    touched = {(line.provider, line.model) for line in new}
    for stored in store.requests_of(touched):
        cost = cost_of(stored.request, book)
        try:
            anew = PricedRequest(stored.request, cost.usd, cost.status, cost.price_id)
        except RecordError as error:
            raise LoadError(f"{stage.location}: {error}") from error
        if anew != stored:
            stage.recost(
                stored.request.request_key, cost.usd, cost.status, cost.price_id, f"price book {stage.location}"
            )
