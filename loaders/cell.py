"""The value in one cell of somebody's file, and the one place that decides how text becomes an amount or an instant.

Nothing is guessed: a value that is not plainly what its column holds is a `CellError` that says what would be right.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeVar
from uuid import UUID

from finance.pricing import rounded_usd
from store.checks import MAX_USD

EpochUnit = Literal["ms", "s"]
_T = TypeVar("_T")

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_COUNTED = 2**62
_MOST_SINCE_EPOCH = 10**15


class CellError(ValueError):
    """A cell that cannot be read: the message names the column, the value and what would be right."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a row under its column's name. The readers refuse an empty cell; `maybe` gives None for it."""

    column: str
    value: object

    @property
    def is_empty(self) -> bool:
        return self.value is None or (isinstance(self.value, str) and not self.value.strip())

    def maybe(self, read: Callable[["Cell"], _T]) -> _T | None:
        return None if self.is_empty else read(self)

    def text(self) -> str:
        """Without the spaces around it, which nobody sees and no name means."""
        match self.value:
            case bool() | float():
                raise self._error("must be text")
            case int() | Decimal() | UUID():
                return str(self.value)
            case str() if not self.is_empty:
                return self._encodable(self.value.strip())
        raise self._error("must be text")

    def usd(self) -> Decimal:
        """An amount of either sign, to at most 12 decimal places."""
        number = self._number("must be a plain amount in USD like 1234.50")
        if not -MAX_USD <= number <= MAX_USD:
            raise self._error(f"must be an amount below {MAX_USD:.0e} USD")
        # Negative zero is zero.
        return rounded_usd(number) or Decimal(0)

    def price(self) -> Decimal:
        """An amount that cannot be negative."""
        amount = self.usd()
        if amount < 0:
            raise self._error("must not be negative")
        return amount

    def number(self, advice: str) -> Decimal:
        """A number of anything but money, from 0 on, to at most 12 decimal places."""
        number = self._number(advice)
        if not 0 <= number <= MAX_USD:
            raise self._error(advice)
        return rounded_usd(number) or Decimal(0)

    def count(self) -> int:
        number = self._number("must be a whole number like 200000")
        if not 0 <= number <= _MOST_COUNTED or number != number.to_integral_value():
            raise self._error("must be a whole number from 0 to 2^62")
        return int(number)

    def flag(self, true: Sequence[str] = ("true",), false: Sequence[str] = ("false",)) -> bool:
        if isinstance(self.value, bool):
            return self.value
        text = "" if self.is_empty else self.text().casefold()
        for answer, words in ((True, true), (False, false)):
            if text in {word.casefold() for word in words}:
                return answer
        raise self._error(f"must be one of {', '.join([*true, *false])}")

    def day(self) -> date:
        advice = "must be a day like 2026-02-28"
        if isinstance(self.value, datetime):
            raise self._error(f"{advice}, without a time")
        if isinstance(self.value, date):
            return self.value
        if not isinstance(self.value, str) or not _DAY.fullmatch(self.value.strip()):
            raise self._error(advice)
        try:
            return date.fromisoformat(self.value.strip())
        except ValueError as error:
            raise self._error(f"{advice} ({error})") from None

    def instant(self, unit: EpochUnit | None = None, *, latest: datetime | None = None) -> datetime:
        """An instant in UTC: ISO 8601 with an offset, or a number of `unit` since 1970 where a unit is given."""
        try:
            instant = self._aware(unit).astimezone(UTC)
        except OverflowError:
            raise self._error("is not within the years 1 to 9999") from None
        if latest is not None and instant > latest:
            raise self._error(f"is in the future (read as {instant.isoformat()}): check the year and the unit")
        return instant

    def instant_or_day(self) -> datetime:
        """An instant, or a day that stands for its first instant in UTC."""
        is_day = isinstance(self.value, date) and not isinstance(self.value, datetime)
        if is_day or (isinstance(self.value, str) and _DAY.fullmatch(self.value.strip())):
            day = self.day()
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        return self.instant()

    def _aware(self, unit: EpochUnit | None) -> datetime:
        if unit is not None:
            number = self._number(f"must be a number of {unit} since 1970-01-01")
            if not -_MOST_SINCE_EPOCH <= number <= _MOST_SINCE_EPOCH:
                raise OverflowError
            return _EPOCH + timedelta(microseconds=int(number * (1000 if unit == "ms" else 1_000_000)))
        advice = "must be an instant like 2026-02-28T09:30:00Z"
        match self.value:
            case datetime() as instant:
                pass
            case str() as text:
                try:
                    instant = datetime.fromisoformat(text.strip())
                except ValueError:
                    raise self._error(advice) from None
            case int() | float() | Decimal():
                raise self._error(f"{advice}; a number since 1970 needs its unit, in a mapping")
            case _:
                raise self._error(advice)
        if instant.tzinfo is None:
            raise self._error("has no zone: add the offset, like 2026-02-28T09:30:00Z or 2026-02-28T10:30:00+01:00")
        return instant

    def _number(self, advice: str) -> Decimal:
        value = repr(self.value) if isinstance(self.value, float) else self.value
        match value:
            case Decimal() if value.is_finite():
                return value
            case int() if not isinstance(value, bool):
                return Decimal(value)
            case str() if _NUMBER.fullmatch(value.strip()):
                return Decimal(value.strip())
            case str() if "," in value:
                raise self._error(f"{advice}: no thousands separator, and a point before the decimals")
        raise self._error(advice)

    def _encodable(self, text: str) -> str:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise self._error("must be text that UTF-8 can hold (it has half of a surrogate pair)") from None
        return text

    def _error(self, advice: str) -> CellError:
        shown = "empty" if self.is_empty else ascii(self.value)[:100]
        return CellError(f"{self.column} {advice}, got {shown}")
