"""Everything that can be set from outside, by environment variables with the prefix CLAWBACK_."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from semantic import Caller
from server.alerts.addresses import check_address, check_token
from server.alerts.keys import key_of

LOOPBACK = ("127.0.0.1", "localhost", "::1")

Claim = str | int | Decimal | bool

_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """A file or directory that comes with Clawback: inside the wheel, or at the root of the repository."""
    inside = _PACKAGE / name
    return inside if inside.exists() else _PACKAGE.parent / name


def _metrics_file() -> Path:
    here = Path("metrics.yaml")
    return here if here.is_file() else shipped("metrics.yaml")


class SettingsError(Exception):
    """What the settings name is not as it must be; the message says what would be right."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CLAWBACK_", frozen=True, extra="forbid")

    store: Path = Field(
        Path("clawback.duckdb"), description="The file that holds the data. One process owns it at a time."
    )
    metrics: Path = Field(
        default_factory=_metrics_file,
        description="The file that declares the metrics; default: metrics.yaml in the working directory, "
        "else the one that comes with Clawback.",
    )
    host: str = Field(
        "127.0.0.1",
        description="The address to listen on. Only this machine: there is no authentication yet.",
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

    sources: Path | None = Field(
        default_factory=lambda: here if (here := Path("sources.yaml")).is_file() else None,
        description="The file that names the sources to load again and again; default: sources.yaml in the working "
        "directory, where there is one.",
    )
    load_timeout_s: int = Field(3_600, ge=1, description="How long one load may read before it is stopped.")
    github_token: SecretStr | None = Field(
        None, description="The token for `clawback load github`; a file of sources names tokens of its own."
    )

    daily_budget_usd: Decimal | None = Field(
        Decimal("5.00"), ge=0, description="What all agents may spend in a day; empty for no limit."
    )
    budget_zone: str = Field("UTC", description="The zone in which the day of that budget begins and ends.")
    matrix_url: str | None = Field(
        None, description="The homeserver that alerts of budgets are sent to, such as https://matrix.example.org."
    )
    matrix_room: str | None = Field(
        None, description="The room of the alerts: an id (!abc:example.org) or an alias (#ops:example.org)."
    )
    matrix_token: SecretStr | None = Field(None, description="The access token of the user who writes the alerts.")
    matrix_token_file: Path | None = Field(
        None, description="A file that holds that token, instead of the token itself."
    )
    webhook_url: SecretStr | None = Field(None, description="Where alerts of budgets are posted to as JSON.")
    webhook_secret: SecretStr | None = Field(
        None, description="What those posts are signed with; a secret that begins with whsec_ goes on in base64."
    )
    flag_file: Path | None = Field(
        None, description="A file that is there while a budget of everything that stops requests is used up."
    )
    metrics_file: Path | None = Field(
        None, description="Where the gauges of budgets are written for a node exporter; the name must end in .prom."
    )
    budget_every_s: int = Field(
        60, ge=1, le=3_600, description="How often the server looks at the budgets, besides after every load."
    )

    roles: Annotated[frozenset[str] | None, NoDecode] = Field(
        None,
        description="The roles of everybody who asks, separated by commas; not set, whoever asks is the operator, who "
        "sees everything.",
    )
    claims: Annotated[dict[str, Claim | tuple[Claim, ...]], NoDecode] = Field(
        default_factory=dict,
        description='What row policies know of everybody who asks, as a JSON object such as {"team": "search"}; '
        "needs CLAWBACK_ROLES.",
    )

    @field_validator(
        *("matrix_url", "matrix_room", "matrix_token", "matrix_token_file"),
        *("webhook_url", "webhook_secret", "flag_file", "metrics_file", "daily_budget_usd"),
        mode="before",
    )
    @classmethod
    def _empty_is_not_set(cls, given: object) -> object:
        return None if given == "" else given

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

    @field_validator("host")
    @classmethod
    def _stays_on_this_machine(cls, host: str) -> str:
        if host not in LOOPBACK:
            raise ValueError(
                f"'{host}' can be reached from other machines, and there is no authentication yet; "
                f"use one of {', '.join(LOOPBACK)}, and a tunnel (ssh -L) to reach it from elsewhere"
            )
        return host

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

    @model_validator(mode="after")
    def _alerts_are_given_whole(self) -> Self:
        tokens = [name for name in ("matrix_token", "matrix_token_file") if getattr(self, name) is not None]
        stated = {"CLAWBACK_MATRIX_URL": self.matrix_url, "CLAWBACK_MATRIX_ROOM": self.matrix_room}
        stated["CLAWBACK_MATRIX_TOKEN (or CLAWBACK_MATRIX_TOKEN_FILE)"] = tokens[0] if tokens else None
        missing = [name for name, value in stated.items() if value is None]
        if missing and len(missing) < len(stated):
            raise ValueError(f"alerts to Matrix need {' and '.join(missing)}, too")
        if len(tokens) > 1:
            raise ValueError("give CLAWBACK_MATRIX_TOKEN or CLAWBACK_MATRIX_TOKEN_FILE, not both")
        if self.webhook_secret is not None and self.webhook_url is None:
            raise ValueError("CLAWBACK_WEBHOOK_SECRET signs posts to CLAWBACK_WEBHOOK_URL, which is not set")
        if self.metrics_file is not None and self.metrics_file.suffix != ".prom":
            raise ValueError("CLAWBACK_METRICS_FILE must end in .prom, or a node exporter does not read it")
        return self

    @model_validator(mode="after")
    def _alerts_can_be_sent(self) -> Self:
        if self.matrix_url is not None:
            check_address(self.matrix_url, "CLAWBACK_MATRIX_URL", is_secret_sent=True)
        if self.matrix_room is not None and not re.fullmatch(r"[!#][^\s/]{1,254}", self.matrix_room):
            advice = "an id like !abc:example.org or an alias like #ops:example.org"
            raise ValueError(f"CLAWBACK_MATRIX_ROOM must be {advice}, got {self.matrix_room!r}")
        if self.matrix_token is not None:
            check_token(self.matrix_token.get_secret_value(), "CLAWBACK_MATRIX_TOKEN")
        if self.webhook_url is not None:
            check_address(self.webhook_url.get_secret_value(), "CLAWBACK_WEBHOOK_URL", is_secret_sent=False)
        if self.webhook_secret is not None:
            key_of(self.webhook_secret.get_secret_value())
        return self

    def matrix_token_stated(self) -> str | None:
        """The token itself, or what its file holds now. Raises `SettingsError` where that is none."""
        if self.matrix_token_file is None:
            return None if self.matrix_token is None else self.matrix_token.get_secret_value()
        name = f"the token in CLAWBACK_MATRIX_TOKEN_FILE ({self.matrix_token_file})"
        try:
            token = self.matrix_token_file.read_text(encoding="utf-8", errors="replace").strip()
            check_token(token, name)
        except OSError as error:
            raise SettingsError(f"{name} cannot be read: {error.strerror or error}") from error
        except ValueError as error:
            raise SettingsError(str(error)) from None
        return token

    @property
    def caller(self) -> Caller | None:
        """Whoever asks; None for the operator."""
        return None if self.roles is None else Caller(self.roles, self.claims)
