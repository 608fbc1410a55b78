"""Classes for Strawberry that are made at run time, from what a catalog names."""

from collections.abc import Iterable, Mapping
from enum import Enum, EnumType
from types import GenericAlias, new_class
from typing import Any, cast

import strawberry

from server.names import attribute, value_name


def bare_class(name: str, fields: Mapping[str, tuple[Any, Any]]) -> type:
    """A class that waits for `strawberry.type` or `strawberry.input`; a field is an annotation and its settings."""
    made = new_class(name)
    made.__annotations__ = {}
    declare(made, fields)
    return made


def declare(made: type, fields: Mapping[str, tuple[Any, Any]]) -> None:
    """Adds fields to a class that is not decorated yet, so that they may speak of the class itself."""
    for name, (annotation, settings) in fields.items():
        made.__annotations__[attribute(name)] = annotation
        setattr(made, attribute(name), settings)


def list_of(item: type) -> Any:
    return GenericAlias(list, (item,))


def enum_type(
    name: str,
    values: Iterable[str],
    description: str,
    describe: Mapping[str, str] | None = None,
    deprecated: Mapping[str, str] | None = None,
) -> Any:
    """An enum whose members carry the catalog's own words: `CRON` is 'cron'."""
    described, replaced = describe or {}, deprecated or {}
    members = {
        value_name(value): strawberry.enum_value(
            value, description=described.get(value), deprecation_reason=replaced.get(value)
        )
        for value in values
    }
    made = cast(EnumType, Enum(name, members))
    return strawberry.enum(made, name=name, description=description)
