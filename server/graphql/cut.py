"""By what a field that is not `metrics` can be cut: its argument `by`, and the values of one group."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import strawberry

from semantic import QueryError
from server.graphql.fields import Inputs
from server.graphql.generated import enum_type
from server.names import field_name

MOST_CUTS = 4
NO_VALUE = "(none)"


@strawberry.type(description="One dimension of a group, and its value there.")
class CutValue:
    dimension: str
    value: str | None = strawberry.field(description="Null where the rows have none.")


def cut_by(inputs: Inputs) -> Any:
    """The enum of the dimensions, one for each schema."""
    return _enum(tuple(name for name in inputs.keys if "." not in name))


@lru_cache(maxsize=8)
def _enum(names: tuple[str, ...]) -> Any:
    return enum_type("CutBy", names, "A dimension to cut by.")


def cuts(by: list[Any]) -> tuple[str, ...]:
    """The dimensions that an argument names."""
    names = tuple(item.value for item in by)
    if len(names) > MOST_CUTS or len(set(names)) != len(names):
        raise QueryError("BAD_ARGUMENT", f"by names at most {MOST_CUTS} dimensions, each once")
    return names


def cut_values(keys: Mapping[str, object]) -> list[CutValue]:
    return [CutValue(dimension=field_name(name), value=_text(value)) for name, value in keys.items()]


def cut_name(keys: Mapping[str, object]) -> str:
    """The values in a row, for people: main/cron."""
    return "/".join(_text(value) or NO_VALUE for value in keys.values()) or "(all)"


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
