"""Settings of the intake: where it listens beside the main port, and how much it takes."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings


class IntakeSettings(BaseSettings):
    """The part of the settings that says what may be sent here."""

    otlp_port: int = Field(
        4318,
        ge=0,
        le=65535,
        description="The port where collectors and agents expect OTLP over HTTP, beside the main one; 0 for none. "
        "Where another program has it, the server says so and does without.",
    )
    intake_body_mb: int = Field(
        64, ge=1, le=1_024, description="The largest body of telemetry or calls, unpacked, in MiB; a larger one is 413."
    )
    intake_timeout_ms: int = Field(30_000, ge=1, description="How long such a body may take to arrive.")
    intake_at_once: int = Field(32, ge=1, le=1_000, description="Bodies that may arrive at a time; one more is 503.")
    spool_mb: int = Field(
        1_024,
        ge=1,
        description="How much may wait in the spool, `<store>.spool`, to be stored, in MiB; beyond it, senders are "
        "told to come again (503).",
    )

    payload_body_mb: int = Field(
        16, ge=1, le=256, description="The largest body of what was in calls (`/v1/payloads`), unpacked, in MiB."
    )
    payload_days: int = Field(
        30,
        ge=1,
        le=3_650,
        description="How long what was in calls is kept, from the call on; then the server deletes it. A proxy may "
        "have promised less (CLAWBACK_PROXY_PAYLOAD_DAYS).",
    )

    @staticmethod
    def spool_of(store: Path) -> Path:
        """Where the spool of a store is."""
        return store.with_name(f"{store.name}.spool")
