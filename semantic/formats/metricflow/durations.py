"""Windows and offsets -> lengths of time of a metrics file."""

from collections.abc import Iterator

from semantic.formats.metricflow.project import Cumulative, Window
from semantic.formats.metrics_yaml import Plain
from semantic.formats.report import NotCarriedError
from semantic.periods import Unit

DAYS = (Unit.DAY, Unit.WEEK)
MONTHS = (Unit.MONTH, Unit.QUARTER, Unit.YEAR)


def duration(window: Window, what: str) -> str:
    """Such as `7 days`; `NotCarriedError` for a period of the project's own and for less than a minute."""
    if window.unit not in tuple(Unit):
        raise NotCarriedError(
            f"{what} {window.count} {window.unit}",
            "a length of time is counted in minutes to years",
            "write it in one of these",
        )
    return str(window)


def nature(window: Window) -> str:
    """Lengths of one nature can be added: days and weeks, months to years, minutes and hours."""
    if window.unit in DAYS:
        return "days"
    return "months" if window.unit in MONTHS else "minutes"


def window_of(cumulative: Cumulative, grains: frozenset[str]) -> dict[str, Plain]:
    """The modifier that a running value has; `grains` are those that the file declares itself."""
    grain = cumulative.grain_to_date
    if cumulative.window is not None:
        return {"rolling": duration(cumulative.window, "window")}
    if not grain:
        return {"cumulative": True}
    if grain not in grains and grain not in (*DAYS, *MONTHS):
        what, advice = "is no grain of the file", f"say what it is: --grain '{grain}=3 months,2026-02-01'"
        raise NotCarriedError(f"grain_to_date {grain}", what, advice)
    return {"to_date": grain}


def shift_differs(offset: Window) -> tuple[str, str]:
    """What an offset is here, other than there, and what to do."""
    if nature(offset) == "months":
        what = "theirs moves each day; here a day that the earlier month lacks has no value"
        return what, "ask by month or more, where both mean the period before"
    return "is refused by periods that are not made of it", "ask by a period that it is a multiple of"


def window_differs(cumulative: Cumulative) -> Iterator[tuple[str, str]]:
    """What a running value is here, other than there."""
    if cumulative.window is not None:
        yield f"window {cumulative.window}", "ends with the last complete day before the question, not with today"
    if cumulative.period_agg == "first":
        yield (
            "period_agg first",
            "asked by more than a day it is the value of a period's end, not of its first day",
        )
