"""`clawback schema`: the typed API as text, and the catalog as a page for people."""

import click

from server.catalog_page import catalog_markdown
from server.cli.opening import open_catalog
from server.graphql import build_schema
from server.settings import Settings


@click.command("schema")
@click.option("--format", "form", type=click.Choice(["sdl", "markdown"]), default="sdl", show_default=True)
def command(form: str) -> None:
    """Print the GraphQL schema (sdl), or every metric and dimension with its definition (markdown)."""
    catalog = open_catalog(Settings())
    click.echo(catalog_markdown(catalog) if form == "markdown" else build_schema(catalog).as_str())
