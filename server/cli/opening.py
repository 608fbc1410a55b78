"""What most commands start with: the settings, the catalog that they name, the store that they name."""

from pathlib import Path

from semantic import Catalog, CatalogError, Mark, Mistake, load_catalog
from server.settings import Settings
from store import Store


def open_catalog(settings: Settings, path: Path | None = None) -> Catalog:
    """The catalog of a file, or of the file that the settings name."""
    file = path or settings.metrics
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CatalogError([Mistake(Mark(str(file), 1, 1), f"the file is not UTF-8 text: {error}")]) from error
    return load_catalog(text, str(file))


def open_store(settings: Settings) -> Store:
    """The store that the settings name, with the capacity that they state."""
    store = Store.open(settings.store, memory_limit=settings.memory_limit, threads=settings.threads)
    store.set_capacity(settings.capacity_slots)
    return store
