"""What a case exercises, by name: kinds, modifiers, grains, joins, filters, time, and pairs of modifiers."""

from collections.abc import Iterator
from itertools import combinations

from tests.semantic.brute_calendar import CLOCK
from tests.semantic.brute_meaning import Eached, Formula, Meaning, Ranked, Total, meaning
from tests.semantic.brute_refusals import totals_of
from tests.semantic.brute_rows import Rows, comparisons, uses
from tests.semantic.worlds import Case, Entry, Sql, Table, World


def features(case: Case) -> set[str]:
    """The rows of the table of coverage that a case counts for."""
    made = [meaning(case.world, n) for n in case.query.metrics]
    totals = [t for m in made for t in totals_of(m)]
    found = set(_question(case)) | set(_joins(case, totals)) | set(_time(case, totals))
    for name, of in zip(case.query.metrics, made, strict=True):
        words = set(_entry(case.world, case.world.metrics[name]))
        modifiers = {w for w in {*words, *_of_meaning(of)} if w.startswith("modifier ")}
        found |= words | modifiers
        found |= {f"pair {a[9:]} + {b[9:]}" for a, b in combinations(sorted(_heads(modifiers)), 2)}
    return found


def _heads(modifiers: set[str]) -> set[str]:
    """Modifiers without their details."""
    return {" ".join(m.split(" ")[:2]) for m in modifiers}


def _entry(world: World, entry: Entry) -> Iterator[str]:
    """The kinds of a metric, and of those that it rests on."""
    kind = entry.kind + (" approximate" if entry.is_approximate else " discrete" if entry.is_discrete else "")
    if entry.funnel:
        kind = f"funnel {entry.funnel.output}"
    if entry.kind == "metric":
        is_formula = isinstance(meaning(world, entry.varies), Formula)
        kind = f"variation of a {'formula' if is_formula else 'measure'}"
    yield f"kind {kind}"
    if entry.value is not None and entry.value.op != "name":
        yield "kind value: SQL"
    if entry.value is not None and any("." in n for n in entry.value.names()):
        yield "kind value: of a joined model"
    if entry.unit in ("text", "date") and entry.kind != "expr":
        yield f"kind {entry.kind} of {entry.unit}"
    for name in (*(uses(entry.formula) if entry.formula else ()), *([entry.varies] if entry.varies else [])):
        yield from _entry(world, world.metrics[name])
    if entry.change:
        yield f"modifier change as {entry.change.how}"
    if entry.share:
        within = "within" if entry.share.within is not None else "of"
        yield f"modifier share {within}{' all' if entry.share.within == 'all' else ''}"


def _of_meaning(made: Meaning) -> Iterator[str]:
    """Modifiers, wherever in a metric they are."""
    match made:
        case Total():
            yield from _of_total(made)
        case Formula():
            for following in made.inputs.values():
                yield from _of_meaning(following)
        case Ranked():
            yield f"modifier rank {made.rank.first}{' within' if made.rank.within else ''}"
            yield from _of_meaning(made.of)
        case Eached():
            yield f"modifier each take {made.each.take}"
            yield f"modifier each {'by' if made.each.by else ''} {'grain' if made.each.grain else ''}"
            yield from _of_meaning(made.of)


def _of_total(total: Total) -> Iterator[str]:
    yield from ["modifier where"] if total.tests else []
    yield from ["modifier time"] if total.time else []
    yield f"modifier empty {total.empty}"
    if total.shift:
        yield f"modifier shift {_unit(total.shift)}"
    for cut in total.cuts:
        yield f"modifier grain {'keep' if cut.keeps else 'drop'}"
    if total.snapshot:
        carry = "carry" if total.snapshot.carry else "no carry"
        yield f"modifier snapshot {total.snapshot.take} {carry}"
    if window := total.window:
        yield f"modifier {window.kind}"
        if window.length:
            yield f"modifier rolling {window.length.unit}"
            yield from [f"modifier rolling average {window.average}"] if window.average else []
            yield from [f"modifier rolling partial {window.partial}"] if window.partial else []
        yield from [f"modifier to_date {window.grain}"] if window.grain else []


def _unit(length: object) -> str:
    return str(length).split(" ")[1].rstrip("s")


def _question(case: Case) -> Iterator[str]:
    query = case.query
    yield f"keys {len(query.by)}"
    yield from (f"by {n}" for n in query.by if n.startswith("time."))
    for comparison in comparisons(query.where):
        yield f"filter where {comparison.op}"
        yield from [f"filter where {comparison.dimension}"] if comparison.dimension.startswith("time.") else []
        yield from ["filter where of a joined model"] if "." in comparison.dimension else []
    yield from ["filter named"] if query.filters else []
    yield from (f"filter having {c.op}" for c in comparisons(query.having))
    yield from ["filter with order"] if query.order_by else []
    yield from ["filter with limit"] if query.limit else []
    yield from ["filter with evidence"] if query.evidence else []
    if case.caller:
        yield "filter caller"
        rows = Rows(case.world, case.caller)
        tables = {t.model for n in query.metrics for t in totals_of(meaning(case.world, n))}
        rules = [p for t in tables for p in rows.policies_on(case.world.tables[t])]
        yield from ["filter policy on the fact"] if any(not path for _, path in rules) else []
        yield from ["filter policy through joins"] if any(path for _, path in rules) else []
        yield from ["filter policy with a claim"] if any(list(p.rows.claims()) for p, _ in rules) else []


def _joins(case: Case, totals: list[Total]) -> Iterator[str]:
    rows = Rows(case.world, None)
    for total in totals:
        table = case.world.tables[total.model]
        names = (*case.query.by, *(c.dimension for c in comparisons(case.query.where)))
        paths = [p for n in names if not n.startswith("time.") for p in rows.paths_to(table, n)]
        paths += [tuple(n.split(".")[:-1]) for t in _trees(total) for n in t.names()]
        for path in paths:
            yield f"join hops {len(path)}"
            yield from _along(case, table, path)


def _trees(total: Total) -> Iterator[Sql]:
    yield from total.tests
    yield from [total.value] if total.value is not None else []


def _along(case: Case, table: Table, path: tuple[str, ...]) -> Iterator[str]:
    for role in path:
        join = table.joins[role]
        yield from ["join of a pair"] if len(join.pairs) > 1 else []
        yield from ["join one to one"] if join.is_one_to_one else []
        if join.since:
            yield f"join as of{' with until' if join.until else ''}{' at a column' if join.at else ''}"
        targets = {tuple(r.get(theirs) for _, theirs in join.pairs) for r in case.world.tables[join.target].rows}
        own = [tuple(r.get(mine) for mine, _ in join.pairs) for r in table.rows]
        yield from ["join with null keys"] if any(None in o for o in own) else []
        yield from ["join with dangling keys"] if any(None not in o and o not in targets for o in own) else []
        yield from ["join of two roles to one model"] if _is_shared(table, join.target) else []
        table = case.world.tables[join.target]


def _is_shared(table: Table, target: str) -> bool:
    return sum(1 for j in table.joins.values() if j.target == target) > 1


def _time(case: Case, totals: list[Total]) -> Iterator[str]:
    query = case.query
    yield f"grain {query.grain}"
    start, end = query.time.start, query.time.end
    yield f"range {'start' if start else ''} {'end' if end else ''}"
    if query.grain and query.grain not in CLOCK and query.grain not in ("day", "week", "month", "quarter", "year"):
        yield "grain of the file"
    if (start and (start.minute or start.hour)) or (end and (end.minute or end.hour)):
        yield "range off midnight in UTC"
    yield f"zone {query.zone or case.world.zone}"
    yield f"week starts {case.world.week_start}"
    times = [t.time or case.world.tables[t.model].time for t in totals]
    kinds = {None if t is None else t.is_date for t in times}
    yield from ["fact of days"] if True in kinds else []
    yield from ["fact of instants"] if False in kinds else []
    yield from ["fact without time"] if None in kinds else []
    yield from ["facts of days and instants"] if {True, False} <= kinds else []
    yield from ["facts of several models"] if len({t.model for t in totals}) > 1 else []
