"""One load: the items of a loader are priced, staged and applied in one transaction; nothing is stored if it fails.

A load of prices re-prices what is stored: calls that had no price get one, and a cost that changes is kept as a
restatement with its reason.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from loaders.copies import MOST_AT_ONCE, goes_on, merged
from loaders.costing import Costing
from loaders.item import Ignored, Item, Note, Parsed, Reached, Rejected, WholePart
from loaders.repricing import overlapping, repriced
from store import LoadReport, Price, PricedRequest, Record, RecordError, Request, Stage, StagedRecord, Store
from store.report import COPY_RULE


class StalePricesError(Exception):
    """The requests of a stage were priced with a book that is no longer the newest."""


def run_load(store: Store, source: str, location: str, items: Iterable[Item | Note], *, now: datetime) -> LoadReport:
    """Reads all items, then stores them together with the load's own row. The counts of the report add up."""
    known = store.prices()
    with Stage(source=source, location=location, directory=store.stage_directory) as stage:
        stated = stage_items(stage, items, Costing(known, now=now))
        return apply_load(store, stage, known, stated, now=now)


def apply_load(
    store: Store,
    stage: Stage,
    known: list[Price],
    stated: list[Price],
    *,
    now: datetime,
    began_at: datetime | None = None,
) -> LoadReport:
    """Stores a stage whose requests were priced with the book `known`; `stated` are the prices that it brings itself.

    Raises `StalePricesError` where another load has brought prices since: what was staged is to be staged again.
    """
    with store.applying:
        if store.prices() != known:
            raise StalePricesError(f"the price book has changed while {stage.location} was read")
        for change in repriced(store, stage.location, known, stated) if stated else ():
            stage.recost(change.after, change.reason)
        report = store.apply(stage, now=now, started_at=began_at)
    return replace(report, warnings=overlapping(known, stated)) if stated else report


def stage_items(stage: Stage, items: Iterable[Item | Note], costing: Costing, first: int = 0) -> list[Price]:
    """Writes every item into the stage; gives the prices that the source itself stated.

    `first` is the number of the first item, above those that the stage has where it is filled in several goes.
    An item with a cost that cannot be stored is rejected as a whole; library lines that it needed wait for the next.
    """
    writer = _Writer(stage, costing)
    for number, item in enumerate(items, first):
        match item:
            case Parsed():
                writer.take(number, item)
            case Ignored(_, rule):
                stage.ignore(rule)
            case Rejected(location, reason, raw, session_id):
                writer.flush()
                stage.reject(str(location), reason, raw, session_id)
            case WholePart(part):
                stage.state_whole(part)
            case Reached(cursor):
                stage.cursor = cursor
    writer.flush()
    return writer.prices


class _Writer:
    """Prices and stages parsed items; holds back the last one for as long as copies of it follow."""

    def __init__(self, stage: Stage, costing: Costing) -> None:
        self.prices: list[Price] = []
        """Those that the source itself stated."""
        self._stage = stage
        self._costing = costing
        self._lines: list[Price] = []
        self._held: list[tuple[int, Parsed]] = []

    def take(self, number: int, item: Parsed) -> None:
        if not (self._held and goes_on(self._held[-1][1], item)) or len(self._held) == MOST_AT_ONCE:
            self.flush()
        self._held.append((number, item))

    def flush(self) -> None:
        held, self._held = self._held, []
        if len(held) > 1 and self._add_merged(held):
            return
        for number, item in held:
            try:
                costed = [self._costed(record) for record in item.records]
            except RecordError as error:
                self._stage.reject(str(item.location), str(error))
                continue
            self._add(number, costed)
            self.prices += [record for record in item.records if isinstance(record, Price)]

    def _add_merged(self, held: list[tuple[int, Parsed]]) -> bool:
        (number, first), (_, last) = held[0], held[-1]
        begun, ended = first.records[0], last.records[0]
        assert isinstance(begun, Request)
        assert isinstance(ended, Request)
        try:
            priced = self._priced(ended)
        except RecordError:  # then each is judged by itself
            return False
        self._add(number, [replace(priced, request=merged(begun, ended))])
        for _ in held[1:]:
            self._stage.ignore(COPY_RULE)
        return True

    def _costed(self, record: Record) -> StagedRecord:
        return self._priced(record) if isinstance(record, Request) else record

    def _priced(self, request: Request) -> PricedRequest:
        self._lines += self._costing.lines_for(request)
        return self._costing.priced(request)

    def _add(self, number: int, costed: list[StagedRecord]) -> None:
        for record in (*self._lines, *costed):
            self._stage.add(number, record)
        self._lines.clear()
