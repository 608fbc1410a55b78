"""What holds for a whole metrics file: its time zone, the first day of its weeks, who sees what, grains of its own."""

import re
from datetime import date

from semantic.calendar import zone_names
from semantic.errors import suggestion
from semantic.file.document import Mistakes, Value, check_keys
from semantic.file.duration import read_duration
from semantic.file.names import is_mapping, is_name, one_of, roles_in
from semantic.periods import Calendar, Duration, Grain, Periods, Unit

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = re.compile(r"(19|20|21)\d\d-\d\d-\d\d")


def read_defaults(defaults: Value | None, mistakes: Mistakes) -> tuple[str, int]:
    """The time zone and the day on which weeks start, counted from Monday = 0."""
    if defaults is None or not check_keys(defaults, {"time_zone", "week_start", "currency", "access"}, mistakes):
        return "UTC", 0
    zone, week, currency = (defaults.get(k) for k in ("time_zone", "week_start", "currency"))
    if currency and currency.text != "USD":
        mistakes.add(currency, "amounts are in USD; convert them when they are loaded")
    week_start = 0
    if week and one_of(week, WEEKDAYS, mistakes, "week_start"):
        week_start = WEEKDAYS.index(week.text)
    if zone is None:
        return "UTC", week_start
    if zone.text not in zone_names():
        hint = suggestion(zone.text, zone_names())
        hint = hint if hint.startswith("did") else "use a name such as Europe/Berlin"
        mistakes.add(zone, f"'{zone.text}' is not a time zone; {hint}")
    return zone.text, week_start


def read_default_access(defaults: Value | None, mistakes: Mistakes) -> frozenset[str]:
    """Who sees a metric or a dimension that names nobody itself; empty for everybody."""
    is_there = defaults is not None and defaults.kind == "mapping"
    return roles_in(defaults.get("access") if is_there and defaults else None, mistakes)


def read_calendar(value: Value | None, week_start: int, mistakes: Mistakes) -> Calendar:
    grains: dict[str, Periods] = {}
    if value is not None and check_keys(value, {"grains"}, mistakes, ("grains",)):
        declared = value.get("grains")
        if declared is not None and is_mapping(declared, mistakes, "from names of grains to {every: .., from: ..}"):
            for key, body in declared.entries:
                grains[key.text] = _periods(key, body, mistakes) or Periods(key.text, Duration(1, Unit.DAY))
    return Calendar(week_start, grains)


def _periods(key: Value, body: Value, mistakes: Mistakes) -> Periods | None:
    if key.text in tuple(Grain):
        mistakes.add(key, f"'{key.text}' is a usual grain; give your own another name, such as fiscal_{key.text}")
        return None
    if not is_name(key, mistakes, "a grain") or not check_keys(body, {"every", "from"}, mistakes, ("every", "from")):
        return None
    every, origin = body.get("every"), body.get("from")
    length = read_duration(every, mistakes, "a grain") if every else None
    if length is not None and every is not None and length.unit.is_clock:
        mistakes.add(every, "a grain of your own is made of days, weeks, months, quarters or years")
        return None
    first = _day(origin, length, mistakes) if origin else None
    return None if length is None or first is None else Periods(key.text, length, first, key.mark)


def _day(value: Value, length: Duration | None, mistakes: Mistakes) -> date | None:
    try:
        day = date.fromisoformat(value.text) if _DAY.fullmatch(value.text) else None
    except ValueError:
        day = None
    if day is None:
        mistakes.add(value, f"'{value.text}' is not a day; write it as 2026-03-02")
    elif length is not None and length.months and day.day != 1:
        mistakes.add(value, f"a grain of {length.unit}s starts on the first of a month, such as {day.replace(day=1)}")
        return None
    return day
