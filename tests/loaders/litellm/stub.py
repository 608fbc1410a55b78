"""A LiteLLM proxy of our own: it pages by numbers, counts up to a cap, and takes the end of a window as part of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.loaders.http_stub import Asked, Reply
from tests.loaders.scripted import Scripted, place, query, said

TOKEN = "sk-litellm-0123456789abcdef"


@dataclass
class LiteLlm(Scripted):
    rows: list[dict[str, Any]] = field(default_factory=list)
    most_counted: int = 1_000_000

    def key(self) -> tuple[str, str]:
        return "authorization", f"Bearer {TOKEN}"

    def usual(self, asked: Asked) -> Reply:
        if place(asked) != "/spend/logs/v2":
            return said(404, {"detail": "Not Found"})
        wanted = query(asked)
        start, end = (_instant(wanted[name]) for name in ("start_date", "end_date"))
        page, size = int(wanted["page"]), int(wanted["page_size"])
        if size > 1000:
            return said(422, {"detail": "page_size: Input should be less than or equal to 1000"})
        found = [row for row in self.rows if start <= _kept(row["startTime"]) <= end]
        found.sort(key=lambda row: str(row["startTime"]), reverse=wanted.get("sort_order", "desc") == "desc")
        total = min(len(found), self.most_counted)
        return said(
            200,
            {
                "data": found[(page - 1) * size : page * size],
                "total": total,
                "page": page,
                "page_size": size,
                "total_pages": -(-total // size),
                "total_is_capped": len(found) > self.most_counted,
                "of_tomorrow": {},
            },
        )


def row(request_id: str = "chatcmpl-x1", **changes: Any) -> dict[str, Any]:
    """The example of the research page, with what a proxy writes beside it."""
    return {
        "request_id": request_id,
        "call_type": "acompletion",
        "api_key": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
        "spend": 0.1505,
        "total_tokens": 206000,
        "prompt_tokens": 200000,
        "completion_tokens": 6000,
        "startTime": "2026-11-19T00:01:40.120000Z",
        "endTime": "2026-11-19T00:01:44.000000Z",
        "model": "gpt-5.2",
        "model_group": "gpt-5.2",
        "custom_llm_provider": "openai",
        "user": "u1",
        "cache_hit": "False",
        "end_user": "agent-42",
        "session_id": "sess-7f3a",
        "team_id": "t1",
        "status": "success",
        "request_tags": ["pr:acme/shop#17"],
        "litellm_call_id": f"call-{request_id}",
        "metadata": {
            "additional_usage_values": {"prompt_tokens_details": {"cached_tokens": 180000}},
            "spend_logs_metadata": {"pr": "acme/shop#17"},
            "user_api_key_alias": "fleet",
        },
    } | changes


def _kept(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
