"""An OpenAI of our own on loopback, as far as its reports go, over data in memory."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.loaders.http_stub import Asked, Reply

KEY = "sk-admin-secretSECRETsecret0123456789"
_COST_NAMES = ("project_id", "line_item", "api_key_id")
_USAGE_NAMES = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")
Script = list[Reply | Callable[[Asked], Reply | None]]


def refused(status: int, message: str, **headers: str) -> Reply:
    said = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": "x"}}
    return Reply(status, json.dumps(said).encode(), {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class OpenAI:
    costs: dict[str, list[Any]] = field(default_factory=dict)
    """By day."""
    usage: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    """By kind and day."""
    days_on_a_page: int = 31
    has_empty_days: bool = True
    script: Script = field(default_factory=list)
    """Each answers one request, in its order; one that gives None lets it pass."""
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    _first: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        if self.script:
            scripted = self.script.pop(0)
            reply = scripted if isinstance(scripted, Reply) else scripted(asked)
            if reply is not None:
                return reply
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return refused(401, "Incorrect API key provided")
        url = urlsplit(asked.path)
        query, path = parse_qs(url.query), url.path.removeprefix("/v1/organization/")
        if path == "costs":
            return self._buckets(path, self.costs, query, _COST_NAMES, 180)
        return self._buckets(path, self.usage.get(path.removeprefix("usage/"), {}), query, _USAGE_NAMES, 31)

    def _buckets(
        self, path: str, by_day: dict[str, list[Any]], query: dict[str, list[str]], names: tuple[str, ...], most: int
    ) -> Reply:
        page = query.pop("page", [""])[0]
        if not page:
            self._first[path] = query
        elif query != self._first[path]:
            return refused(400, "page: is of a request with other parameters")
        if int(query["limit"][0]) > most or query["bucket_width"] != ["1d"]:
            return refused(400, "Invalid bucket_width or limit")
        start, end = (datetime.fromtimestamp(int(query[side][0]), UTC).date() for side in ("start_time", "end_time"))
        days = [start + timedelta(days=number) for number in range((end - start).days)]
        days = [day for day in days if self.has_empty_days or by_day.get(str(day))]
        at, size = int(page or 0), min(self.days_on_a_page, int(query["limit"][0]))
        left_out = set(names) - set(query.get("group_by[]", []))
        here = [
            {
                "object": "bucket",
                "start_time": _seconds(day),
                "end_time": _seconds(day + timedelta(days=1)),
                "results": [_without(row, left_out) for row in by_day.get(str(day), [])],
            }
            for day in days[at : at + size]
        ]
        has_more = at + size < len(days)
        said = {"object": "page", "data": here, "has_more": has_more, "next_page": str(at + size) if has_more else None}
        return Reply(200, json.dumps(said).encode())


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _without(row: Any, names: set[str]) -> Any:
    return {name: None if name in names else value for name, value in row.items()} if isinstance(row, dict) else row


def cost(value: object, line_item: str | None = "gpt-5.2, output", /, **changes: Any) -> dict[str, Any]:
    """A line of the costs, with more than a loader reads."""
    return {
        "object": "organization.costs.result",
        "amount": {"value": value, "currency": "usd"},
        "line_item": line_item,
        "project_id": "proj_example",
        "api_key_id": "key_hidden",
        "quantity": 6000,
        "a_field_of_tomorrow": {"deep": [1, 2.5]},
    } | changes


def use(total: int, cached: int, output: int, /, **changes: Any) -> dict[str, Any]:
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": total,
        "input_cached_tokens": cached,
        "output_tokens": output,
        "num_model_requests": 3,
        "project_id": "proj_example",
        "user_id": "user-hidden",
        "api_key_id": "key_example",
        "model": "gpt-5.2-2025-12-11",
        "batch": None,
        "service_tier": None,
    } | changes


def embedded(total: int) -> dict[str, Any]:
    return {
        "object": "organization.usage.embeddings.result",
        "input_tokens": total,
        "num_model_requests": 7,
        "project_id": None,
        "api_key_id": None,
        "model": "text-embedding-3-small",
    }
