"""What Clawback says of each model, as a value; and reading it, with nothing taken for granted.

An answer decides where money goes, so one with a field of another shape is no answer: `MalformedError`, not a guess.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, cast, get_args

Basis = Literal["CELL", "MODEL", "PRIOR"]
"""What answered: sessions of the model at this kind of task, all of its sessions, or none of its own."""

Standing = Literal["FRESH", "STALE", "EXPIRED", "NOT_COMPUTED"]

QUERY = """
query Route($taskClass: String, $models: [String!]) {
  routing(taskClass: $taskClass, models: $models) {
    snapshotId
    ageSeconds
    status
    models {
      model
      basis
      resolved
      posterior { alpha beta low high }
      costPerSession
      costPerSessionInterval { low high }
      decisionGrade
      notDistinguishableByRoi
    }
  }
}
"""


class MalformedError(Exception):
    """Something that is not an answer to `QUERY`."""


@dataclass(frozen=True, slots=True)
class ModelEvidence:
    model: str
    basis: Basis
    resolved: int
    """Sessions whose task succeeded or failed."""
    alpha: float
    beta: float
    """Of the Beta distribution that the success rate is believed to have."""
    rate_low: float
    rate_high: float
    """Between which the success rate is."""
    cost_usd: Decimal | None
    """Of a session; None where nobody knows. Unknown is not free."""
    cost_low_usd: Decimal | None
    cost_high_usd: Decimal | None
    """Between which the mean cost of a session is; None without an interval."""
    is_decision_grade: bool
    alike: frozenset[str]
    """Models whose successes per dollar are not known to differ from this one's."""


@dataclass(frozen=True, slots=True)
class Answer:
    standing: Standing
    snapshot_id: int | None
    age_s: float | None
    """Of the data, when the server answered; None where nothing was computed."""
    models: tuple[ModelEvidence, ...]


def read_answer(data: object, asked: Sequence[str]) -> Answer:
    """Reads `data` of a response to `QUERY`; `MalformedError` where it is not one about these models."""
    try:
        found = cast(Any, data)["routing"]
        models = tuple(_model(row) for row in found["models"])
        answer = Answer(
            _one_of(found["status"], get_args(Standing)),
            None if found["snapshotId"] is None else _count(found["snapshotId"]),
            None if found["ageSeconds"] is None else max(_number(found["ageSeconds"]), 0.0),
            models,
        )
    except (LookupError, TypeError, AttributeError, ValueError, InvalidOperation) as error:
        raise MalformedError(f"the answer has another form: {error!r}") from error
    if [m.model for m in models] != list(asked):
        raise MalformedError(f"asked about {list(asked)}, the answer is about {[m.model for m in models]}")
    if answer.age_s is None and answer.standing != "NOT_COMPUTED":
        raise MalformedError("the answer does not say how old its data is")
    return answer


def _model(row: Any) -> ModelEvidence:
    posterior, within = row["posterior"], row["costPerSessionInterval"] or {"low": None, "high": None}
    evidence = ModelEvidence(
        model=_text(row["model"]),
        basis=_one_of(row["basis"], get_args(Basis)),
        resolved=_count(row["resolved"]),
        alpha=_number(posterior["alpha"]),
        beta=_number(posterior["beta"]),
        rate_low=_number(posterior["low"]),
        rate_high=_number(posterior["high"]),
        cost_usd=_money(row["costPerSession"]),
        cost_low_usd=_money(within["low"]),
        cost_high_usd=_money(within["high"]),
        is_decision_grade=_truth(row["decisionGrade"]),
        alike=frozenset(_text(name) for name in row["notDistinguishableByRoi"]),
    )
    if evidence.alpha <= 0 or evidence.beta <= 0 or not 0 <= evidence.rate_low <= evidence.rate_high <= 1:
        raise ValueError(f"{evidence.model} has no such posterior: {posterior}")
    return evidence


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError(f"{value!r} is not a count")
    return value


def _money(value: object) -> Decimal | None:
    """Money is text in GraphQL; a number would have gone through a float."""
    if value is None:
        return None
    amount = Decimal(_text(value))
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{value!r} is not a cost")
    return amount


def _one_of(value: object, names: tuple[Any, ...]) -> Any:
    if value not in names:
        raise ValueError(f"{value!r} is none of {', '.join(names)}")
    return value
