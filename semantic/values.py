"""The values of a filter, checked against the type of the dimension that they are compared with."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

from semantic.errors import QueryError, suggestion
from semantic.model import Dimension
from semantic.query import MAX_DIGITS, Comparison, Op, Scalar

_TEXT_OPS = {Op.CONTAINS, Op.STARTS_WITH}
_ORDER_OPS = {Op.GT, Op.GTE, Op.LT, Op.LTE}
_TOO_LARGE = 10**MAX_DIGITS
_EXAMPLES = {
    "string": "text in quotes",
    "enum": "one of its values",
    "integer": f"a whole number of at most {MAX_DIGITS} digits",
    "decimal": f"a number of at most {MAX_DIGITS} digits",
    "boolean": "true or false",
    "date": "a day such as 2026-03-08",
    "timestamp": "an instant such as 2026-03-08T05:00:00Z",
}


def check_value(dimension: Dimension, comparison: Comparison) -> None:
    """Raises `QueryError` where a comparison does not fit the dimension's type or closed set of values."""
    if not comparison.values:
        raise QueryError("BAD_FILTER", f"the filter on '{comparison.dimension}' compares with nothing")
    if comparison.op is Op.IS_NULL:
        return
    if comparison.op in _TEXT_OPS and dimension.type not in ("string", "enum"):
        raise QueryError("BAD_FILTER", f"'{dimension.name}' is not text, so {comparison.op} does not apply")
    if comparison.op in _ORDER_OPS and dimension.type in ("enum", "boolean"):
        raise QueryError("BAD_FILTER", f"'{dimension.name}' has no order, so {comparison.op} does not apply")
    for value in comparison.values:
        bind(dimension, value)
        if dimension.type == "enum" and comparison.op not in _TEXT_OPS and value not in dimension.values:
            hint = suggestion(str(value), dimension.values)
            raise QueryError("BAD_FILTER", f"'{dimension.name}' is never '{value}'; {hint}")


def bind(dimension: Dimension, value: Scalar) -> Scalar:
    """The value as it is bound to a statement: days and instants from their ISO text, the rest as it is."""
    match dimension.type, value:
        case ("string" | "enum", str()) | ("boolean", bool()):
            return value
        case ("integer" | "decimal", int() | Decimal()) if not isinstance(value, bool) and abs(value) < _TOO_LARGE:
            return value
        case "date", date() if not isinstance(value, datetime):
            return value
        case "timestamp", datetime() if value.tzinfo is not None:
            return value
        case "date", str():
            return _from_iso(dimension, value, date.fromisoformat)
        case "timestamp", str():
            return bind(dimension, _from_iso(dimension, value, datetime.fromisoformat))
    expected = _EXAMPLES[dimension.type]
    raise QueryError("BAD_FILTER", f"'{dimension.name}' is compared with {expected}, not {value!r}")


def _from_iso(dimension: Dimension, text: str, read: Callable[[str], date]) -> date:
    try:
        return read(text)
    except ValueError as error:
        expected = _EXAMPLES[dimension.type]
        raise QueryError("BAD_FILTER", f"'{dimension.name}' is compared with {expected}, not '{text}'") from error
