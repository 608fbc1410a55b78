"""What rows can be cut by, as every surface offers it: the catalog's dimensions and the parts of a row's time."""

from collections.abc import Mapping
from dataclasses import dataclass

from semantic import Catalog, Mark, dimensions_of
from semantic.model import DimensionType

TIME_PARTS = {
    "time.hour": "The hour of the day, 0 to 23",
    "time.weekday": "The day of the week, 1 for Monday to 7",
    "time.day": "The day of the month, 1 to 31",
    "time.day_of_year": "The day of the year, 1 to 366",
    "time.week": "The week of the year as ISO 8601 counts, 1 to 53",
    "time.month": "The month, 1 to 12",
    "time.quarter": "The quarter, 1 to 4",
    "time.year": "The year",
}
"""All are whole numbers of the row's local time."""


@dataclass(frozen=True, slots=True)
class Key:
    """A dimension, or a part of the time such as `time.weekday`."""

    name: str
    type: DimensionType
    values: tuple[str, ...] = ()
    description: str = ""
    label: str = ""
    mark: Mark | None = None

    @property
    def column(self) -> str:
        """What it is called in a row."""
        return self.name.replace(".", "_")


def keys_of(catalog: Catalog) -> Mapping[str, Key]:
    """By name: the dimensions, then each part of the time that at least one metric can be cut by."""
    cut_by = {name for metric in catalog.metrics for name in dimensions_of(catalog, metric)}
    dimensions = [Key(d.name, d.type, d.values, d.description, d.label, d.mark) for d in catalog.dimensions().values()]
    parts = [Key(name, "integer", description=meaning) for name, meaning in TIME_PARTS.items() if name in cut_by]
    return {key.name: key for key in (*dimensions, *parts)}
