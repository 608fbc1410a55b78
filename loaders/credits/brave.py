"""Brave Search: it has no report of use, but every answer's headers say how much of each window is left."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from loaders.cell import Cell, CellError
from loaders.credits.captures import Capture
from loaders.credits.plans import LIST_PRICE, Plans, Worth
from loaders.item import Ignored, Item
from store import CreditQuota, CreditUsage

VENDOR = "brave"
_LIMIT, _POLICY, _LEFT, _RESET = (f"x-ratelimit-{name}" for name in ("limit", "policy", "remaining", "reset"))
_SEARCH = "search"
_LISTED_FROM = date(2026, 9, 1)
_USD_PER_SEARCH, _CREDIT_A_MONTH = Decimal("0.005"), Decimal(5)
"""Brave's list in September 2026: 5 USD per 1,000 searches, less 5 USD a month. What it was before is not known."""
_SHORTEST_MONTH = 28 * 86_400
_MOST_WINDOWS = 10


@dataclass(frozen=True, slots=True)
class _Window:
    seconds: int
    limit: int
    left: int
    resets_in: int


def is_brave(capture: Capture) -> bool:
    return capture.is_headers and _LIMIT in capture.content


def month(capture: Capture, plans: Plans) -> Iterator[Item]:
    """The longest window: how much of it is used, and the use since it began."""
    window = max(_windows(capture), key=lambda window: window.seconds)
    plan = capture.plan or _SEARCH
    if window.seconds < _SHORTEST_MONTH:
        raise CellError(f"{_POLICY} has no window of a month; the longest is {window.seconds:,} s")
    if window.limit == 0:
        yield Ignored(capture.location, "an unlimited window does not say how much of it was used")
        return
    resets_at = _on_the_hour(capture.observed_at + timedelta(seconds=window.resets_in))
    used = Decimal(window.limit - window.left)
    worth = _worth(capture, plans, plan, used)
    yield capture.parsed(
        CreditQuota(
            vendor=VENDOR,
            plan=plan,
            observed_at=capture.observed_at,
            source=capture.source,
            used_credits=used,
            limit_credits=Decimal(window.limit),
            starts_on=(resets_at - timedelta(seconds=window.seconds)).date(),
            resets_at=resets_at,
        ),
        CreditUsage(
            usage_id=f"{VENDOR}:{plan}:{resets_at.isoformat()}",
            source=capture.source,
            vendor=VENDOR,
            used_at=capture.observed_at,
            credits=used,
            usd=worth.usd,
            usd_rule=worth.rule,
            observed_at=capture.observed_at,
            description=f"searches in the window up to {resets_at:%Y-%m-%d}",
        ),
    )


def _worth(capture: Capture, plans: Plans, plan: str, used: Decimal) -> Worth:
    worth = plans.worth(VENDOR, plan, capture.observed_at, used)
    if worth.rule is None and plan == _SEARCH and capture.observed_at.date() >= _LISTED_FROM:
        return Worth(max(used * _USD_PER_SEARCH - _CREDIT_A_MONTH, Decimal(0)), LIST_PRICE)
    return worth


def _windows(capture: Capture) -> list[_Window]:
    limits, left, resets = (_numbers(capture, name) for name in (_LIMIT, _LEFT, _RESET))
    seconds = [_seconds(part) for part in _parts(capture, _POLICY)]
    if not len(limits) == len(left) == len(resets) == len(seconds):
        raise CellError(f"{_LIMIT}, {_POLICY}, {_LEFT} and {_RESET} must have one part a window each")
    windows = [_Window(*parts) for parts in zip(seconds, limits, left, resets, strict=True)]
    for window in windows:
        if window.limit and window.left > window.limit:
            raise CellError(f"{_LEFT} is {window.left:,}, more than the limit of {window.limit:,}")
        if window.resets_in > window.seconds:
            raise CellError(f"{_RESET} is {window.resets_in:,} s, more than the window of {window.seconds:,} s")
    return windows


def _parts(capture: Capture, name: str) -> list[str]:
    parts = capture[name].text().split(",")
    if len(parts) > _MOST_WINDOWS:
        raise CellError(f"{name} has {len(parts):,} windows; at most {_MOST_WINDOWS} make sense")
    return parts


def _numbers(capture: Capture, name: str) -> list[int]:
    return [Cell(name, part.strip()).count() for part in _parts(capture, name)]


def _seconds(policy: str) -> int:
    """`15000;w=2592000`: so many in a window of so many seconds."""
    for part in policy.split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "w":
            return Cell(_POLICY, value.strip()).count()
    raise CellError(f"{_POLICY} must say its windows like 15000;w=2592000, got {ascii(policy)[:60]}")


def _on_the_hour(instant: datetime) -> datetime:
    """The seconds until the reset are whole and come late, so that it seems to move by a second or two."""
    moved = instant.astimezone(UTC) + timedelta(minutes=30)
    return moved.replace(minute=0, second=0, microsecond=0)
