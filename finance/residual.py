"""Why a bill and the calls that it is for differ: the residual, billed less computed, split into causes.

The causes add up to the residual to the last digit. Each follows from the three accounts of a period; what they do not
settle is UNEXPLAINED, with what is missing to settle it. Money of a bill line is spread over the tokens that the
provider counted, each at the line's own mean price: so what nobody recorded is told from another rate, as volume and
rate variance are in cost accounting. docs/reconciliation.md says what to do about each.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from finance.accounts import Accounts, BillLine, Recorded, Reported, valued
from finance.spread import Spread, spread
from finance.volume import Missing, UnsettledError, Volume, volume_of

CauseKind = Literal[
    "UNRECORDED_TRAFFIC", "CALLS_NOT_REPORTED", "OTHER_DAYS", "CALLS_WITHOUT_USAGE", "UNPRICED_CALLS", "INCLUDED_CALLS",
    "PRICE_DIFFERENCE", "FEES", "CREDITS", "ROUNDING", "UNEXPLAINED",
]  # fmt: skip
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A part of a residual. Above 0 the bill has more, below 0 the calls."""

    kind: CauseKind
    usd: Decimal
    model: str | None = None
    """None where it is not of one model."""
    tokens: int | None = None
    calls: int | None = None
    """None where nobody counts them."""
    missing: Missing | None = None
    """Of UNEXPLAINED: what would settle it."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Accounts of some models that can only be settled together."""

    lines: Sequence[BillLine]
    recorded: Mapping[str | None, Recorded]
    reported: Mapping[str | None, Reported] | None

    @property
    def model(self) -> str | None:
        names = {*self.recorded, *(self.reported or {}), *(line.model for line in self.lines)}
        return names.pop() if len(names) == 1 else None

    @property
    def billed_usd(self) -> Decimal:
        return sum((line.usd for line in self.lines), _ZERO)

    @property
    def computed_usd(self) -> Decimal:
        return sum((one.computed_usd for one in self.recorded.values()), _ZERO)

    @property
    def residual_usd(self) -> Decimal:
        return self.billed_usd - self.computed_usd


def split(accounts: Accounts) -> tuple[Cause, ...]:
    """The causes of billed less computed; their sum is exactly that. None of them is 0."""
    fees = [line for line in accounts.lines if line.item == "fee"]
    taken_off = [line for line in accounts.lines if line.item == "credit"]
    rest = [line for line in accounts.lines if line.item not in ("fee", "credit")]
    if not accounts.is_one_bill:
        found = [_unexplained(_group(accounts, [*fees, *rest]), "ONE_BILL")]
    elif fees and accounts.are_fees_in_calls:
        whole = _group(accounts, [*fees, *rest])
        found = [_unexplained(whole, "FEES_IN_CALLS")]
    else:
        found = [Cause(kind="FEES", usd=line.usd, model=line.model) for line in fees]
        for group in _groups(accounts, rest):
            found += _settled(group, accounts)
    found += [Cause(kind="CREDITS", usd=line.usd, model=line.model) for line in taken_off]
    return tuple(_rounding(_merged(found), accounts.tolerance_usd))


def _groups(accounts: Accounts, lines: Sequence[BillLine]) -> Iterator[_Group]:
    """By model where the bill and the report both name models; else all of them together.

    Names of which one is on our side alone and one on the provider's may mean the same model: those stay together.
    """
    reported = accounts.reported or ()
    named = all(line.item is not None and line.model is not None for line in lines)
    if not named or any(one.model is None for one in reported):
        yield _group(accounts, lines)
        return
    theirs = {line.model for line in lines} | {one.model for one in reported}
    ours = {one.model for one in accounts.recorded if one.calls > one.included_calls}
    alone = (ours ^ theirs) if ours - theirs and theirs - ours else set()
    if alone:
        yield _group(accounts, lines, alone)
    everything = theirs | {one.model for one in accounts.recorded}
    for model in sorted(everything - alone, key=lambda name: (name is None, name or "")):
        yield _group(accounts, lines, {model})


def _group(accounts: Accounts, lines: Sequence[BillLine], models: set[str | None] | None = None) -> _Group:
    def belongs(one: BillLine | Recorded | Reported) -> bool:
        return models is None or one.model in models

    reported = accounts.reported
    return _Group(
        [line for line in lines if belongs(line)],
        {one.model: one for one in accounts.recorded if belongs(one)},
        None if reported is None else {one.model: one for one in reported if belongs(one)},
    )


def _settled(group: _Group, accounts: Accounts) -> Iterable[Cause]:
    if not any(one.calls for one in group.recorded.values()):
        calls, tokens = _all_counted(group)
        return [Cause(kind="UNRECORDED_TRAFFIC", usd=group.billed_usd, model=group.model, calls=calls, tokens=tokens)]
    try:
        return _split(group, accounts)
    except UnsettledError as doubt:
        return [_unexplained(group, doubt.missing)]


def _split(group: _Group, accounts: Accounts) -> list[Cause]:
    named = {line.model for line in group.lines if line.item is not None} | set(group.reported or ())
    if named - set(group.recorded) and set(group.recorded) - named and None not in named:
        raise UnsettledError("MODEL_NAMES")
    if group.reported is None:
        raise UnsettledError("REPORTED_USAGE")
    names = {*group.recorded, *group.reported}
    volumes = {
        name: volume_of(group.recorded.get(name, Recorded(model=name)), group.reported.get(name)) for name in names
    }
    is_opaque = any(line.item is None for line in group.lines)
    if is_opaque:
        found = _at_book_prices(volumes, accounts)
        rest: CauseKind = "UNEXPLAINED"
    else:
        computed_usd = {name: one.computed_usd for name, one in group.recorded.items()}
        found, rest = spread(group.lines, volumes, accounts.prices, computed_usd), "PRICE_DIFFERENCE"
    causes = list(_causes(volumes, found, accounts))
    left = group.residual_usd - sum((cause.usd for cause in causes), _ZERO)
    missing: Missing | None = "BILL_LINES" if is_opaque else None
    return [*causes, Cause(kind=rest, usd=left, model=group.model, missing=missing)]


def _at_book_prices(volumes: Mapping[str | None, Volume], accounts: Accounts) -> dict[str | None, Spread]:
    """For a bill that does not say what its money is for: what differs is worth what the book says."""
    found = {}
    for model, volume in volumes.items():
        prices = accounts.prices.get(model, (None,) * 4)
        parts = [valued(tokens, prices) for tokens in (volume.unpriced, volume.included, volume.more, volume.less)]
        if any(part is None for part in parts):
            raise UnsettledError("PRICES")
        unpriced, included, more, less = (part or _ZERO for part in parts)
        found[model] = Spread(unpriced_usd=unpriced, included_usd=included, more_usd=more, less_usd=less)
    return found


def _causes(
    volumes: Mapping[str | None, Volume], found: Mapping[str | None, Spread], accounts: Accounts
) -> Iterator[Cause]:
    calls = {one.model: one for one in accounts.recorded}
    for model, volume in volumes.items():
        usd, of = found[model], calls.get(model, Recorded(model=model))
        more: CauseKind = "CALLS_WITHOUT_USAGE" if volume.is_unmeasured else "UNRECORDED_TRAFFIC"
        more_calls = of.unmeasured_calls if volume.is_unmeasured else volume.more_calls
        less: CauseKind = "OTHER_DAYS" if accounts.may_change else "CALLS_NOT_REPORTED"
        fewer = None if volume.more_calls is None or any(volume.more) else -volume.more_calls
        only_more = more_calls if volume.is_unmeasured or not any(volume.less) else None
        yield Cause(kind=more, usd=usd.more_usd, model=model, tokens=sum(volume.more), calls=only_more)
        yield Cause(kind=less, usd=-usd.less_usd, model=model, tokens=sum(volume.less), calls=fewer)
        yield Cause(
            kind="UNPRICED_CALLS",
            usd=usd.unpriced_usd,
            model=model,
            tokens=sum(volume.unpriced),
            calls=of.unpriced_calls,
        )
        yield Cause(
            kind="INCLUDED_CALLS",
            usd=usd.included_usd,
            model=model,
            tokens=sum(volume.included),
            calls=of.included_calls,
        )


def _all_counted(group: _Group) -> tuple[int | None, int | None]:
    """Calls and tokens of a group of which nobody recorded any."""
    reported = list((group.reported or {}).values())
    requests = [one.requests for one in reported]
    return _sum_known(requests), _sum_known([count for one in reported for count in one.tokens])


def _sum_known(counts: Sequence[int | None]) -> int | None:
    """None where there is none, or one of them is unknown."""
    known = [count for count in counts if count is not None]
    return sum(known) if counts and len(known) == len(counts) else None


def _unexplained(group: _Group, missing: Missing) -> Cause:
    return Cause(kind="UNEXPLAINED", usd=group.residual_usd, model=group.model, missing=missing)


def _merged(causes: Iterable[Cause]) -> list[Cause]:
    """One a kind, model and what is missing; what is 0 is no cause."""
    together: defaultdict[tuple[CauseKind, str | None, Missing | None], list[Cause]] = defaultdict(list)
    for cause in causes:
        together[cause.kind, cause.model, cause.missing].append(cause)
    merged = [
        same[0]
        if len(same) == 1
        else Cause(kind=kind, usd=sum((one.usd for one in same), _ZERO), model=model, missing=missing)
        for (kind, model, missing), same in together.items()
    ]
    return [cause for cause in merged if cause.usd]


def _rounding(causes: Sequence[Cause], tolerance_usd: Decimal) -> list[Cause]:
    """What is left over may be rounding where all that is unexplained is within the tolerance."""
    left = [cause for cause in causes if cause.kind == "UNEXPLAINED"]
    if not left or sum(abs(cause.usd) for cause in left) > tolerance_usd:
        return list(causes)
    others = [cause for cause in causes if cause.kind != "UNEXPLAINED"]
    usd = sum((cause.usd for cause in left), _ZERO)
    return [*others, Cause(kind="ROUNDING", usd=usd)] if usd else others
