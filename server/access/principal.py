"""Somebody who asks: his name for the audit, his roles, and the claims that row policies compare with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from semantic import Caller, Catalog, Scalar

ADMIN = "admin"
"""Whoever has this role is the operator: he sees everything and may do everything."""
ROLES = {
    "finance": "All metrics, cash, burn and plans among them, and what was known when.",
    "router": "Usage, cost, ROI and budgets; it reserves and settles spend. No cash, no bills, no plans.",
    "dashboard": "Usage, cost, waste and ROI, to look at. No cash, no bills, no plans.",
    "ingest": "Sends telemetry and calls, tells scores and asks for loads. It sees no metric.",
    ADMIN: "Everything, as the operator.",
}
"""The roles that Clawback itself knows; a metrics file may name others."""


@dataclass(frozen=True, slots=True)
class Principal:
    name: str
    """Unique among principals: what is limited or written down for one is under this name."""
    roles: frozenset[str] | None = None
    """None for the operator, who sees everything and is no caller."""
    claims: Mapping[str, Scalar | tuple[Scalar, ...]] = field(default_factory=dict)
    is_anybody: bool = False
    """He showed nothing of himself, and the server is open to whoever reaches it."""

    @classmethod
    def of(
        cls, name: str, roles: Iterable[str], claims: Mapping[str, Scalar | tuple[Scalar, ...]] | None = None
    ) -> "Principal":
        """Somebody with these roles; the operator where one of them is `admin`."""
        found = frozenset(roles)
        return cls(name) if ADMIN in found else cls(name, found, claims or {})

    @property
    def is_operator(self) -> bool:
        """Somebody known who may do everything; not whoever reaches an open server."""
        return self.roles is None and not self.is_anybody

    @property
    def caller(self) -> Caller | None:
        """How the semantic layer knows him."""
        return None if self.roles is None else Caller(self.roles, self.claims)


OPERATOR = Principal("operator")


def known_roles(catalog: Catalog) -> frozenset[str]:
    """Those of Clawback, and those that a metrics file names. Another one is a mistake, or another program's."""
    of_dimensions = (d.access for model in catalog.models.values() for d in model.dimensions.values())
    of_metrics = (metric.access for metric in catalog.metrics.values())
    named = [catalog.access, *of_metrics, *of_dimensions, *(policy.unless for policy in catalog.policies.values())]
    return frozenset(ROLES).union(*named)
