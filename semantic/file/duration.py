"""Lengths of time as a file writes them: `30 days`, `1 month`, `15 minutes`."""

import re

from semantic.file.document import Mistakes, Value
from semantic.periods import Duration, Unit

_DURATION = re.compile(rf"(\d{{1,7}}) ({'|'.join(Unit)})s?")
_MOST = {
    Unit.MINUTE: 60 * 24 * 366, Unit.HOUR: 24 * 366, Unit.DAY: 36_525, Unit.WEEK: 5_217, Unit.MONTH: 1_200,
    Unit.QUARTER: 400, Unit.YEAR: 100,
}  # fmt: skip
"""A year by the clock and a century by the calendar, so that no date leaves the years that a database knows."""


def read_duration(value: Value, mistakes: Mistakes, what: str) -> Duration | None:
    """A length of time; `what` names it in a mistake, such as `a window`."""
    matched = _DURATION.fullmatch(value.text)
    if matched is None or int(matched[1]) == 0:
        mistakes.add(value, f"{what} is a length of time, such as 30 days or 1 month; this is '{value.text}'")
        return None
    count, unit = int(matched[1]), Unit(matched[2])
    if count > _MOST[unit]:
        mistakes.add(value, f"{what} has at most {_MOST[unit]:,} {unit}s, this has {count:,}")
        return None
    return Duration(count, unit)
