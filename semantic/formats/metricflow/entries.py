"""A metric of the file in the making, with what others that build on it must know."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from semantic.formats.metricflow.models import Scope
from semantic.formats.metricflow.project import Metric
from semantic.formats.metrics_yaml import Plain


@dataclass(frozen=True, slots=True)
class Entry:
    """`scopes` are the rows that it rests on; `natures` the kinds of lengths by which it looks back."""

    name: str
    scopes: frozenset[Scope]
    natures: frozenset[str] = frozenset()
    formula: str = ""
    """Of an expression over other metrics; with `inputs`, the entries that it names."""
    inputs: tuple["Entry", ...] = ()
    is_windowed: bool = False
    is_nested: bool = False
    """Whether it aggregates values of a metric, so that it cannot be varied any more."""
    is_snapshot: bool = False
    is_aggregate: bool = False
    """Whether it is an aggregate of rows and nothing else, so that rows can be chosen by it."""


def with_words(body: Mapping[str, Plain], metric: Metric, name: str) -> Plain:
    """The definition with what is said about it; a formula alone is its text."""
    said: dict[str, Plain] = dict(body)
    said.update(metric.meta)
    if metric.label and _plain(metric.label) not in (_plain(name), _plain(metric.name)):
        said["label"] = metric.label
    if metric.description:
        said["description"] = metric.description
    return said["expr"] if list(said) == ["expr"] else said


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).strip().lower()
