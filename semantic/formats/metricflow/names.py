"""Names here for names there: lower case, free of `__`, not reserved, and different once underscores are left away."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from semantic.file.names import NAME, RESERVED, TABLES_OF_A_STATEMENT, folded
from semantic.formats.metricflow.project import Project
from semantic.formats.report import Finding, Kind


@dataclass
class Names:
    """The name of each model and metric, by its name in the project."""

    models: Mapping[str, str]
    metrics: Mapping[str, str]
    taken: set[str] = field(default_factory=set)
    """Metric names with their underscores left away, which no dimension may have."""

    def new_metric(self, wanted: str) -> str:
        """A name for a metric that the project does not name."""
        return _free(wanted, "metric", RESERVED, self.taken)


def names_of(project: Project, findings: list[Finding]) -> Names:
    """A finding for each name that has to change."""
    models = dict(_allotted(project.models, "model", RESERVED | TABLES_OF_A_STATEMENT, set()))
    taken: set[str] = set()
    metrics = dict(_allotted(project.metrics, "metric", RESERVED, taken))
    for name, ours in models.items():
        findings += _renamed(project.models[name].place, name, ours)
    for name, ours in metrics.items():
        findings += _renamed(project.metrics[name].place, name, ours)
    return Names(models, metrics, taken)


def usable(name: str, what: str, reserved: Iterable[str]) -> str:
    """The nearest name that the grammar allows."""
    near = re.sub(r"_{2,}", "_", re.sub(r"\W", "_", name.lower())).strip("_")[:60] or what
    if not near[0].isalpha():
        near = f"{what}_{near}"
    near = f"{near}_{what}" if near in reserved else near
    assert NAME.fullmatch(near), near
    return near


def _allotted(names: Iterable[str], what: str, reserved: Iterable[str], taken: set[str]) -> Iterable[tuple[str, str]]:
    for name in names:
        yield name, _free(name, what, reserved, taken)


def _free(name: str, what: str, reserved: Iterable[str], taken: set[str]) -> str:
    wanted = usable(name, what, reserved)
    free, number = wanted, 2
    while folded(free) in taken:
        free, number = f"{wanted}_{number}", number + 1
    taken.add(folded(free))
    return free


def _renamed(place: str, name: str, ours: str) -> Iterable[Finding]:
    if name != ours:
        yield Finding(Kind.DIFFERS, place, f"name {name}", f"is called {ours} here", "ask for it under that name")
