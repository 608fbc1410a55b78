"""The modifiers of a metric, each read by itself: `rolling:`, `shift:`, `share:` and the others.

What they do to a definition, and which of them go together, is the matter of `variations` and `metrics`.
"""

from dataclasses import dataclass
from typing import Literal, cast

from semantic.errors import suggestion
from semantic.file.document import Value, check_keys
from semantic.file.draft import Draft
from semantic.file.duration import read_duration
from semantic.file.keys import TIME, read_dimensions, read_grain, read_keys
from semantic.file.names import flag_of, one_of, texts_in
from semantic.measure import Cumulative, Cut, Each, Rank, Rolling, Snapshot, ToDate, Window
from semantic.metric import Empty
from semantic.model import Model
from semantic.periods import Duration, Unit

WINDOWS = ("rolling", "to_date", "cumulative")
TAKES_OF_A_SNAPSHOT = ("last", "first", "min", "max", "avg")
TAKES_OF_EACH = ("sum", "avg", "min", "max", "median", "stddev")


@dataclass(frozen=True, slots=True)
class Change:
    """The value now beside the one a while ago."""

    since: Duration
    how: Literal["difference", "percent", "ratio"]


def read_empty(value: Value | None, draft: Draft) -> Empty | None:
    if value is None or not one_of(value, ("null", "zero", "carry"), draft.mistakes, "empty"):
        return None
    return cast(Empty, value.text)


def read_window(body: Value, draft: Draft) -> Window | None:
    """The one window of a metric."""
    rolling, to_date, cumulative = (body.get(name) for name in WINDOWS)
    if rolling is not None:
        return _rolling(rolling, draft)
    if to_date is not None:
        grain = read_grain(to_date, draft, clock=False)
        return ToDate(grain) if grain else None
    if cumulative is not None and flag_of(cumulative, draft.mistakes, "cumulative") is False:
        draft.mistakes.add(cumulative, "cumulative: is true; leave it out for the plain value")
    return Cumulative() if cumulative is not None else None


def _rolling(value: Value, draft: Draft) -> Rolling | None:
    if not value.is_scalar and not check_keys(value, {"window", "average", "partial"}, draft.mistakes, ("window",)):
        return None
    window = value if value.is_scalar else value.get("window")
    length = read_duration(window, draft.mistakes, "a window") if window else None
    if length is None:
        return None
    average = _average(value.get("average"), length, draft)
    partial = value.get("partial")
    if partial is None or not one_of(partial, ("keep", "scale", "null"), draft.mistakes, "partial"):
        return Rolling(length, average, "scale" if average else "keep")
    if partial.text == "scale" and value.get("average") is None:
        draft.mistakes.add(partial, "only an average can be scaled; give average: a unit, or partial: keep or null")
    return Rolling(length, average, cast(Literal["keep", "scale", "null"], partial.text))


def _average(value: Value | None, length: Duration, draft: Draft) -> Unit | None:
    if value is None:
        return None
    if length.unit.is_clock:
        draft.mistakes.add(value, "a window of the clock has no average; use a window of days or months")
        return None
    units = [u for u in Unit if not u.is_clock and (length.days or Duration(1, u).months)]
    return Unit(value.text) if one_of(value, units, draft.mistakes, "average") else None


def read_shift(value: Value | None, draft: Draft) -> Duration | None:
    return read_duration(value, draft.mistakes, "a shift") if value else None


def read_change(value: Value | None, draft: Draft) -> Change | None:
    if value is None or not check_keys(value, {"from", "as"}, draft.mistakes, ("from", "as")):
        return None
    since, how = value.get("from"), value.get("as")
    length = read_duration(since, draft.mistakes, "from:") if since else None
    if how is None or not one_of(how, ("difference", "percent", "ratio"), draft.mistakes, "as") or length is None:
        return None
    return Change(length, cast(Literal["difference", "percent", "ratio"], how.text))


def read_grain_cut(value: Value | None, draft: Draft) -> Cut | None:
    """`grain: {drop: ..}` or `{keep: ..}`."""
    if value is None or not check_keys(value, {"drop", "keep"}, draft.mistakes):
        return None
    drop, keep = value.get("drop"), value.get("keep")
    if (drop is None) == (keep is None):
        draft.mistakes.add(value, "grain: takes either drop: or keep:, the keys to leave out or the only ones to keep")
        return None
    if drop is not None:
        return _dropped(drop, draft)
    return Cut(read_keys(keep, draft), keeps=True)


def read_share(value: Value | None, draft: Draft) -> Cut | None:
    """What the whole of a share leaves out."""
    if value is None or not check_keys(value, {"of", "within"}, draft.mistakes):
        return None
    of, within = value.get("of"), value.get("within")
    if (of is None) == (within is None):
        draft.mistakes.add(value, "share: takes either of: (keys that the whole leaves out) or within: (keys it keeps)")
        return None
    if of is not None:
        return _dropped(of, draft)
    assert within is not None
    if within.kind == "list" and not within.items:
        return Cut(frozenset(), keeps=True)
    if within.text == "all":
        return Cut(frozenset({TIME}), keeps=True)
    return Cut(read_keys(within, draft) | {TIME}, keeps=True)


def _dropped(value: Value, draft: Draft) -> Cut | None:
    if value.kind == "list" and not value.items:
        draft.mistakes.add(value, "name at least one key to leave out")
        return None
    return Cut(read_keys(value, draft))


def read_rank(value: Value, of: str, draft: Draft) -> Rank | None:
    if not value.is_scalar and not check_keys(value, {"first", "within"}, draft.mistakes):
        return None
    first = value if value.is_scalar else value.get("first")
    within = value.get("within")
    if first is not None and not one_of(first, ("highest", "lowest"), draft.mistakes, "rank"):
        return None
    for key in within.items or (within,) if within else ():
        if key.text == TIME:
            draft.mistakes.add(key, "each period is ranked apart in any case; leave time out")
    order = cast(Literal["highest", "lowest"], first.text if first else "highest")
    return Rank(of, order, read_keys(within, draft) - {TIME})


def read_each(value: Value, of: str, draft: Draft) -> Each | None:
    if not check_keys(value, {"by", "grain", "take"}, draft.mistakes, ("take",)):
        return None
    by, grain, take = value.get("by"), value.get("grain"), value.get("take")
    names = read_dimensions(by, draft)
    inner = read_grain(grain, draft) if grain else None
    if take is None or not one_of(take, TAKES_OF_EACH, draft.mistakes, "take"):
        return None
    if grain is None and (by is None or (by.kind == "list" and not by.items)):
        draft.mistakes.add(value, "each: needs by: or grain:, what the metric is to be computed for each of")
        return None
    return Each(of, cast(Literal["sum", "avg", "min", "max", "median", "stddev"], take.text), names, inner)


def read_snapshot(value: Value | None, model: Model, draft: Draft) -> Snapshot | None:
    if value is None or not check_keys(value, {"take", "per", "carry"}, draft.mistakes, ("take", "per")):
        return None
    take, per = value.get("take"), value.get("per")
    carry = flag_of(value.get("carry"), draft.mistakes, "carry")
    names = texts_in(per, draft.mistakes, "the name of a dimension")
    for name in names:
        if name.text not in model.dimensions:
            hint = suggestion(name.text, model.dimensions)
            draft.mistakes.add(name, f"'{model.name}' has no dimension '{name.text}'; {hint}")
    if per is not None and not names:
        draft.mistakes.add(per, "per: names the dimensions that tell one entity from another")
    if take is None or not one_of(take, TAKES_OF_A_SNAPSHOT, draft.mistakes, "take"):
        return None
    how = cast(Literal["last", "first", "min", "max", "avg"], take.text)
    return Snapshot(tuple(v.text for v in names), how, carry is not False)
