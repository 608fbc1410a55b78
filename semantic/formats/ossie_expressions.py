"""Metrics as the one SQL aggregate expression that Ossie has for each, over `dataset.field`."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from semantic.catalog import Catalog
from semantic.formats.report import NotCarriedError
from semantic.measure import Aggregation, Each, Formula, Measure, Rank
from semantic.metric import Metric
from semantic.model import Model
from semantic.reach import paths
from semantic.sql.tree import conjunction, rebuilt

_UNARY: Mapping[Aggregation, type[exp.Expression]] = {
    Aggregation.SUM: exp.Sum,
    Aggregation.AVG: exp.Avg,
    Aggregation.MIN: exp.Min,
    Aggregation.MAX: exp.Max,
    Aggregation.STDDEV: exp.Stddev,
}
_HAS_NO_WORDS = {
    "window": "a window",
    "shift": "a shift",
    "cut": "keys that are left out",
    "snapshot": "a balance",
    "funnel": "a funnel",
    "carry": "a value carried over",
}


@dataclass(frozen=True, slots=True)
class Expressions:
    """The expressions of one catalog's metrics. `NotCarriedError` says what an expression cannot say."""

    catalog: Catalog

    def of(self, metric: Metric) -> exp.Expression:
        match metric.definition:
            case Measure() as measure:
                return self._measure(measure)
            case Formula() as formula:
                return self._formula(formula)
            case Rank():
                raise NotCarriedError("rank", "an expression does not see the other rows of an answer")
            case Each():
                raise NotCarriedError("each", "an expression aggregates once")

    def field(self, tree: exp.Expression) -> exp.Expression:
        """The expression of a dimension, over columns of its own table."""
        return rebuilt(tree, _portable)

    def row(self, model: Model, tree: exp.Expression) -> exp.Expression:
        """An expression over rows: names as `dataset.field`, joined ones through their dataset."""

        def named(node: exp.Expression) -> exp.Expression:
            if isinstance(node, exp.Column):
                return self._field(model, [part.name for part in node.parts])
            return _portable(node)

        return rebuilt(tree, named)

    def _measure(self, measure: Measure) -> exp.Expression:
        for name, words in _HAS_NO_WORDS.items():
            if getattr(measure, name):
                raise NotCarriedError(name, f"an expression has no words for {words}")
        model = self.catalog.models[measure.model]
        if measure.time is not None and measure.time != model.time:
            raise NotCarriedError("time", "an expression does not say by which time its rows are dated")
        condition = conjunction(self.row(model, where) for where in measure.where)
        counted = exp.column(model.key[0], table=model.name)
        value = counted if measure.value is None else self.row(model, measure.value)
        if condition is not None:
            value = exp.Case(ifs=[exp.If(this=condition, true=value)])
        return _aggregate(measure, value)

    def _formula(self, formula: Formula) -> exp.Expression:
        def named(node: exp.Expression) -> exp.Expression:
            match node:
                case exp.Column() if node.name in formula.inputs:
                    return exp.Paren(this=self.of(self.catalog.metric(node.name)))
                case exp.Column() | exp.Anonymous():
                    raise NotCarriedError("as_of", "an expression does not know the day of the question")
                case exp.Div():
                    exact = exp.Mul(this=exp.Literal.number("1.0"), expression=node.this)
                    guarded = exp.Nullif(this=node.expression, expression=exp.Literal.number(0))
                    return exp.Div(this=exact, expression=guarded)
            return node

        return rebuilt(formula.tree, named)

    def _field(self, model: Model, parts: list[str]) -> exp.Expression:
        """A name of the file as `dataset.field`, where no other way leads to that dataset as well."""
        *roles, name = parts
        target = model
        for role in roles:
            join = target.joins[role]
            if join.versions is not None:
                raise NotCarriedError(f"join {role}", "a relationship has no versions")
            target = self.catalog.models[join.target]
        ways = [way for way, end in paths(self.catalog, model.name) if end.name == target.name]
        if roles and len(ways) != 1:
            what = f"'{target.name}' is reached from '{model.name}' in several ways"
            raise NotCarriedError(f"role {'.'.join(roles)}", what)
        dimension = target.dimension(name)
        if dimension is not None and dimension.metric:
            raise NotCarriedError(f"dimension {name}", "a field is of one row")
        return exp.column(name, table=target.name)


def _portable(node: exp.Expression) -> exp.Expression:
    """A function as Ossie's expressions write it."""
    if isinstance(node, exp.DateDiff):
        return exp.Anonymous(this="DATEDIFF", expressions=[node.args["unit"], node.expression, node.this])
    return node


def _aggregate(measure: Measure, value: exp.Expression) -> exp.Expression:
    match measure.aggregation:
        case Aggregation.COUNT:
            return exp.Count(this=value)
        case Aggregation.COUNT_DISTINCT:
            return exp.Count(this=exp.Distinct(expressions=[value]))
        case Aggregation.APPROXIMATE_DISTINCT:
            return exp.Anonymous(this="APPROX_COUNT_DISTINCT", expressions=[value])
        case Aggregation.MEDIAN | Aggregation.PERCENTILE | Aggregation.DISCRETE_PERCENTILE as kind:
            fraction = exp.Literal.number(measure.fraction or "0.5")
            function = exp.PercentileDisc if kind is Aggregation.DISCRETE_PERCENTILE else exp.PercentileCont
            order = exp.Order(expressions=[exp.Ordered(this=value, nulls_first=True)])
            return exp.WithinGroup(this=function(this=fraction), expression=order)
        case Aggregation.FIRST | Aggregation.LAST as kind:
            raise NotCarriedError(kind, "an expression knows no order of rows")
    return _UNARY[measure.aggregation](this=value)
