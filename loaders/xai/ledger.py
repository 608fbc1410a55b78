"""The prepaid credits of a team and its invoice so far: cents as text, with the sign of xAI's ledger.

What a team owes is above zero there, and what it has bought is below: a balance of -799 is 7.99 USD of credit left.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b

from loaders.cell import Cell, CellError
from loaders.item import Ignored, Item, LoadError, Location, Note, Parsed, Rejected, WholePart
from loaders.service import Object, Service
from loaders.web import Web
from loaders.web_json import shown
from loaders.xai.usage import SOURCE, VENDOR
from store import Charge, CreditQuota, RecordError

_BOUGHT = frozenset({"PURCHASE", "AUTO_PURCHASE", "TOPUP", "TOP_UP", "AUTO_TOPUP"})
"""Origins of credits that were paid for; others, such as a gift, are credits without a price."""
_WITHOUT_END = timedelta(days=3660)
_MOST_CHANGES = 100_000
_LEAST_COMPARED, _MANY_TIMES = Decimal(1), 20
_ZERO = Decimal(0)
NO_CREDITS = "no credits were bought"
SPENT = "what was taken from the prepaid credits; the usage of days says what for"


@dataclass(frozen=True, slots=True)
class Invoiced:
    """What the invoice of a month has come to, and what prepaid credits have paid of it."""

    year: int
    month: int
    usd: Decimal

    def refuse_another_unit(self, used: Mapping[date, Decimal], place: str) -> None:
        """Raises `LoadError` where some days of the month are said to have used many times the whole of it.

        Cents where dollars were give a number that looks right. A part is less than the whole, up to some delay.
        """
        days = {day: usd for day, usd in used.items() if (day.year, day.month) == (self.year, self.month)}
        total = sum(days.values(), _ZERO)
        if self.usd >= _LEAST_COMPARED and total > _MANY_TIMES * self.usd:
            raise LoadError(
                f"{place}: {len(days)} days of {self.year}-{self.month:02} used ${total:.2f}, and the invoice of the "
                f"month is at ${self.usd:.2f}: cents may have been read as dollars. Nothing is stored; if the amounts "
                "are right, set the option amounts to unchecked"
            )


def read_ledger(
    web: Web, service: Service, place: str, team: str, now: datetime
) -> Generator[Item | Note, None, Invoiced | None]:
    """Gives what the invoice has come to, where it says so."""
    balance = web.get(
        f"{place}/prepaid/balance", lambda answer: service.object_of(answer, "the prepaid balance", web.clock.now())
    )
    yield from _balance(balance, Location(f"{service.place}, prepaid balance"), team, now)
    preview = web.get(
        f"{place}/postpaid/invoice/preview",
        lambda answer: service.object_of(answer, "the preview of the invoice", web.clock.now()),
    )
    location = Location(f"{service.place}, invoice preview")
    try:
        quota, invoiced = _invoice(preview, team, now)
    except (CellError, RecordError) as error:
        yield Rejected(location, str(error), shown(preview))
        return None
    yield Parsed(location, (quota,))
    return invoiced


def _balance(said: Object, place: Location, team: str, now: datetime) -> Iterator[Item | Note]:
    """Purchases are charges; what is left of them is the state of the credits. Together they have to make the total."""
    changes = said.get("changes")
    if not isinstance(changes, list) or len(changes) > _MOST_CHANGES:
        yield Rejected(place, f"changes must be a list of at most {_MOST_CHANGES:,} changes", shown(said))
        return
    amounts: list[Decimal] = []
    alike: Counter[str] = Counter()
    for number, change in enumerate(changes, start=1):
        location = Location(str(place), number)
        try:
            amount = _usd(change, "amount")
            amounts.append(amount)
            yield _change(change, amount, location, team, now, alike)
        except (CellError, RecordError) as error:
            yield Rejected(location, str(error), shown(change))
    if len(amounts) == len(changes):
        state = _credits(said, amounts, place, team, now)
        if not isinstance(state, Rejected):
            yield WholePart(f"{team} | prepaid")
        yield state


def _change(change: object, amount: Decimal, place: Location, team: str, now: datetime, alike: Counter[str]) -> Item:
    """`alike` counts the purchases that nothing tells apart."""
    assert isinstance(change, dict), "it has an amount"
    origin = Cell("changeOrigin", change.get("changeOrigin")).text().upper()
    if amount >= 0:
        return Ignored(place, SPENT)
    if origin not in _BOUGHT:
        return Ignored(place, "credits that nobody paid for")
    at = Cell("createTime", change.get("createTime")).instant(latest=now + timedelta(days=1))
    # The ledger gives its lines no id: what is in one tells it from others, and else its number among those alike.
    told = repr((origin, at.isoformat(), str(amount)))
    alike[told] += 1
    told = f"{told}{alike[told]}"
    return Parsed(
        place,
        (
            Charge(
                charge_id=f"{SOURCE}:{team}:prepaid:{blake2b(told.encode(), digest_size=12).hexdigest()}",
                source=SOURCE,
                category="credits",
                amount_usd=-amount,
                starts_on=at.date(),
                ends_on=at.date() + _WITHOUT_END,
                vendor=VENDOR,
                description=f"prepaid credits ({origin.lower()})",
                part=f"{team} | prepaid",
                credits=-amount,
            ),
        ),
    )


def _credits(said: Object, amounts: list[Decimal], place: Location, team: str, now: datetime) -> Item:
    try:
        total = _usd(said, "total")
        given, taken = -sum((a for a in amounts if a < 0), _ZERO), sum((a for a in amounts if a > 0), _ZERO)
        if taken - given != total:
            raise CellError(f"the changes make {taken - given} USD, and total says {total}: some are not listed")
        if not given:
            return Ignored(place, NO_CREDITS)
        quota = CreditQuota(
            vendor=VENDOR,
            plan=f"prepaid {team}",
            observed_at=now,
            source=SOURCE,
            used_credits=taken,
            limit_credits=given,
        )
        return Parsed(place, (quota,))
    except (CellError, RecordError) as error:
        return Rejected(place, str(error), shown(said))


def _invoice(said: Object, team: str, now: datetime) -> tuple[CreditQuota, Invoiced]:
    """How far the month's invoice has come towards the spending limit. It is no bill yet, and no charge."""
    invoice, cycle = _inner(said, "coreInvoice"), _inner(said, "billingCycle")
    year, month = (Cell(f"billingCycle.{name}", cycle.get(name)).count() for name in ("year", "month"))
    if not (2023 <= year <= 2100 and 1 <= month <= 12):
        raise CellError(f"billingCycle must be a month like {{'year': 2026, 'month': 11}}, got {year} and {month}")
    limit = _usd(said, "effectiveSpendingLimit") if said.get("effectiveSpendingLimit") is not None else None
    total = max(_usd(invoice, "totalWithCorr"), _ZERO)
    paid = _usd(invoice, "prepaidCreditsUsed") if invoice.get("prepaidCreditsUsed") is not None else _ZERO
    quota = CreditQuota(
        vendor=VENDOR,
        plan=f"invoice {team}",
        observed_at=now,
        source=SOURCE,
        used_credits=total,
        limit_credits=limit or None,
        starts_on=date(year, month, 1),
        resets_at=datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC),
    )
    return quota, Invoiced(year, month, total + abs(paid))


def _inner(said: Object, field: str) -> Object:
    inner = said.get(field)
    if not isinstance(inner, dict):
        raise CellError(f"{field} must be an object, got {ascii(inner)[:100]}")
    return inner


def _usd(holder: object, field: str) -> Decimal:
    """Of `{"val": "-799"}`, which are cents, or of the cents alone."""
    held = holder.get(field) if isinstance(holder, dict) else None
    cents = Cell(f"{field}.val", held.get("val") if isinstance(held, dict) else held).usd()
    return cents / 100
