"""`clawback export`: the catalog in a format that other tools read."""

from dataclasses import replace
from pathlib import Path

import click

from semantic import Catalog, visible
from semantic.formats.ossie import export
from server.cli.asker import asker_of
from server.cli.converted import finish, loss_option, output_option
from server.cli.opening import open_catalog
from server.settings import Settings
from server.withheld import check_may_be_told


@click.group("export")
def command() -> None:
    """Write the catalog in a format that other tools read."""


@command.command("ossie")
@output_option
@loss_option
def ossie(output: Path | None, allow_loss: bool) -> None:
    """Export to Apache Ossie: datasets, relationships and metrics as SQL expressions.

    What it has no words for is told with its place, and then nothing is written unless --allow-loss says so.
    """
    settings = Settings()
    catalog, caller = open_catalog(settings), asker_of(settings, (), ())
    seen = visible(catalog, caller)
    # A name of one word, such as cash, is also a word of descriptions; only what is computed can tell of it.
    check_may_be_told(export(_without_prose(seen)).text, catalog, caller)
    finish(export(seen), output, allow_loss=allow_loss)


def _without_prose(catalog: Catalog) -> Catalog:
    metrics = {name: replace(m, description="", label="") for name, m in catalog.metrics.items()}
    models = {
        name: replace(
            model,
            description="",
            dimensions={key: replace(d, description="", label="") for key, d in model.dimensions.items()},
        )
        for name, model in catalog.models.items()
    }
    return replace(catalog, metrics=metrics, models=models)
