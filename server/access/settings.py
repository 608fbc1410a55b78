"""Settings of who may ask, and how he shows who he is."""

import json
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

ALGORITHMS = ("RS256", "ES256", "EdDSA")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
Names = Annotated[tuple[str, ...], NoDecode]


class AccessSettings(BaseSettings):
    """The part of the settings that says who may ask."""

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="The address to listen on. Another one than this machine's own needs a way to show who asks: a "
        "token, CLAWBACK_JWT_ISSUER or CLAWBACK_PROXY_PEERS.",
    )
    hosts: Names = Field(
        (),
        description="The names by which clients call this server, separated by commas, such as "
        "costs.example.org; this machine's own are always taken.",
    )
    open: bool = Field(
        False,
        description="Whoever reaches this server on this machine may ask without a token, also after tokens were made. "
        "Without tokens, JWT and proxy that is so anyway.",
    )
    token: SecretStr | None = Field(
        None, description="The token that `clawback query`, `sql`, `explain`, `export`, `schema` and `runway` ask with."
    )
    audit_log: str | None = Field(
        None,
        description="The file that says who asked what, one JSON line an operation; default: beside the store, with "
        ".audit.jsonl at its end. Empty: none.",
    )
    audit_log_mb: int = Field(
        20, ge=1, le=10_000, description="How large the audit file becomes before a new one is begun; ten are kept."
    )
    jwt_issuer: str | None = Field(None, description="Whose JWTs are taken: the exact `iss`.")
    jwt_audience: str | None = Field(None, description="What their `aud` must have, such as clawback.")
    jwt_keys: str | None = Field(
        None, description="The issuer's public keys (JWKS): an https address, or a file; http on this machine alone."
    )
    jwt_algorithms: Names = Field(
        ALGORITHMS, description=f"Signatures that are taken, separated by commas: some of {', '.join(ALGORITHMS)}."
    )
    jwt_roles_claim: str = Field("roles", description="The claim with the roles: a list, or words between spaces.")
    jwt_policy_claims: Names = Field((), description="Claims that row policies compare with, separated by commas.")
    proxy_peers: Names = Field(
        (),
        description="Addresses or networks of proxies that say who asks, separated by commas, such as 10.0.0.7. Give "
        "no network in which anybody else is.",
    )
    proxy_user_header: str = Field("X-Forwarded-User", description="The proxy's header with the name of who asks.")
    proxy_groups_header: str = Field("X-Forwarded-Groups", description="The one with his groups, by commas.")
    role_map: Annotated[dict[str, tuple[str, ...]], NoDecode] = Field(
        default_factory=dict,
        description='Roles for the words of a JWT or a proxy, as a JSON object such as {"cfo-team": ["finance"]}; not '
        "set, their words are the roles. Where it is set, other words open nothing.",
    )

    @field_validator("hosts", "jwt_algorithms", "jwt_policy_claims", "proxy_peers", mode="before")
    @classmethod
    def _names_are_separated_by_commas(cls, names: object) -> object:
        return tuple(name.strip() for name in names.split(",") if name.strip()) if isinstance(names, str) else names

    @field_validator("token", "jwt_issuer", "jwt_audience", "jwt_keys", mode="before")
    @classmethod
    def _nothing_is_not_set(cls, given: object) -> object:
        return None if given == "" else given

    @field_validator("role_map", mode="before")
    @classmethod
    def _map_is_json(cls, given: object) -> object:
        try:
            return json.loads(given) if isinstance(given, str) else given
        except ValueError as error:
            raise ValueError(f"is not JSON ({error})") from error

    @field_validator("jwt_algorithms")
    @classmethod
    def _algorithms_are_taken(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [name for name in names if name not in ALGORITHMS]:
            raise ValueError(f"{', '.join(wrong)} is not taken; name some of {', '.join(ALGORITHMS)}")
        return names

    @field_validator("proxy_peers")
    @classmethod
    def _peers_are_addresses(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            try:
                ip_network(name)
            except ValueError as error:
                raise ValueError(f"'{name}' is neither an address nor a network: {error}") from error
        return names

    @field_validator("jwt_keys")
    @classmethod
    def _keys_come_safely(cls, where: str | None) -> str | None:
        if where and "://" in where:
            url = urlsplit(where)
            if url.scheme != "https" and (url.scheme != "http" or url.hostname not in LOOPBACK):
                raise ValueError("who can change the keys on their way can be anybody: use https, or a file")
        return where

    @model_validator(mode="after")
    def _jwt_is_whole(self) -> Self:
        given = (self.jwt_issuer, self.jwt_audience, self.jwt_keys)
        if any(given) and not (all(given) and self.jwt_algorithms):
            raise ValueError("JWTs need jwt_issuer, jwt_audience and jwt_keys, all three, and an algorithm")
        return self

    @model_validator(mode="after")
    def _open_is_for_this_machine(self) -> Self:
        if self.open and self.host not in LOOPBACK:
            raise ValueError(
                f"open lets in whoever reaches the server, and '{self.host}' can be reached from other machines; "
                f"leave one of the two out"
            )
        if self.open and "*" in self.hosts:
            raise ValueError("open with hosts=* lets any web page ask that your browser shows; name the hosts")
        return self

    def audit_file(self, store: Path) -> Path | None:
        """Where the audit of a store is written; None for nowhere."""
        if self.audit_log is None:
            return store.with_name(f"{store.name}.audit.jsonl")
        return Path(self.audit_log) if self.audit_log else None
