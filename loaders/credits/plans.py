"""What a credit is worth: the fee of the plan that it came with, or the vendor's list price, each for its days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal

from finance.pricing import rounded_usd
from loaders.cell import CellError

_EXACT = Context(prec=60)
PLAN_PRICE, LIST_PRICE, STATED = "plan price", "list price", "stated"


@dataclass(frozen=True, slots=True)
class Plan:
    """What `per_credits` credits cost from `starts_on` up to but without `ends_at`."""

    vendor: str
    plan: str | None
    starts_on: date
    ends_at: datetime | None
    usd: Decimal
    per_credits: Decimal
    rule: str
    known_at: datetime | None = None
    """Of two statements about one plan and period, the one known later holds."""

    def is_in_force(self, vendor: str, plan: str | None, at: datetime) -> bool:
        starts_at = datetime.combine(self.starts_on, time(), UTC)
        is_meant = plan is None or (self.plan or "").casefold() == plan.casefold()
        is_then = starts_at <= at and (self.ends_at is None or at < self.ends_at)
        return is_meant and is_then and self.vendor.casefold() == vendor.casefold()

    def worth(self, used: Decimal) -> Decimal:
        exact = _EXACT.divide(_EXACT.multiply(self.usd, used), self.per_credits)
        return rounded_usd(exact) or Decimal(0)


@dataclass(frozen=True, slots=True)
class Worth:
    """An amount and how it came about; both None where no price is known."""

    usd: Decimal | None = None
    rule: str | None = None


class Plans:
    """The prices that are known to one load."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        self._plans = list(plans)

    def worth(self, vendor: str, plan: str | None, at: datetime, used: Decimal) -> Worth:
        """By the plan in force, else by the list.

        Raises:
            CellError: several plans of the vendor are in force at other prices, and nothing says which is meant.
        """
        in_force = [known for known in self._plans if known.is_in_force(vendor, plan, at)]
        for rule in (PLAN_PRICE, LIST_PRICE):
            newest: dict[str | None, Plan] = {}
            for known in sorted((known for known in in_force if known.rule == rule), key=_age):
                newest[known.plan] = known
            worths = {known.worth(used) for known in newest.values()}
            if len(worths) > 1:
                named = ", ".join(sorted(repr(known) for known in newest))
                raise CellError(f"plan is empty, and of {vendor} there are several then: {named}; say which it was")
            if worths:
                return Worth(worths.pop(), rule)
        return Worth()


def _age(plan: Plan) -> tuple[date, datetime]:
    return plan.starts_on, plan.known_at or datetime.min.replace(tzinfo=UTC)
