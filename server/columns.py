"""Whether a store has what a catalog reads."""

from functools import cache

from semantic import Catalog, CatalogError, Mistake, columns_used, suggestion
from store import Store


def check_columns(catalog: Catalog, store: Store) -> None:
    """Raises `CatalogError` with every table and column that a catalog reads and the store does not have."""
    columns_of = cache(store.columns)
    mistakes = []
    for use in columns_used(catalog):
        columns = columns_of(use.source)
        if not columns:
            mistakes.append(Mistake(use.mark, f"{use.used_by} reads '{use.source}', which the store does not have"))
        elif use.column not in columns:
            hint = suggestion(use.column, columns)
            mistakes.append(
                Mistake(use.mark, f"{use.used_by} reads '{use.column}', which '{use.source}' lacks; {hint}")
            )
    if mistakes:
        raise CatalogError(mistakes)
