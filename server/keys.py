"""What rows can be cut by, as every surface offers it: the catalog's dimensions and the parts of a row's time."""

from collections.abc import Mapping
from dataclasses import dataclass

from semantic import Catalog, Mark, dimensions_of
from semantic.model import DimensionType
from semantic.plan import key_name
from semantic.reach import TIME_PARTS


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
        return key_name(self.name)


def keys_of(catalog: Catalog) -> Mapping[str, Key]:
    """By name: the dimensions, then each part of the time that at least one metric can be cut by."""
    cut_by = {name for metric in catalog.metrics for name in dimensions_of(catalog, metric)}
    dimensions = [Key(d.name, d.type, d.values, d.description, d.label, d.mark) for d in catalog.dimensions().values()]
    named = {f"time.{part}": meaning for part, meaning in TIME_PARTS.items()}
    parts = [Key(name, "integer", description=meaning) for name, meaning in named.items() if name in cut_by]
    return {key.name: key for key in (*dimensions, *parts)}
