"""An OpenRouter of our own on loopback: activity of days that have ended, credits, keys of two kinds, generations."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.loaders.http_stub import Asked, Reply

MANAGEMENT_KEY = "sk-or-v1-managementSECRETsecret0123456789"
INFERENCE_KEY = "sk-or-v1-inferenceSECRETsecret0123456789"
Script = list[Reply | Callable[[Asked], Reply | None]]


def refused(code: int, message: str, **headers: str) -> Reply:
    said = {"error": {"code": code, "message": message, "metadata": {}}}
    return Reply(code, json.dumps(said).encode(), {name.replace("_", "-"): value for name, value in headers.items()})


def data(said: Any) -> Reply:
    return Reply(200, json.dumps({"data": said}).encode())


@dataclass
class OpenRouter:
    activity: list[Any] = field(default_factory=list)
    history: list[Any] = field(default_factory=list)
    """Rows of the analytics."""
    most_rows: int = 10_000
    credits: dict[str, Any] = field(default_factory=lambda: {"total_credits": 250.0, "total_usage": 87.431905})
    key: dict[str, Any] = field(default_factory=dict)
    generations: dict[str, dict[str, Any]] = field(default_factory=dict)
    looks_needed: int = 1
    """At a generation, until it is found."""
    script: Script = field(default_factory=list)
    """Each answers one request, in its order; one that gives None lets it pass."""
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        if self.script:
            scripted = self.script.pop(0)
            reply = scripted if isinstance(scripted, Reply) else scripted(asked)
            if reply is not None:
                return reply
        sent = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if sent not in (MANAGEMENT_KEY, INFERENCE_KEY):
            return refused(401, "User not found.")
        url = urlsplit(asked.path)
        match url.path.removeprefix("/api/v1"):
            case "/activity" | "/credits" | "/analytics/query" if sent != MANAGEMENT_KEY:
                return refused(403, "Only management keys can perform this operation")
            case "/activity":
                return data(self.activity)
            case "/analytics/query":
                return self._analytics(json.loads(asked.body))
            case "/credits":
                return data(self.credits)
            case "/key":
                return data(self.key)
            case "/generation":
                return self._generation(parse_qs(url.query)["id"][0])
        return refused(404, "Not found")

    def _analytics(self, question: Any) -> Reply:
        if len(question["dimensions"]) > 2 or question["granularity"] != "day":
            return refused(400, "at most 2 dimensions")
        start, end = (question["time_range"][side][:10] for side in ("start", "end"))
        rows = [row for row in self.history if start <= str(row.get("date__day", row.get("created_at__day"))) <= end]
        about = {"query_time_ms": 41, "row_count": len(rows), "truncated": len(rows) > self.most_rows}
        return data({"data": rows[: self.most_rows], "metadata": about, "cachedAt": "2026-11-22T11:59:00Z"})

    def _generation(self, name: str) -> Reply:
        looks = sum(name in asked.path for asked in self.asked)
        if name not in self.generations or looks < self.looks_needed:
            return refused(404, f"Generation {name} not found")
        return data(self.generations[name])


def used(day: str, usage: object, /, **changes: Any) -> dict[str, Any]:
    """A row of the activity, with more than a loader reads."""
    return {
        "date": day,
        "model": "anthropic/claude-haiku-4.5",
        "model_permaslug": "anthropic/claude-4.5-haiku-20251001",
        "endpoint_id": "11111111-2222-4333-8444-555555555555",
        "provider_name": "Amazon Bedrock",
        "usage": usage,
        "byok_usage_inference": 0,
        "requests": 1,
        "prompt_tokens": 12_500,
        "completion_tokens": 500,
        "reasoning_tokens": 120,
        "cached_tokens": 12_000,
        "a_field_of_tomorrow": {"deep": [1, 2.5]},
    } | changes


def analysed(day: str, usage: object, /, **changes: Any) -> dict[str, Any]:
    """A row of the analytics: counts are text, and what there is none of is null."""
    return {
        "date__day": day,
        "model": "anthropic/claude-haiku-4.5",
        "request_count": "17",
        "tokens_prompt": "200000",
        "tokens_completion": "21000",
        "cached_tokens": "150000",
        "credits_usage": usage,
        "byok_usage": None,
    } | changes


def own_key(day: str, fee: object, upstream: object) -> dict[str, Any]:
    """A row of calls that were made with another provider's key; an old one, without what was cached."""
    names = {
        "model": "openai/gpt-5.2",
        "model_permaslug": "openai/gpt-5.2-20251211",
        "endpoint_id": "66666666",
        "provider_name": "OpenAI",
    }
    row = used(day, fee, **names, byok_usage_inference=upstream, requests=3, prompt_tokens=200_000)
    del row["cached_tokens"]
    return row


def generation(name: str, /, **changes: Any) -> dict[str, Any]:
    return {
        "id": name,
        "created_at": "2026-11-19T00:01:40.120Z",
        "model": "openai/gpt-5.2-20251211",
        "provider_name": "OpenAI",
        "total_cost": 0.0043,
        "usage": 0.0043,
        "upstream_inference_cost": 0,
        "cache_discount": 0.0107,
        "is_byok": False,
        "tokens_prompt": 12_100,
        "tokens_completion": 480,
        "native_tokens_prompt": 12_500,
        "native_tokens_completion": 500,
        "native_tokens_reasoning": 120,
        "native_tokens_cached": 12_000,
        "finish_reason": "stop",
        "generation_time": 2410,
        "cancelled": False,
        "external_user": "agent-42",
        "session_id": "sess-7f3a",
        "upstream_id": "msg_x",
        "service_tier": None,
    } | changes
