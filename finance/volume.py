"""What the tokens are that a provider counted of one model: recorded ones by kind of call, and those that differ."""

from dataclasses import dataclass
from typing import Literal

from finance.accounts import NONE, Recorded, Reported, Tokens, added

Missing = Literal[
    "REPORTED_USAGE", "REQUEST_COUNTS", "USAGE_OF_CALLS", "PRICES", "BILL_LINES", "MODEL_NAMES", "PLAN_OR_BILL",
    "FEES_IN_CALLS", "BILLED_APART", "ONE_BILL",
]  # fmt: skip
"""What would settle a difference, were it known."""


class UnsettledError(Exception):
    """Several causes would fit the accounts; `missing` would tell which."""

    def __init__(self, missing: Missing) -> None:
        super().__init__(missing)
        self.missing: Missing = missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """`counted` is `priced + unpriced + included + more - less`, kind by kind."""

    counted: Tokens
    priced: Tokens = NONE
    unpriced: Tokens = NONE
    included: Tokens = NONE
    """Under a plan, and in the provider's count nevertheless."""
    more: Tokens = NONE
    """Counted, and not recorded."""
    is_unmeasured: bool = False
    """`more` is of calls that were recorded without usage."""
    less: Tokens = NONE
    """Recorded, and not counted."""
    more_calls: int | None = None
    """How many more calls the provider counted; below 0 where fewer."""


def volume_of(recorded: Recorded, reported: Reported | None) -> Volume:
    """Raises `UnsettledError` where the accounts leave several answers. No report of the model: none of its tokens."""
    counted = _counted(recorded, reported)
    measured = added(recorded.priced, recorded.unpriced)
    over = _difference(counted, measured)
    if recorded.untold_calls and any(over):
        raise UnsettledError("PLAN_OR_BILL" if recorded.included_calls else "USAGE_OF_CALLS")
    included = NONE
    if any(recorded.included) and any(over):
        if over != recorded.included:
            raise UnsettledError("PLAN_OR_BILL")
        over, included = NONE, recorded.included
    more, less = _positive(over), _positive(_difference(NONE, over))
    if any(less) and any(recorded.unpriced):
        raise UnsettledError("PRICES")
    return Volume(
        counted=counted,
        priced=recorded.priced,
        unpriced=recorded.unpriced,
        included=included,
        more=more,
        is_unmeasured=_is_unmeasured(recorded, reported, more),
        less=less,
        more_calls=_more_calls(recorded, reported, is_plan_counted=any(included)),
    )


def _counted(recorded: Recorded, reported: Reported | None) -> Tokens:
    if reported is None:
        return NONE
    if reported.is_billed_apart:
        raise UnsettledError("BILLED_APART")
    for count, ours in zip(reported.tokens, recorded.measured, strict=True):
        if count is None and ours:
            raise UnsettledError("REPORTED_USAGE")
    uncached, read, write, output = (count or 0 for count in reported.tokens)
    return uncached, read, write, output


def _is_unmeasured(recorded: Recorded, reported: Reported | None, more: Tokens) -> bool:
    """Tokens beyond the recorded ones are of the calls without usage only where the provider counted no other call."""
    if not (recorded.unmeasured_calls and any(more)):
        return False
    if reported is None or reported.requests is None or recorded.hides_calls:
        raise UnsettledError("REQUEST_COUNTS")
    if reported.requests != recorded.calls - recorded.included_calls:
        raise UnsettledError("USAGE_OF_CALLS")
    return True


def _more_calls(recorded: Recorded, reported: Reported | None, *, is_plan_counted: bool) -> int | None:
    if reported is None or reported.requests is None or recorded.hides_calls:
        return None
    return reported.requests - recorded.calls + (0 if is_plan_counted else recorded.included_calls)


def _difference(left: Tokens, right: Tokens) -> Tokens:
    uncached, read, write, output = (a - b for a, b in zip(left, right, strict=True))
    return uncached, read, write, output


def _positive(counts: Tokens) -> Tokens:
    uncached, read, write, output = (max(count, 0) for count in counts)
    return uncached, read, write, output
