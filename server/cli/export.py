"""`clawback export`: the catalog in a format that other tools read."""

from pathlib import Path

import click

from semantic import visible
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
    converted = export(visible(catalog, caller))
    check_may_be_told(converted.text, catalog, caller)
    finish(converted, output, allow_loss=allow_loss)
