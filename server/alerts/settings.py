"""What can be set of alerts, by environment variables with the prefix CLAWBACK_; half of a channel is refused."""

import re
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from server.alerts.addresses import check_address, check_token
from server.alerts.keys import key_of


class SettingsError(Exception):
    """What the settings name is not as it must be; the message says what would be right."""


class AlertSettings(BaseSettings):
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

    @field_validator(
        *("matrix_url", "matrix_room", "matrix_token", "matrix_token_file"),
        *("webhook_url", "webhook_secret", "flag_file", "metrics_file"),
        mode="before",
    )
    @classmethod
    def _empty_is_not_set(cls, given: object) -> object:
        return None if given == "" else given

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
