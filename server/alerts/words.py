"""An alert in words. Names come from configuration and from logs of agents, so they may hold anything: here they become
one line of printable characters.
"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256

from finance.budgets import Alert, Standing
from server.budgets.standing_json import plain

MOST_CHARACTERS = 120
"""Of a name; what is longer is cut and told apart by a digest."""
_CENT = Decimal("0.01")
_SMALL = Decimal("0.000001")


def one_line(name: str) -> str:
    """A name that commands neither a terminal nor a reader's eye: no line break, no control or direction mark."""
    cut = name
    if len(name) > MOST_CHARACTERS:
        digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        cut = f"{name[: MOST_CHARACTERS - 10]}…{digest}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def usd(amount: Decimal) -> str:
    """With cents; with six places where cents would hide what there is. `-$1.50` where credits outweigh costs."""
    digits = abs(amount)
    places = _SMALL if 0 < digits < _CENT else _CENT
    return f"{'-' if amount < 0 else ''}${digits.quantize(places, ROUND_HALF_EVEN):,f}"


def named(standing: Standing) -> str:
    """Such as: budget daily, or: budget per-agent for agent 'researcher'."""
    member = "" if standing.member is None else f" for {standing.scope} '{one_line(standing.member)}'"
    return f"budget {one_line(standing.budget_id)}{member}"


def spent(standing: Standing) -> str:
    """Such as: $4.10 of $5.00 (82 %); at least that much, where some requests have no price."""
    least = "at least " if standing.unpriced_requests else ""
    share = f" ({standing.spent_usd / standing.limit_usd:.0%})" if standing.limit_usd else ""
    return f"{least}{usd(standing.spent_usd)} of {usd(standing.limit_usd)}{share.replace('%', ' %')}"


def sentence(alert: Alert) -> str:
    """One line for people."""
    standing = alert.standing
    where = f"{spent(standing)} in {one_line(standing.window.label)}"
    if alert.kind == "RECOVERED":
        return f"Clawback: {named(standing)} is within its limit again: {where}."
    mark = "" if alert.threshold is None or alert.threshold == 1 else f"{plain(alert.threshold * 100)} % of "
    unpriced = f" {standing.unpriced_requests:,} requests have no price." if standing.unpriced_requests else ""
    return f"Clawback: {named(standing)} has reached {mark}its limit: {where}.{_outlook(standing)}{unpriced}"


def instant(at: datetime) -> str:
    """In UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _outlook(standing: Standing) -> str:
    if standing.state == "OPEN":
        return f" Requests are stopped until {instant(standing.window.ends_at)}." if standing.blocks else ""
    if standing.projected_breach_at is not None:
        return f" At this pace it is used up at {instant(standing.projected_breach_at)}."
    if standing.projected_usd is not None:
        return f" At this pace it ends at {usd(standing.projected_usd)}."
    return ""
