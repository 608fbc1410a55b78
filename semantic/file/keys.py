"""Names of what an answer is cut by: dimensions, parts of the time, and `time` for the grain."""

from collections.abc import Sequence

from semantic.errors import suggestion
from semantic.file.document import Value
from semantic.file.draft import Draft
from semantic.file.names import texts_in
from semantic.model import Model
from semantic.periods import Unit
from semantic.reach import MAX_HOPS, TIME_PARTS

TIME = "time"


def read_dimensions(value: Value | None, draft: Draft) -> tuple[str, ...]:
    """Dimensions and parts of the time, each of which some model has."""
    return tuple(v.text for v in texts_in(value, draft.mistakes, "the name of a dimension") if _is_cut(v, draft, ()))


def read_keys(value: Value | None, draft: Draft) -> frozenset[str]:
    """Dimensions, and `time` for the grain."""
    found = texts_in(value, draft.mistakes, "the name of a dimension, or time")
    return frozenset(v.text for v in found if v.text == TIME or _is_cut(v, draft, (TIME,)))


def read_grain(value: Value, draft: Draft, *, clock: bool = True) -> str | None:
    """The name of a grain; one of whole days where the clock will not do."""
    periods = draft.calendar.periods(value.text)
    names = [n for n in draft.calendar.names if clock or n not in (Unit.MINUTE, Unit.HOUR)]
    if periods is None or value.text not in names:
        what = "a grain" if clock or periods is None else "a grain of whole days"
        draft.mistakes.add(value, f"'{value.text}' is not {what}; {suggestion(value.text, names)}")
        return None
    return value.text


def _is_cut(value: Value, draft: Draft, more: Sequence[str]) -> bool:
    *roles, name = value.text.split(".")
    if roles == [TIME]:
        if name not in TIME_PARTS:
            draft.mistakes.add(value, f"there is no part '{name}' of a time; {suggestion(name, TIME_PARTS)}")
        return name in TIME_PARTS
    owners = _followed(tuple(draft.models.values()), roles, draft)
    known = {n for owner in owners for n in owner.dimensions}
    if not roles or not owners:
        known = {*draft.dimensions(), *more}
    if name in known and owners:
        return True
    draft.mistakes.add(value, f"there is no dimension '{value.text}'; {suggestion(name, known)}")
    return False


def _followed(models: Sequence[Model], roles: Sequence[str], draft: Draft) -> tuple[Model, ...]:
    """The models to which roles lead, from whichever model they start."""
    found = tuple(models)
    for role in roles[:MAX_HOPS]:
        targets = [m.joins[role].target for m in found if role in m.joins]
        found = tuple(draft.models[t] for t in targets if t in draft.models)
    return found
