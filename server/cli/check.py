"""`clawback check`: a metrics file is right, also about the tables that it reads."""

from pathlib import Path

import click

from semantic import Catalog, CatalogError, Mistake, columns_used, suggestion
from server.cli.opening import open_catalog
from server.settings import Settings
from store import Store


def check_columns(catalog: Catalog, store: Store) -> None:
    """Raises `CatalogError` with every table and column that a catalog reads and the store does not have."""
    mistakes = []
    for use in columns_used(catalog):
        columns = store.columns(use.source)
        if not columns:
            mistakes.append(Mistake(use.mark, f"{use.used_by} reads '{use.source}', which the store does not have"))
        elif use.column not in columns:
            hint = suggestion(use.column, columns)
            mistakes.append(
                Mistake(use.mark, f"{use.used_by} reads '{use.column}', which '{use.source}' lacks; {hint}")
            )
    if mistakes:
        raise CatalogError(mistakes)


@click.command("check")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
def command(file: Path | None) -> None:
    """Check a metrics file: every mistake at once, each with file:line:column."""
    catalog = open_catalog(Settings(), file)
    with Store.open(None) as store:
        check_columns(catalog, store)
    metrics, dimensions = len(catalog.metrics), len(catalog.dimensions())
    click.echo(
        f"{catalog.file}: {metrics} metrics over {len(catalog.models)} models, {dimensions} dimensions, no mistake"
    )
