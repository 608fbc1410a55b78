"""BigQuery's REST API over rows in memory: it promises first, gives pages, and writes every value as text."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.loaders.http_stub import Asked, Reply
from tests.loaders.scripted import Scripted, place, query, said

TOKEN = "ya29.token-0123456789abcdef"
TABLE = "acme-billing.export.gcp_billing_export_v1_0A1B2C_D3E4F5_678901"
_COLUMNS = (
    "invoice_month",
    "day",
    "service",
    "sku_id",
    "sku",
    "project",
    "region",
    "cost_type",
    "currency",
    "rate",
    "cost",
    "credits",
)
_QUERIES = "/projects/acme-billing/queries"
_JOB = {"projectId": "acme-billing", "jobId": "job_1", "location": "EU"}


@dataclass
class BigQueryApi(Scripted):
    rows: list[dict[str, Any]] = field(default_factory=list)
    per_page: int = 2
    waits: int = 0
    """How often it says that it is not done yet."""
    questions: list[dict[str, Any]] = field(default_factory=list)

    def key(self) -> tuple[str, str]:
        return "authorization", f"Bearer {TOKEN}"

    def usual(self, asked: Asked) -> Reply:
        match asked.method, place(asked):
            case "POST", path if path == _QUERIES:
                self.questions.append(json.loads(asked.body))
                return self._page(0)
            case "GET", path if path == f"{_QUERIES}/job_1":
                token = query(asked).get("pageToken", "0")
                if query(asked).get("location") != "EU" or not token.isdigit():
                    return said(404, {"error": {"code": 404, "message": "Not found: Job", "status": "NOT_FOUND"}})
                return self._page(int(token))
        return said(404, {"error": {"code": 404, "message": "Not found: Project", "status": "NOT_FOUND"}})

    def _page(self, first: int) -> Reply:
        if self.waits:
            self.waits -= 1
            return said(200, {"kind": "bigquery#queryResponse", "jobReference": _JOB, "jobComplete": False})
        following = first + self.per_page
        answer = {
            "kind": "bigquery#queryResponse",
            "schema": {"fields": [{"name": name, "type": "STRING", "mode": "NULLABLE"} for name in _COLUMNS]},
            "jobReference": _JOB,
            "totalRows": str(len(self.rows)),
            "rows": [
                {"f": [{"v": row[name]} for name in _COLUMNS]} for row in self.rows[first : first + self.per_page]
            ],
            "jobComplete": True,
            "cacheHit": False,
        }
        return said(200, answer | ({"pageToken": str(following)} if following < len(self.rows) else {}))


_OUTPUT = "Generate content output token count gemini 2.5 flash"


def line(day: str = "2026-11-19", sku: str = _OUTPUT, **changes: Any) -> dict[str, Any]:
    return {
        "invoice_month": day[:7].replace("-", ""),
        "day": day,
        "service": "Gemini API",
        "sku_id": "AB12-CD34",
        "sku": sku,
        "project": "shop",
        "region": "global",
        "cost_type": "regular",
        "currency": "USD",
        "rate": "1",
        "cost": "0.00309",
        "credits": "0",
    } | changes
