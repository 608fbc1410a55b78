"""What a module gives that adds a field to the schema: its name, the metrics that it rests on, and how it is made."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from strawberry import UNSET

from semantic import Caller, Catalog, Filter, QueryError, TimeRange, local_day, visible, zone_names
from semantic.ranges import parse_range
from server.graphql.context import Context
from server.graphql.cost import USUAL, Weight
from server.graphql.filters import FilterInputs, read_filter
from server.graphql.rows import enums_of
from server.keys import Key, keys_of


@dataclass(frozen=True, slots=True)
class Inputs:
    """The types of one schema that several fields take as arguments."""

    catalog: Catalog
    keys: dict[str, Key]
    enums: dict[str, type]
    operators: FilterInputs
    where: type
    """`FilterInput`: annotate an argument with `strawberry.argument(graphql_type=inputs.where | None)`."""

    @classmethod
    def of(cls, catalog: Catalog) -> "Inputs":
        keys = dict(keys_of(catalog))
        enums = enums_of(keys.values())
        operators = FilterInputs(enums)
        return cls(catalog, keys, enums, operators, operators.where(keys.values()))

    def filter(self, where: object) -> Filter | None:
        """What a `FilterInput` states."""
        return read_filter(where, tuple(self.keys))


FINANCE = frozenset({"finance"})
ROUTER = frozenset({"router"})


@dataclass(frozen=True, slots=True)
class RootField:
    """A field of `Query` (or of `Mutation`), made for one schema.

    It is left out of the schema of a caller who may not see one of the metrics in `needs`, or has none of the `roles`.
    Every type that it adds has its name in `server.names.FIXED_TYPES`.
    """

    name: str
    make: Callable[[Inputs], Any]
    """Gives a `strawberry.field` or `strawberry.mutation`."""
    needs: tuple[str, ...] = ()
    is_mutation: bool = False
    weight: Weight = USUAL
    """What one value of it costs."""
    roles: frozenset[str] = frozenset()
    """Who has it in his schema; empty for everybody. The operator has every field."""
    tells_nothing: bool = False
    """It tells nothing of the metrics that it needs: they must be there, and the caller need not see them."""

    def is_offered(self, catalog: Catalog, caller: Caller | None) -> bool:
        """Whether a caller has it in his schema of a catalog."""
        if caller is not None and self.roles and not self.roles & caller.roles:
            return False
        seen = catalog if self.tells_nothing else visible(catalog, caller)
        return all(name in seen.metrics for name in self.needs)


def given(value: Any) -> Any:
    """An argument that was left out is None."""
    return None if value is UNSET else value


def instant_of(context: Context, as_of: datetime | None) -> datetime:
    """The instant of the question. One that is still to come is refused: what is pending then would count as failed."""
    instant: datetime = given(as_of) or context.now
    if instant > context.now:
        raise QueryError("BAD_TIME", f"asOf is an instant that has passed; it is {context.now:%Y-%m-%dT%H:%M:%SZ} now")
    return instant


def known_day(as_of: date | None, now_on: date) -> date:
    """The day of the question. Of days to come nothing is known, and a trailing window would count them as days
    without spend.
    """
    if as_of is not None and as_of > now_on:
        raise QueryError("BAD_TIME", f"asOf is a day to come; it is {now_on} now")
    return as_of or now_on


def today(context: Context, zone: str | None) -> date:
    """The local day of the question."""
    return local_day(context.now, known_zone(context.catalog, zone))


def known_zone(catalog: Catalog, zone: str | None) -> str:
    """An unknown zone is told by the plan; until then the catalog's own stands in for it."""
    return zone if zone in zone_names() else catalog.time_zone


def time_range(context: Context, range_: str | None, as_of: date, zone: str | None) -> TimeRange:
    """Whole days in words, such as "last 30 days"; None is all time."""
    if range_ is None:
        return TimeRange()
    return parse_range(range_, as_of, known_zone(context.catalog, zone), context.catalog.calendar)
