"""What is made over a whole metric: a change, a share, an aggregate of its values, a rank."""

from collections.abc import Callable

from sqlglot import exp

from semantic.file.document import Value
from semantic.file.draft import Draft, Entry
from semantic.file.meta import Meta
from semantic.file.modifiers import read_change, read_each, read_rank, read_share
from semantic.file.variations import Changer, Variation, instead_of
from semantic.measure import Aggregation, Cut, Formula, Measure, Rank
from semantic.metric import Metric, Reasons, declared_name
from semantic.periods import Unit

OVER = ("change", "share", "each", "rank")
"""In the order in which they are made."""
RATIO = "ratio"
NO_BASE = "NO_BASE"
"""There is nothing earlier to compare with."""
Step = Callable[[Metric, Value, Entry, Draft], Metric | None]


def derived(entry: Entry, base: Metric, meta: Meta, draft: Draft) -> Metric | None:
    """The last thing that an entry makes over `base`; each earlier one is a part."""
    current = base
    given = [(name, value) for name in OVER if (value := entry.body.get(name))]
    for index, (name, value) in enumerate(given):
        made = _STEPS[name](current, value, entry, draft)
        if made is None:
            return None
        if index == len(given) - 1:
            return meta.described(entry.named(made))
        part = draft.add_part(f"{entry.key.text}__{name}", made, entry)
        if part is None:
            return None
        current = draft.parts[part]
    return None


def check_derivations(entry: Value, draft: Draft) -> None:
    """Notes what is wrong with them in themselves, whether or not there is a metric to make them over."""
    read_change(entry.get("change"), draft)
    if share := entry.get("share"):
        read_share(share, draft)
    if each := entry.get("each"):
        read_each(each, "", draft)
    if rank := entry.get("rank"):
        read_rank(rank, "", draft)


def _change(of: Metric, value: Value, entry: Entry, draft: Draft) -> Metric | None:
    change = read_change(value, draft)
    if change is None:
        return None
    suffix = f"__{str(change.since).replace(' ', '_')}_earlier"
    reasons = Reasons(empty=NO_BASE, zero=NO_BASE)
    changer = Changer(draft, entry, Variation(shift=change.since), lambda name: name + suffix, reasons)
    base = changer.part(of.name)
    if base is None:
        return None
    now, then = exp.column(of.name), exp.column(base)
    difference = exp.Sub(this=now, expression=then)
    trees: dict[str, exp.Expression] = {
        "difference": difference,
        "percent": exp.Div(this=exp.Paren(this=difference.copy()), expression=then.copy()),
        "ratio": exp.Div(this=now.copy(), expression=then.copy()),
    }
    is_same_unit = change.how == "difference"
    return Metric(
        of.name,
        Formula(trees[change.how], (of.name, base)),
        of.unit if is_same_unit else RATIO,
        better=of.better,
        format=of.format if is_same_unit else "",
    )


def _share(of: Metric, value: Value, entry: Entry, draft: Draft) -> Metric | None:
    cut = read_share(value, draft)
    definition = of.definition
    is_sum = isinstance(definition, Measure) and definition.aggregation in (Aggregation.SUM, Aggregation.COUNT)
    is_carried = isinstance(definition, Measure) and definition.carry
    if not is_sum or is_carried:
        why = "is carried over from earlier periods" if is_sum else "is neither; share one that it rests on"
        draft.mistakes.add(value, f"a share is a part of a sum or a count, and '{declared_name(of.name)}' {why}")
        return None
    if cut is None:
        return None
    changer = Changer(draft, entry, Variation(cut=cut), lambda name: f"{name}__share_{_words(cut)}")
    under = changer.part(of.name)
    if under is None:
        return None
    return Metric(
        of.name, Formula(exp.Div(this=exp.column(of.name), expression=exp.column(under)), (of.name, under)), RATIO
    )


def _words(cut: Cut) -> str:
    names = "_".join(sorted(name.replace(".", "_") for name in cut.names)) or "nothing"
    return f"within_{names}" if cut.keeps else f"of_{names}"


def _each(of: Metric, value: Value, entry: Entry, draft: Draft) -> Metric | None:
    each = read_each(value, of.name, draft)
    if each is None or _is_rank(of, value, "aggregated", draft):
        return None
    if each.grain and (reason := _without_grain(of, each.grain, draft)):
        draft.mistakes.add(value.get("grain") or value, reason)
        return None
    return Metric(of.name, each, of.unit, better=of.better, format=of.format, reasons=of.reasons)


def _without_grain(of: Metric, grain: str, draft: Draft) -> str:
    """Why a metric has no periods of a grain; empty where it has."""
    for measure in draft.measures_of(of).values():
        time = measure.time or draft.models[measure.model].time
        if time is None:
            return f"the model '{measure.model}' has no time, so it has no {grain}s"
        if time.is_date and grain in (Unit.MINUTE, Unit.HOUR):
            return f"the time of '{measure.model}' is a date, so it has no {grain}s"
    return ""


def _rank(of: Metric, value: Value, entry: Entry, draft: Draft) -> Metric | None:
    rank = read_rank(value, of.name, draft)
    if rank is None or _is_rank(of, value, "ranked", draft):
        return None
    return Metric(of.name, rank, reasons=of.reasons)


def _is_rank(of: Metric, place: Value, what: str, draft: Draft) -> bool:
    if isinstance(of.definition, Rank):
        instead = instead_of(of.definition.of, "use")
        draft.mistakes.add(place, f"'{of.name}' is a rank, which cannot be {what}; {instead}")
    return isinstance(of.definition, Rank)


_STEPS: dict[str, Step] = {"change": _change, "share": _share, "each": _each, "rank": _rank}
