"""What follows each row of a funnel's start: one table with the moment at which the row converted, joined to the rows.

Each step takes the earliest event that is not before the step before it, which finds a way through all steps wherever
there is one. Every row keeps its own conversions, so one event may complete several rows.
"""

from sqlglot import exp

from semantic.measure import Funnel
from semantic.model import Model
from semantic.plan import Fact, Plan, scanned
from semantic.sql import dates, tree
from semantic.sql.rows import CONVERTED_AT, Rows, conversions_name
from semantic.sql.statement import Parameters
from semantic.timeframe import Bounds

_ENTITY = "funnel__entity"
_STARTED = "funnel__started_at"
_STEP = "funnel__step_at"
_HAPPENED = "funnel__happened_at"


def conversion_tables(plan: Plan, fact: Fact, parameters: Parameters) -> list[tuple[str, exp.Expression]]:
    """A table for each step, the last under the name that the rows of the fact join."""
    funnel = fact.funnel
    assert funnel is not None
    starts = Rows(plan, fact.alone(fact.model, fact.time, fact.guards), parameters)
    bounds = scanned(plan.period, fact)
    tables: list[tuple[str, exp.Expression]] = [(f"{fact.label}_starts", _starts(starts, funnel, bounds))]
    before = fact.model
    for number, step in enumerate(fact.steps, start=1):
        source, is_last = tables[-1][0], number == len(fact.steps)
        name = conversions_name(fact) if is_last else f"{fact.label}_step_{number}"
        made = CONVERTED_AT if is_last else _STEP
        table = _step(fact, funnel, number, Rows(plan, step, parameters), source, before, made)
        tables.append((name, table))
        before = step.model
    return tables


def _starts(rows: Rows, funnel: Funnel, bounds: Bounds) -> exp.Select:
    """The rows that may convert: those that know their entity and their time."""
    entity = rows.own(funnel.by)
    columns = [
        *(tree.column(k, rows.model.name) for k in rows.model.key),
        tree.aliased(entity, _ENTITY),
        tree.aliased(rows.time(), _STARTED),
        tree.aliased(rows.time(), _STEP),
    ]
    known = [tree.is_known(entity.copy()), tree.is_known(rows.time())]
    return rows.select(columns, [*known, *rows.within(bounds), *rows.seen()])


def _step(fact: Fact, funnel: Funnel, number: int, events: Rows, source: str, before: Model, made: str) -> exp.Select:
    """The rows of `source` for which the step is found, with the earliest moment of it."""
    step = funnel.steps[number - 1]
    passed = events.select(
        [tree.aliased(events.own(step.by), _ENTITY), tree.aliased(events.time(), _HAPPENED)],
        [*events.conditions(step.where), *events.within(Bounds()), *events.seen()],
    )
    happened, reached = tree.column(_HAPPENED, "events"), tree.column(_STEP, source)
    after = exp.GT if events.model.name == before.name else exp.GTE
    ends = dates.instant_after(tree.column(_STARTED, source), funnel.within)
    on: list[exp.Expression] = [
        exp.EQ(this=tree.column(_ENTITY, "events"), expression=tree.column(_ENTITY, source)),
        after(this=happened, expression=reached),
        exp.LT(this=happened.copy(), expression=ends),
    ]
    keys: list[exp.Expression] = [tree.aliased(tree.column(k, source), k) for k in (*fact.model.key, _ENTITY, _STARTED)]
    moment = tree.aliased(exp.Min(this=happened.copy()), made)
    statement = tree.select([*keys, moment], tree.table(source), None, group_by=len(keys))
    tree.join(statement, tree.derived(passed, "events"), tree.conjunction(on), side="INNER")
    return statement
