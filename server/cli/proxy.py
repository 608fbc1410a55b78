"""`clawback proxy`: a recording reverse proxy in front of the providers, a process of its own."""

import os
import sys

import click
import uvicorn
from pydantic import ValidationError

from server.access.bearer import digest_of, new_token
from server.lifecycle import Lifecycle
from server.listening import address_of, listening
from server.proxy.meters import Meters
from server.proxy.serving import make_app, proxy_http
from server.proxy.settings import ProxySettings
from server.proxy.spool import Spool, SpoolError
from server.proxy.tokens import TokensError
from server.stopping import Server, Stopper
from server.systemd import Notifier
from server.telemetry.logs import logging_to
from server.telemetry.redaction import Redactor


@click.group("proxy", invoke_without_command=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to listen on; default: CLAWBACK_PROXY_PORT or 8322."
)
@click.option("--ask-budget", is_flag=True, help="Ask the server's budgets before each call; denied calls get 429.")
@click.option("--ask-usage", is_flag=True, help="Add stream_options.include_usage to chat streams that lack it.")
@click.option("--store-payloads", is_flag=True, help="Store what is in calls: requests and answers, for some days.")
@click.pass_context
def command(
    context: click.Context, port: int | None, *, ask_budget: bool, ask_usage: bool, store_payloads: bool
) -> None:
    """Stand between clients and providers, and record which session each call belongs to.

    \b
    clawback proxy
    export OPENAI_BASE_URL=http://127.0.0.1:8322/openai/v1
    export ANTHROPIC_BASE_URL=http://127.0.0.1:8322/anthropic
    """
    if context.invoked_subcommand is not None:
        return
    changes: dict[str, object] = {} if port is None else {"port": port}
    changes |= {"ask_budget": True} if ask_budget else {}
    changes |= {"ask_usage": True} if ask_usage else {}
    changes |= {"store_payloads": True} if store_payloads else {}
    serve(_stated().model_copy(update=changes))


@command.command("token")
@click.argument("name")
@click.option("--agent", "agents", multiple=True, help="An agent that it may name; may be repeated, and hold a *.")
@click.option("--session", "sessions", multiple=True, help="Sessions that it may name, such as 'nightly-*' or '*'.")
def token(name: str, agents: tuple[str, ...], sessions: tuple[str, ...]) -> None:
    """Make a proxy token. It is printed this once; its line for CLAWBACK_PROXY_TOKENS goes to the standard error."""
    made = new_token()
    click.echo(made)
    click.echo(f"  - name: {_quoted(name)}\n    sha256: {digest_of(made).hex()}", err=True)
    for what, names in (("agents", agents), ("sessions", sessions)):
        if names:
            click.echo(f"    {what}: [{', '.join(map(_quoted, names))}]", err=True)


def _stated() -> ProxySettings:
    """Raises `click.ClickException` without what was given: an address may hold a password."""
    try:
        return ProxySettings()
    except ValidationError as error:
        mistakes = error.errors(include_input=False, include_url=False, include_context=False)
        said = (
            (f"CLAWBACK_PROXY_{'_'.join(map(str, each['loc'])).upper()}: " if each["loc"] else "") + each["msg"]
            for each in mistakes
        )
        raise click.ClickException("\n".join(said)) from None


def serve(settings: ProxySettings) -> None:
    """Runs until the process is asked to stop; then calls go on for `shutdown_s`, and the spool is sealed."""
    meters, lifecycle, notifier = Meters(), Lifecycle(), Notifier.of(os.environ)
    secrets = [secret] if (secret := settings.token_for_server()) else []
    with logging_to(sys.stderr, settings.log, settings.log_level, Redactor(secrets), lambda level: None):
        try:
            spool = Spool(settings.spool, meters, settings.spool_mb * 2**20)
            with spool, listening(settings.host, settings.port) as listener:
                server = Server(_config(settings, spool, meters), notifier)
                stopper = Stopper(lifecycle, notifier, settings.shutdown_s, 0, server.close_door, lambda: None)
                click.echo(f"Clawback's proxy listens at {address_of(listener)}/. Ctrl-C stops it.")
                if settings.store_payloads:
                    click.echo(_told_of_payloads(settings))
                with stopper.at_work():
                    server.run(sockets=[listener])
        except (SpoolError, TokensError) as error:
            raise click.ClickException(str(error)) from error
    if not server.started:
        raise click.ClickException("the proxy did not start; the lines above say why")


def _told_of_payloads(settings: ProxySettings) -> str:
    return (
        "PAYLOADS ARE STORED: every prompt and every answer of a model that goes through here, up to "
        f"{settings.payload_kb:,} KiB of each, in {settings.spool / 'payloads'} until {settings.server} has them, and "
        f"there. They are deleted {settings.payload_days} days after the call, or sooner where the server says so "
        "(CLAWBACK_PAYLOAD_DAYS)."
    )


def _config(settings: ProxySettings, spool: Spool, meters: Meters) -> uvicorn.Config:
    return uvicorn.Config(
        make_app(settings, spool, meters),
        http=proxy_http(settings),
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="on",
        server_header=False,
        date_header=False,  # the upstream's own go through
        proxy_headers=False,
        timeout_keep_alive=75,  # longer than clients keep a connection that they do not use
        timeout_graceful_shutdown=settings.shutdown_s,
    )


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
