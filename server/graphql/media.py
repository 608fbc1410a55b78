"""The media types of an answer, and which of them a client takes."""

import re
from functools import lru_cache

from server.graphql.refusal import RefusalError

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
KNOWN_HEADERS = 64
"""Clients send few different ones, each time again."""


@lru_cache(KNOWN_HEADERS)
def accepted(accept: str) -> str:
    """The media type of the response that a client likes best; a wildcard means plain JSON.

    Example:
        >>> accepted("text/html, */*;q=0.8")
        'application/json'
        >>> accepted("application/json, application/graphql-response+json")
        'application/graphql-response+json'
    """
    weights = dict(_media_range(part) for part in accept.lower().split(","))

    def weight(offer: str) -> float:
        return weights.get(offer, weights.get("application/*", weights.get("*/*", 0.0)))

    offers = (GRAPHQL_RESPONSE, JSON) if GRAPHQL_RESPONSE in weights else (JSON, GRAPHQL_RESPONSE)
    best = max(offers, key=weight)
    if weight(best) == 0:
        raise RefusalError(406, f"this address answers {GRAPHQL_RESPONSE} or {JSON}; for people there is /graphiql")
    return best


@lru_cache(KNOWN_HEADERS)
def wants_events(accept: str) -> bool:
    """Whether a client wants a stream of events, and not a JSON answer as well.

    Example:
        >>> wants_events("text/event-stream"), wants_events("application/json, text/event-stream")
        (True, False)
    """
    weights = dict(_media_range(part) for part in accept.lower().split(","))
    return weights.get("text/event-stream", 0.0) > 0 and not {JSON, GRAPHQL_RESPONSE} & weights.keys()


def _media_range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
    return name, float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight) else 1.0
