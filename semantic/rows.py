"""Where a fact's rows come from: its table, the joins that its dimensions need, its time and its filters, as SQL."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlglot import exp

from semantic import tree
from semantic.model import Grain, Join, Measure, Model
from semantic.plan import Fact
from semantic.query import Both, Comparison, Either, Filter, Not, Op
from semantic.statement import Parameters
from semantic.values import bind

_BINARY: dict[Op, type[exp.Expression]] = {
    Op.EQ: exp.EQ,
    Op.NE: exp.NullSafeNEQ,
    Op.GT: exp.GT,
    Op.GTE: exp.GTE,
    Op.LT: exp.LT,
    Op.LTE: exp.LTE,
}


@dataclass
class Rows:
    """The rows of one fact while its statement is built; remembers which joins have become necessary."""

    fact: Fact
    models: Mapping[str, Model]
    zone: str
    parameters: Parameters
    joined: dict[tuple[str, ...], Join] = field(default_factory=dict)

    def key(self, dimension: str) -> exp.Expression:
        reached = self.fact.reached[dimension]
        return self._qualified(reached.dimension.sql, self._alias(reached.path))

    def own(self, dimension: str) -> exp.Expression:
        """A dimension of the fact's own model, asked for or not."""
        return self._column(self.fact.model, dimension, self.fact.model.name)

    def day(self) -> exp.Expression:
        """The local day of a row."""
        return self._time() if self.fact.model.time_is_date else tree.cast(self._local_time(), "DATE")

    def in_order(self, within: tuple[str, ...]) -> list[exp.Expression]:
        """What puts the rows of an entity one after the other: their time and, at one time, the rest of their key."""
        model = self.fact.model
        rest = [k for k in model.key if k != model.time and k not in within]
        return [self._time(), *(tree.column(k, model.name) for k in rest)]

    def period_start(self, grain: Grain) -> exp.Expression:
        """The first local day of the period that a row falls in."""
        if grain is Grain.DAY:
            return self.day()
        moment = self._time() if self.fact.model.time_is_date else self._local_time()
        return tree.cast(exp.TimestampTrunc(this=moment, unit=exp.Var(this=grain.upper())), "DATE")

    def measure_condition(self, measure: Measure) -> exp.Expression | None:
        """The measure's own filter, over columns and dimensions of the model and its joins."""
        return tree.conjunction(self._qualified(w) for w in measure.where)

    def value(self, measure: Measure) -> exp.Expression:
        assert measure.column is not None
        bound = self._qualified(tree.column(measure.column))
        return bound.this if isinstance(bound, exp.Paren) else bound

    def in_range(self, start: date | datetime | None, end: date | datetime | None) -> list[exp.Expression]:
        """Half-open bounds on the raw time column, so that a scan can skip what lies outside."""
        bounds: list[exp.Expression] = []
        if start is not None:
            bounds.append(exp.GTE(this=self._time(), expression=self.parameters.bind(start)))
        if end is not None:
            bounds.append(exp.LT(this=self._time(), expression=self.parameters.bind(end)))
        return bounds

    def or_undated(self, bound: exp.Expression) -> exp.Expression:
        """A bound that rows without a time pass."""
        return exp.Paren(this=exp.or_(bound, exp.Is(this=self._time(), expression=exp.null()), copy=False))

    def matching(self, where: Filter | None) -> list[exp.Expression]:
        return [] if where is None else [self._predicate(where)]

    def select(
        self, columns: list[exp.Expression], conditions: Iterable[exp.Expression], group_by: int = 0
    ) -> exp.Select:
        """A SELECT over the fact's table with every join that `columns` and `conditions` made necessary."""
        where = tree.conjunction(conditions)
        name = self.fact.model.name
        statement = tree.select(columns, tree.table(self.fact.model.source, name), where, group_by)
        for path, join in self.joined.items():
            owner = "__".join(path[:-1]) or name
            target = self.models[join.target]
            alias = "__".join(path)
            on = exp.EQ(this=tree.column(join.column, owner), expression=tree.column(target.key[0], alias))
            tree.join(statement, tree.table(target.source, alias), on)
        return statement

    def _alias(self, path: tuple[Join, ...]) -> str:
        roles = tuple(j.role for j in path)
        for depth, join in enumerate(path, start=1):
            self.joined.setdefault(roles[:depth], join)
        return "__".join(roles) or self.fact.model.name

    def _qualified(self, expression: exp.Expression, alias: str | None = None) -> exp.Expression:
        """An expression of the file with each name bound to its table; a dimension's name stands for its SQL."""
        model = self.fact.model

        def bound(node: exp.Expression) -> exp.Expression:
            if not isinstance(node, exp.Column):
                return node
            if node.table:
                join = model.joins[node.table]
                return self._column(self.models[join.target], node.name, self._alias((join,)))
            if alias is not None:
                return tree.column(node.name, alias)
            return self._column(model, node.name, model.name)

        return expression.copy().transform(bound)

    def _column(self, model: Model, name: str, alias: str) -> exp.Expression:
        dimension = model.dimensions.get(name)
        return tree.column(name, alias) if dimension is None else tree.operand(self._qualified(dimension.sql, alias))

    def _time(self) -> exp.Expression:
        assert self.fact.model.time is not None
        return tree.column(self.fact.model.time, self.fact.model.name)

    def _local_time(self) -> exp.Expression:
        if self.zone == "UTC":
            return self._time()
        in_utc = exp.AtTimeZone(this=self._time(), zone=tree.text("UTC"))
        return exp.AtTimeZone(this=in_utc, zone=tree.text(self.zone))

    def _predicate(self, where: Filter) -> exp.Expression:
        match where:
            case Comparison():
                return self._comparison(where)
            case Both(items):
                joined = tree.conjunction(self._predicate(i) for i in items)
                return exp.true() if joined is None else exp.Paren(this=joined)
            case Either(items):
                parts = [self._predicate(i) for i in items]
                return exp.Paren(this=exp.or_(*parts, copy=False)) if parts else exp.false()
            case Not(item):
                # Two-valued: a comparison with null is false, so its negation is true.
                known = exp.Coalesce(this=self._predicate(item), expressions=[exp.false()])
                return exp.Not(this=known)

    def _comparison(self, comparison: Comparison) -> exp.Expression:
        dimension = self.fact.reached[comparison.dimension].dimension
        column = tree.operand(self.key(comparison.dimension))
        if comparison.op is Op.IS_NULL:
            is_null = exp.Is(this=column, expression=exp.null())
            return is_null if comparison.values[0] else exp.Not(this=is_null)
        values = [self.parameters.bind(bind(dimension, v)) for v in comparison.values]
        match comparison.op:
            case Op.IN:
                return exp.In(this=column, expressions=values)
            case Op.NOT_IN:
                absent = exp.Not(this=exp.In(this=column, expressions=values))
                return exp.Paren(this=exp.or_(absent, exp.Is(this=column.copy(), expression=exp.null()), copy=False))
            case Op.CONTAINS:
                return exp.GT(this=exp.StrPosition(this=column, substr=values[0]), expression=tree.number(0))
            case Op.STARTS_WITH:
                return exp.StartsWith(this=column, expression=values[0])
        return _BINARY[comparison.op](this=column, expression=values[0])
