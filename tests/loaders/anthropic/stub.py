"""An Anthropic of our own on loopback, as far as its reports go, over data in memory.

It wants an Admin key and a version, snaps times down to days, has a bucket for every day, leaves out the names that it
was not asked for, and gives few days on a page.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.loaders.http_stub import Asked, Reply

KEY = "sk-ant-admin01-secretSECRETsecret0123456789"
_COST_NAMES = ("model", "token_type", "cost_type", "service_tier", "context_window", "inference_geo", "description")
_USAGE_NAMES = ("model", "workspace_id", "api_key_id", "service_tier", "context_window", "inference_geo")
Script = list[Reply | Callable[[Asked], Reply | None]]


def refused(status: int, kind: str, message: str, **headers: str) -> Reply:
    said = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_011"}
    return Reply(status, json.dumps(said).encode(), {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class Anthropic:
    costs: dict[str, list[Any]] = field(default_factory=dict)
    """By day."""
    usage: dict[str, list[Any]] = field(default_factory=dict)
    claude_code: dict[str, list[Any]] = field(default_factory=dict)
    key: str = KEY
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
        sent = asked.headers.get("x-api-key") or asked.headers.get("authorization", "").removeprefix("Bearer ")
        if sent != self.key:
            return refused(401, "authentication_error", "invalid x-api-key")
        if "anthropic-version" not in asked.headers:
            return refused(400, "invalid_request_error", "anthropic-version: header is required")
        url = urlsplit(asked.path)
        query = parse_qs(url.query)
        match url.path.removeprefix("/v1/organizations/"):
            case "cost_report":
                return self._buckets("cost_report", self.costs, query, self._cost)
            case "usage_report/messages":
                return self._buckets("usage", self.usage, query, self._use)
            case "usage_report/claude_code":
                rows = self.claude_code.get(query["starting_at"][0], [])
                return Reply(200, json.dumps({"data": rows, "has_more": False, "next_page": None}).encode())
        return refused(404, "not_found_error", "Not found")

    def _buckets(
        self, name: str, by_day: dict[str, list[Any]], query: dict[str, list[str]], shown: Callable[..., Any]
    ) -> Reply:
        page = query.pop("page", [""])[0]
        if not page:
            self._first[name] = query
        elif query != self._first[name]:
            return refused(400, "invalid_request_error", "page: is of a request with other parameters")
        if int(query["limit"][0]) > 31 or query["bucket_width"] != ["1d"]:
            return refused(400, "invalid_request_error", "limit: must be at most 31")
        start, end = (_day(query[side][0]) for side in ("starting_at", "ending_at"))
        days = [start + timedelta(days=number) for number in range((end - start).days)]
        days = [day for day in days if self.has_empty_days or by_day.get(str(day))]
        at = int(page.removeprefix("page_") or 0)
        size = min(self.days_on_a_page, int(query["limit"][0]))
        here = [
            {
                "starting_at": f"{day}T00:00:00Z",
                "ending_at": f"{day + timedelta(days=1)}T00:00:00Z",
                "results": [shown(row, query.get("group_by[]", [])) for row in by_day.get(str(day), [])],
            }
            for day in days[at : at + size]
        ]
        has_more = at + size < len(days)
        following = f"page_{at + size}" if has_more else None
        return Reply(200, json.dumps({"data": here, "has_more": has_more, "next_page": following}).encode())

    @staticmethod
    def _cost(row: Any, groups: list[str]) -> Any:
        left_out = set() if "description" in groups else set(_COST_NAMES)
        left_out |= set() if "workspace_id" in groups else {"workspace_id"}
        return _without(row, left_out)

    @staticmethod
    def _use(row: Any, groups: list[str]) -> Any:
        return _without(row, set(_USAGE_NAMES) - set(groups))


def _without(row: Any, names: set[str]) -> Any:
    return {name: None if name in names else value for name, value in row.items()} if isinstance(row, dict) else row


def _day(text: str) -> date:
    return datetime.fromisoformat(text).astimezone(UTC).date()


def cost(cents: object, token_type: str | None = "output_tokens", /, **changes: Any) -> dict[str, Any]:
    """A line of the cost report, with more than a loader reads."""
    return {
        "amount": cents,
        "currency": "USD",
        "cost_type": "tokens",
        "description": f"Claude Sonnet 4.6 Usage - {token_type}",
        "model": "claude-sonnet-4-6",
        "token_type": token_type,
        "service_tier": "standard",
        "context_window": "0-200k",
        "inference_geo": None,
        "workspace_id": None,
        "a_field_of_tomorrow": {"deep": [1, 2.5]},
    } | changes


def search(cents: object) -> dict[str, Any]:
    names = {"cost_type": "web_search", "description": "Web Search Usage", "model": None, "service_tier": None}
    return cost(cents, None, **names, context_window=None)


def use(uncached: int, write_5m: int, write_1h: int, read: int, output: int, /, **changes: Any) -> dict[str, Any]:
    return {
        "uncached_input_tokens": uncached,
        "cache_creation": {"ephemeral_5m_input_tokens": write_5m, "ephemeral_1h_input_tokens": write_1h},
        "cache_read_input_tokens": read,
        "output_tokens": output,
        "server_tool_use": {"web_search_requests": 2},
        "api_key_id": "apikey_01Example",
        "workspace_id": None,
        "model": "claude-sonnet-4-6",
        "service_tier": "standard",
        "context_window": "0-200k",
        "inference_geo": "global",
        "account_id": None,
        "service_account_id": None,
    } | changes


def coded(cents: float, /, **changes: Any) -> dict[str, Any]:
    tokens = {"input": 12_000, "output": 9_000, "cache_read": 350_000, "cache_creation": 40_000}
    return {
        "date": "2026-11-19T00:00:00Z",
        "customer_type": "api",
        "terminal_type": "vscode",
        "actor": {"type": "api_actor", "api_key_name": "fleet-key"},
        "core_metrics": {"num_sessions": 5},
        "model_breakdown": [
            {
                "model": "claude-sonnet-4-6",
                "tokens": tokens,
                "estimated_cost": {"currency": "USD", "amount": cents},
            }
        ],
    } | changes
