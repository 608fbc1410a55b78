"""One scan where two would read the same rows: a fact that is read by period also gives each period its own rows.

Only where that is the same number to the last digit: the range begins with a period (or with a day, where days are
added up), and no row without a time is asked for.
"""

from collections.abc import Iterator
from dataclasses import replace

from semantic.calendar import midnight, start_of
from semantic.combine import is_decomposable
from semantic.plan import Fact, Scan
from semantic.timeframe import Period


def shared(facts: tuple[Fact, ...], period: Period) -> Iterator[Fact]:
    """The facts, those that can take their rows from another one's scan merged into it."""
    hosts = [place for place, fact in enumerate(facts) if fact.scan in (Scan.PERIODS, Scan.DAYS)]
    kept = dict(enumerate(facts))
    for place, fact in enumerate(facts):
        host = next((h for h in hosts if _can_host(facts[h], fact, period)), None)
        if host is not None:
            kept[host] = replace(kept[host], measures={**fact.measures, **kept[host].measures})
            del kept[place]
    yield from kept.values()


def _can_host(host: Fact, guest: Fact, period: Period) -> bool:
    if guest.scan is not Scan.PLAIN or not guest.by_time or period.by_clock:
        return False
    if (host.model, host.time, host.keys, host.funnel) != (guest.model, guest.time, guest.keys, guest.funnel):
        return False
    if host.scan is Scan.PERIODS:
        return _begins_with_period(guest, period)
    has_range = period.range.start is not None or period.range.end is not None
    return has_range and _begins_with_day(guest, period) and all(map(is_decomposable, guest.measures.values()))


def _begins_with_period(fact: Fact, period: Period) -> bool:
    first = period.range.series_from
    if first is None:
        return True
    assert period.periods is not None
    return (
        first == period.range.first_day and start_of(first, period.periods) == first and _begins_with_day(fact, period)
    )


def _begins_with_day(fact: Fact, period: Period) -> bool:
    first, start = period.range.first_day, period.range.start
    if start is None or first is None or (fact.time is not None and fact.time.is_date):
        return True
    return midnight(first, period.zone) == start
