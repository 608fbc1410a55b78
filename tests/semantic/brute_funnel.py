"""Funnels: for each row of the first model, whether and when the steps follow."""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

from tests.semantic.brute_calendar import plus_months
from tests.semantic.brute_rows import Rows
from tests.semantic.worlds import Cell, Funnel, Length, Line, Step


def converted_at(rows: Rows, funnel: Funnel, line: Line, moment: date | None, as_of: date) -> datetime | None:
    """The time of the last step, each the earliest that may follow the one before; None where one is missing."""
    entity = rows.member((rows.world.tables[funnel.start], line), funnel.by)
    if moment is None or entity is None:
        return None
    at, model = instant(moment), funnel.start
    too_late = after(instant(moment), funnel.within)
    for step in funnel.steps:
        events = _events(rows, funnel, step, entity, as_of)
        events = [e for e in events if (e > at or (e == at and step.model != model)) and e < too_late]
        if not events:
            return None
        at, model = min(events), step.model
    return at


def _events(rows: Rows, funnel: Funnel, step: Step, entity: Cell, as_of: date) -> list[datetime]:
    """When the rows of a step's model were, those of the entity. Days after the question have not happened."""
    table = rows.world.tables[step.model]
    assert table.time
    found = []
    for line in rows.permitted(table):
        moment = line.get(table.time.column)
        is_there = step.where is None or rows.is_true((table, line), step.where)
        if not isinstance(moment, date) or (not isinstance(moment, datetime) and moment > as_of):
            continue
        if is_there and rows.member((table, line), step.by or funnel.by) == entity:
            found.append(instant(moment))
    return found


def instant(moment: date) -> datetime:
    """A day as the midnight in UTC at which it begins."""
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time(), UTC)


def after(moment: datetime, length: Length) -> datetime:
    if length.months:
        return datetime.combine(plus_months(moment.date(), length.months), moment.timetz())
    return moment + timedelta(days=length.days, minutes=length.minutes)


def seconds(since: date, until: datetime) -> Fraction:
    return Fraction((until - instant(since)) // timedelta(microseconds=1), 10**6)
