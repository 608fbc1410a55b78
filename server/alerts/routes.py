"""`/budgets`, where the command line asks the server that owns the store.

Who may read the notice beside the store may run a round, as for loads.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.access.owner import shows_key
from server.alerts.actions import Actions, Round
from server.alerts.webhook import alert_json
from server.budgets.standing_json import standing_json
from store import StoreError

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def budget_routes(actions: Actions, clock: Callable[[], datetime], key: str) -> list[Route]:
    async def show(request: Request) -> Response:
        return await _answered(request, lambda: {"standings": [*map(standing_json, actions.standings(clock()))]})

    async def run(request: Request) -> Response:
        return await _answered(request, lambda: round_json(actions.run(clock())))

    async def _answered(request: Request, act: Callable[[], dict[str, object]]) -> Response:
        if not shows_key(request, key):
            return _told(401, "budgets are run by the command line of whoever owns the store")
        try:
            return JSONResponse(await asyncio.to_thread(act), headers=HEADERS)
        except StoreError as error:
            return _told(503, str(error))

    return [
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


def _told(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status_code=status, headers=HEADERS)
