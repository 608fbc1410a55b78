"""What the company keeps beside OpenClaw, as CSV text: bills, cash, outcomes of its work, and the price book."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

from server.demo.prices import LONG_PROMPT, PriceLine, cost_usd
from server.demo.session import PlannedSession, iso

Row = Sequence[object]

UNRECORDED = Decimal("1.012")
"""A provider bills a little more than transcripts show: summaries and titles are calls, too."""
_MONTHLY = (
    ("database", "storage", "95.00", "Fjordbase", "managed database"),
    ("traffic", "network", "18.50", "Nordkapp Hosting", "outgoing traffic"),
    ("people", "people", "2600.00", "Ines Falk", "on call, one day a week"),
    ("bank", "other", "9.90", "Hafenbank", "account fee"),
)
_WEEKLY_SPEND = tuple(map(Decimal, ("745.30", "712.85", "768.40", "731.15", "752.60", "719.95", "774.20", "738.05")))
_CHARGES = ("charge_id", "category", "amount_usd", "starts_on", "ends_on", "vendor", "description", "line_item")
_SEARCHES_USD = {"anthropic": Decimal("3.40")}
"""Of a month: web searches are no tokens, so no call has them, and the bill has a line of its own for them."""
_ID_PREFIX = {"PR": "pr", "ISSUE": "issue", "WORKQ": "workq", "IDLE": "idle"}


def charges_csv(sessions: Sequence[PlannedSession], book: Sequence[PriceLine], days: Sequence[date]) -> str:
    """A provider's bill comes when its month is over; it repeats what requests cost, and only its fees are added."""
    first_day, last_day, one_day = days[0], days[-1], timedelta(days=1)
    months = sorted({day.replace(day=1) for day in days})
    renewed = first_day - timedelta(days=140)
    rows: list[Row] = [("domain", "software", "19.20", renewed, renewed + timedelta(days=365), "Namenwerk", "one year")]
    rows += [(f"server-{day}", "compute", "5.40", day, day + one_day, "Nordkapp Hosting", "host") for day in days]
    rows += [
        (f"{name}-{month:%Y-%m}", category, usd, month, _next_month(month), vendor, description)
        for month in months
        for name, category, usd, vendor, description in _MONTHLY
    ]
    for (month, provider), used in sorted(_used_by_month(sessions, book).items()):
        if used and (ends_on := _next_month(month)) <= last_day:
            amount, starts_on = (used * UNRECORDED).quantize(Decimal("0.01")), max(month, first_day)
            days_billed = (starts_on, ends_on, provider)
            rows.append((f"{provider}-{month:%Y-%m}", "inference", amount, *days_billed, "model usage", "tokens"))
            if searches := _SEARCHES_USD.get(provider):
                name = f"{provider}-{month:%Y-%m}-searches"
                rows.append((name, "inference", searches, *days_billed, "web searches", "fee"))
    padded = [(*row, *[""] * (len(_CHARGES) - len(row))) for row in rows]
    return _csv(",".join(_CHARGES), padded)


def cash_csv(last_day: date) -> str:
    """Two accounts, week by week: one that pays, and a reserve from which it was topped up once."""
    reserve, operating, rows = Decimal("12000.00"), Decimal("9350.00"), []
    for weeks_ago, spent in enumerate(_WEEKLY_SPEND):
        day = last_day - timedelta(weeks=weeks_ago)
        rows += [("operating", day, operating), ("reserve", day, reserve)]
        top_up = Decimal("2500.00") if weeks_ago == 3 else Decimal(0)
        operating, reserve = operating + spent - top_up, reserve + top_up
    return _csv("account,as_of_on,balance_usd", reversed(rows))


def outcomes_csv(sessions: Iterable[PlannedSession], end_ms: int) -> str:
    """What is not decided before `end_ms` is an open pull request."""
    return _csv("outcome_id,session_id,kind,is_success,occurred_at", _outcomes(sessions, end_ms))


def prices_csv(book: Iterable[PriceLine]) -> str:
    header = (
        "price_id,provider,model,effective_from,effective_to,input,cache_read,cache_write_5m,cache_write_1h,output,"
        "tier_over,t_input,t_cache_read,t_cache_write_5m,t_cache_write_1h,t_output,per_call_fee"
    )
    return _csv(header, map(_price, book))


def _used_by_month(sessions: Iterable[PlannedSession], book: Sequence[PriceLine]) -> Mapping[tuple[date, str], Decimal]:
    used: defaultdict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for session in sessions:
        for call in session.calls:
            month = date.fromisoformat(iso(call.started_ms)[:10]).replace(day=1)
            used[month, call.model.provider] += cost_usd(call, book) or 0
    return used


def _outcomes(sessions: Iterable[PlannedSession], end_ms: int) -> Iterator[Row]:
    decided = (session for session in sessions if session.fate.outcome)
    for number, session in enumerate(decided, start=1):
        kind, is_success, at_ms = session.fate.outcome or "", session.fate.is_success, session.settled_ms
        if at_ms >= end_ms:
            kind, is_success, at_ms = "PR_OPENED", None, session.ended_ms
        told = "" if is_success is None else str(is_success).lower()
        yield f"{_ID_PREFIX[kind.split('_')[0]]}-{number}", session.session_id, kind, told, iso(at_ms)


def _price(price: PriceLine) -> Row:
    long = price.long_rates
    tier = ("",) * 6 if long is None else (LONG_PROMPT, long[0], long[1], long[2], 2 * long[0], long[3])
    usd = price.rates
    write_1h = 2 * usd.input if usd.cache_write else Decimal(0)
    ends_at = "" if price.ends_on is None else f"{price.ends_on}T00:00:00Z"
    in_force = (f"{price.starts_on}T00:00:00Z", ends_at)
    each = (usd.input, usd.cache_read, usd.cache_write, write_1h, usd.output)
    return price.price_id, price.provider, price.model, *in_force, *each, *tier, 0


def _next_month(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)


def _csv(header: str, rows: Iterable[Row]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return text.getvalue()
