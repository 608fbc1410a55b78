"""What fuzzed operations ask for: mostly what the small store has an answer to, and some of everything else."""

from collections.abc import Mapping, Sequence
from typing import Any

ROOTS = (
    *("metrics",) * 12,
    "catalog",
    "sources",
    "routing",
    "roi",
    "runway",
    "wasteBreakdown",
    "outcomes",
    "plans",
    "reconciliation",
    "priceBook",
    "budgets",
    "spendAsKnown",
    "credits",
    "restatements",
)

_DIMENSIONS = ["agent", "model", "trigger", "class"]
_METRICS = ["sessions", "costPerSession", "inferenceCost", "idleWasteRate", "successes", "requests", "utilisation"]

PREFERRED: Mapping[str, list[str]] = {
    "Metrics": ["rows", "rows", "rows", "totals", "truncated", "asOf", "dataVersion", "explain"],
    "MetricsRow": [*_METRICS, *_METRICS, *_DIMENSIONS, "time", "evidence", "cash"],
    "MetricsTotals": [*_METRICS, "evidence", "cash", "runwayDays"],
}
"""Fields to choose from; of other types, all of them."""

Values = Sequence[tuple[str, Any]]

SCALARS: Mapping[str, Values] = {
    "String": [('"main"', "main"), ('"big"', "big"), ('""', ""), ('"ä\\"\\u0041 ; --"', 'ä"A ; --')],
    "Int": [("1", 1), ("3", 3), ("0", 0), ("-1", -1), ("2147483647", 2147483647)],
    "BigInt": [("1", 1), ("9223372036854775807", 9223372036854775807), ("0", 0)],
    "Float": [("0.5", 0.5), ("2", 2), ("1e3", 1e3)],
    "Decimal": [('"0.5"', "0.5"), ("1", 1), ("12.25", 12.25)],
    "Boolean": [("true", True), ("false", False)],
    "Date": [('"2026-03-01"', "2026-03-01"), ('"2026-03-10"', "2026-03-10")],
    "DateTime": [('"2026-03-01T00:00:00Z"', "2026-03-01T00:00:00Z"), ('"2026-03-02T10:00+01:00"', "2026-03-09")],
}
ODD: Values = [('"odd"', "odd"), ("1.5", 1.5), ("true", True), ("99999999999999999999", 99999999999999999999)]
"""Of the wrong kind for most types."""

_DAYS = [('"2026-03-05"', "2026-03-05"), ('"2026-03-10"', "2026-03-10")]
_WHERE = [
    ('{agent: {eq: "main"}}', {"agent": {"eq": "main"}}),
    ("{trigger: {in: [CRON, HUMAN]}}", {"trigger": {"in": ["CRON", "HUMAN"]}}),
    ('{or: [{agent: {isNull: true}}, {model: {startsWith: "b"}}]}', {"agent": {"isNull": False}}),
    ("{}", {}),
    ("null", None),
]
_TIME = [
    ('{start: "2026-03-01T00:00:00Z"}', {"start": "2026-03-01T00:00:00Z", "end": "2026-03-09T00:00:00Z"}),
    ('{range: "last 7 days"}', {"range": "last 7 days"}),
    ('{range: "no such range"}', {"range": "this month", "start": "2026-03-01T00:00:00Z"}),
    ("{start: null}", {}),
]
_ZONE = [('"Asia/Tokyo"', "Europe/Berlin"), ('"No/Where"', None)]
_GRAIN = [*[("DAY", "DAY")] * 6, ("WEEK", "MONTH")]

USUAL: Mapping[str, Values] = {
    "MetricsRow.time.grain": _GRAIN,
    "MetricsRow.evidence.metric": [("SESSIONS", "COST_PER_SESSION"), ("INFERENCE_COST", "SESSIONS")],
    "MetricsTotals.evidence.metric": [("SESSIONS", "INFERENCE_COST"), ("COST_PER_SESSION", "COST_PER_SESSION")],
    "Query.metrics.time": _TIME,
    "Query.metrics.where": _WHERE,
    "Query.metrics.having": [("{sessions: {gte: 1}}", {"sessions": {"gt": 1}}), ("{}", None)],
    "Query.metrics.orderBy": [
        ("[{by: SESSIONS, direction: DESC}]", [{"by": "SESSIONS"}]),
        ("[{by: AGENT}]", [{"by": "TIME", "direction": "DESC"}]),
        ("[]", None),
    ],
    "Query.metrics.limit": [("1", 1), ("2", 3), ("100", None), ("0", 100000)],
    "Query.metrics.zone": _ZONE,
    "Query.metrics.asOf": [*_DAYS, ('"2027-01-01"', "2026-03-01")],
    "Query.metrics.filters": [("[]", None)],
    "Query.routing.models": [('["big", "small"]', ["big"]), ('["ghost"]', [])],
    "Query.spendAsKnown.knownAt": [('"2026-03-10T00:00:00Z"', "2026-03-10T12:00:00Z")],
}
