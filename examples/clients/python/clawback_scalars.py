"""What JSON has no exact type for. It is copied into the generated package."""

from decimal import Decimal


def read_decimal(value: object) -> object:
    """Money comes as text. A JSON number would have passed through a float, so it is not taken for money."""
    if isinstance(value, float):
        raise ValueError(f"money is text such as '12.50', and this is the number {value!r}")
    return value


def write_decimal(value: object) -> object:
    """In plain notation, all digits kept; what is left out stays so."""
    return format(value, "f") if isinstance(value, Decimal) else value
