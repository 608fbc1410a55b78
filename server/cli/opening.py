"""What most commands start with: the settings, the catalog that they name, the store that they name."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from semantic import Catalog, CatalogError, Mark, Mistake, load_catalog
from server.budgets import Breakers
from server.outcome_rules import outcome_rules
from server.settings import Settings
from store import Store, StoreError
from store.ledger import Ledger


def open_catalog(settings: Settings, path: Path | None = None) -> Catalog:
    """The catalog of a file, or of the file that the settings name."""
    file = path or settings.metrics
    if not file.is_file():
        raise CatalogError([Mistake(Mark(str(file), 1, 1), "there is no such metrics file; name one that is there")])
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CatalogError([Mistake(Mark(str(file), 1, 1), f"the file is not UTF-8 text: {error}")]) from error
    return load_catalog(text, str(file))


def open_store(settings: Settings) -> Store:
    """The store that the settings name, to ask it: it must be there, and no record in it changes.

    Its facts are brought up to now, so that a question gets the number that a server would give.
    """
    if not settings.store.exists():
        raise StoreError(
            f"there is no store at {settings.store}: load something into it, or set CLAWBACK_STORE to another"
        )
    store = _open(settings)
    store.advance(datetime.now(UTC))
    return store


def open_store_to_write(settings: Settings, catalog: Catalog | None = None) -> Store:
    """The store for whoever loads or serves it: made where there is none, as the settings and the catalog state it.

    Its facts are those of now: windows that have closed since it was written have decided their tasks.
    """
    rules = outcome_rules(catalog or open_catalog(settings))
    store = _open(settings)
    store.set_allocation(settings.capacity_slots, settings.allocation)
    store.set_outcome_rules(rules)
    store.advance(datetime.now(UTC))
    store.set_tolerance(settings.reconciliation_tolerance_usd, settings.reconciliation_tolerance_share)
    return store


@contextmanager
def open_breakers(settings: Settings, store: Store) -> Iterator[Breakers]:
    """The budgets of an open store, with their ledger beside it; closed with the block."""
    with Ledger.beside(settings.store) as ledger:
        yield Breakers(store, ledger, settings.default_budget)


def _open(settings: Settings) -> Store:
    return Store.open(settings.store, memory_limit=settings.memory_limit, threads=settings.threads)
