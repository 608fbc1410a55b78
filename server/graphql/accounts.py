"""The accounts of each compared period, as the store has them: what was recorded, counted by others, and billed."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

from finance.accounts import KINDS, Accounts, BillLine, FeesCountedAs, Recorded, Reported, Tokens, UnitPrices, added
from finance.pricing import PriceBook
from server.graphql.context import Context
from server.graphql.tabular import rows_of
from server.price_lines import lines_known

Row = Mapping[str, Any]
Period = tuple[str | None, date, date]
"""A provider as bills of it are found, the first day, and the first day that is not in it."""

SETTLED_AFTER = timedelta(days=3)
"""For how long after a day its provider may still restate it: what the loaders of their APIs read again each time."""
_RECORDED = "SELECT * FROM recorded_days WHERE $first <= day AND day < $end"
_REPORTS = "SELECT * FROM usage_reports WHERE $first < ends_on AND starts_on < $end"
_LINES = "SELECT * FROM bill_lines WHERE $first <= starts_on AND ends_on <= $end"
_TWICE = "SELECT * FROM bills_told_twice WHERE $first <= starts_on AND ends_on <= $end"
_FEES = """
SELECT provider, period_starts_on, period_ends_on, counted_as, sum(amount_usd) AS usd
FROM fee_facts WHERE $first <= period_starts_on AND period_ends_on <= $end GROUP BY ALL
"""
_COVERED = """
SELECT provider, source, min(starts_on) AS starts_on, max(ends_on) AS ends_on, max(read_at) AS read_at
FROM usage_reports WHERE reporter = 'provider' GROUP BY provider, source
"""
_NO_PRICES: UnitPrices = (None, None, None, None)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a gateway or a meter counted of a period, all models together."""

    reporter: Literal["gateway", "meter"]
    source: str
    meter: str | None
    """What counted, where the source has several meters: they may have counted the same calls."""
    is_lower_bound: bool
    requests: int | None
    tokens: tuple[int | None, ...]
    """Of each kind; None where nothing was said of it."""
    prompt: int | None
    """Of whole prompts, where it does not tell what was cached."""


@dataclass(slots=True)
class PeriodAccounts:
    """One period. `reported` is None where no report of the provider covers it."""

    period: Period
    lines: list[BillLine] = field(default_factory=list)
    is_told_twice: bool = False
    """Two sources, or two parts of one, such as an account under two names, bill the same days."""
    fees: dict[FeesCountedAs, Decimal] = field(default_factory=dict)
    """By where sums of spend have them, in USD."""
    recorded: list[Recorded] = field(default_factory=list)
    reported: list[Reported] | None = None
    reported_at: datetime | None = None
    """When the provider's report was last read, UTC."""
    counted: list[Counted] = field(default_factory=list)
    names: dict[str | None, tuple[str | None, str | None]] = field(default_factory=dict)
    """By model, the provider and the model by which the price book has it."""

    @property
    def may_change(self) -> bool:
        """Whether the report was read while the provider may still have restated it."""
        end = datetime.combine(self.period[2], time())
        return self.reported_at is not None and self.reported_at < end + SETTLED_AFTER

    def for_split(self, book: PriceBook, tolerance_usd: Decimal) -> Accounts:
        provider, starts_on, ends_on = self.period
        span = (datetime.combine(starts_on, time(), UTC), datetime.combine(ends_on, time(), UTC) - timedelta.resolution)
        models = {one.model for one in (*self.recorded, *(self.reported or ()))}
        return Accounts(
            lines=self.lines,
            recorded=self.recorded,
            reported=self.reported,
            is_one_bill=not self.is_told_twice,
            are_fees_in_calls=bool(self.fees.keys() & {"CALLS", "FEES_IN_CALLS"}),
            may_change=self.may_change,
            prices={model: _unit_prices(book, self.names.get(model, (provider, model)), span) for model in models},
            tolerance_usd=tolerance_usd,
        )


def read_accounts(context: Context, periods: Sequence[Period]) -> list[PeriodAccounts]:
    """In the order of the periods, which do not overlap where they are of one provider."""
    found = [PeriodAccounts(period) for period in periods]
    if not found:
        return []
    days = {"first": min(period[1] for period in periods), "end": max(period[2] for period in periods)}
    at = _finder(found)
    rows: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows_of(context, _RECORDED, days):
        if one := at(row["provider"], row["day"], row["day"]):
            rows[id(one)].append(row)
    for row in rows_of(context, _LINES, days):
        if one := at(row["provider"], row["starts_on"], row["ends_on"] - timedelta(days=1)):
            one.lines.append(BillLine(row["model"], row["line_item"], row["amount_usd"]))
    for row in rows_of(context, _TWICE, days):
        if one := at(row["provider"], row["starts_on"], row["ends_on"] - timedelta(days=1)):
            one.is_told_twice = True
    for row in rows_of(context, _FEES, days):
        if one := at(row["provider"], row["period_starts_on"], row["period_ends_on"] - timedelta(days=1)):
            one.fees[row["counted_as"]] = row["usd"]
    reports: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows_of(context, _REPORTS, days):
        if one := at(row["provider"], row["starts_on"], row["ends_on"] - timedelta(days=1)):
            reports[id(one)].append(row)
    covered = rows_of(context, _COVERED, {})
    for one in found:
        _add_recorded(one, rows[id(one)])
        _add_reports(one, reports[id(one)], covered)
    return found


def read_book(context: Context) -> PriceBook:
    return PriceBook(lines_known(context.reader, timeout_ms=context.deadline.remaining_ms()))


def _finder(found: Iterable[PeriodAccounts]) -> Callable[[str | None, date, date], PeriodAccounts | None]:
    """Finds the period that has both days; one that has a part of them has none."""
    by_provider: defaultdict[str | None, list[PeriodAccounts]] = defaultdict(list)
    for one in sorted(found, key=lambda one: one.period[1]):
        by_provider[one.period[0]].append(one)
    starts = {provider: [one.period[1] for one in ones] for provider, ones in by_provider.items()}

    def at(provider: str | None, first: date, last: date) -> PeriodAccounts | None:
        n = bisect_right(starts.get(provider, []), first)
        if not n:
            return None
        one = by_provider[provider][n - 1]
        return one if last < one.period[2] else None

    return at


def _add_recorded(one: PeriodAccounts, rows: Iterable[Row]) -> None:
    by_model: defaultdict[str | None, list[Row]] = defaultdict(list)
    for row in rows:
        by_model[row["model"]].append(row)
    one.recorded = [_recorded(model, of_model) for model, of_model in by_model.items()]
    one.names = {
        model: (of_model[0]["priced_provider"], of_model[0]["priced_model"]) for model, of_model in by_model.items()
    }


def _recorded(model: str | None, rows: Sequence[Row]) -> Recorded:
    def total(name: str) -> int:
        return sum(row[name] for row in rows)

    return Recorded(
        model=model,
        calls=total("calls"),
        hides_calls=any(row["hides_calls"] for row in rows),
        computed_usd=sum((row["computed_usd"] for row in rows), Decimal(0)),
        unpriced_calls=total("unpriced_calls"),
        included_calls=total("included_calls"),
        unmeasured_calls=total("unmeasured_calls"),
        untold_calls=total("untold_calls"),
        priced=_tokens(rows, "priced_"),
        unpriced=_tokens(rows, "unpriced_"),
        included=_tokens(rows, "included_"),
    )


def _tokens(rows: Iterable[Row], prefix: str) -> Tokens:
    return added(*((*(row[f"{prefix}{kind}"] for kind in KINDS),) for row in rows))


def _add_reports(one: PeriodAccounts, reports: Sequence[Row], covered: Iterable[Row]) -> None:
    """Of several sources that report for the provider the one that counted most: they count the same calls."""
    provider, starts_on, ends_on = one.period
    whole = [
        row
        for row in covered
        if row["provider"] == provider and row["starts_on"] <= starts_on and ends_on <= row["ends_on"]
    ]
    by_source: defaultdict[tuple[Any, str, str], list[Row]] = defaultdict(list)
    for row in reports:
        by_source[row["reporter"], row["source"], row["meter"]].append(row)
    if whole:
        best = max(whole, key=lambda row: sum(map(_count, by_source["provider", row["source"], ""])))
        one.reported = _reported(by_source["provider", best["source"], ""])
        one.reported_at = best["read_at"]
    one.counted = [
        _counted(reporter, source, meter or None, rows)
        for (reporter, source, meter), rows in sorted(by_source.items())
        if reporter != "provider" and rows
    ]


def _reported(rows: Iterable[Row]) -> list[Reported]:
    by_model: defaultdict[str | None, list[Row]] = defaultdict(list)
    for row in rows:
        by_model[row["model"]].append(row)
    return [
        Reported(
            model=model,
            tokens=_sums(of_model),
            requests=_sum(of_model, "requests"),
            is_billed_apart=any(row["is_billed_apart"] for row in of_model),
        )
        for model, of_model in by_model.items()
    ]


def _counted(reporter: Literal["gateway", "meter"], source: str, meter: str | None, rows: Sequence[Row]) -> Counted:
    return Counted(
        reporter,
        source,
        meter,
        any(row["is_lower_bound"] for row in rows),
        _sum_told(rows, "requests"),
        tuple(_sum_told(rows, kind) for kind in KINDS),
        _sum_told(rows, "prompt"),
    )


def _count(row: Row) -> int:
    return sum(row[kind] or 0 for kind in KINDS)


def _sums(rows: Sequence[Row]) -> tuple[int | None, int | None, int | None, int | None]:
    uncached, read, write, output = (_sum(rows, kind) for kind in KINDS)
    return uncached, read, write, output


def _sum(rows: Sequence[Row], name: str) -> int | None:
    """None where one of them does not say."""
    counts = [row[name] for row in rows]
    return None if None in counts else sum(counts)


def _sum_told(rows: Sequence[Row], name: str) -> int | None:
    """Of those that say it: a meter has one row for each kind of token. None where none says it."""
    counts = [row[name] for row in rows if row[name] is not None]
    return sum(counts) if counts else None


def _unit_prices(book: PriceBook, name: tuple[str | None, str | None], span: tuple[datetime, datetime]) -> UnitPrices:
    """Below the threshold of a tier; none where the price changed inside the period."""
    lines = [book.in_force(*name, at) for at in span]
    if lines[0] is None or lines[0] is not lines[1]:
        return _NO_PRICES
    uncached, read, write, _, output = book.rates(lines[0], is_over=False).by_bucket
    return uncached, read, write, output
