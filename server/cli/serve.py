"""`clawback serve`: the server, which owns the store while it runs."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from secrets import token_urlsafe

import click
import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp

from loaders.sources import read_sources
from semantic import Catalog
from server.access.audit import Audit
from server.access.gate import Gate
from server.access.making import BindingError, check_binding, gate_of
from server.access.opened import WARNING
from server.access.settings import LOOPBACK
from server.alerts.actions import Actions
from server.alerts.watch import Watch
from server.app import create_app
from server.cli.notice import announced
from server.cli.opening import open_breakers, open_catalog, open_store_to_write
from server.columns import check_columns
from server.connections import bounded_http
from server.intake.intake import Intake
from server.intake.making import intake_of
from server.intake.other_port import listening_too
from server.jobs import Jobs
from server.lifecycle import Lifecycle
from server.listening import address_of, listening
from server.settings import Settings
from server.stopping import GRACE_S, Server, Stopper
from server.systemd import Notifier
from server.telemetry import Telemetry
from server.telemetry.logs import logging_to
from server.telemetry.redaction import Redactor
from server.websockets import WEBSOCKETS
from store import Store
from store.tokens import Tokens

LAST_SPANS_S = 2.0
_LOG = logging.getLogger(__name__)


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on; default: CLAWBACK_PORT or 8321.")
def command(port: int | None) -> None:
    """Serve GraphQL, GraphiQL and the catalog on this machine, until Ctrl-C."""
    settings = Settings().model_copy(update=with_port(port))
    catalog = open_catalog(settings)
    with open_store_to_write(settings, catalog) as store:
        check_columns(catalog, store)
        serve(store, catalog, settings)


def with_port(port: int | None) -> dict[str, int]:
    """The port of the command line, where one was given, as a change to the settings."""
    return {} if port is None else {"port": port}


def serve(
    store: Store, catalog: Catalog, settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> None:
    """Runs until the process is asked to stop, and closes the store. Binds first: it is announced where it listens."""
    token, key = token_urlsafe(), token_urlsafe()
    telemetry, lifecycle, notifier = Telemetry.of(os.environ), Lifecycle(), Notifier.of(os.environ)
    sources = read_sources(settings.sources) if settings.sources else ()
    jobs = Jobs(store, clock, settings.load_timeout_s, sources, telemetry.loading)
    audit = audit_of(settings, clock)
    with (
        _logging(settings, key, telemetry),
        Tokens.beside(settings.store) as tokens,
        open_breakers(settings, store) as breakers,
        gated(settings, catalog, tokens, clock, key, audit) as gate,
        listening(settings.host, settings.port) as listener,
        listening_too(settings.host, settings.otlp_port, settings.port) as other,
    ):
        intake = intake_or_refusal(settings, store, clock)
        watch = Watch(Actions.of(settings, breakers, clock), clock, store.data_version, settings.budget_every_s)
        app = create_app(
            *(store, catalog, settings, clock, token, jobs, key, breakers, watch, gate, audit, telemetry, lifecycle),
            intake=intake,
        )
        server = Server(_config(app, settings), notifier)
        stopper = Stopper(
            lifecycle, notifier, settings.shutdown_s, settings.drain_s, server.close_door, store.interrupt_readers
        )
        url = address_of(listener)
        click.echo(f"Clawback serves {url}/ (GraphiQL at {url}/graphiql). Ctrl-C stops it.")
        if other is not None:
            click.echo(f"It takes OTLP on {address_of(other)}/, too.")
        with stopper.at_work():
            with announced(settings.store, url, token, key):
                server.run(sockets=[listener, *([other] if other is not None else ())])
            telemetry.close(LAST_SPANS_S)
            store.close()
    if not server.started:
        raise click.ClickException("the server did not start; the lines above say why")


def audit_of(settings: Settings, clock: Callable[[], datetime]) -> Audit | None:
    path = settings.audit_file(settings.store)
    return None if path is None else Audit(path, clock, settings.audit_log_mb)


@contextmanager
def gated(
    settings: Settings,
    catalog: Catalog,
    tokens: Tokens,
    clock: Callable[[], datetime],
    key: str,
    audit: Audit | None = None,
) -> Iterator[Gate]:
    """The gate of a server. An open one is told in the log; `ClickException` where it must not be open."""
    gate = gate_of(settings, catalog, tokens, clock, settings.anybody, key, audit)
    try:
        check_binding(settings, gate)
    except BindingError as error:
        raise click.ClickException(str(error)) from error
    if gate.is_open:
        _LOG.warning(WARNING)
    elif settings.host not in LOOPBACK and not settings.hosts:
        _LOG.warning("set CLAWBACK_HOSTS to the names by which clients call this server; others are refused")
    yield gate


def intake_or_refusal(settings: Settings, store: Store, clock: Callable[[], datetime]) -> Intake:
    """`ClickException` where the directory of the spool cannot be used."""
    try:
        return intake_of(settings, store, clock)
    except OSError as error:
        spool = settings.spool_of(settings.store)
        raise click.ClickException(f"{spool} cannot be used as the spool of the intake: {error.strerror}") from error


def _config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=bounded_http(settings),
        log_config=None,
        access_log=False,
        lifespan="on",
        server_header=False,
        proxy_headers=False,  # they would take the address of whoever asks from a header that he can write himself
        **WEBSOCKETS,
        # Until then they are interrupted, and those who asked are told.
        timeout_graceful_shutdown=settings.shutdown_s + int(GRACE_S) // 2,
    )


@contextmanager
def _logging(settings: Settings, key: str, telemetry: Telemetry) -> Iterator[None]:
    """The log of the settings, in which no secret of the settings stands."""
    stated = [value for name in Settings.model_fields if isinstance(value := getattr(settings, name), SecretStr)]
    secrets = [key, *(secret.get_secret_value() for secret in stated), settings.matrix_token_stated() or ""]

    def count(level: str) -> None:
        telemetry.meters.log_lines.labels(level).inc()

    with logging_to(sys.stderr, settings.log, settings.log_level, Redactor(secrets), count):
        yield
