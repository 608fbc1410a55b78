"""One aggregate over a model's rows -> the kind of a metric and what narrows it, as a metrics file writes them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from semantic.formats.metricflow.models import Models
from semantic.formats.metricflow.project import Aggregate
from semantic.formats.metricflow.sql import carried, carried_condition, is_column, joined, quoted
from semantic.formats.metrics_yaml import Plain
from semantic.formats.report import NotCarriedError

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_ONE_IF = re.compile(r"case\s+when\s+(.*)\s+then\s+1\s+else\s+0\s+end", re.IGNORECASE | re.DOTALL)
_SECOND_BRANCH = re.compile(r"\b(when|then|else)\b", re.IGNORECASE)
_SAME = {"sum": "sum", "min": "min", "max": "max", "average": "avg", "count_distinct": "count_distinct"}
ALL_ROWS = ("1", "*")

Differs = Callable[[str, str, str], None]
"""Tells a difference: the construct, what differs and what to do."""


@dataclass(frozen=True, slots=True)
class Body:
    """A definition in the making: the kind with its value, and the conditions of `where:`."""

    kind: str
    value: Plain
    conditions: tuple[str, ...] = ()
    others: tuple[tuple[str, Plain], ...] = ()

    @property
    def is_count(self) -> bool:
        return self.kind in ("count", "count_distinct")

    def written(self, where: str = "") -> dict[str, Plain]:
        conditions = [c for c in (*self.conditions, where) if c]
        body: dict[str, Plain] = {self.kind: self.value}
        body.update(self.others)
        if conditions:
            body["where"] = joined(conditions)
        return body


def body_of(aggregate: Aggregate, models: Models, differs: Differs, *, exact: bool) -> Body:
    """`exact` counts by summing ones, so that no rows give null as they do there."""
    if aggregate.model not in models.project.models:
        raise NotCarriedError(f"semantic model '{aggregate.model}'", "is not in the file", "see there")
    model = models.names.models[aggregate.model]
    sql = aggregate.sql if is_column(aggregate.sql) else carried(aggregate.sql, models.dialect, "expr")
    if aggregate.non_additive is not None:
        return _snapshot(aggregate, sql, model, models, differs)
    match aggregate.agg:
        case "sum" | "count" | "sum_boolean":
            return _sum_or_count(aggregate.agg, sql, model, models, exact=exact)
        case "median" | "percentile":
            return _percentile(aggregate, _value(model, sql), differs)
        case agg if agg in _SAME:
            return Body(_SAME[agg], _value(model, sql))
    raise NotCarriedError(f"agg: {aggregate.agg}", "is no aggregation here", "use another")


def _value(model: str, sql: str) -> Plain:
    return f"{model}.{sql}" if is_column(sql) else {"model": model, "value": sql}


def _sum_or_count(agg: str, sql: str, model: str, models: Models, *, exact: bool) -> Body:
    """A sum of ones is a count, a sum of ones and zeros a count of the rows that have a one."""
    counted = _condition(agg, sql)
    if counted is None:
        return Body("sum", _value(model, sql))
    if exact:
        value = f"case when {counted} then 1 else 0 end" if counted else "1"
        return Body("sum", {"model": model, "value": value})
    conditions = (carried_condition(counted, models.dialect, "expr"),) if counted else ()
    return Body("count", model, conditions)


def _condition(agg: str, sql: str) -> str | None:
    """Which rows a sum counts: empty for all of them, None where it adds other numbers than ones."""
    if agg == "sum_boolean":
        return sql
    if sql in ALL_ROWS and agg in ("sum", "count"):
        return "" if agg == "count" or sql == "1" else None
    if agg == "count":
        return "" if _NUMBER.fullmatch(sql) else f"{quoted(sql) if is_column(sql) else sql} is not null"
    matched = _ONE_IF.fullmatch(sql.strip())
    return matched[1] if matched and not _SECOND_BRANCH.search(matched[1]) else None


def _percentile(aggregate: Aggregate, value: Plain, differs: Differs) -> Body:
    if aggregate.is_approximate:
        differs("approximate percentile", "is computed exactly", "")
    if aggregate.agg == "median":
        return Body("median", value)
    p = _fraction(aggregate.percentile, differs)
    if p in ("0", "1"):
        return Body("min" if p == "0" else "max", value)
    if p == "0.5" and not aggregate.is_discrete:
        return Body("median", value)
    method: tuple[tuple[str, Plain], ...] = (("method", "discrete"),) if aggregate.is_discrete else ()
    return Body("percentile", value, others=(("p", p), *method))


def _fraction(written: str, differs: Differs) -> str:
    try:
        p = Decimal(written)
    except InvalidOperation as error:
        raise NotCarriedError("agg: percentile", "has no percentile", "give one between 0 and 1") from error
    if p > 1:
        differs(f"percentile {written}", f"is read as {(p / 100).normalize():f}", "write it between 0 and 1")
        p /= 100
    if not 0 <= p <= 1:
        raise NotCarriedError(f"percentile {written}", "is no share of the rows", "give one between 0 and 1")
    return f"{p.normalize():f}"


def _snapshot(aggregate: Aggregate, sql: str, model: str, models: Models, differs: Differs) -> Body:
    """A balance. MetricFlow takes all rows of the last (first) moment of each grouping, here it is the last row."""
    rule = aggregate.non_additive
    assert rule is not None
    construct = f"non_additive_dimension {rule.dimension}"
    time = aggregate.time or models.times.get(aggregate.model, "")
    if rule.dimension != time:
        raise NotCarriedError(construct, f"the rows are dated by {time or 'nothing'}", "date the metric by it")
    if rule.choice not in ("min", "max"):
        raise NotCarriedError(construct, f"window_choice {rule.choice} is neither min nor max", "use one of these")
    counted = _condition(aggregate.agg, sql)
    if counted is None and aggregate.agg != "sum":
        raise NotCarriedError(f"{construct} with agg {aggregate.agg}", "balances are added", "use agg: sum")
    if counted is not None:
        sql = f"case when {counted} then 1 else 0 end" if counted else "1"
    per = _groupings(aggregate, models, construct)
    shown = " and ".join(per)
    told = f"where one {shown} has several rows at its {rule.choice}, one of them counts"
    if not rule.groupings:
        told = f"is of each {shown}; theirs takes the rows at the {rule.choice} of all and misses whoever has none"
    differs(construct, told, "name in per: what tells one balance from another")
    take = "first" if rule.choice == "min" else "last"
    snapshot: Plain = {"take": take, "per": per[0] if len(per) == 1 else list(per), "carry": False}
    return Body("sum", _value(model, sql), others=(("snapshot", snapshot),))


def _groupings(aggregate: Aggregate, models: Models, construct: str) -> tuple[str, ...]:
    """The dimensions that tell one balance from another: those that are named, else the key beside the time."""
    carried_dimensions = models.dimensions[aggregate.model]
    rule = aggregate.non_additive
    assert rule is not None
    if rule.groupings:
        columns = [models.entity_column(aggregate.model, name) for name in rule.groupings]
    else:
        time = models.column_of_time(aggregate.model, aggregate.time)
        key = models.keys[aggregate.model]
        columns = [column for column in key if column != time] if time in key else []
    found = [next((d.name for d in carried_dimensions.values() if d.sql == column), "") for column in columns]
    if not found or not all(found):
        raise NotCarriedError(construct, "nothing says which rows are of one balance", "give it window_groupings")
    return tuple(found)
