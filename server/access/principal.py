"""Somebody who asks: his name for the audit, his roles, and the claims that row policies compare with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from semantic import Caller, Scalar


@dataclass(frozen=True, slots=True)
class Principal:
    name: str
    """Unique among principals: what is limited or written down for one is under this name."""
    roles: frozenset[str] | None = None
    """None for the operator, who sees everything and is no caller."""
    claims: Mapping[str, Scalar | tuple[Scalar, ...]] = field(default_factory=dict)

    @property
    def caller(self) -> Caller | None:
        """How the semantic layer knows him."""
        return None if self.roles is None else Caller(self.roles, self.claims)


OPERATOR = Principal("operator")
