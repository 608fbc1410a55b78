"""Money and instants as SQLite adds and compares them exactly: whole micro-dollars with a rest, whole microseconds.

SQLite has 64-bit integers and floats. Twelve places in one integer end at nine million dollars, so an amount is two.
"""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal

MOST_USD = Decimal(1_000_000)
"""Of one hold. More is a unit error (micro-dollars, another currency)."""

_EXACT = Context(prec=60)
_PLACES = Decimal("1e-12")
_MICRO = Decimal(1_000_000)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_A_MICROSECOND = timedelta(microseconds=1)


def rounded(usd: Decimal, *, up: bool) -> Decimal:
    """To 12 places: what may be spent is rounded up, what was spent to the nearest."""
    return usd.quantize(_PLACES, rounding=ROUND_CEILING if up else ROUND_HALF_EVEN, context=_EXACT)


def split(usd: Decimal) -> tuple[int, int]:
    """Micro-dollars, and what is left in millionths of them; of an amount with at most 12 places."""
    micro, rest = divmod(int(_EXACT.scaleb(usd, 12)), int(_MICRO))
    return micro, rest


def joined(micro: int | None, rest: int | None) -> Decimal:
    """Sums of both parts, as one amount; nothing is 0."""
    return _EXACT.scaleb(Decimal((micro or 0) * int(_MICRO) + (rest or 0)), -12)


def instant_number(at: datetime) -> int:
    return (at - _EPOCH) // _A_MICROSECOND


def instant_of(number: int) -> datetime:
    return _EPOCH + timedelta(microseconds=number)
