"""What the entries of a metrics file mean: measures with all their modifiers, and what is made of them.

A metric is written out whole: a formula holds its inputs, changed as the entry says, and no name is looked up later.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from tests.semantic.brute_formula import is_double
from tests.semantic.brute_rows import uses
from tests.semantic.worlds import (
    Cut,
    Each,
    Entry,
    Funnel,
    Length,
    Rank,
    Share,
    Snapshot,
    Sql,
    Term,
    Time,
    Window,
    World,
)

NO_BASE = {"when_zero": "NO_BASE", "when_empty": "NO_BASE"}
X, Y = Term("metric", "x"), Term("metric", "y")
CHANGES = {
    "difference": Term("-", parts=(X, Y)),
    "percent": Term("/", parts=(Term("-", parts=(X, Y)), Y)),
    "ratio": Term("/", parts=(X, Y)),
}
FUNNEL_TIME = "avg"


@dataclass(frozen=True, slots=True, eq=False)
class Total:
    """A measure: an aggregation over one model's rows."""

    model: str
    kind: str
    value: Sql | None = None
    p: str = ""
    is_discrete: bool = False
    is_approximate: bool = False
    tests: tuple[Sql, ...] = ()
    time: Time | None = None
    snapshot: Snapshot | None = None
    funnel: Funnel | None = None
    output: str = ""
    """Of a funnel: count (of those that convert), starts or time."""
    window: Window | None = None
    shift: Length | None = None
    cuts: tuple[Cut, ...] = ()
    """What each of them leaves out is left out."""
    empty: str = "null"
    codes: Mapping[str, str] = field(default_factory=dict)
    is_double: bool = False

    @property
    def is_count(self) -> bool:
        return self.kind in ("count", "count_distinct")

    def leaves_out(self, key: str) -> bool:
        """A dimension's plain name means it by whatever joins it is asked."""
        names = {key, key.rpartition(".")[2]}
        return any(bool(names & set(cut.names)) != cut.keeps for cut in self.cuts)


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    term: Term
    inputs: Mapping[str, "Meaning"]
    codes: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_double(self) -> bool:
        return is_double(self.term, {n for n, m in self.inputs.items() if m.is_double})


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    of: "Meaning"
    rank: Rank
    codes: Mapping[str, str] = field(default_factory=dict)
    is_double: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Eached:
    of: "Meaning"
    each: Each
    codes: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_double(self) -> bool:
        return self.each.take in ("avg", "median", "stddev") or self.of.is_double


Meaning = Total | Formula | Ranked | Eached


def meaning(world: World, name: str) -> Meaning:
    entry = world.metrics[name]
    made = _with_codes(_kind(world, entry), entry.codes)
    made = changed(made, lambda total: _modified(total, entry))
    if entry.change:
        made = _change(made, entry)
    if entry.share:
        made = _share(made, entry.share)
    if entry.each:
        made = Eached(made, entry.each)
    if entry.rank:
        made = Ranked(made, entry.rank)
    return _with_codes(made, entry.codes)


def _kind(world: World, entry: Entry) -> Meaning:
    match entry.kind:
        case "expr":
            assert entry.formula
            return Formula(entry.formula, {n: meaning(world, n) for n in uses(entry.formula)})
        case "metric":
            return meaning(world, entry.varies)
        case "funnel":
            assert entry.funnel
            return _funnel(entry.funnel, entry.codes)
    return Total(
        model=entry.model,
        kind=entry.kind,
        value=entry.value,
        p=entry.p,
        is_discrete=entry.is_discrete,
        is_approximate=entry.is_approximate,
        is_double=_is_double(world, entry),
    )


def _funnel(funnel: Funnel, codes: Mapping[str, str]) -> Meaning:
    starts = Total(funnel.start, "count", funnel=funnel, output="starts")
    converted = Total(funnel.start, "count", funnel=funnel, output="count")
    match funnel.output:
        case "starts":
            return starts
        case "count":
            return converted
        case "time":
            return Total(funnel.start, FUNNEL_TIME, funnel=funnel, output="time", is_double=True)
    under = replace(starts, codes={"when_zero": codes["when_empty"]} if "when_empty" in codes else {})
    return Formula(Term("/", parts=(X, Y)), {"x": converted, "y": under})


def _modified(total: Total, entry: Entry) -> Total:
    """The measure as an entry narrows, times, windows, moves and cuts it."""
    window = entry.window or total.window
    is_mean = window is not None and window.average != ""
    return replace(
        total,
        tests=(*total.tests, *((entry.where,) if entry.where else ())),
        time=entry.time or total.time,
        snapshot=entry.snapshot or total.snapshot,
        window=window,
        shift=longer(total.shift, entry.shift),
        cuts=(*total.cuts, *((entry.cut,) if entry.cut else ())),
        empty=entry.empty or total.empty,
        is_double=total.is_double or is_mean or (entry.snapshot is not None and entry.snapshot.take == "avg"),
    )


def changed(made: Meaning, change: Callable[[Total], Total]) -> Meaning:
    """The same, computed over measures that are each changed."""
    match made:
        case Total():
            return change(made)
        case Formula():
            return replace(made, inputs={n: changed(m, change) for n, m in made.inputs.items()})
        case Eached() | Ranked():
            return replace(made, of=changed(made.of, change))


def _change(made: Meaning, entry: Entry) -> Formula:
    """Against the same, a length of time before."""
    assert entry.change
    length = entry.change.length
    base = changed(
        made, lambda total: replace(total, shift=longer(total.shift, length), codes={**total.codes, **NO_BASE})
    )
    return Formula(CHANGES[entry.change.how], {"x": made, "y": _with_codes(base, NO_BASE)})


def _share(made: Meaning, share: Share) -> Formula:
    """Of the total that leaves keys out."""
    if share.of is not None:
        cut = Cut(share.of)
    elif share.within == "all":
        cut = Cut(("time",), keeps=True)
    else:
        assert isinstance(share.within, tuple)
        cut = Cut((*share.within, "time") if share.within else (), keeps=True)
    whole = changed(made, lambda total: replace(total, cuts=(*total.cuts, cut)))
    return Formula(Term("/", parts=(X, Y)), {"x": made, "y": whole})


def longer(first: Length | None, second: Length | None) -> Length | None:
    """Both lengths together; they are both of minutes, of days or of months."""
    if first is None or second is None:
        return first or second
    if first.minutes:
        return Length(first.minutes + second.minutes, "minute")
    return Length(first.days + second.days, "day") if first.days else Length(first.months + second.months, "month")


def _with_codes(made: Meaning, codes: Mapping[str, str]) -> Meaning:
    return replace(made, codes={**made.codes, **codes})


def _is_double(world: World, entry: Entry) -> bool:
    """Whether the database computes a measure in doubles."""
    if entry.kind in ("avg", "median", "stddev") or (entry.kind == "percentile" and not entry.is_discrete):
        return True
    if entry.value is None or entry.kind == "count_distinct":
        return False
    return "/" in operations(entry.value) or any(
        _kind_of(world, entry.model, name) == "double" for name in entry.value.names()
    )


def _kind_of(world: World, model: str, name: str) -> str:
    """The type that the database gives a column, along roles."""
    *roles, plain = name.split(".")
    for role in roles:
        model = world.tables[model].joins[role].target
    return world.tables[model].columns.get(plain, "")


def operations(tree: Sql) -> set[str]:
    return {tree.op}.union(*(operations(p) for p in tree.parts))
