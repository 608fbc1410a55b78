"""What GraphQL calls the parts of a budget: enums, the window, the lines of a decision."""

from datetime import datetime
from decimal import Decimal
from typing import Any, get_args

import strawberry

from finance.admission import Reason
from finance.budgets import SCOPES, Window
from semantic import QueryError
from server.budgets import Answer, Breakers, Line
from server.graphql.context import Context
from server.graphql.generated import enum_type
from server.graphql.scalars import BigInt
from server.slices import check_unrestricted
from store.ledger import HoldState
from store.records import Trigger

MOST_CHARACTERS = 1_024

BudgetScope: Any = enum_type("BudgetScope", SCOPES, "What a budget counts: everything, or each member of a kind.")
BudgetPeriod: Any = enum_type("BudgetPeriod", ("day", "week", "month"), "How long a window of a budget is.")
BudgetAction: Any = enum_type("BudgetAction", ("alert", "block"), "What a budget does at its limit.")
BudgetState: Any = enum_type(
    "BudgetState",
    ("CLOSED", "OPEN"),
    "Of a breaker.",
    {"CLOSED": "Spend is below the limit.", "OPEN": "The limit is reached; a limit of 0 is reached from the start."},
)
BudgetDecision: Any = enum_type("BudgetDecision", ("ALLOW", "DENY"), "Whether a request fits.")
BudgetTrigger: Any = enum_type("BudgetTrigger", get_args(Trigger), "What started the session of a request.")
AdmissionReason: Any = enum_type(
    "AdmissionReason",
    get_args(Reason),
    "Why a request is allowed or denied.",
    {
        "WITHIN_LIMIT": "What is spent, held and asked for is at most the limit.",
        "WOULD_EXCEED": "What is spent, held and asked for is more than the limit.",
        "LIMIT_REACHED": "What is spent and held has come to the limit.",
        "EXEMPT": "It would be denied, but its trigger is never stopped.",
        "UNPRICED_POLICY": "Nobody knows what it may cost; the budget says whether its trigger may do that.",
        "NO_LIMIT": "No budget that stops requests is about it.",
    },
)
HoldStateName: Any = enum_type(
    "HoldState",
    get_args(HoldState),
    "Of a reservation.",
    {
        "HELD": "The request is in flight; its maximum counts.",
        "EXPIRED": "Nobody settled it in time; it counts no more, unless it is settled late.",
        "SETTLED": "The request is over; what it has cost counts until the data has it.",
        "RELEASED": "The request came to nothing.",
    },
)


@strawberry.type(name="BudgetWindow", description="A day, week or month of a zone; without its end.")
class BudgetWindow:
    label: str = strawberry.field(description="Such as 2026-02-20, 2026-W08 or 2026-02.")
    starts_at: datetime
    ends_at: datetime


@strawberry.type(name="BudgetLine", description="What one budget says to a request.")
class BudgetLine:
    budget_id: str
    scope: BudgetScope
    member: str | None = strawberry.field(description="Whose limit; null for everything.")
    window: BudgetWindow
    limit_usd: Decimal
    spent_usd: Decimal = strawberry.field(description="Loaded by now, and settled but not loaded yet.")
    held_usd: Decimal = strawberry.field(description="Reserved by others in flight.")
    left_usd: Decimal = strawberry.field(description="Before this request; at least 0.")
    would_commit_usd: Decimal | None = strawberry.field(
        description="Spent, held and the maximum of this request; null where its maximum is not known."
    )
    unpriced_requests: BigInt = strawberry.field(
        description="Of the window whose cost is unknown; where there are some, what is spent is a lower bound."
    )
    decision: BudgetDecision
    reason: AdmissionReason


def window_type(window: Window) -> BudgetWindow:
    return BudgetWindow(label=window.label, starts_at=window.starts_at, ends_at=window.ends_at)


def line_type(line: Line) -> BudgetLine:
    return BudgetLine(
        budget_id=line.rule.budget_id,
        scope=BudgetScope(line.rule.scope),
        member=line.member,
        window=window_type(line.window),
        limit_usd=line.rule.limit_usd,
        spent_usd=line.spent_usd,
        held_usd=line.held_usd,
        left_usd=line.left_usd,
        would_commit_usd=line.would_commit_usd,
        unpriced_requests=BigInt(line.unpriced_requests),
        decision=decision_of(line.verdict.is_allowed),
        reason=AdmissionReason(line.verdict.reason),
    )


def answer_fields(answer: Answer) -> dict[str, Any]:
    """The fields that `mayISpend` and `reserve` share."""
    denying = answer.denying
    return {
        "decision": decision_of(answer.is_allowed),
        "reason": AdmissionReason(answer.reason),
        "budget_id": denying.rule.budget_id if denying else None,
        "member": denying.member if denying else None,
        "left_usd": answer.left_usd,
        "lines": [line_type(line) for line in answer.lines],
        "data_version": BigInt(answer.data_version),
        "is_stale": answer.is_stale,
    }


def decision_of(is_allowed: bool) -> Any:
    return BudgetDecision("ALLOW" if is_allowed else "DENY")


def breakers_of(context: Context) -> Breakers:
    """`QueryError` where there is no ledger, or the caller may see a part of the spend only."""
    check_unrestricted(context.planner, ("requests", "sessions"), context.caller)
    if context.breakers is None:
        raise QueryError("NO_LEDGER", "budgets are kept by a server: ask `clawback serve`")
    return context.breakers


def known_text(name: str, value: str | None) -> str | None:
    """A name or an id of an argument; `QueryError` for one that no row can have."""
    if value is not None and not 0 < len(value) <= MOST_CHARACTERS:
        raise QueryError("BAD_VALUE", f"{name} has 1 to {MOST_CHARACTERS:,} characters, or is left out")
    return value
