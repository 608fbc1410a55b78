"""What a decision rests on when the server is slow, late, busy, gone or wrong: the degradation, as pure functions.

FRESH, STALE        -> the answer (SERVER), and STALE is said
anything else       -> the last answer with its age (LAST), while that is young enough
no such answer      -> the default model (DEFAULT)
"""

from dataclasses import dataclass
from typing import Literal

from examples.clients.router.evidence import Answer, Standing

Failure = Literal[
    "TIMEOUT",  # not within the limit
    "UNREACHABLE",  # nobody listens, or the connection broke
    "THROTTLED",  # 429
    "BUSY",  # 503
    "REFUSED",  # an error of GraphQL, or another status: a token that was revoked, a schema that has changed
    "MALFORMED",  # not an answer
    "OPEN",  # not asked: the server has failed several times, or asked to be left alone
    "CROWDED",  # not asked: too many questions are on their way
    "ERROR",  # a mistake of this program
]
Reason = Standing | Failure
Source = Literal["SERVER", "LAST", "DEFAULT"]


@dataclass(frozen=True, slots=True)
class Heard:
    answer: Answer
    at_s: float
    """When it came, on the clock that only goes forward."""

    def age_s(self, now_s: float) -> float:
        """Of its data. The server says how old it was; what passed since is counted here, so no two clocks differ."""
        return (self.answer.age_s or 0.0) + (now_s - self.at_s)


@dataclass(frozen=True, slots=True)
class Ground:
    source: Source
    reason: Reason
    heard: Heard | None
    """None where the default is all there is."""


def ground(outcome: Heard | Failure, kept: Heard | None, now_s: float, most_age_s: float) -> Ground:
    """What to decide by: `outcome` is of this moment, `kept` the last answer of before."""
    if isinstance(outcome, Heard):
        if outcome.answer.standing in ("FRESH", "STALE"):
            return Ground("SERVER", outcome.answer.standing, outcome)
        reason: Reason = outcome.answer.standing
    else:
        reason = outcome
    if kept is not None and kept.age_s(now_s) <= most_age_s:
        return Ground("LAST", reason, kept)
    return Ground("DEFAULT", reason, None)


def kept_of(kept: Heard | None, heard: Heard) -> Heard | None:
    """Which of two answers to keep: the one of younger data. What was not computed is not worth keeping."""
    if heard.answer.standing == "NOT_COMPUTED":
        return kept
    if kept is None or heard.answer.standing in ("FRESH", "STALE"):
        return heard
    return heard if heard.age_s(heard.at_s) <= kept.age_s(heard.at_s) else kept
