"""Which resolvers below the root may be called from a compiled builder.

A builder that fails is followed by the plain path, which calls every resolver again. So only those are marked that read
nothing but their source and their arguments, and give the same again.
"""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Resolver = TypeVar("Resolver", bound=Callable[..., Any])
ColumnOf = Callable[..., Hashable]
"""Takes the arguments of a field and gives the name of the column of a `Table` that holds its values."""

_PURE = "__is_pure__"
_COLUMN = "__column_of__"


def pure(resolver: Resolver) -> Resolver:
    """Marks a resolver that takes its source and arguments, reads nothing else, and may be called twice."""
    setattr(resolver, _PURE, True)
    return resolver


def pure_column(column_of: ColumnOf) -> Callable[[Resolver], Resolver]:
    """Marks a resolver as pure whose values are a column where rows are a `Table`."""

    def mark(resolver: Resolver) -> Resolver:
        setattr(resolver, _COLUMN, column_of)
        return pure(resolver)

    return mark


def is_pure(resolver: Callable[..., Any]) -> bool:
    return getattr(resolver, _PURE, False) is True


def column_of(resolver: Callable[..., Any]) -> ColumnOf | None:
    found: ColumnOf | None = getattr(resolver, _COLUMN, None)
    return found
