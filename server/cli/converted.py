"""The end of every conversion: the report on stderr, then the text, unless something is lost that may not be."""

from collections import Counter
from pathlib import Path

import click

from semantic.errors import SemanticError
from semantic.formats.report import Converted, Kind, told

output_option = click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this new file instead of printing."
)
loss_option = click.option("--allow-loss", is_flag=True, help="Take what could be carried, though not all could.")


class LossError(SemanticError):
    """A conversion that would lose something, and was not told that it may."""


def finish(converted: Converted, output: Path | None, *, allow_loss: bool) -> None:
    """Tells all findings; `LossError`, with nothing written, where something is lost that may not be."""
    if converted.findings:
        click.echo(told(converted.findings), err=True)
    if converted.losses and not allow_loss:
        count = len(converted.losses)
        raise LossError(
            f"{count} {'part' if count == 1 else 'parts'} would be lost, so nothing is written; see above, "
            "and take the rest with --allow-loss"
        )
    if output is None:
        click.echo(converted.text, nl=False)
        return
    with output.open("x", encoding="utf-8") as file:  # an existing file may be the only one that there is
        file.write(converted.text)
    kinds = Counter(finding.kind for finding in converted.findings)
    click.echo(f"{output}: written; " + ", ".join(f"{kinds[kind]} {kind}" for kind in Kind), err=True)
