"""`/metrics` for Prometheus: what the server counts of itself and, for whoever sees all spend, sources and budgets.

The page is in the text format 0.0.4, which every Prometheus reads, whatever it asks for: the gauges of budgets are
written digit by digit, which the other formats would round.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from semantic import Caller, Catalog, QueryError, visible
from semantic.planner import Planner
from server.access import DeniedError, Identify
from server.alerts.actions import Actions
from server.slices import check_unrestricted
from server.telemetry import CONTENT_TYPE, Meters, current
from server.telemetry.state import SourceFreshness
from store import Store

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_SPEND = "inference_cost"
_CALLS = "request_facts"


def metrics_route(
    meters: Meters,
    store: Store,
    catalog: Catalog,
    identify: Identify,
    clock: Callable[[], datetime],
    actions: Actions | None = None,
) -> Route:
    """Whoever may ask at all sees the counters; `actions` has the gauges of budgets, where there are budgets."""
    scraping = asyncio.Lock()
    planner, of_sources = Planner(catalog), CollectorRegistry()
    of_sources.register(SourceFreshness(store))

    def page(caller: Caller | None) -> str:
        parts = [meters.page()]
        if sees_all_spend(planner, caller):
            parts += [generate_latest(of_sources).decode(), actions.page(clock()) if actions else ""]
        return "".join(parts)

    async def metrics(request: Request) -> Response:
        try:
            principal = identify(request)
        except DeniedError as denied:
            return PlainTextResponse(f"{denied}\n", denied.status, {**HEADERS, **denied.headers})
        current().principal = principal.name
        async with scraping:  # however many scrape, one reads the store
            text = await asyncio.to_thread(page, principal.caller)
        return Response(text, headers=HEADERS | {"Content-Type": CONTENT_TYPE})

    return Route("/metrics", metrics, methods=["GET"])


def sees_all_spend(planner: Planner, caller: Caller | None) -> bool:
    """The operator does; of another caller it must be sure, by the catalog's own words for calls and their cost."""
    if caller is None:
        return True
    catalog = planner.catalog
    models = tuple(name for name, model in catalog.models.items() if model.source == _CALLS)
    try:
        check_unrestricted(planner, models, caller)
    except QueryError:
        return False
    return bool(models) and _SPEND in visible(catalog, caller).metrics
