"""What a forecast of the cash starts from, read from the facts: balances, the burn of the last days, the calendar.

Every row counts for the forecast of a company, so whoever asks must be allowed to see all of them.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from finance.burn import Burn, Driver, Volume, volume_of
from finance.runway import FULL_BASIS, Cash, Scheduled
from semantic import QueryError
from store import Rows

Basis = Literal["ACCRUAL", "CASH"]
Read = Callable[[str, dict[str, Any]], Rows]

MODELS = ("cash", "spend", "flows", "requests", "sessions")
"""Of the catalog: those whose rows a forecast needs in full."""
MOST_SCHEDULED = 20_000

_AMOUNT = {"ACCRUAL": "amount_usd", "CASH": "cash_usd"}

_BALANCES = """
SELECT account, max_by(balance_usd, as_of_on) AS balance_usd, max(as_of_on) AS known_on
FROM cash_days WHERE as_of_on <= $as_of GROUP BY account ORDER BY account
"""
_FUNDING = """
WITH balances AS (
    SELECT account, max(as_of_on) AS known_on FROM cash_days WHERE as_of_on <= $as_of GROUP BY account
)
SELECT sum(amount_usd) FROM flow_days LEFT JOIN balances USING (account)
WHERE kind = 'funding' AND day > coalesce(known_on, $newest) AND day <= $as_of
"""
_FIRST_DAY = "SELECT min(burn_on) FROM daily_spend WHERE burn_on < $as_of"
_SPEND = """
SELECT day, driver, is_recurring, {amount} IS NOT NULL AS is_known, {amount}, inflow_usd, row_count
FROM daily_spend WHERE day >= $since AND day < $as_of ORDER BY ALL
"""
_CALLS = """
SELECT sum(amount_usd) FROM daily_spend WHERE kind = 'inference' AND day >= $since AND day < $as_of
"""
_SCHEDULE = """
SELECT day, amount_usd, flow_id, is_recurring
FROM flow_days WHERE day > $as_of AND day <= $until ORDER BY day, flow_id LIMIT $most
"""
_SESSIONS = """
SELECT count(*), count(api_cost_usd), sum(api_cost_usd), stddev_samp(api_cost_usd::DOUBLE)
FROM session_facts WHERE started_at >= $since AND started_at < $as_of
"""
_KNOWN_UNTIL = """
WITH newest AS (SELECT max(started_at) AS at FROM requests WHERE started_at < $as_of),
sources AS (
    SELECT DISTINCT load.source, load.location
    FROM requests AS call JOIN loads AS load USING (load_id), newest
    WHERE call.started_at >= least($since::TIMESTAMP, newest.at)
)
SELECT min(begun) FROM (
    SELECT max(coalesce(load.started_at, load.applied_at)) AS begun
    FROM sources JOIN loads AS load USING (source, location)
    WHERE load.error IS NULL
    GROUP BY source, location
)
"""
_PREPAID = """
SELECT count(*) FROM request_facts AS call
JOIN credit_purchases AS bought
    ON bought.provider = call.billing_provider
    AND bought.starts_on <= call.started_on AND call.started_on < bought.ends_on
WHERE call.started_at >= $since AND call.started_at < $as_of
"""


@dataclass(frozen=True, slots=True)
class Window:
    """The complete UTC days that burn is a mean of: from `since` up to but without `as_of`."""

    since: date
    as_of: date

    @property
    def days(self) -> int:
        return (self.as_of - self.since).days

    @property
    def params(self) -> dict[str, Any]:
        return {"since": self.since, "as_of": self.as_of}


def read_window(read: Read, as_of: date) -> Window:
    """The trailing 30 days, or those since the first call or charge where there are fewer; none without any."""
    [[first]] = read(_FIRST_DAY, {"as_of": as_of}).rows
    earliest = as_of - timedelta(days=FULL_BASIS)
    return Window(as_of if first is None else max(earliest, _day(first)), as_of)


def read_burn(read: Read, window: Window, basis: Basis) -> Burn:
    """The drivers of a window, each with an amount for every day."""
    columns: dict[tuple[str, bool, bool], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * window.days)
    unknown, known, doubted_fees = 0, 0, 0
    for day, driver, is_recurring, is_known, gross, inflow, count in _rows(
        read(_SPEND.format(amount=_AMOUNT[basis]), window.params)
    ):
        unknown += 0 if is_known else count
        doubted_fees += count if driver == "fees" and not is_known else 0
        if not (is_known or gross):  # credits of unknown use have no known cost, and were paid for
            continue
        known += 1
        index = (day - window.since).days
        if gross or not inflow:
            columns[driver, False, is_recurring][index] += gross
        if inflow:
            columns[driver, True, is_recurring][index] -= inflow
    drivers = (
        Driver(name, tuple(usd), is_inflow=is_inflow, is_recurring=is_recurring)
        for (name, is_inflow, is_recurring), usd in sorted(columns.items())
    )
    return Burn(window.days, tuple(drivers), unknown, doubted_fees, is_unknown=bool(unknown) and not known)


def read_calls_known_until(read: Read, window: Window) -> datetime | None:
    """Every source that brought calls of the window was read to its end at this instant or later.

    Where no call is so young, it is the source of the newest one. None without calls.
    """
    [[begun]] = read(_KNOWN_UNTIL, window.params).rows
    return begun.replace(tzinfo=UTC) if isinstance(begun, datetime) else None


def read_cash(read: Read, as_of: date) -> Cash:
    """The last balance of each account, summed. A balance of a later day is not known yet."""
    found = [(Decimal(usd), _day(on)) for _, usd, on in _rows(read(_BALANCES, {"as_of": as_of}))]
    if not found:
        return Cash()
    newest = max(on for _, on in found)
    oldest = min((on for usd, on in found if usd), default=newest)
    [[funding]] = read(_FUNDING, {"newest": newest, "as_of": as_of}).rows
    return Cash(sum((usd for usd, _ in found), Decimal(0)), newest, oldest, Decimal(str(funding or 0)))


def read_schedule(read: Read, as_of: date, horizon_days: int) -> tuple[Scheduled, ...]:
    """What the calendar holds after the day of the question. `QueryError` where that is too much to walk."""
    until = as_of + timedelta(days=horizon_days)
    found = _rows(read(_SCHEDULE, {"as_of": as_of, "until": until, "most": MOST_SCHEDULED + 1}))
    if len(found) > MOST_SCHEDULED:
        raise QueryError(
            "TOO_LARGE", f"more than {MOST_SCHEDULED:,} flows are due within {horizon_days:,} days; shorten the horizon"
        )
    return tuple(Scheduled(day, Decimal(usd), flow, is_recurring) for day, usd, flow, is_recurring in found)


def read_volume(read: Read, window: Window, basis: Basis) -> Volume:
    """The sessions that started in the window, with what their own calls cost."""
    [[sessions, costed, cost, deviation]] = _rows(read(_SESSIONS, window.params))
    volume = volume_of(int(sessions), int(costed), Decimal(cost or 0), deviation)
    if basis == "ACCRUAL":
        return volume
    [[prepaid]] = _rows(read(_PREPAID, window.params))
    return replace(volume, is_prepaid=bool(prepaid))


def _rows(found: Rows) -> list[Any]:
    return list(found.rows)


def _day(value: Any) -> date:
    day: date = value
    return day
