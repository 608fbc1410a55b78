"""What both encodings are held to: how much there may be of everything, and what a number of a metric may be."""

from decimal import Decimal

from loaders.otlp.batch import MAX_ATTRIBUTES, MAX_ENTRIES, EntryError, TooMuchError

OTHER_METRIC = "a metric that counts neither tokens nor money"
DELTA, CUMULATIVE = 1, 2
"""As OTLP numbers the temporality of an aggregation."""
_MOST = Decimal(10) ** 15
"""No count of tokens and no amount of money is larger."""


def check_count(count: int, what: str) -> None:
    if count > MAX_ENTRIES:
        raise TooMuchError(f"the body has {count:,} {what}; one may have {MAX_ENTRIES:,}: export smaller batches")


def check_attributes(count: int) -> None:
    if count > MAX_ATTRIBUTES:
        raise EntryError(f"has {count:,} attributes; an entry may have {MAX_ATTRIBUTES:,}")


def check_nested(key: str, count: int, depth: int) -> None:
    """Of a list inside an attribute."""
    if count > MAX_ATTRIBUTES:
        raise EntryError(f"{key[:60]} lists {count:,} values; a list may have {MAX_ATTRIBUTES:,}")
    if not depth:
        raise EntryError(f"{key[:60]} is nested too deep")


def check_total(metric: str, shape: str, is_monotonic: object, temporality: object) -> None:
    """Raises `EntryError` where the points of a metric are no totals that only grow."""
    if shape not in ("sum", "histogram", "exponential_histogram"):
        raise EntryError(f"{metric[:60]} must be a sum or a histogram, got a {shape}")
    if shape == "sum" and is_monotonic is not True:
        raise EntryError(f"{metric[:60]} must be monotonic: tokens that were used stay used")
    if temporality not in (DELTA, CUMULATIVE):
        raise EntryError(f"{metric[:60]} must say whether it is delta (1) or cumulative (2), got {temporality!r:.20}")


def amount(value: object, field: str) -> Decimal:
    """Raises `EntryError` for what is no number from 0 on, as NaN is none. A float is the text that stands for it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = Decimal(value) if isinstance(value, int) else Decimal(repr(value))
        if number.is_finite() and 0 <= number <= _MOST:
            return number
    raise EntryError(f"{field} must be a number from 0 on, got {str(value)[:60]!r}")
