"""What is said about a metric beside its definition: its unit, its words, who may see it, why it may be null."""

import re
from dataclasses import dataclass, replace
from typing import Literal, cast

from semantic.file.document import Mistakes, Value
from semantic.file.names import one_of, roles_in, text_of
from semantic.metric import Metric, Reasons

TEXTS = ("unit", "format", "label", "description", "owner", "target", "deprecated")
REASONS = ("when_unknown", "when_empty", "when_zero")
META = {*TEXTS, *REASONS, "better", "access"}
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Meta:
    """None where an entry is silent and a variation keeps what the varied metric says."""

    unit: str | None
    format: str | None
    better: Literal["higher", "lower"] | None
    reasons: Reasons
    label: str
    description: str
    owner: str
    target: str
    deprecated: str
    access: frozenset[str]

    def described(self, metric: Metric) -> Metric:
        """The metric as its entry speaks of it."""
        given, old = self.reasons, metric.reasons
        return replace(
            metric,
            unit=metric.unit if self.unit is None else self.unit,
            format=metric.format if self.format is None else self.format,
            better=self.better or metric.better,
            reasons=Reasons(given.unknown or old.unknown, given.empty or old.empty, given.zero or old.zero),
            label=self.label or label_of(metric.name),
            description=self.description,
            owner=self.owner,
            target=self.target,
            deprecated=self.deprecated,
            access=self.access,
        )


def read_meta(body: Value, mistakes: Mistakes) -> Meta:
    better = body.get("better")
    is_known = better is not None and one_of(better, ("higher", "lower"), mistakes, "better")
    text = {name: text_of(body, name, mistakes) for name in TEXTS}
    return Meta(
        text["unit"] if body.get("unit") else None,
        text["format"] if body.get("format") else None,
        cast(Literal["higher", "lower"], better.text) if better and is_known else None,
        _reasons(body, mistakes),
        text["label"],
        text["description"],
        text["owner"],
        text["target"],
        text["deprecated"],
        roles_in(body.get("access"), mistakes),
    )


def label_of(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _reasons(body: Value, mistakes: Mistakes) -> Reasons:
    given: dict[str, str] = {}
    for name in REASONS:
        code = body.get(name)
        if code is not None and not _CODE.fullmatch(code.text):
            mistakes.add(code, f"a reason is a code in capitals, such as NO_SESSIONS; this is '{code.text}'")
        elif code is not None:
            given[name] = code.text
    return Reasons(given.get("when_unknown"), given.get("when_empty"), given.get("when_zero"))
