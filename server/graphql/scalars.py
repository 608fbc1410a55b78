"""What GraphQL has no exact type for: money, large counts, days and instants."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

BigInt = NewType("BigInt", int)
PeriodStart = NewType("PeriodStart", date)

_LARGEST = 2**63


def write_decimal(value: Decimal | int) -> str:
    return format(Decimal(value), "f")


def read_decimal(value: object) -> Decimal:
    """A float's shortest text is what the caller wrote, so it is read through that."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f'a Decimal is a number such as "12.50", not {value!r}')
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f'a Decimal is a number such as "12.50", not {value!r}') from error
    if not number.is_finite() or number.adjusted() > 25 or number.adjusted() < -25:
        raise ValueError(f"a Decimal is a number below 10^25 with at most 25 places, not {value!r}")
    return number


def whole_number(value: object) -> int:
    """Both ways: a count as it is written, and one as it is read."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"a BigInt is a whole number, not {value!r}")
    if not -_LARGEST <= value < _LARGEST:
        raise ValueError(f"a BigInt has 64 bits; {value} is beyond them")
    return value


def write_date(value: date) -> str:
    return value.isoformat()


def read_date(value: object) -> date:
    try:
        return date.fromisoformat(_text(value))
    except ValueError as error:
        raise ValueError(f'a Date is a day such as "2026-03-08", not {value!r}') from error


def write_instant(value: datetime) -> str:
    """The store keeps instants as UTC without a zone; everything else here has one."""
    instant = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return instant.isoformat().replace("+00:00", "Z")


def write_period_start(value: date | datetime) -> str:
    """Minutes and hours begin at an instant, longer periods on a day."""
    return write_instant(value) if isinstance(value, datetime) else write_date(value)


def read_instant(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(_text(value))
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f'a DateTime is an instant such as "2026-03-08T05:00:00Z", not {value!r}') from error
    raise ValueError(f'a DateTime has an offset, such as "2026-03-08T05:00:00Z" or "…+01:00"; {value!r} has none')


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected text, not {value!r}")
    return value


SCALARS: Mapping[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number of up to 64 bits, as a JSON number.",
        serialize=whole_number,
        parse_value=whole_number,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description="An exact decimal number in plain notation, as a JSON string: money never passes through a float.",
        serialize=write_decimal,
        parse_value=read_decimal,
    ),
    date: strawberry.scalar(
        name="Date",
        description='A day in the question\'s zone, such as "2026-03-08".',
        serialize=write_date,
        parse_value=read_date,
    ),
    PeriodStart: strawberry.scalar(
        name="PeriodStart",
        description='The first day of a period in the question\'s zone, such as "2026-03-08"; of a minute or an hour '
        'the instant at which it begins, in UTC, such as "2026-03-08T05:00:00Z".',
        serialize=write_period_start,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description='An instant such as "2026-03-08T05:00:00Z"; an offset is required, the answer is in UTC.',
        serialize=write_instant,
        parse_value=read_instant,
    ),
}
