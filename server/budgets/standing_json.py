"""Where a budget stands, as JSON: money as text with all its digits, instants in UTC. And back again.

The ledger, the webhook, the flag file and the command line write the same.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from finance.budgets import Standing, Window


def standing_json(standing: Standing) -> dict[str, object]:
    projected, breach = standing.projected_usd, standing.projected_breach_at
    return {
        "budget_id": standing.budget_id,
        "scope": standing.scope,
        "member": standing.member,
        "window": standing.window.label,
        "starts_at": _text(standing.window.starts_at),
        "ends_at": _text(standing.window.ends_at),
        "limit_usd": plain(standing.limit_usd),
        "spent_usd": plain(standing.spent_usd),
        "unpriced_requests": standing.unpriced_requests,
        "held_usd": plain(standing.held_usd),
        "state": standing.state,
        "blocks": standing.blocks,
        "projected_usd": None if projected is None else plain(projected),
        "projected_breach_at": None if breach is None else _text(breach),
    }


def standing_of(said: dict[str, Any]) -> Standing:
    """What `standing_json` has written. Raises LookupError, TypeError or ValueError for anything else."""
    projected, breach = said["projected_usd"], said["projected_breach_at"]
    return Standing(
        budget_id=said["budget_id"],
        scope=said["scope"],
        member=said["member"],
        window=Window(said["window"], _instant(said["starts_at"]), _instant(said["ends_at"])),
        limit_usd=Decimal(said["limit_usd"]),
        spent_usd=Decimal(said["spent_usd"]),
        unpriced_requests=int(said["unpriced_requests"]),
        held_usd=Decimal(said["held_usd"]),
        state=said["state"],
        blocks=said["blocks"],
        projected_usd=None if projected is None else Decimal(projected),
        projected_breach_at=None if breach is None else _instant(breach),
    )


def plain(amount: Decimal) -> str:
    """The exact amount without an exponent and without zeros that say nothing: 5.00 is 5."""
    text = f"{amount:f}"
    short = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if short == "-0" else short


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
