"""Tokens of another issuer: JWTs, checked by its public keys (RFC 7519, RFC 8725).

The algorithm is one of a short list and that of the key itself, so neither `none` nor a public key taken for a secret
gets through. What was found of a token is kept for a minute at most, and never beyond the token's own end.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

import jwt

from semantic import Scalar
from server.access.key_set import KeySet
from server.access.principal import Principal
from server.access.proxy import RoleNames

REQUIRED = ("exp", "iat", "iss", "aud", "sub")
LEEWAY_S = 30
KEPT_S = 60.0
MOST_KEPT = 4_096
MOST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are taken, and what of them is read."""

    name: str
    audience: str
    algorithms: tuple[str, ...]
    roles_claim: str
    policy_claims: tuple[str, ...]
    roles: RoleNames


class Jwts:
    """Used by the event loop alone; the keys are fetched elsewhere."""

    def __init__(self, issuer: Issuer, keys: KeySet, now: Callable[[], float] = time.time) -> None:
        self.keys = keys
        self._issuer = issuer
        self._now = now
        self._kept: OrderedDict[bytes, tuple[Principal, float, int]] = OrderedDict()

    def remembered(self, token: str) -> Principal | None:
        """Whose token it was found to be in the last minute."""
        principal, until, generation = self._kept.get(sha256(token.encode()).digest(), (None, 0.0, -1))
        return principal if self._now() < until and generation == self.keys.generation else None

    def checked(self, token: str) -> Principal | None:
        """Whose it is; None for a token that opens nothing, whatever the reason."""
        generation = self.keys.generation
        try:
            claims = self._claims(token)
            principal = self._principal(claims)
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        until = min(float(claims["exp"]), self._now() + KEPT_S)
        self._kept[sha256(token.encode()).digest()] = (principal, until, generation)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return principal

    def _claims(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        kid = header.get("kid")
        if header.get("crit") or not isinstance(kid, str | None):
            raise jwt.InvalidTokenError("a header that is not known here")
        key = self.keys.key(kid)
        if key is None or header.get("alg") != key.algorithm_name:
            raise jwt.InvalidTokenError("no key of that id and kind")
        return jwt.decode(
            token,
            key,
            algorithms=list(self._issuer.algorithms),
            audience=self._issuer.audience,
            issuer=self._issuer.name,
            leeway=LEEWAY_S,
            options={"require": list(REQUIRED)},
        )

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= MOST_SUBJECT or not subject.isprintable():
            raise ValueError("the subject is one name of printable characters")
        names = claims.get(self._issuer.roles_claim, [])
        names = names.split() if isinstance(names, str) else names
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("the roles are a list of names")
        told = {name: _claim(claims[name]) for name in self._issuer.policy_claims if claims.get(name) is not None}
        return Principal.of(f"jwt:{subject}", self._issuer.roles.of(names), told)


def _claim(value: object) -> Scalar | tuple[Scalar, ...]:
    return tuple(_scalar(item) for item in value) if isinstance(value, list) else _scalar(value)


def _scalar(value: object) -> Scalar:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, str | int):
        return value
    raise ValueError("a claim for policies is text, a number, true, false or a list of those")
