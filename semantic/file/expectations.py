"""`tests:` what the numbers are expected to be, so that a file can be held against its data."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal

from semantic.catalog import Check
from semantic.errors import QueryError, suggestion
from semantic.expression import is_select
from semantic.file.document import Value, check_keys
from semantic.file.draft import Draft
from semantic.file.keys import read_dimensions, read_grain
from semantic.file.names import flag_of, texts_in
from semantic.query import comparisons, parse_filter
from semantic.ranges import parse_range

EXPECTATIONS = ("equals", "between", "sums_to", "not_null", "matches_sql")
KEYS = {"metric", "metrics", "by", "grain", "where", "filters", "range", *EXPECTATIONS}
_ANY_DAY = date(2026, 3, 8)


def read_checks(
    value: Value | None, metrics: Collection[str], filters: Collection[str], draft: Draft
) -> tuple[Check, ...]:
    if value is None:
        return ()
    if value.kind != "list":
        draft.mistakes.add(value, "expected a list of tests, such as [{metric: cost, not_null: true}]")
        return ()
    checks = [_check(item, metrics, filters, draft) for item in value.items]
    return tuple(check for check in checks if check)


def _check(body: Value, metrics: Collection[str], filters: Collection[str], draft: Draft) -> Check | None:
    if not check_keys(body, KEYS, draft.mistakes):
        return None
    grain = body.get("grain")
    names = _metrics(body, metrics, draft)
    is_number = all(m.type not in ("date", "text") for m in map(draft.metrics.get, names) if m)
    matches = body.get("matches_sql")
    if matches is not None and not is_select(matches.text):
        draft.mistakes.add(matches, "matches_sql: is one SELECT, whose columns are the keys and then the metrics")
    given = [k for k, _ in body.entries if k.text in EXPECTATIONS]
    if len(given) != 1:
        shown = ", ".join(k.text for k in given) or "none"
        draft.mistakes.add(body, f"a test has exactly one of {', '.join(EXPECTATIONS)}; this has {shown}")
    return Check(
        names,
        read_dimensions(body.get("by"), draft),
        read_grain(grain, draft) if grain else None,
        _where(body.get("where"), draft),
        _named(body.get("filters"), filters, "a filter", draft),
        _range(body.get("range"), draft),
        _value(body.get("equals"), "equals", draft, is_number=is_number),
        _between(body.get("between"), draft, is_number=is_number),
        _value(body.get("sums_to"), "sums_to", draft, is_number=True),
        bool(_not_null(body.get("not_null"), draft)),
        matches.text if matches else None,
        body.mark,
    )


def _metrics(body: Value, known: Collection[str], draft: Draft) -> tuple[str, ...]:
    one, several = body.get("metric"), body.get("metrics")
    if (one is None) == (several is None):
        draft.mistakes.add(body, "a test takes either metric: or metrics:")
        return ()
    return _named(one or several, known, "a metric", draft)


def _named(value: Value | None, known: Collection[str], what: str, draft: Draft) -> tuple[str, ...]:
    found = texts_in(value, draft.mistakes, f"the name of {what}")
    for item in found:
        if item.text not in known:
            draft.mistakes.add(item, f"'{item.text}' is not {what}; {suggestion(item.text, known)}")
    return tuple(v.text for v in found)


def _where(value: Value | None, draft: Draft) -> str:
    """The text of a filter as a question has it."""
    if value is None:
        return ""
    try:
        parsed = parse_filter(value.text)
    except QueryError as error:
        draft.mistakes.add(value, str(error))
        return ""
    known = draft.dimensions()
    for comparison in comparisons(parsed):
        role, _, plain = comparison.dimension.rpartition(".")
        if plain not in known and role != "time":
            draft.mistakes.add(value, f"there is no dimension '{comparison.dimension}'; {suggestion(plain, known)}")
    return value.text


def _range(value: Value | None, draft: Draft) -> str:
    if value is None:
        return ""
    try:
        parse_range(value.text, _ANY_DAY, "UTC", draft.calendar)
    except QueryError as error:
        draft.mistakes.add(value, str(error))
    return value.text


def _value(value: Value | None, key: str, draft: Draft, *, is_number: bool) -> str | None:
    """What a metric is expected to be: a number, or a day or a text where the metric is one."""
    if value is None:
        return None
    if not value.is_number and (is_number or not value.text):
        what = f", not '{value.text}'" if value.is_scalar else ""
        draft.mistakes.add(value, f"{key}: is {'a number' if is_number else 'a number, a day or a text'}{what}")
    return value.text


def _between(value: Value | None, draft: Draft, *, is_number: bool) -> tuple[str, str] | None:
    if value is None:
        return None
    if len(value.items) != 2:
        draft.mistakes.add(value, "between: is a list of two, the lowest and the highest, such as [0, 1]")
        return None
    low, high = value.items
    texts = [_value(item, "between", draft, is_number=is_number) for item in (low, high)]
    if low.is_number and high.is_number and Decimal(low.text) > Decimal(high.text):
        draft.mistakes.add(value, f"between: takes the lower one first; {low.text} is above {high.text}")
    return (low.text, high.text) if all(texts) else None


def _not_null(value: Value | None, draft: Draft) -> bool | None:
    flag = flag_of(value, draft.mistakes, "not_null")
    if flag is False and value is not None:
        draft.mistakes.add(value, "not_null: is true; leave it out otherwise")
    return flag
