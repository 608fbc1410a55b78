"""What the final SELECT says of each metric: a fact's column, a total over keys, or a formula over the others."""

from collections.abc import Sequence

from sqlglot import exp

from semantic.measure import Each, Formula, Measure, Rank, Rolling
from semantic.plan import Fact, Plan, Total, key_name, needs_history
from semantic.sql import dates, tree
from semantic.sql.facts import (
    FIRST_DAY,
    PERIOD,
    ROWS_SUFFIX,
    UNKNOWN_SUFFIX,
    WHOLE_SUFFIX,
    Answer,
    history_name,
    needs_rows,
    needs_unknown,
)
from semantic.sql.formula import formula_tree
from semantic.sql.series import ENDS_ON, PERIODS, Series
from semantic.sql.statement import Columns

KEYS = "keys"


def hidden_columns(plan: Plan) -> tuple[str, ...]:
    """What evidence needs beside the asked metrics: their inputs, and the counts behind each measure."""
    if not plan.query.evidence:
        return ()
    inputs = [name for name in plan.metrics if name not in plan.query.metrics]
    counts = [n + suffix for n in _counted(plan) for suffix in (ROWS_SUFFIX, UNKNOWN_SUFFIX)]
    facts = {name: fact for fact in plan.facts for name in fact.measures}
    whole = [name + WHOLE_SUFFIX for name, fact in facts.items() if fact.measures[name].is_null_if_partial]
    return (*inputs, *counts, *whole)


def _counted(plan: Plan) -> list[str]:
    """The metrics whose rows are counted beside them."""
    return [
        name
        for name, metric in plan.metrics.items()
        if isinstance(metric.definition, Each)
        or (isinstance(metric.definition, Measure) and not metric.definition.is_its_rows)
    ]


class Outputs:
    """The SQL of every metric of a plan, found as they rest on each other."""

    def __init__(self, plan: Plan, answers: Sequence[Answer], series: Series) -> None:
        self.plan = plan
        self.series = series
        self.facts = {name: fact for fact in plan.facts for name in fact.measures}
        self.owner = {name: answer.name for answer in answers for name in answer.measures}
        self.found: dict[str, exp.Expression] = {}
        self.keys_from = _keys_from(plan, answers)

    def columns(self, columns: Columns) -> list[exp.Expression]:
        """The keys, the asked metrics and what evidence rests on; ranks come later, from what is here."""
        for name, fact in self.facts.items():
            self._measure(name, fact)
        if any("as_of" in _names(m.definition) for m in self.plan.metrics.values()):
            self.found["as_of"] = self.series.column(ENDS_ON, by_time=self.plan.query.grain is not None)
        for name in self.plan.metrics:
            self._metric(name)
        keys: list[exp.Expression] = [tree.aliased(self._key(k), k) for k in columns.keys]
        return [*keys, *(tree.aliased(self.found[n].copy(), n) for n in _shown_first(self.plan, columns))]

    def _key(self, name: str) -> exp.Expression:
        return tree.column(name, self.keys_from)

    def _metric(self, name: str) -> None:
        definition = self.plan.metrics[name].definition
        if isinstance(definition, Formula):
            self.found[name] = formula_tree(definition.tree, self.found)
        elif isinstance(definition, Each):
            self.found[name] = tree.column(name, self.owner[name])
            for suffix in (ROWS_SUFFIX, UNKNOWN_SUFFIX):
                self.found[name + suffix] = _or_zero(tree.column(name + suffix, self.owner[name]))
        elif name in self.plan.totals:
            self._total(name, self.plan.totals[name])

    def _measure(self, name: str, fact: Fact) -> None:
        """0 where the fact has no row for a key and no rows mean 0; null where there is no such period."""
        metric, measure, table = self.plan.metrics[name], fact.measures[name], self.owner[name]
        is_joined = self.plan.joins_facts
        value: exp.Expression = tree.column(name, table)
        if is_joined and metric.empty == "zero" and not measure.is_count:
            absent = tree.is_null(tree.column(name + ROWS_SUFFIX, table))
            value = exp.Case(ifs=[exp.If(this=absent, true=tree.number(0))], default=value)
        elif is_joined and measure.is_count:
            value = _or_zero(value)
        if isinstance(measure.window, Rolling) and needs_history(measure.window):
            has_history = self._has_history(fact, measure, measure.window)
            if measure.is_null_if_partial:
                self.found[name + WHOLE_SUFFIX] = has_history.copy()
            is_zero = measure.window.partial != "null" and (measure.is_count or metric.empty == "zero")
            none = tree.number(0) if is_zero else None
            value = exp.Case(ifs=[exp.If(this=has_history, true=value)], default=none)
        periods, shift = self.plan.period.periods, measure.shift
        if shift and shift.months and fact.by_time and periods and periods.length.days == 1:
            time = self._key(PERIOD)
            is_there = exp.or_(tree.is_null(time.copy()), dates.has_counterpart(time, shift), copy=False)
            value = exp.Case(ifs=[exp.If(this=is_there, true=value)])
        self.found[name] = value
        for suffix, needs in ((ROWS_SUFFIX, needs_rows), (UNKNOWN_SUFFIX, needs_unknown)):
            if needs(self.plan, fact, name):
                self.found[name + suffix] = _or_zero(tree.column(name + suffix, table))

    def _has_history(self, fact: Fact, measure: Measure, window: Rolling) -> exp.Expression:
        """Whether the history of the fact reaches back into the period's window, or to the start of it."""
        name = history_name(fact)
        first_day = exp.Subquery(this=tree.select([tree.column(FIRST_DAY, name)], tree.table(name)))
        time = self._key(PERIOD) if fact.by_time else None
        if window.partial == "null":
            start = self.series.window_start(time, window, measure.shift)
            reaches_back = exp.LTE(this=first_day, expression=start)
            return reaches_back if time is None else exp.And(this=reaches_back, expression=tree.is_known(time.copy()))
        return exp.LT(this=first_day, expression=self.series.window_end(time, measure.shift))

    def _total(self, name: str, total: Total) -> None:
        """The sum over all rows with the same kept keys; 0 only where none of them has rows."""
        keys = [*(key_name(k) for k in total.keys), *([PERIOD] if total.by_time else [])]

        def over(value: exp.Expression) -> exp.Expression:
            return exp.Window(this=exp.Sum(this=value), partition_by=[self._key(k) for k in keys])

        value = over(self.found[total.of].copy())
        rows, unknown = (self.found.get(total.of + s) for s in (ROWS_SUFFIX, UNKNOWN_SUFFIX))
        if rows is not None and unknown is not None:
            self.found[name + ROWS_SUFFIX] = tree.cast(over(rows.copy()), "BIGINT")
            self.found[name + UNKNOWN_SUFFIX] = tree.cast(over(unknown.copy()), "BIGINT")
            if self.plan.metrics[name].empty == "zero":
                none = exp.EQ(this=over(rows.copy()), expression=tree.number(0))
                known = exp.GT(this=over(rows.copy()), expression=over(unknown.copy()))
                value = exp.Case(ifs=[exp.If(this=none, true=tree.number(0)), exp.If(this=known, true=value)])
        if self.plan.metrics[name].type == "integer":
            value = tree.cast(value, "BIGINT")
        self.found[name] = value


def _keys_from(plan: Plan, answers: Sequence[Answer]) -> str:
    """The table that says which keys there are: of a series in a range, the periods alone."""
    if not plan.joins_facts:
        return answers[0].name
    is_series = plan.fills_gaps and not plan.query.by
    return PERIODS if is_series and not plan.keeps_undated else KEYS


def _shown_first(plan: Plan, columns: Columns) -> list[str]:
    """The metrics of the first SELECT: the asked and hidden ones, and in place of a rank what it ranks."""
    names = []
    for name in (*columns.metrics, *columns.hidden):
        metric = plan.metrics.get(name)
        names.append(metric.definition.of if metric and isinstance(metric.definition, Rank) else name)
    return list(dict.fromkeys(names))


def _or_zero(value: exp.Expression) -> exp.Expression:
    return tree.coalesced(value, tree.number(0))


def _names(definition: object) -> set[str]:
    return {c.name for c in definition.tree.find_all(exp.Column)} if isinstance(definition, Formula) else set()
