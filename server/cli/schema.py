"""`clawback schema`: the typed API as text, the catalog as a page for people, the file's grammar for editors."""

import click

from semantic import visible
from semantic.formats.json_schema import metrics_schema_text
from server.catalog_page import catalog_markdown
from server.cli.asker import asker_of
from server.cli.opening import open_catalog
from server.graphql import build_schema
from server.settings import Settings
from server.withheld import hidden_names


@click.command("schema")
@click.option(
    "--format", "form", type=click.Choice(["sdl", "markdown", "json-schema"]), default="sdl", show_default=True
)
def command(form: str) -> None:
    """Print the GraphQL schema (sdl), every metric and dimension with its definition (markdown), or the JSON Schema
    of a metrics file, with which an editor completes and explains its keys (json-schema)."""
    if form == "json-schema":
        click.echo(metrics_schema_text())
        return
    settings = Settings()
    catalog = open_catalog(settings)
    caller = asker_of(settings, (), ())
    if form == "markdown":
        click.echo(catalog_markdown(visible(catalog, caller), hidden_names(catalog, caller)))
    else:
        click.echo(build_schema(catalog, caller).as_str())
