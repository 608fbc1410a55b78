"""xAI's management API: dollars by day, cents with the sign of a ledger, and an answer that may be cut off."""

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tests.loaders.http_stub import Asked, Reply
from tests.loaders.scripted import Scripted, place, said

TOKEN = "xai-token-0123456789abcdef"
TEAM = "7d1f0c52-team"
_PLACE = f"/v1/billing/teams/{TEAM}"


@dataclass
class Xai(Scripted):
    days: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"2026-11-19": {"Chat grok-4": 0.0165}, "2026-11-20": {"Chat grok-4": "0.75973725"}}
    )
    """Day -> description -> USD."""
    most_points: int = 1_000
    """Of one answer; what is more is cut off."""
    balance: dict[str, Any] = field(
        default_factory=lambda: {
            "changes": [
                {"changeOrigin": "PURCHASE", "amount": {"val": "-1000"}, "createTime": "2026-10-01T08:00:00Z"},
                {"changeOrigin": "SPEND", "amount": {"val": "201"}, "createTime": "2026-11-01T00:00:00Z"},
            ],
            "total": {"val": "-799"},
        }
    )
    preview: dict[str, Any] = field(
        default_factory=lambda: {
            "coreInvoice": {
                "lines": [],
                "totalWithCorr": {"val": "1250"},
                "prepaidCredits": {"val": "-799"},
                "prepaidCreditsUsed": {"val": "0"},
            },
            "billingCycle": {"year": 2026, "month": 11},
            "effectiveSpendingLimit": {"val": "20000"},
        }
    )

    def key(self) -> tuple[str, str]:
        return "authorization", f"Bearer {TOKEN}"

    def usual(self, asked: Asked) -> Reply:
        match asked.method, place(asked).removeprefix(_PLACE):
            case "POST", "/usage":
                return self._usage(json.loads(asked.body)["analyticsRequest"])
            case "GET", "/prepaid/balance":
                return said(200, self.balance)
            case "GET", "/postpaid/invoice/preview":
                return said(200, self.preview)
        return said(404, {"error": "team not found"})

    def _usage(self, wanted: dict[str, Any]) -> Reply:
        assert (wanted["timeRange"]["timezone"], wanted["timeUnit"]) == ("Etc/GMT", "TIME_UNIT_DAY")
        start, end = (_day(wanted["timeRange"][name]) for name in ("startTime", "endTime"))
        points = [
            (group, day, usd)
            for day, groups in sorted(self.days.items())
            if start <= date.fromisoformat(day) < end
            for group, usd in groups.items()
        ]
        series: dict[str, list[Any]] = {}
        for group, day, usd in points[: self.most_points]:
            series.setdefault(group, []).append({"timestamp": f"{day}T00:00:00Z", "values": [usd]})
        listed = [{"group": [group], "groupLabels": [group], "dataPoints": found} for group, found in series.items()]
        return said(200, {"timeSeries": listed, "limitReached": len(points) > self.most_points})


def _day(text: str) -> date:
    day, _, time = text.partition(" ")
    assert time == "00:00:00"
    return date.fromisoformat(day)


def days_of(first: str, amounts: list[Any], group: str = "Chat grok-4") -> dict[str, dict[str, Any]]:
    start = date.fromisoformat(first)
    return {f"{start + timedelta(days=number)}": {group: usd} for number, usd in enumerate(amounts)}
