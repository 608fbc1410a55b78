"""Who asks, in the words of a proxy that has asked him already: headers that count from a few addresses alone.

From any other address they are refused, not ignored: either somebody pretends, or the proxy's address is set wrongly,
and then whoever it names would silently be somebody else, or nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.requests import HTTPConnection

from server.access.bearer import unauthenticated
from server.access.identify import DeniedError
from server.access.principal import Principal

Network = IPv4Network | IPv6Network
MOST_CHARACTERS = 255
MOST_GROUPS = 100


@dataclass(frozen=True, slots=True)
class RoleNames:
    """The roles that others' words stand for."""

    known: frozenset[str]
    mapped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Their word -> our roles. Where anything is mapped, what is not opens nothing."""

    def of(self, names: list[str]) -> frozenset[str]:
        found = [role for name in names for role in self.mapped.get(name, ())] if self.mapped else names
        return self.known & frozenset(found)


@dataclass(frozen=True, slots=True)
class TrustedProxy:
    peers: tuple[Network, ...]
    user_header: str
    groups_header: str
    roles: RoleNames

    def principal(self, connection: HTTPConnection) -> Principal | None:
        """None where the headers are not there. `DeniedError` where they come from elsewhere, or say nothing clear."""
        users, groups = (connection.headers.getlist(name) for name in (self.user_header, self.groups_header))
        if not users and not groups:
            return None
        if not self.is_trusted(peer_of(connection)):
            raise DeniedError(
                403, f"{self.user_header} and {self.groups_header} are taken from the trusted proxy alone"
            )
        if len(users) != 1 or not _is_name(users[0]):
            raise unauthenticated(f"the proxy names nobody: {self.user_header} is one name of printable characters")
        names = [name.strip() for line in groups for name in line.split(",") if name.strip()]
        if len(names) > MOST_GROUPS:
            raise unauthenticated(f"{self.groups_header} names more than {MOST_GROUPS} groups")
        return Principal.of(f"proxy:{users[0]}", self.roles.of(names))

    def is_trusted(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self.peers)


def peer_of(connection: HTTPConnection) -> str:
    """The address on the other side of the connection; empty where there is none, such as on a socket file."""
    return connection.client.host if connection.client else ""


def _is_name(text: str) -> bool:
    return 0 < len(text) <= MOST_CHARACTERS and text.isprintable()
