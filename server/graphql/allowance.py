"""Who may begin an operation of a cost: the most that one may cost, and how fast a principal may spend."""

from dataclasses import dataclass
from math import ceil

from server.access import Principal
from server.graphql.cost import Cost
from server.graphql.rate import RateLimit
from server.graphql.refusal import RefusalError


@dataclass(frozen=True, slots=True)
class Allowance:
    max_cost: int
    rate: RateLimit | None = None
    limits_operator: bool = False
    """Whether the rate holds for the operator, too, who is not told apart from others on this machine."""

    def admit(self, principal: Principal, cost: Cost) -> None:
        """Takes the cost from the principal's rate. `RefusalError` where it is too much at once, or in a second."""
        if cost.values > self.max_cost:
            raise RefusalError(
                None,
                f"the operation may cost {cost.values:,} values and the limit is {self.max_cost:,}; ask for fewer rows "
                "(limit), select less, or ask in several operations",
                "TOO_EXPENSIVE",
            )
        if self.rate is None or (principal.roles is None and not self.limits_operator):
            return
        if wait_s := self.rate.take(principal.name, cost.values):
            raise RefusalError(
                429,
                f"{principal.name} asks for more than {self.rate.per_s:,} values a second; this costs {cost.values:,}",
                "RATE_LIMITED",
                {"Retry-After": str(ceil(wait_s))},
            )
