"""Computed against billed: totals of compared periods and the residual of each provider. Why: `finance.residual`.

What calls cost and what providers bill for them are two accounts of the same money. They are compared and never added;
a residual stays a line of its own, so that computed + residual is the bill. Definitions: golden case G13.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from finance.residual import Cause

ReconciliationStatus = Literal["MATCH", "UNDER_COMPUTED", "OVER_COMPUTED", "PENDING", "UNTRACKED", "INCLUDED"]
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One period of one provider; amounts in USD. `computed_usd` None: no known cost; `billed_usd` None: no bill."""

    provider: str | None
    status: ReconciliationStatus
    computed_usd: Decimal | None
    billed_usd: Decimal | None
    calls: int = 0
    unpriced_calls: int = 0
    unmeasured_calls: int = 0
    included_calls: int = 0
    included_list_usd: Decimal | None = None
    price_changes: int = 0
    causes: tuple[Cause, ...] = ()
    """What the drift consists of; without a bill there is none."""

    @property
    def official_usd(self) -> Decimal | None:
        """The bill where there is one, else what the calls cost; None where neither is known."""
        return self.known_usd if self.billed_usd is None else self.billed_usd

    @property
    def unknown_calls(self) -> int:
        """Calls of unknown cost: where there are any, what is computed is a lower bound, and drift an upper one."""
        return self.unpriced_calls + self.unmeasured_calls

    @property
    def known_usd(self) -> Decimal | None:
        """What the calls cost: 0 without calls; None where there are calls and none is of known cost."""
        return None if self.computed_usd is None and self.unknown_calls else self.computed

    @property
    def computed(self) -> Decimal:
        return self.computed_usd or _ZERO

    @property
    def drift_usd(self) -> Decimal | None:
        """Billed less computed: None without a bill."""
        return None if self.billed_usd is None else self.billed_usd - self.computed

    @property
    def has_doubted_calls(self) -> bool:
        """The calls cost more than was billed, and nobody knows why: one may have been counted twice."""
        if not self.causes:
            return self.drift_usd is not None and self.drift_usd < 0
        return any(cause.kind == "UNEXPLAINED" and cause.usd < 0 for cause in self.causes)

    @property
    def matched_usd_at_most(self) -> Decimal | None:
        """The bill less all causes by which it is higher, and less what calls cost that the provider does not count.

        Causes of either sign do not cancel. What is unexplained on the side of the calls is not taken off: it may be
        another price for the same calls. None without a bill.
        """
        if self.billed_usd is None or self.drift_usd is None:
            return None
        unmatched = [abs(cause.usd) for cause in self.causes if cause.usd > 0 or cause.kind == "CALLS_NOT_REPORTED"]
        taken_off = sum(unmatched, _ZERO) if self.causes else max(self.drift_usd, _ZERO)
        return max(self.billed_usd - taken_off, _ZERO)

    @property
    def matched_usd(self) -> Decimal | None:
        """Of what was billed, what the computed cost of recorded calls explains. None where there is no bill, and where
        calls are in doubt: which of them explain the bill is not known."""
        return None if self.has_doubted_calls else self.matched_usd_at_most

    @property
    def matched_share(self) -> Decimal | None:
        """Of what was billed; None without a bill over 0, where the cost of no call is known, or where calls are in
        doubt."""
        matched = self.matched_usd
        if self.known_usd is None or matched is None or not self.billed_usd or self.billed_usd < 0:
            return None
        return matched / self.billed_usd

    @property
    def drift_share(self) -> Decimal | None:
        """Drift / billed; None without a bill, or with one over 0."""
        return None if self.drift_usd is None or not self.billed_usd else self.drift_usd / self.billed_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    official_usd: Decimal | None
    """None, as the other sums of what calls cost, where there is something to add and none of it is known."""
    computed_usd: Decimal | None
    billed_usd: Decimal
    """Of all bills; periods with a bill are settled."""
    settled_computed_usd: Decimal | None
    net_drift_usd: Decimal
    """May hide that differences of either sign cancel."""
    absolute_drift_usd: Decimal
    pending_usd: Decimal | None
    """Computed for days that no bill covers."""
    capture_share: Decimal | None
    """Computed / billed of settled periods; None where nothing was billed."""
    matched_share: Decimal | None
    """Of what was billed, the part that recorded calls explain, period by period; None where nothing was billed. A
    period in which credits outweigh the bill is in neither sum: the share would pass 1."""
    is_matched_at_most: bool
    """In a period of these sums calls are in doubt: as much is matched at most."""
    unknown_calls: int
    """Calls of unknown cost: where there are any, what is computed is a lower bound."""


@dataclass(frozen=True, slots=True)
class Residual:
    """Billed less computed of one provider's settled periods: never spread over calls or sessions."""

    provider: str | None
    usd: Decimal


def totals(compared: Sequence[Compared]) -> Totals:
    """Exact sums. Shares are of what was billed: a refund that outweighs its bills leaves none."""
    settled = [(c, billed) for c in compared if (billed := c.billed_usd) is not None]
    billed_usd = sum((billed for _, billed in settled), _ZERO)
    computed_usd = _sum_of_known(c.known_usd for c, _ in settled)
    drifts = [billed - c.computed for c, billed in settled]
    charged = [(c.matched_usd_at_most or _ZERO, billed) for c, billed in settled if billed > 0]
    matched = sum((usd for usd, _ in charged), _ZERO)
    return Totals(
        official_usd=_sum_of_known(c.official_usd for c in compared),
        computed_usd=_sum_of_known(c.known_usd for c in compared),
        billed_usd=billed_usd,
        settled_computed_usd=computed_usd,
        net_drift_usd=sum(drifts, _ZERO),
        absolute_drift_usd=sum(map(abs, drifts), _ZERO),
        pending_usd=_sum_of_known(c.known_usd for c in compared if c.status == "PENDING"),
        capture_share=computed_usd / billed_usd if billed_usd > 0 and computed_usd is not None else None,
        matched_share=matched / sum(billed for _, billed in charged)
        if billed_usd > 0 and computed_usd is not None
        else None,
        is_matched_at_most=any(c.has_doubted_calls for c, billed in settled if billed > 0),
        unknown_calls=sum(c.unknown_calls for c in compared),
    )


def _sum_of_known(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """0 of nothing; None where there is something and none of it is known."""
    found = list(amounts)
    known = [usd for usd in found if usd is not None]
    return sum(known, _ZERO) if known or not found else None


def residuals(compared: Iterable[Compared]) -> tuple[Residual, ...]:
    """One a provider that has settled periods, by name; the provider that nobody named comes last."""
    sums: dict[str | None, Decimal] = {}
    for one in compared:
        if one.drift_usd is not None:
            sums[one.provider] = sums.get(one.provider, _ZERO) + one.drift_usd
    return tuple(Residual(name, sums[name]) for name in sorted(sums, key=lambda name: (name is None, name or "")))
