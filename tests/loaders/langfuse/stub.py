"""A Langfuse of our own: Basic auth, pages by cursors, and only the fields that were asked for."""

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.loaders.http_stub import Asked, Reply
from tests.loaders.scripted import Scripted, place, query, said

TOKEN = "pk-lf-0123456789:sk-lf-9876543210abc"
_FIELDS = {"io": ("input", "output"), "metadata": ("metadata",), "usage": ("usageDetails", "costDetails", "totalCost")}


@dataclass
class Langfuse(Scripted):
    observations: list[dict[str, Any]] = field(default_factory=list)
    most_per_page: int = 1000

    def key(self) -> tuple[str, str]:
        return "authorization", f"Basic {b64encode(TOKEN.encode()).decode()}"

    def usual(self, asked: Asked) -> Reply:
        if place(asked) != "/api/public/v2/observations":
            return said(404, {"message": "Not Found"})
        wanted = query(asked)
        start, end = (datetime.fromisoformat(wanted[name]) for name in ("fromStartTime", "toStartTime"))
        found = [
            entry
            for entry in self.observations
            if entry["type"] == wanted["type"] and start <= datetime.fromisoformat(entry["startTime"]) <= end
        ]
        if not wanted.get("cursor", "0").isdigit():
            return said(400, {"message": "Invalid cursor"})
        size, first = min(int(wanted["limit"]), self.most_per_page), int(wanted.get("cursor", "0"))
        left_out = {name for group, names in _FIELDS.items() if group not in wanted["fields"] for name in names}
        page = [
            {name: value for name, value in entry.items() if name not in left_out}
            for entry in found[first : first + size]
        ]
        following = str(first + size) if first + size < len(found) else None
        return said(200, {"data": page, "meta": {"cursor": following}})


def generation(name: str = "obs-1", **changes: Any) -> dict[str, Any]:
    """The example of the research page."""
    return {
        "id": name,
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "startTime": "2026-11-19T00:01:40.120Z",
        "endTime": "2026-11-19T00:01:42.530Z",
        "projectId": "p1",
        "parentObservationId": None,
        "type": "GENERATION",
        "name": "chat",
        "level": "DEFAULT",
        "sessionId": "sess-7f3a",
        "userId": "agent-42",
        "model": "claude-haiku-4-5",
        "input": "the secret of the customer",
        "output": "the answer to it",
        "metadata": {"attributes": {"gen_ai.provider.name": "anthropic"}},
        "usageDetails": {
            "input": 100,
            "input_cached_tokens": 12000,
            "cache_creation_input_tokens": 400,
            "output": 500,
            "total": 13000,
        },
        "costDetails": {"input": 0.0001, "output": 0.0025, "total": 0.0043},
        "totalCost": 0.0043,
        "latency": 2.41,
        "inputPrice": "0.000001",
        "outputPrice": "0.000005",
        "totalPrice": None,
        "tags": ["prod"],
        "of_tomorrow": {},
    } | changes
