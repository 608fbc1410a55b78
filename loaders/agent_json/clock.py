"""When a run was: from what it says itself, else from the line of the log that it was written to.

The time of a file says when somebody copied it, so it is never taken.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from loaders.agent_json.runs import Run
from loaders.openclaw.values import FieldError, Object, count, instant_if_sound

_TIMES = ("ts", "time", "timestamp", "@timestamp", "date", "at")
_SECONDS_BELOW = 10**11
"""A number below is seconds since 1970; as milliseconds it would lie before 1974."""
_LONGEST_RUN_MS = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Span:
    started_at: datetime | None
    ended_at: datetime | None
    duration_ms: int | None
    written_at: datetime | None
    """By the line that the run was written to."""


def span_of(run: Run, now: datetime) -> Span:
    report = first_object(run.around, "systemPromptReport")
    began_at = instant_if_sound(report, "generatedAt", now) if report is not None else None
    written_at = _written_at(run.around, now)
    duration = _duration(run)
    lasted = timedelta(milliseconds=duration) if duration is not None and duration < _LONGEST_RUN_MS else None
    if began_at is not None:
        ended_at = began_at + lasted if lasted is not None else max(began_at, written_at or began_at)
        return Span(began_at, ended_at, duration, written_at)
    started_at = written_at - lasted if written_at is not None and lasted is not None else written_at
    return Span(started_at, written_at, duration, written_at)


def first_object(around: Iterable[Object], field: str) -> Object | None:
    return next((value for holder in around if isinstance(value := holder.get(field), dict)), None)


def _duration(run: Run) -> int | None:
    """Beside the run's account or in it: further out a duration is one of something else."""
    for holder in (run.account, *run.around[:1]):
        try:
            if (found := count(holder.get("durationMs"), "durationMs")) is not None:
                return found
        except FieldError:
            continue
    return None


def _written_at(around: tuple[Object, ...], now: datetime) -> datetime | None:
    of_log = first_object(around, "_meta")
    for holder in (*around, *((of_log,) if of_log is not None else ())):
        for field in _TIMES:
            found = instant_if_sound({field: _in_milliseconds(holder.get(field))}, field, now)
            if found is not None:
                return found
    return None


def _in_milliseconds(value: object) -> object:
    if isinstance(value, str) and value.isascii() and value.replace(".", "", 1).isdigit() and len(value) < 30:
        value = Decimal(value)
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 < value < _SECONDS_BELOW:
        return value * 1000
    return value
