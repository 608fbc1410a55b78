"""`clawback export`: the catalog in a format that other tools read."""

from pathlib import Path

import click

from semantic.formats.ossie import export
from server.cli.asker import asker_of
from server.cli.converted import finish, loss_option, output_option
from server.cli.opening import open_catalog
from server.settings import Settings


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
    if asker_of(settings, (), ()) is not None:
        raise click.ClickException("an export has the tables and definitions behind every metric: it is the operator's")
    finish(export(open_catalog(settings)), output, allow_loss=allow_loss)
