"""JSON over HTTP with a server on this machine, past every proxy. What is not JSON is a `StoreError`."""

import json
from decimal import Decimal
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from store import StoreError

MOST_BYTES = 256_000_000
HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}


def exchange(url: str, question: object = None, *, timeout_s: float = 60, key: str = "") -> Any:
    """What a server answers, also with an HTTP error, to a POST of `question`, or to a GET where there is none."""
    body = None if question is None else json.dumps(question).encode()
    headers = HEADERS | ({"Authorization": f"Bearer {key}"} if key else {})
    request = Request(url, body, headers)  # noqa: S310  # server_of gives http addresses of this machine only
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=timeout_s) as response:
            answer = response.read(MOST_BYTES)
    except HTTPError as error:
        with error:
            answer = _rest_of(error)
    except (OSError, HTTPException) as error:
        raise StoreError(f"{url} does not answer: {error}") from error
    try:
        return json.loads(answer, parse_float=Decimal)
    except ValueError as error:
        raise StoreError(f"{url} answers with something other than JSON: {answer[:80]!r}") from error


def _rest_of(error: HTTPError) -> bytes:
    try:
        return error.read(MOST_BYTES)
    except (OSError, HTTPException) as cut:
        raise StoreError(f"{error.url} answers with {error.code} and breaks off: {cut}") from cut
