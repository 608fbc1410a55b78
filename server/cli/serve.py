"""`clawback serve`: the server, which owns the store while it runs."""

from collections.abc import Callable
from datetime import UTC, datetime

import click
import uvicorn

from semantic import Catalog
from server.app import create_app
from server.cli.check import check_columns
from server.cli.opening import open_catalog, open_store
from server.cli.remote import announced
from server.settings import Settings
from store import Store


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on; default: CLAWBACK_PORT or 8321.")
def command(port: int | None) -> None:
    """Serve GraphQL, GraphiQL and the catalog on this machine, until Ctrl-C."""
    settings = Settings().model_copy(update=with_port(port))
    catalog = open_catalog(settings)
    with open_store(settings) as store:
        check_columns(catalog, store)
        serve(store, catalog, settings)


def with_port(port: int | None) -> dict[str, int]:
    """The port of the command line, where one was given, as a change to the settings."""
    return {} if port is None else {"port": port}


def serve(
    store: Store, catalog: Catalog, settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> None:
    """Runs until the process is asked to stop."""
    url = f"http://{settings.host}:{settings.port}"
    click.echo(f"Clawback serves {url}/ (GraphiQL at {url}/graphiql). Ctrl-C stops it.")
    app = create_app(store, catalog, settings, clock)
    with announced(settings.store, url):
        uvicorn.run(app, host=settings.host, port=settings.port, log_level="warning", access_log=False, lifespan="on")
