"""What can be set of limits: how much one may ask for, at once and in a second, and who waits for how long."""

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings


class LimitSettings(BaseSettings):
    max_cost: int = Field(
        2_000_000,
        ge=1,
        description="The most that one operation may cost, in values (docs/limits.md): rows x columns x weight.",
    )
    rate_per_s: int | None = Field(
        None,
        ge=0,
        description="Values that a principal may ask for in a second. Not set: 200,000 for callers with roles, no "
        "limit for the operator. A number holds for everybody; 0 is no limit for anybody.",
    )
    rate_burst: int | None = Field(
        None,
        ge=1,
        description="Values that a principal may ask for at once after a pause; not set: of 10 seconds.",
    )
    max_waiting: int = Field(
        64, ge=0, le=10_000, description="Operations that wait for a thread; one more is refused with 503."
    )
    memory_threads: int = Field(
        2, ge=1, le=64, description="Threads for what is answered from memory, such as routing and mayISpend."
    )
    body_timeout_ms: int = Field(5_000, ge=1, description="How long the body of a request may take to arrive.")
    header_timeout_ms: int = Field(
        10_000, ge=1, description="How long a connection may take to send the headers of its first request."
    )
    max_header_bytes: int = Field(
        32_768, ge=1_024, le=1_048_576, description="Address and headers of a request together, in bytes."
    )
    max_connections: int = Field(
        1_000, ge=1, le=100_000, description="Connections that are open at a time; one more is closed with 503."
    )
    documents: Path | None = Field(
        None, description="A manifest of documents that clients name by documentId: a JSON object, id -> text."
    )
    documents_only: bool = Field(
        False,
        description="Whether only documents of the manifest are answered: no text of a client's own, no introspection.",
    )

    @field_validator("documents", "rate_per_s", "rate_burst", mode="before")
    @classmethod
    def _nothing_is_not_set(cls, given: object) -> object:
        return None if given == "" else given

    @model_validator(mode="after")
    def _only_documents_need_documents(self) -> Self:
        if self.documents_only and self.documents is None:
            raise ValueError("CLAWBACK_DOCUMENTS_ONLY answers the documents of CLAWBACK_DOCUMENTS, which is not set")
        return self
