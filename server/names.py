"""Catalog names as GraphQL writes them: `cost_per_session` is the field costPerSession, the value COST_PER_SESSION.

A part of the time is written like a name of two words: `time.weekday` is timeWeekday and TIME_WEEKDAY.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from keyword import iskeyword

from semantic import Catalog, CatalogError, Mark, Metric, Mistake
from server.keys import Key, keys_of

# Types that the schema always has; the enum of a dimension that would be called the same takes another name.
# fmt: off
FIXED_TYPES = frozenset({
    "AdmissionReason", "AgentsAffordable", "AsKnown", "AsKnownCall", "AsKnownRow", "Better", "BigInt", "Boolean",
    "CallField", "CallProvenance", "CallSighting",
    "BreakEven", "BreakEvenStatus", "Budget", "BudgetAction", "BudgetDecision", "BudgetForecast", "BudgetLine",
    "BudgetPeriod", "BudgetScope", "BudgetStanding", "BudgetState", "BudgetThreshold", "BudgetTrigger",
    "BudgetWindow", "Catalog", "Change", "ChangeGroup", "ChangeMeasure", "ChangeSession", "ChangeSide", "Column",
    "CreditQuota", "CreditVendor", "Credits", "CutBy", "CutValue", "Date", "DateTime", "Decimal", "Dialect",
    "Dimension", "DimensionType", "Direction", "Evidence", "Explain", "Fact", "FilterInput", "Float", "FocusLine",
    "FundingInput", "Grain", "HavingInput", "HireInput", "HoldState", "Int", "Integer", "Interval", "JoinRule",
    "IntervalMethod", "KaplanMeier", "KaplanMeierStep", "Lineage", "LoadGap", "LoadProgress", "LoadRejection",
    "MatureCohort", "MaySpend", "Metric", "MetricKind", "MetricName", "Metrics", "MetricsRow", "MetricsTotals",
    "ModelSwapInput", "MoneyInterval", "Mutation", "Named", "NamedFilter", "OrderBy", "OrderInput", "OutcomeBounds",
    "OutcomeCounts", "OutcomeKindCount", "Outcomes", "Parameter", "PercentileMethod", "PercentilesInput",
    "PeriodStart", "Plan", "PlanShare", "PlanState", "Posterior", "PriceBook", "PriceBookLine", "PriceOverlap",
    "Prior", "Query", "QuotaState", "RateDifference", "Reached", "Reconciliation", "ReconciliationCause",
    "ReconciliationResidual", "ReconciliationRow", "ReconciliationState", "ReconciliationTotals", "Reservation",
    "ReservedHold", "ResidualCause", "Restatement", "Restatements", "Roi", "RoiDimension", "RoiRow", "RoiStatus",
    "Route", "RouteBasis", "Routing", "RoutingStatus", "Runway", "RunwayBasis", "RunwayDay", "RunwayDriver",
    "RunwayFlat", "RunwayPercentile", "RunwayPercentiles", "RunwayRolledForward", "RunwayScenarioInput",
    "SampleVariances", "SessionScore", "SessionTask", "Source", "String", "Subscription", "Text", "TimeRangeInput",
    "Timestamp", "ValueType", "WasteBreakdown", "WasteClass", "WhatIf", "WhatIfBreakEven", "WhatIfLeftOut",
    "WhatIfPart", "WhatIfPer", "WhatIfSuccess", "WhatIfTotal",
    "CountedElsewhere", "MissingAccount", "ReconciliationCauseTotal", "ReconciliationModel", "TokenCount",
    "Untagged", "UntaggedKind", "UntaggedRow", "UsageReporter",
})
# fmt: on
FILTER_WORDS = ("and", "or", "not")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which name of the catalog a field stands for."""

    metrics: Mapping[str, str]
    keys: Mapping[str, str]


def vocabulary(catalog: Catalog) -> Vocabulary:
    """`CatalogError` where two names of the catalog would be one in GraphQL."""
    keys = keys_of(catalog)
    fields: dict[str, Key | Metric] = {}
    mistakes = []
    named: tuple[Key | Metric, ...] = (*keys.values(), *catalog.metrics.values())
    for item in named:
        field = field_name(item.name)
        other = fields.get(field)
        place = item.mark or (other and other.mark) or Mark(catalog.file, 1, 1)
        if other is not None:
            mistakes.append(Mistake(place, f"'{item.name}' and '{other.name}' are both {field} in GraphQL"))
        elif field in FILTER_WORDS:
            what = "dimension" if item.name in keys else "metric"
            mistakes.append(Mistake(place, f"'{field}' joins conditions in a filter and cannot name a {what}"))
        fields[field] = item
    if mistakes:
        raise CatalogError(mistakes)
    return Vocabulary(
        metrics={field: item.name for field, item in fields.items() if item.name in catalog.metrics},
        keys={field: item.name for field, item in fields.items() if item.name in keys},
    )


def field_name(name: str) -> str:
    """In camelCase.

    Example:
        >>> field_name("p95_session_cost")
        'p95SessionCost'
    """
    first, *rest = re.split(r"[_.]", name)
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def enum_type_name(dimension: str) -> str:
    """In PascalCase, and told apart from the schema's own types.

    Example:
        >>> enum_type_name("task_result"), enum_type_name("source")
        ('TaskResult', 'SourceDimension')
    """
    name = field_name(dimension)
    name = name[:1].upper() + name[1:]
    return name + "Dimension" if name in FIXED_TYPES else name


def value_name(value: str) -> str:
    """In CAPITALS.

    Example:
        >>> value_name("pr-merged"), value_name("5m")
        ('PR_MERGED', '_5M')
    """
    name = re.sub(r"\W", "_", value, flags=re.ASCII).upper()
    return f"_{name}" if not name or name[0].isdigit() else name


def attribute(name: str) -> str:
    """The Python attribute for a name that may be a word of Python, such as `class`, or have two parts."""
    plain = name.replace(".", "_")
    return f"{plain}_" if iskeyword(plain) else plain
