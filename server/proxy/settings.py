"""What can be set of the proxy, by environment variables with the prefix CLAWBACK_PROXY_."""

import json
import re
from pathlib import Path
from typing import Annotated, Literal, Self

import httpx2
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from loaders.web import is_loopback
from server.access.settings import LOOPBACK
from server.proxy.upstreams import RESERVED, Upstream

_KNOWN = {
    "anthropic": "https://api.anthropic.com",
    "openai": "https://api.openai.com",
    "openrouter": "https://openrouter.ai",
    "xai": "https://api.x.ai",
    "google": "https://generativelanguage.googleapis.com",
}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class ProxySettings(BaseSettings):
    """Where the proxy listens, whom it reaches, whom it tells, and how much it holds."""

    model_config = SettingsConfigDict(env_prefix="CLAWBACK_PROXY_", frozen=True, extra="forbid")

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="The address to listen on. Another one than this machine's own needs CLAWBACK_PROXY_TOKENS.",
    )
    port: int = Field(8322, ge=0, le=65535, description="The port to listen on; 0 lets the system choose a free one.")
    upstreams: Annotated[dict[str, Upstream], NoDecode] = Field(
        default_factory=dict,
        description='More hosts that may be reached, or others in place of the known ones, as a JSON object: {"groq": '
        '"https://api.groq.com", "eu": {"url": "https://eu.api.openai.com", "provider": "openai"}, "xai": null}. '
        f"Known are {', '.join(_KNOWN)}; null takes one away.",
    )
    tokens: Path | None = Field(
        None, description="The YAML file that says who may use the proxy; not set, everybody on this machine may."
    )
    spool: Path = Field(Path("clawback-proxy"), description="The directory in which calls wait until they are stored.")
    spool_mb: int = Field(
        1_024, ge=1, description="How much may wait there; calls go through beyond that, and are counted as lost."
    )
    server: str = Field("http://127.0.0.1:8321", description="The Clawback server that calls are delivered to.")
    server_token: SecretStr | None = Field(
        None, description="The token for that, with the role that `ingest` needs (and `router`, to ask budgets)."
    )
    server_token_file: Path | None = Field(None, description="A file that holds it instead.")
    ask_budget: bool = Field(False, description="Whether each call asks the server's budgets first.")
    budget_deadline_ms: int = Field(250, ge=1, le=60_000, description="How long a call waits for that answer.")
    budget_fails: Literal["open", "closed"] = Field(
        "open", description="What becomes of a call where no answer came: it goes through (open), or gets 503 (closed)."
    )
    ask_usage: bool = Field(
        False,
        description="Whether `stream_options.include_usage` is added to chat streams that do not ask for usage. The "
        "client then gets one more chunk at the end, whose `choices` are empty.",
    )
    store_payloads: bool = Field(
        False,
        description="Whether what is in calls of models is stored, too: the bodies of requests and answers, with every "
        "prompt in them. Off, none of it is ever written.",
    )
    payload_kb: int = Field(
        256, ge=1, le=4_096, description="How much of a request, and of an answer, is stored then; the rest is cut off."
    )
    payload_days: int = Field(
        30, ge=1, le=3_650, description="How long that is stored at most, here and by the server, from the call on."
    )
    payload_spool_mb: int = Field(
        256, ge=1, description="How much of that may wait in the spool, packed; what has no room is left out."
    )
    max_request_mb: int = Field(128, ge=1, le=4_096, description="The largest body of a request.")
    max_answer_mb: int = Field(
        16, ge=1, le=1_024, description="The largest answer, or event of a stream, that is read for its usage."
    )
    copies_mb: int = Field(
        256, ge=1, description="What the copies of all requests and answers that are looked at may take together."
    )
    connect_timeout_s: float = Field(10, gt=0, description="How long a provider may take to accept a connection.")
    read_timeout_s: float = Field(900, gt=0, description="How long a provider may say nothing.")
    write_timeout_s: float = Field(
        300, gt=0, description="How long a provider or a client may take nothing, or a client may pause in its request."
    )
    max_connections: int = Field(1_000, ge=1, le=100_000, description="Connections of clients at a time.")
    max_header_bytes: int = Field(65_536, ge=1_024, le=1_048_576, description="Address and headers of a request.")
    header_timeout_ms: int = Field(10_000, ge=1, description="How long a connection may take to send its headers.")
    shutdown_s: int = Field(
        120, ge=0, le=3_600, description="How long calls may go on after the proxy was asked to stop."
    )
    log: Literal["text", "json"] = Field("text", description="How the log is written.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is written.")

    @field_validator("upstreams", mode="before")
    @classmethod
    def _upstreams_are_of_json(cls, given: object) -> dict[str, Upstream]:
        try:
            stated = json.loads(given) if isinstance(given, str) and given.strip() else given or {}
        except ValueError as error:
            raise ValueError(f"is not JSON ({error})") from error
        if not isinstance(stated, dict):
            raise ValueError('must be an object like {"groq": "https://api.groq.com"}')
        merged = {**_KNOWN, **stated}
        return {name: _upstream(name, value) for name, value in merged.items() if value is not None}

    @field_validator("server")
    @classmethod
    def _server_is_a_root(cls, server: str) -> str:
        _root(server)
        return server.rstrip("/")

    @model_validator(mode="after")
    def _strangers_need_tokens(self) -> Self:
        if not self.upstreams:
            object.__setattr__(self, "upstreams", self._upstreams_are_of_json({}))
        if self.host not in LOOPBACK and self.tokens is None:
            raise ValueError(
                f"{self.host} can be reached from elsewhere: set CLAWBACK_PROXY_TOKENS to say who may use the proxy"
            )
        return self

    def token_for_server(self) -> str | None:
        """Raises `OSError` where the file cannot be read."""
        if self.server_token_file is not None:
            return self.server_token_file.read_text("utf-8").strip() or None
        return None if self.server_token is None else self.server_token.get_secret_value()


def _upstream(name: str, stated: object) -> Upstream:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in RESERVED:
        raise ValueError(f"{name!r} cannot name an upstream: use small letters, digits, - and _, and no word of ours")
    if isinstance(stated, Upstream):
        return stated
    fields = {"url": stated} if isinstance(stated, str) else stated
    if not isinstance(fields, dict) or not set(fields) <= {"url", "provider"} or not isinstance(fields.get("url"), str):
        raise ValueError(f'upstream {name} must be an address, or {{"url": ..., "provider": ...}}')
    provider = fields.get("provider", name)
    if not isinstance(provider, str) or not provider.strip():
        raise ValueError(f"provider of upstream {name} must be a name, as the price book has it")
    url = _root(str(fields["url"]))
    return Upstream(name, provider, url.raw_scheme, url.raw_host, url.port, url.raw_path.rstrip(b"/"))


def _root(address: str) -> httpx2.URL:
    """Raises `ValueError` for what must not be reached, without repeating what may be a secret."""
    try:
        url = httpx2.URL(address)
    except (httpx2.InvalidURL, ValueError):
        raise ValueError("is no address like https://api.example.com") from None
    if url.userinfo or url.query or url.fragment or not url.host:
        raise ValueError("must be the root of an API like https://api.example.com, without a name or a password")
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
        raise ValueError("must begin with https:// (http:// is for this very machine alone)")
    return url
