"""What is true about the demo, counted and summed from its plan: no file is read back, no loader has a part in it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from server.demo.prices import PriceLine, cost_usd
from server.demo.session import PlannedSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Distinct sessions and requests: copies are counted once. A failed call without usage is a request that cost 0."""

    sessions: int
    """Those that left no transcript, only an entry or a line in a run log, are among them."""
    requests: int
    unpriced_requests: int
    """Requests of a model that the price book does not know: in no sum of money."""
    idle_sessions: int
    """Ended well with nothing to show: an idle exit, or no outcome at all."""
    outcomes: int
    api_cost_usd: Decimal
    idle_cost_usd: Decimal
    cost_usd_by_model: Mapping[str, Decimal]
    """Priced models only; a free one is there with 0."""
    requests_by_model: Mapping[str, int]
    sessions_by_trigger: Mapping[str, int]
    sessions_by_ending: Mapping[str, int]
    """`lost` ones are still called running by OpenClaw, which stopped under them days ago."""


def expected(sessions: Sequence[PlannedSession], book: Sequence[PriceLine]) -> Expected:
    by_model: defaultdict[str, Decimal] = defaultdict(Decimal)
    requests_by_model: Counter[str] = Counter()
    idle_cost, unpriced = Decimal(0), 0
    for session in sessions:
        for call in session.calls:
            requests_by_model[call.model.name] += 1
            cost = cost_usd(call, book)
            if cost is None:
                unpriced += 1
                continue
            by_model[call.model.name] += cost
            idle_cost += cost if is_idle(session) else 0
    return Expected(
        sessions=len(sessions),
        requests=requests_by_model.total(),
        unpriced_requests=unpriced,
        idle_sessions=sum(map(is_idle, sessions)),
        outcomes=sum(session.fate.outcome is not None for session in sessions),
        api_cost_usd=sum(by_model.values(), Decimal(0)),
        idle_cost_usd=idle_cost,
        cost_usd_by_model=MappingProxyType(dict(by_model)),
        requests_by_model=MappingProxyType(dict(requests_by_model)),
        sessions_by_trigger=MappingProxyType(dict(Counter(session.trigger for session in sessions))),
        sessions_by_ending=MappingProxyType(dict(Counter(session.fate.ending for session in sessions))),
    )


def is_idle(session: PlannedSession) -> bool:
    return session.fate.ending == "success" and session.fate.outcome in {None, "IDLE_EXIT"}
