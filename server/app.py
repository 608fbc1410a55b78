"""The web application: which path is answered by what. It owns its threads, and neither the store nor the clock."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from datetime import datetime
from typing import Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from semantic import Caller, Catalog
from semantic.planner import Planner
from server.access import DeniedError, Identify, Principal
from server.access.audit import Audit
from server.access.audited import Audited
from server.access.gate import Gate
from server.access.opened import SaysOpen
from server.alerts.routes import budget_routes
from server.alerts.watch import Watch
from server.assets import Endpoint, Example, graphiql_config, graphiql_file, graphiql_page, load_examples
from server.budgets import Breakers
from server.examples import ExamplesFor
from server.graphql import build_schema
from server.graphql.context import AnswerLimits
from server.graphql.engine import Engine, Operation
from server.graphql.engine import Response as Answer
from server.graphql.engines import Engines
from server.graphql.http import GraphQLEndpoint, Serving
from server.graphql.request import operation_of
from server.graphql.results import Results
from server.graphql.serving import serving
from server.health import Readiness, health_routes
from server.intake.intake import Intake
from server.intake.making import doors_of
from server.intake.other_port import OtherPort
from server.intake.routes import intake_routes
from server.intake.sent import Sent
from server.jobs import Jobs
from server.lifecycle import Lifecycle
from server.live import EventStreams, Live, LiveLimits, Sockets, marks_of
from server.loads import load_routes
from server.metrics_page import metrics_route
from server.payloads import Forgetting, payload_route
from server.routing import Routing, RoutingPolicy, can_route
from server.settings import Settings, shipped
from server.telemetry import Telemetry
from server.telemetry.middleware import Watched
from server.telemetry.state import ServerState
from store import Store

INDEX = """\
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Clawback</title>
  </head>
  <body>
    <h1>Clawback</h1>
    <p>What AI agents cost and what came of it.</p>
    <ul>
      <li><a href="graphiql">GraphiQL</a>: ask, with examples</li>
      <li><a href="schema.graphql">schema.graphql</a>: everything that can be asked, with its definition</li>
      <li><a href="health/ready">health/ready</a>: whether questions can be answered now</li>
    </ul>
    <p>Programs POST their questions to <code>/graphql</code>.</p>
  </body>
</html>
"""
INDEX_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
ENDPOINT = "/graphql"
HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""Names that a browser may call this server by. Another one means that a page has pointed its own name at us."""


def create_app(
    store: Store,
    catalog: Catalog,
    settings: Settings,
    clock: Callable[[], datetime],
    identity: str = "",
    jobs: Jobs | None = None,
    key: str = "",
    breakers: Breakers | None = None,
    watch: Watch | None = None,
    gate: Gate | None = None,
    audit: Audit | None = None,
    telemetry: Telemetry | None = None,
    lifecycle: Lifecycle | None = None,
    intake: Intake | None = None,
) -> Starlette:
    """`clock` gives the instant at which a question is asked, in UTC; `identity` tells this server from others.

    With `jobs` the server also loads, by schedule and for whoever knows the `key`; it ends them with itself.
    With `breakers` it also answers for budgets; with a `watch` it acts on them and gives their gauges.
    `gate` tells who asks; without one everybody is whom the settings name. `audit` writes down what was asked.
    `lifecycle` is told by whoever asks the server to stop. With an `intake` agents may send here.

    Long, because it names each part of the server once, in the order in which they need one another.
    """
    telemetry, lifecycle = telemetry or Telemetry(), lifecycle or Lifecycle()
    store.around_reads = telemetry.reading
    routing = _routing(store, catalog, settings, clock)
    engines = _engines(store, catalog, settings, clock, jobs, breakers, routing, telemetry)
    gate = gate or Gate(settings.anybody, key)
    engines.prepare(gate.role_sets)
    served = serving(settings, catalog, engines, gate, telemetry.meters)
    marks = marks_of(store, clock, jobs, breakers, routing)
    live = Live(engines, marks, LiveLimits.of(settings), served.allowance.admit, audit)
    telemetry.meters.registry.register(ServerState(store, clock, jobs, routing))
    telemetry.meters.watch(
        "clawback_subscriptions_open", "Connections that are pushed to.", lambda: float(live.places.taken)
    )
    readiness = Readiness(store, catalog, lifecycle)
    lifecycle.when_stopping(live.end_soon)
    if jobs:
        lifecycle.when_stopping(jobs.give_up)

    def reads(fields: object, principal: Principal) -> Operation:
        return operation_of(fields, principal, served.documents, is_read_only=True)

    # The audit ends last, and the watch after the loads: what the last of them has brought is still told.
    sent = Sent(audit) if audit else None
    forgetting = Forgetting(store, clock, settings.payload_days)
    works = [work for work in (audit, sent, gate, watch, jobs, forgetting, intake, routing) if work]
    doors = doors_of(intake, settings, gate, telemetry.meters, sent) if intake else None
    app = Starlette(
        routes=[
            # First, as paths are looked at in this order.
            Route(ENDPOINT, GraphQLEndpoint(served, EventStreams(live, gate, settings.origins).answer)),
            WebSocketRoute(ENDPOINT, Sockets(live, gate, reads, settings.origins)),
            Route("/", _index),
            Route("/schema.graphql", _sdl(engines, gate)),
            Route("/graphiql", graphiql_page),
            Route("/graphiql/config.json", graphiql_config(ExamplesFor(_examples(), engines, gate), ENDPOINT)),
            Route("/graphiql/{name}", graphiql_file),
            *health_routes(readiness, identity, intake.spool.standing if intake else None),
            metrics_route(telemetry.meters, store, catalog, gate, clock, watch.actions if watch else None),
            *(load_routes(jobs, key, gate, audit, served.body_timeout_s) if jobs and key else ()),
            *(budget_routes(watch.actions, clock, key) if watch else ()),
            *((*intake_routes(doors[0]), doors[1].route()) if doors else ()),
            *((payload_route(forgetting, key, audit, served.body_timeout_s),) if key else ()),
        ],
        middleware=_middleware(settings, telemetry, gate, audit),
        lifespan=lambda app: _alive(works, live, served, readiness, lifecycle),
    )
    app.state.live = live
    return app


def _middleware(settings: Settings, telemetry: Telemetry, gate: Gate, audit: Audit | None) -> list[Middleware]:
    """From the outermost inwards: what is refused is watched, too."""
    return [
        Middleware(Watched, telemetry=telemetry),
        *([Middleware(Audited, audit=audit, path=ENDPOINT)] if audit else ()),
        Middleware(SaysOpen, gate=gate),
        Middleware(TrustedHostMiddleware, allowed_hosts=(*HOSTS, *settings.hosts), www_redirect=False),
        *([Middleware(OtherPort, port=settings.otlp_port)] if settings.otlp_port not in (0, settings.port) else ()),
    ]


class Work(Protocol):
    """What goes on beside the questions, in threads of its own."""

    def kept_going(self) -> AbstractContextManager[object]: ...


@asynccontextmanager
async def _alive(
    works: Sequence[Work], live: Live, served: Serving, readiness: Readiness, lifecycle: Lifecycle
) -> AsyncIterator[None]:
    """From the first request to the last; works end in the opposite order."""
    going_on = ExitStack()
    for work in works:
        going_on.enter_context(work.kept_going())
    try:
        async with live.kept_going():
            yield
    finally:
        lifecycle.stop()
        for lane in served.lanes:
            lane.pool.shutdown(wait=False, cancel_futures=True)
        readiness.close()
        # Not in the event loop, which must go on to say that the process is alive.
        await asyncio.to_thread(going_on.close)
        for lane in served.lanes:
            await asyncio.to_thread(lane.pool.shutdown)


def _routing(store: Store, catalog: Catalog, settings: Settings, clock: Callable[[], datetime]) -> Routing | None:
    """One snapshot for all, as the operator sees it: the field refuses callers from whom a policy keeps sessions."""
    policy = RoutingPolicy(settings.routing_max_age_s, settings.routing_range, settings.routing_default_model)
    return Routing(store, Planner(catalog), clock, None, policy) if can_route(catalog, None) else None


def _engines(
    store: Store,
    catalog: Catalog,
    settings: Settings,
    clock: Callable[[], datetime],
    jobs: Jobs | None,
    breakers: Breakers | None,
    routing: Routing | None,
    telemetry: Telemetry,
) -> Engines:
    limits = AnswerLimits(settings.default_rows, settings.max_rows, cash_max_age_days=settings.cash_max_age_days)
    results: Results[Answer] = Results()
    results.kept.meter = telemetry.cache("result")

    def engine_of(seen_by: Caller | None) -> Engine:
        schema = build_schema(catalog, seen_by)
        return Engine(
            *(schema, catalog, store, clock, limits, seen_by, jobs, breakers, routing, telemetry), results=results
        )

    return Engines(engine_of)


def _examples() -> list[Example]:
    directories = (shipped("examples/queries"), shipped("examples/subscriptions"))
    return [example for directory in directories if directory.is_dir() for example in load_examples(directory)]


async def _index(request: Request) -> Response:
    return Response(INDEX, media_type="text/html", headers=INDEX_HEADERS)


def _sdl(engines: Engines, identify: Identify) -> Endpoint:
    async def sdl(request: Request) -> Response:
        try:
            text = await asyncio.to_thread(lambda: engines.of(identify(request)).sdl)
        except DeniedError as denied:
            return PlainTextResponse(f"{denied}\n", denied.status, denied.headers)
        return PlainTextResponse(text, headers={"X-Content-Type-Options": "nosniff"})

    return sdl
