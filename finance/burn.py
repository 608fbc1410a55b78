"""What a company spent and took in on each of the last days, and the same days with other inputs (a scenario).

A history is a list of drivers, each with one amount a day. A scenario changes drivers, never the definitions, so that
its burn is computed by the same lines as the burn of what happened.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import sqrt

from scipy import stats

DAYS_A_MONTH = Decimal("30.4375")
"""The length of a month wherever a rate is told by the month."""
INFERENCE = "inference"


@dataclass(frozen=True, slots=True)
class Driver:
    """One kind of money: what went out (positive) or came in (negative) on each day of the basis, in USD."""

    name: str
    daily_usd: tuple[Decimal, ...]
    is_inflow: bool = False
    is_recurring: bool = False
    """It falls on a day of each month: a forecast reads it from the calendar and not from the mean of the days."""

    @property
    def total_usd(self) -> Decimal:
        return sum(self.daily_usd, Decimal(0))


@dataclass(frozen=True, slots=True)
class Burn:
    """The drivers over the same `basis_days` complete days."""

    basis_days: int
    """0 where nothing is known of any day."""
    drivers: tuple[Driver, ...]
    unknown_rows: int = 0
    """Rows of these days whose amount is not known: with any, burn is a lower bound and runway an upper one."""
    doubted_fees: int = 0
    """Of them, days of fees on bills which calls or credits may have in their cost."""
    is_unknown: bool = False
    """No amount of these days is known at all."""

    @property
    def gross_daily(self) -> Fraction:
        return self._daily(lambda driver: not driver.is_inflow)

    @property
    def net_daily(self) -> Fraction:
        """Gross less what came in; negative where more came in than went out."""
        return self._daily(lambda _: True)

    @property
    def variable_daily(self) -> Fraction:
        """Net, without what the calendar knows: the rate at which a walk goes on from day to day."""
        return self._daily(lambda driver: not driver.is_recurring)

    @property
    def has_recurring(self) -> bool:
        return any(driver.is_recurring and driver.total_usd for driver in self.drivers)

    def variable_series(self) -> tuple[Decimal, ...]:
        """Net of each day without what the calendar knows, oldest first."""
        columns = [driver.daily_usd for driver in self.drivers if not driver.is_recurring]
        return tuple(sum(day, Decimal(0)) for day in zip(*columns, strict=True)) or (Decimal(0),) * self.basis_days

    def changed(self, change: Callable[[Driver], Iterable[Driver]]) -> "Burn":
        """The same days with each driver replaced by what `change` makes of it."""
        return replace(self, drivers=tuple(made for driver in self.drivers for made in change(driver)))

    def _daily(self, chosen: Callable[[Driver], bool]) -> Fraction:
        total = sum((driver.total_usd for driver in self.drivers if chosen(driver)), Decimal(0))
        return Fraction(total) / self.basis_days if self.basis_days else Fraction(0)


@dataclass(frozen=True, slots=True)
class Volume:
    """The sessions of the basis: how many, and what their own calls cost."""

    sessions: int
    costed: int
    """Those whose own cost is known."""
    cost_usd: Decimal
    """Of the costed ones."""
    cost_per_session_low: Decimal | None = None
    """The 95 % interval of the mean; None for fewer than two sessions."""
    cost_per_session_high: Decimal | None = None
    is_prepaid: bool = False
    """The burn is cash, and credits bought before paid for some calls: what sessions cost is not in the burn."""

    @property
    def cost_per_session(self) -> Fraction | None:
        return Fraction(self.cost_usd) / self.costed if self.costed else None


def volume_of(sessions: int, costed: int, cost_usd: Decimal, sd_usd: float | None) -> Volume:
    """With the 95 % interval of the mean cost by Student's t; sessions are taken as independent."""
    if costed < 2 or sd_usd is None:
        return Volume(sessions, costed, cost_usd)
    mean = Fraction(cost_usd) / costed
    off = Fraction(float(stats.t.isf(0.025, costed - 1)) * sd_usd / sqrt(costed))
    return Volume(sessions, costed, cost_usd, as_usd(max(mean - off, Fraction(0))), as_usd(mean + off))


def volume_scaled(volume: Volume, factor: Fraction) -> Volume:
    """The same sessions at `factor` times their cost."""
    low, high = volume.cost_per_session_low, volume.cost_per_session_high
    return replace(
        volume,
        cost_usd=as_usd(Fraction(volume.cost_usd) * factor),
        cost_per_session_low=None if low is None else as_usd(Fraction(low) * factor),
        cost_per_session_high=None if high is None else as_usd(Fraction(high) * factor),
    )


def with_inference(burn: Burn, daily_usd: tuple[Decimal, ...]) -> Burn:
    """The same days with other costs of calls, which may not have been there."""
    others = burn.changed(lambda driver: () if driver.name == INFERENCE else (driver,))
    return replace(others, drivers=(Driver(INFERENCE, daily_usd), *others.drivers))


def inference_of(burn: Burn) -> tuple[Decimal, ...]:
    """What calls cost on each day."""
    found = next((driver.daily_usd for driver in burn.drivers if driver.name == INFERENCE), None)
    return found or (Decimal(0),) * burn.basis_days


def scaled(burn: Burn, factor: Decimal) -> Burn:
    """Calls cost `factor` times as much; bills and flows stay as they are."""
    return with_inference(burn, tuple(usd * factor for usd in inference_of(burn)))


def repriced(burn: Burn, was: Mapping[int, Decimal], becomes: Mapping[int, Decimal]) -> Burn:
    """Part of the calls costs `becomes` instead of `was`; both by the index of the day."""
    nothing = Decimal(0)
    days = enumerate(inference_of(burn))
    return with_inference(burn, tuple(usd - was.get(n, nothing) + becomes.get(n, nothing) for n, usd in days))


def at_volume(burn: Burn, volume: Volume, sessions_per_day: Decimal) -> Burn:
    """The sessions' own calls are replaced by `sessions_per_day` sessions at their mean cost.

    Calls that belong to no costed session stay, and days differ as they did, so that the doubt stays what it was.
    Raises `ValueError` where no session's cost is known.
    """
    each = volume.cost_per_session
    if each is None or not burn.basis_days:
        raise ValueError("no session of these days has a known cost")
    was = inference_of(burn)
    spent = sum(was, Decimal(0))
    total = Fraction(spent - volume.cost_usd) + Fraction(sessions_per_day) * each * burn.basis_days
    shares = [Fraction(usd) / Fraction(spent) if spent else Fraction(1, burn.basis_days) for usd in was]
    # The mean is kept exactly: days are whole 10^-12 USD, and the last day takes what is left over.
    days = [as_usd(total * share) for share in shares[:-1]]
    return with_inference(burn, (*days, as_usd(total - Fraction(sum(days, Decimal(0))))))


def as_usd(value: Fraction) -> Decimal:
    """Rounded half to even to 12 places."""
    return as_decimal(value, 12)


def as_decimal(value: Fraction, places: int) -> Decimal:
    """Rounded half to even, once; without trailing zeros and never in exponent form."""
    scaled_up = round(value * 10**places)
    number = Decimal(scaled_up).scaleb(-places)
    text = f"{number:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
