"""How a generated client talks to a server: one POST, one time limit, one error class. Copied into the package.

The generator's own base takes no time limit for a whole answer, has no error codes and carries file uploads, which
Clawback does not have.
"""

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from .base_model import UNSET

ACCEPT = "application/graphql-response+json, application/json;q=0.9"
PASSING = frozenset({"CLIENT_TIMEOUT", "UNREACHABLE", "TIMEOUT"})
PASSING_STATUS = frozenset({429, 502, 503, 504})
MOST_BYTES = 64 * 1024 * 1024


class ClawbackError(Exception):
    """What went wrong, by a stable `code`: the server's, or CLIENT_TIMEOUT, UNREACHABLE, BAD_ANSWER of this client."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: int | None = None,
        errors: tuple[Mapping[str, Any], ...] = (),
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.retry_after_s = retry_after_s
        self.errors = errors
        """All that the server told; `code` and `message` are the first one's."""

    @property
    def is_passing(self) -> bool:
        """Whether asking again can help. docs/clients.md says which mutations may be repeated."""
        return self.code in PASSING or self.status in PASSING_STATUS


def documents_of(manifest: Path) -> dict[str, str]:
    """The id of each operation's persisted document, from persisted-documents.json."""
    texts: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))
    named = ((re.match(r"(?:query|mutation|subscription) (\w+)", text), key) for key, text in texts.items())
    return {found[1]: key for found, key in named if found}


class ClawbackBase:
    """`url` is such as http://127.0.0.1:8321/graphql. Safe to use from many threads; close it, or use it in `with`.

    With `documents` (see `documents_of`) operations are sent by their ids; the server has loaded the same manifest.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        timeout_s: float = 10.0,
        documents: Mapping[str, str] | None = None,
    ) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._documents = documents
        headers = {"Accept": ACCEPT, **({"Authorization": f"Bearer {token}"} if token else {})}
        self._http = httpx.Client(headers=headers, timeout=timeout_s, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def execute(
        self, query: str, operation_name: str, variables: dict[str, object], timeout_s: float | None = None
    ) -> httpx.Response:
        """The whole response, within the time limit also where it comes byte by byte."""
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        named = {"query": query} if self._documents is None else {"documentId": self._documents[operation_name]}
        given = {name: _json(value) for name, value in variables.items() if value is not UNSET}
        asked = {**named, "operationName": operation_name, "variables": given}
        ends_at = time.monotonic() + limit_s
        try:
            with self._http.stream("POST", self._url, json=asked, timeout=limit_s) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if time.monotonic() > ends_at:
                        raise ClawbackError("CLIENT_TIMEOUT", f"no whole answer within {limit_s} s")
                    if len(body) > MOST_BYTES:
                        raise ClawbackError("BAD_ANSWER", f"the answer has more than {MOST_BYTES:,} bytes")
                headers = {k: v for k, v in response.headers.items() if k in ("retry-after", "content-type")}
                return httpx.Response(response.status_code, headers=headers, content=bytes(body))
        except httpx.TimeoutException as error:
            raise ClawbackError("CLIENT_TIMEOUT", f"no answer within {limit_s} s") from error
        except httpx.TransportError as error:
            raise ClawbackError("UNREACHABLE", f"the server cannot be reached: {error}") from error

    def get_data(self, response: httpx.Response) -> dict[str, Any]:
        """What was asked for; `ClawbackError` where any of it failed: a total without a part looks like a number."""
        after = response.headers.get("retry-after", "")
        wait_s = int(after) if re.fullmatch(r"\d{1,6}", after) else None
        try:
            body = response.json()
        except ValueError:
            body = None
        told = body.get("errors") if isinstance(body, dict) else None
        if isinstance(told, list) and told and all(isinstance(error, dict) for error in told):
            code = (told[0].get("extensions") or {}).get("code", "UNKNOWN")
            message = str(told[0].get("message", ""))
            raise ClawbackError(code, message, status=response.status_code, retry_after_s=wait_s, errors=tuple(told))
        data = body.get("data") if isinstance(body, dict) else None
        if not response.is_success or told or not isinstance(data, dict):
            raise ClawbackError(
                "BAD_ANSWER",
                f"status {response.status_code} with something that is not an answer in GraphQL",
                status=response.status_code,
                retry_after_s=wait_s,
            )
        return data


def _json(value: object) -> object:
    """Money as text, instants in ISO form; inputs without what was not set."""
    return (
        value.model_dump(mode="json", by_alias=True, exclude_unset=True)
        if isinstance(value, BaseModel)
        else (to_jsonable_python(value))
    )
