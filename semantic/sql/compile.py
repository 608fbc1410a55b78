"""Plan -> Statement. Each fact becomes tables of its own; they are joined on the asked keys; formulas come last."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from semantic.measure import Each, Formula
from semantic.plan import Fact, Plan, Scan, all_facts, key_name
from semantic.sql import tree
from semantic.sql.balances import balance_tables
from semantic.sql.conversions import conversion_tables
from semantic.sql.facts import PERIOD, Answer, FactTables, history_tables, plain_tables, seen_days
from semantic.sql.nested import each_tables
from semantic.sql.outputs import KEYS, Outputs, hidden_columns
from semantic.sql.ranks import ranked, with_having
from semantic.sql.readings import reading_tables, whole_range_tables
from semantic.sql.series import PERIODS, Series
from semantic.sql.statement import Columns, Parameters, Statement

DUCKDB = Dialect.get_or_raise("duckdb")


def compile_plan(plan: Plan) -> Statement:
    """The one statement that answers a plan."""
    parameters = Parameters()
    keys = [*(key_name(d) for d in plan.query.by), *([PERIOD] if plan.query.grain else [])]
    columns = Columns(tuple(keys), plan.query.metrics, hidden_columns(plan))
    statement, tables = _answered(plan, columns, parameters)
    statement = with_having(ranked(statement, plan, columns), plan, columns, parameters)
    _order(statement, plan, keys)
    if plan.query.limit is not None:
        statement.set("limit", exp.Limit(expression=tree.number(plan.query.limit + 1)))
    tree.with_tables(statement, tables)
    sql = DUCKDB.generate(statement, pretty=True, copy=False)
    return Statement(sql, parameters.values, columns, statement, plan.query.limit)


def _answered(
    plan: Plan, columns: Columns, parameters: Parameters
) -> tuple[exp.Select, list[tuple[str, exp.Expression]]]:
    """The SELECT with a row for each key, and the tables that it reads."""
    series = Series(plan, parameters)
    plan, made = _made(plan, parameters, series)
    answers = [answer for tables in made for answer in tables.answers]
    outputs = Outputs(plan, answers, series)
    statement = _joined(plan, answers, outputs, columns)
    if plan.joins_facts and plan.fills_gaps:
        series.name(by_time=True)
    if _uses_as_of(plan):
        _join_as_of(statement, plan, outputs, series)
    bounds = list(chain.from_iterable(tables.days for tables in made))
    tables = list(chain.from_iterable(tables.sources for tables in made))
    tables += series.tables(bounds)
    tables += [(answer.name, answer.tree) for answer in answers if answer.tree is not None]
    if plan.joins_facts and outputs.keys_from == KEYS:
        tables.append((KEYS, _keys(plan, answers, list(columns.keys))))
    return statement, tables


def _made(plan: Plan, parameters: Parameters, series: Series) -> tuple[Plan, list[FactTables]]:
    """The tables of each fact and nested question, and the plan with the labels that they were made under."""
    taken = {model.source.lower() for model in plan.models.values()}
    facts, made = [], []
    for fact in plan.facts:
        label, tables = _apart(fact.label, partial(_tables_of, plan, fact, parameters, series), taken)
        facts.append(replace(fact, label=label))
        made.append(tables)
    for name, inner in plan.eaches.items():
        made.append(_apart(name, partial(_nested, plan, name, inner, parameters), taken)[1])
    return replace(plan, facts=tuple(facts)), made


def _apart(label: str, make: Callable[[str], FactTables], taken: set[str], number: int = 1) -> tuple[str, FactTables]:
    """Tables under names that hide no table of the store and none made before, such as `requests__2_by_agent`."""
    tried = label if number == 1 else f"{label}__{number}"
    made = make(tried)
    names = {name.lower() for name in made.names}
    if names & taken:
        return _apart(label, make, taken, number + 1)
    taken |= names
    return tried, made


def _tables_of(plan: Plan, fact: Fact, parameters: Parameters, series: Series, label: str) -> FactTables:
    fact = replace(fact, label=label)
    match fact.scan:
        case Scan.SNAPSHOT:
            made = balance_tables(plan, fact, parameters, series)
        case Scan.PLAIN:
            made = plain_tables(plan, fact, parameters)
            if any(m.average for m in fact.measures.values()) and not fact.by_time:
                made = whole_range_tables(plan, fact, made, parameters, series)
            elif not fact.by_time:
                history = history_tables(plan, fact, parameters)
                made = FactTables((*made.sources, *history), made.answers, made.days)
        case _:
            made = reading_tables(plan, fact, parameters, series)
    if plan.is_open and not made.days and fact.time is not None:
        table, bound = seen_days(plan, fact, parameters, f"{made.answers[0].name}_days")
        made = FactTables((*made.sources, table), made.answers, (bound,))
    if fact.funnel is None:
        return made
    before = tuple(conversion_tables(plan, fact, parameters))
    return FactTables((*before, *made.sources), made.answers, made.days)


def _nested(plan: Plan, name: str, inner: Plan, parameters: Parameters, label: str) -> FactTables:
    each = plan.metrics[name].definition
    assert isinstance(each, Each)
    keys = [*(key_name(d) for d in inner.query.by), *([PERIOD] if inner.query.grain else [])]
    answer, tables = _answered(inner, Columns(tuple(keys), (each.of,)), parameters)
    made = each_tables(plan, name, each, tree.with_tables(answer, tables), inner, label)
    if not plan.is_open:
        return made
    facts = enumerate(all_facts(inner.facts, inner.eaches))
    seen = [seen_days(inner, fact, parameters, f"{label}__{fact.label}_days_{n}") for n, fact in facts]
    return FactTables((*made.sources, *(table for table, _ in seen)), made.answers, tuple(bound for _, bound in seen))


def _joined(plan: Plan, answers: Sequence[Answer], outputs: Outputs, columns: Columns) -> exp.Select:
    owner = outputs.keys_from
    statement = tree.select(outputs.columns(columns), tree.table(owner))
    for answer in answers if plan.joins_facts else answers[1:]:
        on = [tree.same(tree.column(k, owner), tree.column(k, answer.name)) for k in answer.keys]
        tree.join(statement, tree.table(answer.name), tree.conjunction(on))
    return statement


def _uses_as_of(plan: Plan) -> bool:
    trees = [m.definition.tree for m in plan.metrics.values() if isinstance(m.definition, Formula)]
    return any(c.name == "as_of" for t in trees for c in t.find_all(exp.Column))


def _join_as_of(statement: exp.Select, plan: Plan, outputs: Outputs, series: Series) -> None:
    by_time = plan.query.grain is not None
    owner, name = outputs.keys_from, series.name(by_time)
    if owner == name:
        return
    on = tree.same(tree.column(PERIOD, owner), tree.column(PERIOD, name)) if by_time else None
    tree.join(statement, tree.table(name), on)


def _keys(plan: Plan, answers: Sequence[Answer], keys: list[str]) -> exp.Expression:
    """Every combination of keys that some fact has; if the question is dense, each of them in every period."""
    whole = [answer for answer in answers if list(answer.keys) == keys]
    if not plan.is_dense or PERIOD not in keys or len(keys) == 1:
        sources = [PERIODS] if plan.fills_gaps else []
        sources += [answer.name for answer in whole]
        return tree.union([tree.select([tree.column(k) for k in keys], tree.table(source)) for source in sources])
    others = [k for k in keys if k != PERIOD]
    found = tree.union([tree.select([tree.column(k) for k in others], tree.table(a.name)) for a in whole])
    if len(whole) == 1:
        found = tree.select([tree.column(k) for k in others], tree.table(whole[0].name), None, group_by=len(others))
    shown = [*(tree.column(k, "found") for k in others), tree.column(PERIOD, PERIODS)]
    statement = tree.select(shown, tree.derived(found, "found"))
    tree.join(statement, tree.table(PERIODS), None)
    return statement


def _order(statement: exp.Select, plan: Plan, keys: list[str]) -> None:
    """The asked order, then the keys, so that equal values and cut answers come out the same each time."""
    asked = [(key_name(o.by), o.direction == "desc") for o in plan.query.order_by]
    if not asked and plan.query.grain:
        asked = [(PERIOD, False)]
    rest = [(k, False) for k in keys if k not in {name for name, _ in asked}]
    ordered = [exp.Ordered(this=tree.column(n), desc=desc, nulls_first=False) for n, desc in (*asked, *rest)]
    if ordered:
        statement.set("order", exp.Order(expressions=ordered))
