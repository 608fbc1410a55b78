"""What is said of finished rows: their rank among each other, and which of them are asked for by their values."""

from sqlglot import exp

from semantic.measure import Rank
from semantic.metric import ValueType
from semantic.model import Dimension, DimensionType
from semantic.plan import Plan, key_name
from semantic.sql import tree
from semantic.sql.facts import PERIOD
from semantic.sql.filters import Subject, predicate
from semantic.sql.statement import Columns, Parameters

ANSWERS = "answers"
_RANKED = "ranked"
_COMPARED_AS: dict[ValueType, DimensionType] = {
    "money": "decimal",
    "integer": "decimal",
    "number": "decimal",
    "date": "date",
    "text": "string",
}


def ranked(statement: exp.Select, plan: Plan, columns: Columns) -> exp.Select:
    """The statement with the ranks of its rows, where any are asked for."""
    ranks = {n: m.definition for n, m in plan.metrics.items() if isinstance(m.definition, Rank)}
    if not ranks:
        return statement
    shown: list[exp.Expression] = [tree.column(k) for k in columns.keys]
    shown += [
        tree.aliased(_rank(plan, ranks[name]), name) if name in ranks else tree.column(name)
        for name in (*columns.metrics, *columns.hidden)
    ]
    return tree.select(shown, tree.derived(statement, ANSWERS))


def _rank(plan: Plan, rank: Rank) -> exp.Expression:
    apart = {*rank.within, *(name.rpartition(".")[2] for name in rank.within)}
    within = [key_name(k) for k in plan.query.by if {k, k.rpartition(".")[2]} & apart]
    if plan.query.grain is not None:
        within.append(PERIOD)
    value = tree.column(rank.of)
    order = exp.Ordered(this=value, desc=rank.first == "highest", nulls_first=False)
    place = exp.Window(
        this=exp.Rank(), partition_by=[tree.column(k) for k in within], order=exp.Order(expressions=[order])
    )
    return exp.Case(ifs=[exp.If(this=tree.is_known(value.copy()), true=place)])


def with_having(statement: exp.Select, plan: Plan, columns: Columns, parameters: Parameters) -> exp.Select:
    """Only the rows whose values are asked for; totals, shares and ranks have seen the others."""
    if plan.query.having is None:
        return statement
    subject = Subject(lambda name: _compared(plan, name), tree.column)
    condition = predicate(plan.query.having, subject, parameters)
    shown = [tree.column(c) for c in (*columns.keys, *columns.metrics, *columns.hidden)]
    return tree.select(shown, tree.derived(statement, _RANKED), condition)


def _compared(plan: Plan, name: str) -> Dimension:
    """A metric as something that is compared with values of its type."""
    return Dimension(name, _COMPARED_AS[plan.metrics[name].type], exp.null())
