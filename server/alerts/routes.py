"""`/metrics` for Prometheus, and `/budgets`, where the command line asks the server that owns the store.

Who may read the notice beside the store may run a round, as for loads. `/metrics` is for whoever reaches the server,
unless settings say that callers do not see all spend.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from secrets import compare_digest

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from semantic import Caller, Catalog, QueryError, visible
from semantic.planner import Planner
from server.alerts.actions import Actions, Round
from server.alerts.exposition import CONTENT_TYPE
from server.alerts.webhook import alert_json
from server.budgets.standing_json import standing_json
from server.slices import check_unrestricted
from store import StoreError

_SPEND = "inference_cost"
_CALLS = "request_facts"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def budget_routes(
    actions: Actions, clock: Callable[[], datetime], key: str, catalog: Catalog, caller: Caller | None = None
) -> list[Route]:
    """`caller` is whoever asks this server, as for questions."""
    has_open_metrics = _sees_all_spend(catalog, caller)
    scraping = asyncio.Lock()

    async def metrics(request: Request) -> Response:
        if not has_open_metrics:
            why = "the callers of this server do not see all spend, so there are no gauges; use CLAWBACK_METRICS_FILE\n"
            return PlainTextResponse(why, status_code=403, headers=HEADERS)
        async with scraping:  # however many scrape, one reads the store
            page = await asyncio.to_thread(actions.page, clock())
        return Response(page, headers=HEADERS | {"Content-Type": CONTENT_TYPE})

    async def show(request: Request) -> Response:
        return await _answered(request, lambda: {"standings": [*map(standing_json, actions.standings(clock()))]})

    async def run(request: Request) -> Response:
        return await _answered(request, lambda: round_json(actions.run(clock())))

    async def _answered(request: Request, act: Callable[[], dict[str, object]]) -> Response:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key or not compare_digest(given.encode(), key.encode()):
            return _told(401, "budgets are run by the command line of whoever owns the store")
        try:
            return JSONResponse(await asyncio.to_thread(act), headers=HEADERS)
        except StoreError as error:
            return _told(503, str(error))

    return [
        Route("/metrics", metrics, methods=["GET"]),
        Route("/budgets", show, methods=["GET"]),
        Route("/budgets/run", run, methods=["POST"]),
    ]


def round_json(found: Round) -> dict[str, object]:
    """A round as JSON."""
    return {
        "standings": [standing_json(standing) for standing in found.standings],
        "alerts": [alert_json(alert) for alert in found.alerts],
        "is_flagged": found.is_flagged,
        "problems": list(found.problems),
    }


def _sees_all_spend(catalog: Catalog, caller: Caller | None) -> bool:
    """The operator does; of another caller it must be sure, by the catalog's own words for calls and their cost."""
    if caller is None:
        return True
    models = tuple(name for name, model in catalog.models.items() if model.source == _CALLS)
    try:
        check_unrestricted(Planner(catalog), models, caller)
    except QueryError:
        return False
    return bool(models) and _SPEND in visible(catalog, caller).metrics


def _told(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status_code=status, headers=HEADERS)
