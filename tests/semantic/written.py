"""A world as text: its metrics file, and the statements that make and fill its tables."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal

from tests.semantic.worlds import Cell, Dimension, Entry, Funnel, Join, Share, Sql, Table, Term, Time, Window, World

VERDICTS = "[good, bad]"
LOOSE = {"and", "or", "not", "+", "-", "*", "/", "negative", "=", "<>", "<", ">", "<=", ">=", "in", "between", "like"}
LOOSE |= {"is null", "is not null"}
"""What could fall apart inside of something else, and so is written in brackets there."""


def catalog_text(world: World) -> str:
    """The world's metrics file."""
    lines = [f"defaults: {{time_zone: {world.zone}, week_start: {world.week_start}}}"]
    if world.grains:
        grains = (f"{n}: {{every: {length}, from: {day}}}" for n, (length, day) in world.grains.items())
        lines.append(f"calendar: {{grains: {{{', '.join(grains)}}}}}")
    lines.append("models:")
    for table in world.tables.values():
        lines += _model(table)
    lines.append("metrics:" if world.metrics else "metrics: {}")
    lines += [f"  {name}: {_metric(entry)}" for name, entry in world.metrics.items()]
    if world.filters:
        lines.append("filters:")
        lines += [f"  {n}: {{model: {f.model}, where: {quoted(sql(f.where))}}}" for n, f in world.filters.items()]
    if world.policies:
        lines.append("policies:")
    for name, policy in world.policies.items():
        unless = f", unless: {_listed(sorted(policy.unless))}" if policy.unless else ""
        lines.append(f"  {name}: {{model: {policy.model}, rows: {quoted(sql(policy.rows))}{unless}}}")
    return "\n".join(lines)


def _model(table: Table) -> Iterator[str]:
    yield f"  {table.name}:"
    yield f"    source: {table.name}"
    yield f"    key: {table.key[0] if len(table.key) == 1 else _listed(table.key)}"
    if table.time:
        yield f"    time: {_time(table.time)}"
    if table.joins:
        yield f"    joins: {{{', '.join(f'{role}: {_join(join)}' for role, join in table.joins.items())}}}"
    if table.dimensions:
        yield "    dimensions:"
        yield from (f"      {name}: {_dimension(d)}" for name, d in table.dimensions.items())


def _time(time: Time) -> str:
    return f"{{column: {time.column}, grain: day}}" if time.is_date else time.column


def _join(join: Join) -> str:
    (mine, theirs), *more = join.pairs
    if mine == theirs and not more and not join.is_one_to_one and not join.since:
        return join.target
    parts = [f"to: {join.target}"]
    if more or join.is_one_to_one:
        parts.append(f"columns: {{{', '.join(f'{a}: {b}' for a, b in join.pairs)}}}")
    else:
        parts.append(f"column: {mine}")
    if join.is_one_to_one:
        parts.append("kind: one_to_one")
    if join.until or join.at:
        words = [f"from: {join.since}"]
        words += [f"until: {join.until}"] if join.until else []
        words += [f"at: {join.at}"] if join.at else []
        parts.append(f"as_of: {{{', '.join(words)}}}")
    elif join.since:
        parts.append(f"as_of: {join.since}")
    return f"{{{', '.join(parts)}}}"


def _dimension(dimension: Dimension) -> str:
    words = [f"type: {dimension.kind}"]
    words += [f"values: {VERDICTS}"] if dimension.kind == "enum" else []
    words += [f"sql: {quoted(sql(dimension.sql))}"] if dimension.sql else []
    words += [f"access: {_listed(sorted(dimension.access))}"] if dimension.access else []
    return dimension.kind if len(words) == 1 else f"{{{', '.join(words)}}}"


def _metric(entry: Entry) -> str:
    return f"{{{', '.join((*_kind(entry), *_modifiers(entry), *_meta(entry)))}}}"


def _kind(entry: Entry) -> Iterator[str]:
    if entry.kind == "expr":
        assert entry.formula
        yield f"expr: {quoted(_bare(formula(entry.formula), entry.formula.op in LOOSE))}"
    elif entry.kind == "metric":
        yield f"metric: {entry.varies}"
    elif entry.kind == "funnel":
        assert entry.funnel
        yield f"funnel: {_funnel(entry.funnel)}"
    elif entry.value is None:
        yield f"{entry.kind}: {entry.model}"
    elif entry.value.op == "name" and "." not in entry.value.name:
        yield f"{entry.kind}: {entry.model}.{entry.value.name}"
    else:
        yield f"{entry.kind}: {{model: {entry.model}, value: {quoted(sql(entry.value))}}}"
    yield from [f"p: {entry.p}"] if entry.p else []
    yield from ["method: discrete"] if entry.is_discrete else []
    yield from ["approximate: true"] if entry.is_approximate else []


def _modifiers(entry: Entry) -> Iterator[str]:
    yield from [f"where: {quoted(sql(entry.where))}"] if entry.where else []
    yield from [f"time: {_time(entry.time)}"] if entry.time else []
    yield from [_window(entry.window)] if entry.window else []
    yield from [f"shift: {entry.shift}"] if entry.shift else []
    yield from [f"change: {{from: {entry.change.length}, as: {entry.change.how}}}"] if entry.change else []
    yield from [f"share: {_share(entry.share)}"] if entry.share else []
    if entry.cut:
        yield f"grain: {{{'keep' if entry.cut.keeps else 'drop'}: {_listed(entry.cut.names)}}}"
    if entry.rank:
        within = f", within: {_listed(entry.rank.within)}" if entry.rank.within else ""
        yield f"rank: {{first: {entry.rank.first or 'highest'}{within}}}" if within else f"rank: {entry.rank.first}"
    if entry.each:
        by = f"by: {_listed(entry.each.by)}, " if entry.each.by else ""
        grain = f"grain: {entry.each.grain}, " if entry.each.grain else ""
        yield f"each: {{{by}{grain}take: {entry.each.take}}}"
    if entry.snapshot:
        carry = str(entry.snapshot.carry).lower()
        yield f"snapshot: {{take: {entry.snapshot.take}, per: {_listed(entry.snapshot.per)}, carry: {carry}}}"


def _meta(entry: Entry) -> Iterator[str]:
    yield from [f"empty: {quoted(entry.empty)}"] if entry.empty else []
    yield from [f"unit: {entry.unit}"] if entry.unit else []
    yield from (f"{key}: {code}" for key, code in entry.codes.items())
    yield from [f"access: {_listed(sorted(entry.access))}"] if entry.access else []


def _window(window: Window) -> str:
    if window.kind == "cumulative":
        return "cumulative: true"
    if window.kind == "to_date":
        return f"to_date: {window.grain}"
    if not window.average and not window.partial:
        return f"rolling: {window.length}"
    average = f", average: {window.average}" if window.average else ""
    partial = f", partial: {quoted(window.partial)}" if window.partial else ""
    return f"rolling: {{window: {window.length}{average}{partial}}}"


def _share(share: Share) -> str:
    if share.of is not None:
        return f"{{of: {_listed(share.of)}}}"
    assert share.within is not None
    return f"{{within: {share.within if isinstance(share.within, str) else _listed(share.within)}}}"


def _funnel(funnel: Funnel) -> str:
    steps = []
    for step in funnel.steps:
        by = f", by: {step.by}" if step.by else ""
        where = f", where: {quoted(sql(step.where))}" if step.where else ""
        steps.append(f"{{name: {step.name}, model: {step.model}{by}{where}}}")
    output = f", output: {funnel.output}" if funnel.output != "rate" else ""
    head = f"start: {funnel.start}, by: {funnel.by}, steps: [{', '.join(steps)}], within: {funnel.within}"
    return f"{{{head}{output}}}"


def sql(tree: Sql) -> str:
    """As a person writes it: no brackets around the whole, so that nothing holds it together but the compiler."""
    return _bare(_sql(tree), tree.op in LOOSE)


def _sql(tree: Sql) -> str:
    parts = [_sql(p) for p in tree.parts]
    match tree.op:
        case "name":
            return tree.name
        case "claim":
            return f":caller.{tree.name}"
        case "value":
            assert not isinstance(tree.value, tuple)
            return literal(tree.value)
        case "not":
            return f"(not {parts[0]})"
        case "negative":
            return f"(-{parts[0]})"
        case "is null" | "is not null":
            return f"({parts[0]} {tree.op})"
        case "in claim":
            return f"{parts[0]} in {parts[1]}"
        case "in":
            assert isinstance(tree.value, tuple)
            return f"({parts[0]} in ({', '.join(literal(v) for v in tree.value)}))"
        case "between":
            return f"({parts[0]} between {parts[1]} and {parts[2]})"
        case "case":
            return f"case when {parts[0]} then {parts[1]} else {parts[2]} end"
        case "coalesce" | "upper" | "abs":
            return f"{tree.op}({', '.join(parts)})"
    return f"({parts[0]} {tree.op} {parts[1]})"


def formula(term: Term) -> str:
    parts = [formula(p) for p in term.parts]
    match term.op:
        case "metric" | "number":
            return term.name
        case "+" | "-" | "*" | "/":
            return f"({parts[0]} {term.op} {parts[1]})"
        case "negative":
            return f"(-{parts[0]})"
        case "if positive":
            return f"case when {parts[0]} > 0 then {parts[1]} end"
        case "days_after":
            return f"days_after(as_of, ceil(round({parts[0]}, 6)))"
    return f"{term.op}({', '.join(parts)})"


def _bare(text: str, is_bracketed: bool) -> str:
    return text[1:-1] if is_bracketed else text


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return f"[{', '.join(names)}]"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def table_sql(tables: Mapping[str, Table]) -> str:
    """Statements that create and fill the tables."""
    parts = []
    for table in tables.values():
        columns = ", ".join(f"{name} {kind}" for name, kind in table.columns.items())
        parts.append(f"create or replace table {table.name} ({columns})")
        if table.rows:
            lines = (", ".join(literal(row.get(column)) for column in table.columns) for row in table.rows)
            parts.append(f"insert into {table.name} values " + ", ".join(f"({line})" for line in lines))
    return "; ".join(parts)


def literal(value: Cell) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case datetime():
            return quoted(value.replace(tzinfo=None).isoformat(sep=" "))
        case date():
            return quoted(value.isoformat())
    return quoted(value)
