"""Everything that can be set from outside, by environment variables with the prefix CLAWBACK_."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from finance.budgets import Rule
from semantic import Caller, QueryError, zone_names
from semantic.periods import Calendar
from semantic.ranges import parse_range
from server.access.principal import ADMIN, Principal
from server.access.settings import AccessSettings
from server.alerts.settings import AlertSettings
from server.budgets.rules import default_rule
from server.intake.settings import IntakeSettings
from server.limit_settings import LimitSettings

Claim = str | int | Decimal | bool

_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """A file or directory that comes with Clawback: inside the wheel, or at the root of the repository."""
    inside = _PACKAGE / name
    return inside if inside.exists() else _PACKAGE.parent / name


def _metrics_file() -> Path:
    here = Path("metrics.yaml")
    return here if here.is_file() else shipped("metrics.yaml")


class Settings(LimitSettings, IntakeSettings, AlertSettings, AccessSettings):
    model_config = SettingsConfigDict(env_prefix="CLAWBACK_", frozen=True, extra="forbid")

    store: Path = Field(
        Path("clawback.duckdb"), description="The file that holds the data. One process owns it at a time."
    )
    metrics: Path = Field(
        default_factory=_metrics_file,
        description="The file that declares the metrics; default: metrics.yaml in the working directory, "
        "else the one that comes with Clawback.",
    )
    port: int = Field(8321, ge=0, le=65535, description="The port to listen on; 0 lets the system choose a free one.")
    default_rows: int = Field(1_000, ge=1, description="Rows of an answer where the question names no limit.")
    max_rows: int = Field(10_000, ge=1, description="The largest limit that a question may name.")
    query_timeout_ms: int = Field(
        10_000, ge=1, description="How long one question may take, waiting included, before it is stopped."
    )
    threads: int = Field(
        4, ge=1, le=64, description="Questions that are answered at the same time, and threads that DuckDB uses."
    )
    memory_limit: str = Field("1GB", description="What DuckDB may use before it spills to disk, such as 512MB or 4GB.")
    capacity_slots: int = Field(
        1, ge=1, description="Sessions that the machines can run at once: what idle compute is measured against."
    )

    reconciliation_tolerance_usd: Decimal = Field(
        Decimal("0.01"),
        ge=0,
        le=Decimal(10) ** 15,
        description="How far a computed cost may be from the bill and match.",
    )
    reconciliation_tolerance_share: Decimal = Field(
        Decimal("0.005"),
        ge=0,
        le=1,
        decimal_places=6,
        description="The same as a share of the bill, such as 0.005; either of the two is enough.",
    )
    cash_max_age_days: int = Field(
        7, ge=0, le=3660, description="Days after which a balance is stale: a runway that rests on it says so."
    )
    allocation: Literal["capacity", "busy_time", "even"] = Field(
        "capacity",
        description="How infrastructure is laid on sessions: capacity (by their share of the machines' time; the rest "
        "stays idle), busy_time (all of it, by how long each was busy) or even (all of it, the same for each).",
    )

    sources: Path | None = Field(
        default_factory=lambda: here if (here := Path("sources.yaml")).is_file() else None,
        description="The file that names the sources to load again and again; default: sources.yaml in the working "
        "directory, where there is one.",
    )
    load_timeout_s: int = Field(3_600, ge=1, description="How long one load may read before it is stopped.")
    github_token: SecretStr | None = Field(
        None, description="The token for `clawback load github`; a file of sources names tokens of its own."
    )
    load_token: SecretStr | None = Field(
        None,
        description="The key for `clawback load KIND LOCATION` where the kind is any other API, such as `anthropic`; a "
        "file of sources names keys of its own.",
    )

    routing_max_age_s: int = Field(
        900,
        ge=1,
        description="How old the snapshot behind `routing` may be before it is called EXPIRED (and served on).",
    )
    routing_range: str | None = Field(
        None, description='The sessions behind `routing`, in words such as "last 90 days"; not set, all of them.'
    )
    routing_default_model: str | None = Field(
        None, description="The model that break-even values of `routing` are against."
    )
    daily_budget_usd: Decimal | None = Field(
        Decimal("5.00"),
        ge=0,
        le=Decimal(10) ** 15,
        description="What a day may cost before requests are refused: the budget 'daily'. Empty: no such budget. "
        "A loaded budget of that id replaces it.",
    )
    budget_zone: str = Field("UTC", description="The time zone in which the days of the budget 'daily' are cut.")

    log: Literal["text", "json"] = Field(
        "text", description="How the server writes its log to the standard error: text for people, json for machines."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is written: info has a line for every request, warning only what somebody should see."
    )
    shutdown_s: int = Field(
        25,
        ge=0,
        le=3_600,
        description="How long questions may go on after the server was asked to stop, before they are interrupted. "
        "5 seconds later the process ends, whatever it does; a load that is not stored by then leaves nothing behind.",
    )
    drain_s: int = Field(
        0,
        ge=0,
        le=600,
        description="How long a server that was asked to stop still takes questions while /health/ready says DRAINING, "
        "so that a load balancer sends them elsewhere.",
    )

    roles: Annotated[frozenset[str] | None, NoDecode] = Field(
        None,
        description="The roles of everybody who asks without a token while the server is open, separated by commas; "
        "not set, whoever asks is the operator, who sees everything.",
    )
    claims: Annotated[dict[str, Claim | tuple[Claim, ...]], NoDecode] = Field(
        default_factory=dict,
        description='What row policies know of everybody who asks, as a JSON object such as {"team": "search"}; '
        "needs CLAWBACK_ROLES.",
    )

    origins: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(),
        description="Origins of other pages that may subscribe, separated by commas, such as "
        "https://dashboard.example; the server's own may.",
    )
    live_interval_ms: int = Field(
        1_000, ge=50, description="The least time between two pushes of one subscription; only the newest is pushed."
    )
    live_connections: int = Field(
        500,
        ge=0,
        description="Connections with subscriptions, WebSockets and streams of events together; fewer than "
        "CLAWBACK_MAX_CONNECTIONS, so that there is always room for questions.",
    )
    live_connections_each: int = Field(
        200, ge=1, description="The same of one principal; without tokens, everybody is one."
    )
    live_subscriptions: int = Field(20, ge=1, description="Subscriptions on one WebSocket at a time.")

    @field_validator("origins", mode="before")
    @classmethod
    def _origins_are_separated_by_commas(cls, origins: object) -> object:
        return (
            [origin.strip().rstrip("/") for origin in origins.split(",") if origin.strip()]
            if isinstance(origins, str)
            else origins
        )

    @field_validator("daily_budget_usd", mode="before")
    @classmethod
    def _no_budget_where_nothing_is_said(cls, limit: object) -> object:
        return None if isinstance(limit, str) and not limit.strip() else limit

    @field_validator("budget_zone")
    @classmethod
    def _zone_is_known(cls, zone: str) -> str:
        if zone not in zone_names():
            raise ValueError(f"there is no time zone {zone!r}; name one like America/New_York")
        return zone

    @field_validator("roles", mode="before")
    @classmethod
    def _roles_are_separated_by_commas(cls, roles: object) -> object:
        return [name.strip() for name in roles.split(",") if name.strip()] if isinstance(roles, str) else roles

    @field_validator("claims", mode="before")
    @classmethod
    def _claims_are_json(cls, claims: object) -> object:
        try:
            return json.loads(claims, parse_float=Decimal) if isinstance(claims, str) else claims
        except ValueError as error:
            raise ValueError(f"is not JSON ({error})") from error

    @field_validator("routing_range")
    @classmethod
    def _is_a_range(cls, words: str | None) -> str | None:
        try:
            if words is not None:
                parse_range(words, date(2026, 1, 1), "UTC", Calendar())
        except QueryError as error:
            raise ValueError(str(error)) from error
        return words

    @model_validator(mode="after")
    def _default_is_within_the_maximum(self) -> Self:
        if self.default_rows > self.max_rows:
            raise ValueError(f"default_rows ({self.default_rows:,}) is above max_rows ({self.max_rows:,})")
        return self

    @model_validator(mode="after")
    def _claims_are_of_a_caller_with_roles(self) -> Self:
        if self.claims and self.roles is None:
            raise ValueError("claims are set without roles, and the operator has no claims; set roles, empty for none")
        return self

    @property
    def default_budget(self) -> Rule | None:
        """The daily cap; None where there is none."""
        return default_rule(self.daily_budget_usd, self.budget_zone)

    @property
    def caller(self) -> Caller | None:
        """Whoever asks without a token; None for the operator."""
        return self.anybody.caller

    @property
    def anybody(self) -> Principal:
        """Whoever asks without a token, while the server is open."""
        roles = None if self.roles is None or ADMIN in self.roles else self.roles
        return Principal("anybody", roles, {} if roles is None else self.claims, is_anybody=True)
