"""The gate that the settings ask for, and whether a server may listen where they say."""

from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_network

from semantic import Catalog
from server.access.audit import Audit
from server.access.gate import Gate
from server.access.given import GivenTokens
from server.access.jwts import Issuer, Jwts
from server.access.key_set import KeySet
from server.access.principal import Principal, known_roles
from server.access.proxy import RoleNames, TrustedProxy
from server.access.settings import LOOPBACK, AccessSettings
from store.tokens import Tokens


class BindingError(ValueError):
    """The server would be reached by people whom it cannot tell apart."""


def gate_of(
    settings: AccessSettings,
    catalog: Catalog,
    tokens: Tokens,
    clock: Callable[[], datetime],
    anybody: Principal,
    key: str = "",
    audit: Audit | None = None,
) -> Gate:
    """The gate of a server. `StoreError` where the tokens cannot be read."""
    roles = RoleNames(known_roles(catalog), settings.role_map)
    return Gate(
        anybody,
        key,
        GivenTokens(tokens, clock),
        _jwts(settings, roles),
        _proxy(settings, roles),
        settings.open,
        *((audit.denied,) if audit is not None else ()),
    )


def check_binding(settings: AccessSettings, gate: Gate) -> None:
    """Raises `BindingError` where the server would listen to other machines and let in whoever comes."""
    if settings.host not in LOOPBACK and gate.is_open:
        raise BindingError(
            f"'{settings.host}' can be reached from other machines, and nobody who asks there could show who he is. "
            "Make a token first (clawback token create NAME --role ROLE), or set CLAWBACK_JWT_ISSUER or "
            f"CLAWBACK_PROXY_PEERS; or listen on {', '.join(LOOPBACK)}"
        )


def _jwts(settings: AccessSettings, roles: RoleNames) -> Jwts | None:
    if not settings.jwt_issuer or not settings.jwt_audience or not settings.jwt_keys:
        return None
    issuer = Issuer(
        settings.jwt_issuer,
        settings.jwt_audience,
        settings.jwt_algorithms,
        settings.jwt_roles_claim,
        settings.jwt_policy_claims,
        roles,
    )
    return Jwts(issuer, KeySet(settings.jwt_keys, frozenset(settings.jwt_algorithms)))


def _proxy(settings: AccessSettings, roles: RoleNames) -> TrustedProxy | None:
    if not settings.proxy_peers:
        return None
    peers = tuple(ip_network(peer) for peer in settings.proxy_peers)
    return TrustedProxy(peers, settings.proxy_user_header, settings.proxy_groups_header, roles)
