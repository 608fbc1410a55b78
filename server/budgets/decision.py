"""Whether a request fits into every budget that is about it: one line a budget, and what they come to together."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from finance.admission import Reason, Verdict, admit
from finance.budgets import Rule, Window

_RANK: tuple[Reason, ...] = ("EXEMPT", "UNPRICED_POLICY", "WITHIN_LIMIT", "NO_LIMIT")
"""Of several reasons why a request is allowed, the first of these is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A request that is about to be made. What is None is not known, and budgets about it do not apply."""

    trigger: str
    agent: str | None = None
    model: str | None = None
    session: str | None = None
    max_usd: Decimal | None = None
    """The most that it may cost; None where nobody can say."""

    def member(self, rule: Rule) -> str | None:
        """The name that a budget's scope goes by; None for the scope `global`, or where it is not known."""
        match rule.scope:
            case "global":
                return None
            case "agent":
                return self.agent
            case "model":
                return self.model
            case "trigger":
                return self.trigger
            case "session":
                return self.session

    def is_about(self, rule: Rule) -> bool:
        name = self.member(rule)
        return rule.scope == "global" or (name is not None and rule.member in (None, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one budget says to a request."""

    rule: Rule
    member: str | None
    window: Window
    spent_usd: Decimal
    held_usd: Decimal
    """Before the request."""
    unpriced_requests: int
    would_commit_usd: Decimal | None
    """Spent, held and this request; None where nobody knows what it may cost."""
    verdict: Verdict

    @property
    def left_usd(self) -> Decimal:
        """Before the request; 0 where the limit is reached or passed."""
        return max(self.rule.limit_usd - self.spent_usd - self.held_usd, Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    is_allowed: bool
    reason: Reason
    lines: tuple[Line, ...]
    """One for each budget that is about the request."""
    denying: Line | None
    """Of the budgets that deny it, the one with the least left."""
    data_version: int
    is_stale: bool
    """Newer data was loaded and not read yet; what is reserved and settled is that of this instant nevertheless."""

    @property
    def left_usd(self) -> Decimal | None:
        """Of the budgets that stop requests, the least; None where there is none."""
        return min((line.left_usd for line in self.lines if line.rule.blocks), default=None)


def line_of(
    rule: Rule, wish: Wish, window: Window, *, spent_usd: Decimal, held_usd: Decimal, unpriced_requests: int
) -> Line:
    committed = spent_usd + held_usd
    return Line(
        rule=rule,
        member=wish.member(rule),
        window=window,
        spent_usd=spent_usd,
        held_usd=held_usd,
        unpriced_requests=unpriced_requests,
        would_commit_usd=None if wish.max_usd is None else committed + wish.max_usd,
        verdict=admit(rule, committed, trigger=wish.trigger, max_usd=wish.max_usd),
    )


def answer_of(lines: Sequence[Line], data_version: int, *, is_stale: bool) -> Answer:
    """Every budget must allow it."""
    denials = [line for line in lines if not line.verdict.is_allowed]
    denying = min(denials, key=lambda line: (line.left_usd, line.rule.budget_id), default=None)
    allowed = {line.verdict.reason for line in lines}
    return Answer(
        is_allowed=denying is None,
        reason=denying.verdict.reason if denying else next((r for r in _RANK if r in allowed), "NO_LIMIT"),
        lines=tuple(lines),
        denying=denying,
        data_version=data_version,
        is_stale=is_stale,
    )
