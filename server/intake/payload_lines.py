"""A line of `/v1/payloads`: what was in one call, as the proxy sends it. What is wrong with one is told without it."""

import binascii
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from store import Part, Payload
from store.payloads import MOST_PART_BYTES, Ended

_NAME = r"^[^\x00]*$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    type: str | None = Field(None, max_length=200, pattern=_NAME)
    bytes: int | None = Field(None, ge=0, lt=2**62)
    text: str | None = None
    base64: str | None = None

    def part(self) -> Part:
        """Raises `ValueError`."""
        if self.text is not None and self.base64 is not None:
            raise ValueError("a part has text or base64, not both")
        try:
            content = b64decode(self.base64, validate=True) if self.base64 is not None else None
        except binascii.Error:
            raise ValueError("base64 does not hold base64") from None
        content = self.text.encode() if self.text is not None else content
        if content is not None and len(content) > MOST_PART_BYTES:
            raise ValueError(f"a part has at most {MOST_PART_BYTES:,} bytes; cut it and tell its whole length in bytes")
        if content is not None and self.bytes is not None and self.bytes < len(content):
            raise ValueError("bytes is less than what is there; it is the length of the whole")
        return Part(self.type, self.bytes, content)


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    call: str = Field(min_length=1, max_length=200, pattern=_NAME)
    at: AwareDatetime
    until: AwareDatetime
    ended: Ended
    provider: str | None = Field(None, max_length=200, pattern=_NAME)
    session_id: str | None = Field(None, max_length=500, pattern=_NAME)
    agent: str | None = Field(None, max_length=500, pattern=_NAME)
    http_status: int | None = Field(None, ge=100, lt=1_000)
    request: _Part
    answer: _Part | None = None

    def payload(self) -> Payload:
        """Raises `ValueError`."""
        return Payload(
            call_id=self.call,
            called_at=_in_utc(self.at),
            kept_until=_in_utc(self.until),
            ended=self.ended,
            provider=self.provider,
            session_id=self.session_id,
            agent=self.agent,
            http_status=self.http_status,
            request=self.request.part(),
            answer=None if self.answer is None else self.answer.part(),
        )


def read_payloads(content: bytes) -> Iterator[tuple[int, Payload | str]]:
    """The number of each line with what it holds, or with the reason why it holds nothing."""
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            yield number, _read(line)


def _read(line: bytes) -> Payload | str:
    try:
        return _Line.model_validate(orjson.loads(line)).payload()
    except orjson.JSONDecodeError:
        return "is not JSON"
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'the line'}: {first['msg']}"
    except (ValueError, OverflowError) as error:  # words of our own, or an instant beyond the calendar
        return str(error)


def _in_utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
