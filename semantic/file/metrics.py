"""One entry of `metrics:` -> Metric. Exactly one key decides the kind, so there is no `type:` to get out of step.

Kinds: an aggregation over a model; `funnel`; `expr` over other metrics; `metric`, a variation of another one.
"""

from collections.abc import Set as AbstractSet
from dataclasses import replace

from semantic.errors import suggestion
from semantic.expression import ExpressionError, names_in, parse_formula
from semantic.file.derivations import OVER, check_derivations, derived
from semantic.file.document import Value, check_keys
from semantic.file.draft import Draft, Entry
from semantic.file.funnels import output_of, rate, read_funnel
from semantic.file.grammar import ALL_KINDS, MODIFIERS, check_together, conditions, read_variation, written
from semantic.file.measures import natural_unit, read_measure
from semantic.file.meta import META, Meta, label_of, read_meta
from semantic.file.variations import Changer, Variation, instead_of
from semantic.measure import Aggregation, Formula, Rank
from semantic.metric import Metric

AS_OF = "as_of"
"""In a formula, the day of the question."""


def uses_of(body: Value) -> tuple[str, ...]:
    """The metrics that an entry names, whether or not they exist."""
    varied = body.get("metric")
    if varied is not None:
        return (varied.text,)
    formula = body if body.is_scalar else body.get("expr")
    try:
        return tuple(n for n in names_in(parse_formula(formula.text)) if n != AS_OF) if formula else ()
    except ExpressionError:  # told where the entry is read
        return ()


def read_metric(key: Value, body: Value, declared: AbstractSet[str], draft: Draft) -> Metric | None:
    """The metric, which is not yet in the draft; None, with its mistakes noted, where it has any."""
    if body.is_scalar:
        metric = _formula(key, body, declared, draft)
        return replace(metric, label=label_of(key.text)) if metric else None
    if not check_keys(body, {*ALL_KINDS, *MODIFIERS, *META}, draft.mistakes):
        return None
    kinds = [(k, v) for k, v in body.entries if k.text in ALL_KINDS]
    if not kinds and any(k.text not in (*MODIFIERS, *META) for k, _ in body.entries):
        return None  # its kind was told to be an unknown key
    if len(kinds) != 1:
        given = ", ".join(k.text for k, _ in kinds) or "none"
        all_kinds = ", ".join(sorted(ALL_KINDS))
        draft.mistakes.add(body, f"'{key.text}' needs exactly one kind ({all_kinds}), it has {given}")
        return None
    kind, value = kinds[0]
    before = len(draft.mistakes.found)
    check_together(kind.text, value, body, draft)
    meta = read_meta(body, draft.mistakes)
    check_derivations(body, draft)
    base = _base(key, kind.text, value, body, declared, draft)
    variation = read_variation(body, base, draft)
    if base is None or len(draft.mistakes.found) > before:
        return None
    entry = Entry(key, body, f"{base.source_text}{conditions(body)}")
    return _finished(entry, kind.text, base, variation, meta, draft)


def _finished(entry: Entry, kind: str, base: Metric, variation: Variation, meta: Meta, draft: Draft) -> Metric | None:
    """The base as its entry varies it, and what is then made over it."""
    name, body = entry.key.text, entry.body
    is_over = any(body.get(key) for key in OVER)
    if kind == "metric" and variation.is_nothing:
        if is_over:
            return derived(entry, base, meta, draft)
        draft.mistakes.add(body, f"'{name}' varies nothing of '{base.name}'; give it a where: or another modifier")
        return None
    changer = Changer(draft, entry, variation, lambda part: f"{name}__{part}")
    varied = base if kind == "expr" and variation.is_nothing else changer.changed(base)
    if varied is not None and kind == "funnel" and output_of(body) == "rate":
        varied = rate(entry, varied, meta.reasons, draft)
    if varied is None:
        return None
    plain = meta.described(entry.named(varied))
    empty = body.get("empty")
    if empty is not None and plain.empty == "zero" and plain.type in ("text", "date"):
        draft.mistakes.add(empty, f"a {plain.type} is never zero; leave empty: out, or say empty: carry")
        return None
    if not is_over:
        return plain
    part = draft.add_part(f"{name}__value", plain, entry)
    return derived(entry, draft.parts[part], meta, draft) if part else None


def _base(key: Value, kind: str, value: Value, body: Value, declared: AbstractSet[str], draft: Draft) -> Metric | None:
    if kind == "expr":
        return _formula(key, value, declared, draft)
    if kind == "funnel":
        return read_funnel(key, value, draft)
    if kind == "metric":
        return _varied(key, value, declared, draft)
    measure = read_measure(Aggregation(kind), value, body, draft)
    source = f"{kind}: {written(value)}"
    if measure is None:
        return None
    return Metric(key.text, measure, natural_unit(measure, draft), source_text=source, mark=key.mark)


def _formula(key: Value, value: Value, declared: AbstractSet[str], draft: Draft) -> Metric | None:
    if not value.is_scalar:
        draft.mistakes.add(value, f"a formula is a text; this is a {value.kind}")
        return None
    try:
        tree = parse_formula(value.text)
    except ExpressionError as error:
        draft.mistakes.add(value.place(error.column), str(error))
        return None
    places = {name: value.place(place) for name, place in names_in(tree).items() if name != AS_OF}
    if not places:
        draft.mistakes.add(value, f"'{key.text}' uses no other metric; a formula combines metrics")
        return None
    for name, mark in places.items():
        metric = draft.metrics.get(name)
        if name not in declared:
            draft.mistakes.add(mark, f"'{name}' is not a metric; {suggestion(name, declared - {key.text})}")
        elif metric is not None and isinstance(metric.definition, Rank):
            instead = instead_of(metric.definition.of, "use")
            draft.mistakes.add(mark, f"'{name}' is a rank, which no other metric can use; {instead}")
    formula = Formula(tree, tuple(places), tuple(places.values()))
    return Metric(key.text, formula, source_text=value.text, mark=key.mark)


def _varied(key: Value, value: Value, declared: AbstractSet[str], draft: Draft) -> Metric | None:
    """The metric that an entry varies; None where there is none, or where it has mistakes of its own."""
    if value.text in declared and value.text != key.text:
        return draft.metrics.get(value.text)
    hint = suggestion(value.text, declared - {key.text})
    draft.mistakes.add(value, f"there is no metric '{value.text}' to vary; {hint}")
    return None
