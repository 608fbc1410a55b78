"""Where a fact's rows come from: its table, the joins that its names need, its time and what may be seen of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from sqlglot import exp

from semantic.errors import QueryError
from semantic.measure import Measure, Time
from semantic.model import Dimension, Join, Model
from semantic.periods import Periods
from semantic.plan import Condition, Fact, Plan
from semantic.sql import dates, tree
from semantic.sql.aggregate import aggregate
from semantic.sql.filters import Subject, predicate
from semantic.sql.statement import Parameters
from semantic.timeframe import Bounds

CONVERSIONS = "funnel__conversions"
CONVERTED_AT = "funnel__converted_at"
VALUE = "row__value"
_NEXT = "next_since"
_PARTS = {"weekday": "ISODOW", "day_of_year": "DOY"}


@dataclass
class Rows:
    """The rows of one fact while its statement is built; remembers which joins have become necessary."""

    plan: Plan
    fact: Fact
    parameters: Parameters
    joined: dict[tuple[str, ...], Join] = field(default_factory=dict)
    measured: dict[str, tuple[tuple[Join, ...], Dimension]] = field(default_factory=dict)
    """Dimensions that are metrics of other rows, by the alias of the table that holds them."""

    @property
    def model(self) -> Model:
        return self.fact.model

    def key(self, dimension: str) -> exp.Expression:
        """A dimension that the question names."""
        reached = self.fact.reached[dimension]
        if reached.part:
            return dates.part(self._moment(), _PARTS.get(reached.part, reached.part.upper()))
        value = self._dimension(reached.dimension, reached.path)
        hides = [c for path, guards in self.fact.masks.get(dimension, ()) for c in self._conditions_at(path, guards)]
        return exp.Case(ifs=[exp.If(this=tree.conjunction(hides), true=value)]) if hides else value

    def _conditions_at(self, path: tuple[Join, ...], guards: tuple[Condition, ...]) -> list[exp.Expression]:
        return [self._resolved(condition, (*path, *further)) for further, condition in guards]

    def own(self, name: str) -> exp.Expression:
        """A column or dimension of the fact's own model, or of a joined one, by the name that the file gives it."""
        return self._resolved(exp.column(*reversed(name.split("."))))

    def day(self) -> exp.Expression:
        """The local day of a row."""
        return self.time() if self._when.is_date else tree.cast(self._local_time(), "DATE")

    def outermost_day(self, bound: type[exp.Min | exp.Max]) -> exp.Expression:
        """The first or last local day of all rows: of the raw column, which a store may know without reading it."""
        moment = bound(this=self.time())
        return moment if self._when.is_date else tree.cast(dates.local_time(moment, self.plan.period.zone), "DATE")

    def period_start(self, periods: Periods) -> exp.Expression:
        """The first local day of the period that a row falls in; by the clock, the instant at which it began."""
        if periods.length.unit.is_clock:
            return dates.clock_start(self.time(), self._local_time, periods, self.plan.period.zone)
        return dates.start_of(self._moment(), periods)

    def in_order(self, within: tuple[str, ...]) -> list[exp.Expression]:
        """What puts the rows of an entity one after the other: their time and, at one time, the rest of their key."""
        rest = [k for k in self.model.key if k != self._when.column and k not in within]
        return [self.time(), *(tree.column(k, self.model.name) for k in rest)]

    def measure_condition(self, measure: Measure) -> exp.Expression | None:
        """The measure's own filter and, of a funnel, whether the row has converted."""
        conditions = [self._resolved(w) for w in measure.where]
        if measure.is_converted:
            conditions.append(tree.is_known(tree.column(CONVERTED_AT, CONVERSIONS)))
        return tree.conjunction(conditions)

    def value(self, measure: Measure) -> exp.Expression:
        if measure.is_converted is False:
            return dates.seconds_between(self.time(), tree.column(CONVERTED_AT, CONVERSIONS))
        assert measure.value is not None
        bound = self._resolved(measure.value)
        return bound.this if isinstance(bound, exp.Paren) else bound

    def conditions(self, wheres: Iterable[exp.Expression]) -> list[exp.Expression]:
        return [self._resolved(where) for where in wheres]

    def within(self, bounds: Bounds) -> list[exp.Expression]:
        """Bounds on the raw time column, so that a scan can skip what lies outside."""
        if self.fact.time is None:
            return []
        start, end = (bounds.start, bounds.end) if not self._when.is_date else (bounds.first_day, bounds.day_after)
        if self._when.is_date and end is None:
            end = self.plan.period.day_after_question
        found: list[exp.Expression] = []
        if start is not None:
            found.append(exp.GTE(this=self.time(), expression=self.parameters.bind(start)))
        if end is not None:
            found.append(exp.LT(this=self.time(), expression=self.parameters.bind(end)))
        if bounds.keeps_undated:
            return [self.or_undated(bound) for bound in found]
        return found or [tree.is_known(self.time())]

    def or_undated(self, bound: exp.Expression) -> exp.Expression:
        """A bound that rows without a time pass."""
        return exp.Paren(this=exp.or_(bound, tree.is_null(self.time()), copy=False))

    def asked(self) -> list[exp.Expression]:
        """What the question asks for and what the caller may see."""
        where = self.plan.query.where
        subject = Subject(lambda name: self.fact.reached[name].dimension, self.key)
        asked = [] if where is None else [predicate(where, subject, self.parameters)]
        return [*asked, *self._guarded(self.fact.filters), *self.seen()]

    def seen(self) -> list[exp.Expression]:
        """What the caller may see."""
        return self._guarded(self.fact.guards)

    def select(
        self, columns: list[exp.Expression], conditions: Iterable[exp.Expression], group_by: int = 0
    ) -> exp.Select:
        """A SELECT over the fact's table with every join that `columns` and `conditions` made necessary."""
        where = tree.conjunction(conditions)
        statement = tree.select(columns, tree.table(self.model.source, self.model.name), where, group_by)
        for roles, join in self.joined.items():
            self._join(statement, roles, join)
        for alias, (path, dimension) in self.measured.items():
            self._join_measured(statement, alias, path, dimension)
        if self.fact.funnel:
            name = conversions_name(self.fact)
            on = [
                exp.EQ(this=tree.column(k, self.model.name), expression=tree.column(k, CONVERSIONS))
                for k in self.model.key
            ]
            tree.join(statement, tree.table(name, CONVERSIONS), tree.conjunction(on))
        return statement

    def time(self) -> exp.Expression:
        """The raw time column."""
        return tree.column(self._when.column, self.model.name)

    @property
    def _when(self) -> Time:
        assert self.fact.time is not None
        return self.fact.time

    def _moment(self) -> exp.Expression:
        """The local time of a row, or its date."""
        return self.time() if self._when.is_date else self._local_time()

    def _local_time(self) -> exp.Expression:
        return dates.local_time(self.time(), self.plan.period.zone)

    def _guarded(self, conditions: Iterable[Condition]) -> list[exp.Expression]:
        return [self._resolved(condition, path) for path, condition in conditions]

    def _join(self, statement: exp.Select, path: tuple[str, ...], join: Join) -> None:
        owner, alias = "__".join(path[:-1]) or self.model.name, "__".join(path)
        target = self.plan.models[join.target]
        on: list[exp.Expression] = [
            exp.EQ(this=tree.column(mine, owner), expression=tree.column(theirs, alias))
            for mine, theirs in join.columns
        ]
        source: exp.Expression = tree.table(target.source, alias)
        if versions := join.versions:
            at = versions.at or self._time_of(path[:-1])
            moment = tree.column(at, owner)
            on.append(exp.LTE(this=tree.column(versions.since, alias), expression=moment))
            ends = [_NEXT, *([versions.until] if versions.until else [])]
            on += [tree.unless_null(exp.GT(this=tree.column(e, alias), expression=moment.copy())) for e in ends]
            source = _versions(target, join, alias)
        tree.join(statement, source, tree.conjunction(on))

    def _join_measured(self, statement: exp.Select, alias: str, path: tuple[Join, ...], dimension: Dimension) -> None:
        """The metric for each row of the dimension's model, at most one value a row: nothing can fan out."""
        measure, back = dimension.measure, dimension.back
        assert measure is not None
        model = self.plan.models[measure.model]
        alone = self.fact.alone(model, measure.time or model.time, self.plan.guards_of(model))
        other = Rows(self.plan, alone, self.parameters)
        keys = other.keys_of(back)
        condition = other.measure_condition(measure)
        everything = tree.filtered(exp.Count(this=exp.Star()), condition)
        found = everything
        if measure.value is not None:
            found = aggregate(measure, other.value(measure), condition, partial(other.in_order, ()))
        if dimension.is_zero and not measure.is_count and condition is not None:
            found = tree.zero_if_none(everything.copy(), found)
        happened = other.within(Bounds(keeps_undated=True))
        rows = other.select([*keys, tree.aliased(found, VALUE)], [*happened, *other.seen()], group_by=len(keys))
        owner = "__".join(join.role for join in path) or self.model.name
        on = [exp.EQ(this=tree.column(k.alias, owner), expression=tree.column(k.alias, alias)) for k in keys]
        tree.join(statement, tree.derived(rows, alias), tree.conjunction(on))

    def keys_of(self, back: tuple[Join, ...]) -> list[exp.Expression]:
        """What says which row of a joined model a row belongs to, under the names that the columns have there."""
        last, keys = back[-1], self._key_of(back[-1])
        if last.versions is not None:  # which version it is, only the version itself says
            version = self._alias(back)
            return [tree.aliased(tree.column(key, version), key) for key in keys]
        owner = self._alias(back[:-1])
        return [tree.aliased(tree.column(mine, owner), theirs) for mine, theirs in last.columns]

    def _key_of(self, join: Join) -> tuple[str, ...]:
        """The columns of a join's target that tell its rows apart."""
        return self.plan.models[join.target].key if join.versions else tuple(theirs for _, theirs in join.columns)

    def _time_of(self, path: tuple[str, ...]) -> str:
        model = self.plan.models[self.joined[path].target] if path else self.model
        assert model.time is not None
        return model.time.column

    def _alias(self, path: tuple[Join, ...]) -> str:
        roles = tuple(j.role for j in path)
        for depth, join in enumerate(path, start=1):
            self.joined.setdefault(roles[:depth], join)
        return "__".join(roles) or self.model.name

    def _resolved(self, expression: exp.Expression, path: tuple[Join, ...] = ()) -> exp.Expression:
        """An expression of the file with each name bound to its table; `path` leads to the model that it is about."""

        def bound(node: exp.Expression) -> exp.Expression:
            if isinstance(node, exp.Column):
                return self._name([p.name for p in node.parts], path)
            if isinstance(node, exp.Dot):
                return self._claim(node.expression.name)
            if isinstance(node, exp.Binary) and isinstance(node.expression, exp.Tuple):
                raise QueryError("BAD_CLAIM", "a policy compares one value with a claim of the caller that is a list")
            if isinstance(node, exp.Div):
                return tree.ratio(node.this, node.expression)
            return _spread(node) if isinstance(node, exp.In) else node

        return tree.rebuilt(expression, bound)

    def _dimension(self, dimension: Dimension, path: tuple[Join, ...]) -> exp.Expression:
        """The SQL of a dimension, whose names are columns of its own model; or the value of a metric for its row."""
        owner = self._alias(path)
        if dimension.measure is None:

            def bound(node: exp.Expression) -> exp.Expression:
                if isinstance(node, exp.Column):
                    return tree.column(node.name, owner)
                return tree.ratio(node.this, node.expression) if isinstance(node, exp.Div) else node

            return tree.rebuilt(dimension.sql, bound)
        alias = "__".join((*(join.role for join in path), dimension.name, "rows"))
        self.measured[alias] = (path, dimension)
        value = tree.column(VALUE, alias)
        if not dimension.is_zero:
            return value
        key = self._key_of(dimension.back[-1])[0]
        ifs = [exp.If(this=tree.is_null(tree.column(key, alias)), true=tree.number(0))]
        if path:
            is_nobody = tree.is_null(tree.column(self.plan.models[path[-1].target].key[0], owner))
            ifs = [exp.If(this=is_nobody, true=exp.null()), *ifs]
        return exp.Case(ifs=ifs, default=value)

    def _name(self, parts: list[str], path: tuple[Join, ...]) -> exp.Expression:
        model = self.plan.models[path[-1].target] if path else self.model
        for role in parts[:-1]:
            path = (*path, model.joins[role])
            model = self.plan.models[path[-1].target]
        dimension = model.dimension(parts[-1])
        if dimension is None:
            return tree.column(parts[-1], self._alias(path))
        return tree.operand(self._dimension(dimension, path))

    def _claim(self, name: str) -> exp.Expression:
        assert self.plan.caller is not None
        value = self.plan.caller.claims[name]
        bound = self.parameters.bind
        return exp.Tuple(expressions=[bound(v) for v in value]) if isinstance(value, tuple) else bound(value)


def conversions_name(fact: Fact) -> str:
    return f"{fact.label}_conversions"


def _spread(node: exp.In) -> exp.Expression:
    """`x in :caller.teams` with the teams written out; nothing is in an empty list."""
    values = [v for e in node.expressions for v in (e.expressions if isinstance(e, exp.Tuple) else [e])]
    return exp.In(this=node.this, expressions=values) if values else exp.false()


def _versions(target: Model, join: Join, alias: str) -> exp.Expression:
    """The rows of a dated target with the start of the version that follows each."""
    assert join.versions is not None
    following = exp.Window(
        this=exp.Lead(this=tree.column(join.versions.since)),
        partition_by=[tree.column(theirs) for _, theirs in join.columns],
        order=exp.Order(expressions=[tree.ascending(tree.column(join.versions.since))]),
    )
    return tree.derived(tree.select([exp.Star(), tree.aliased(following, _NEXT)], tree.table(target.source)), alias)
