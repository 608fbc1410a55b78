"""A metric with further filters, looked at a while ago: an entry of its own, one for each different variation."""

from collections.abc import Mapping
from dataclasses import dataclass

from semantic.formats.metricflow.durations import duration, nature
from semantic.formats.metricflow.entries import Entry
from semantic.formats.metricflow.filters import METRIC_TIME
from semantic.formats.metricflow.models import Models
from semantic.formats.metricflow.project import Window
from semantic.formats.metricflow.resolve import condition
from semantic.formats.metricflow.sql import quoted, replaced
from semantic.formats.metrics_yaml import Plain
from semantic.formats.report import NotCarriedError


@dataclass(frozen=True, slots=True)
class Variation:
    """What `owner` changes of the metrics that it rests on. New entries go to `written`; `made` has them by text."""

    models: Models
    written: dict[str, Plain]
    made: dict[str, Entry]
    filters: tuple[str, ...]
    offset: Window | None
    owner: str

    def of(self, entry: Entry, wanted: str) -> Entry:
        """The varied entry, under the wanted name where it is new; the entry itself where nothing varies."""
        if not self.filters and self.offset is None:
            return entry
        if entry.is_nested:
            raise NotCarriedError(f"metric '{entry.name}'", "is a mean of daily values and cannot be varied further")
        natures = entry.natures | ({nature(self.offset)} if self.offset else set())
        if self.offset and len(natures) > 1:
            raise NotCarriedError(f"offset of '{entry.name}'", "days and months cannot be added", "use one of them")
        if self.offset and any(METRIC_TIME in template for template in self.filters):
            raise NotCarriedError("filter over metric_time", "beside an offset is about the later time", "drop one")
        texts = {condition(self.models, scope, self.filters) for scope in entry.scopes}
        if len(texts) > 1:
            return self._by_part(entry, wanted)
        where = next(iter(texts), "")
        body: dict[str, Plain] = {"metric": entry.name}
        if where:
            body["where"] = where
        if self.offset is not None:
            body["shift"] = duration(self.offset, "offset_window")
            wanted = wanted if where else f"{entry.name}_{body['shift']}_ago".replace(" ", "_")
        return self._entry(body, wanted, entry, natures)

    def _by_part(self, entry: Entry, wanted: str) -> Entry:
        """A formula over models that call the same thing differently: each of its inputs is varied by itself."""
        inputs = {part.name: self.of(part, f"{self.owner}_{part.name}") for part in entry.inputs}
        if not inputs:
            raise NotCarriedError(f"filter on '{entry.name}'", "its rows name the filter's dimension in several ways")
        formula = replaced(entry.formula, {old: quoted(new.name) for old, new in inputs.items()})
        parts = tuple(inputs.values())
        natures = frozenset[str]().union(*(part.natures for part in parts))
        made = self._entry({"expr": formula}, wanted, entry, natures)
        return Entry(made.name, entry.scopes, made.natures, formula, parts)

    def _entry(self, body: Mapping[str, Plain], wanted: str, entry: Entry, natures: frozenset[str]) -> Entry:
        key = repr(body)
        if key not in self.made:
            name = self.models.names.new_metric(wanted)
            self.written[name] = body["expr"] if list(body) == ["expr"] else body
            made = Entry(name, entry.scopes, natures, is_windowed=entry.is_windowed, is_snapshot=entry.is_snapshot)
            self.made[key] = made
        return self.made[key]
