"""Lets each call name the OpenTelemetry span that it is made in, so that proxy and traces find each other's call.

The trace says the session: set `session.id` (or `gen_ai.conversation.id`) on the span and export it to Clawback.
"""

from typing import Any

from opentelemetry import trace
from opentelemetry.propagate import inject


def traced(request: Any) -> None:
    """A hook for the HTTP client, as in `tagging.py`: adds the W3C header `traceparent` of the span under way."""
    if trace.get_current_span().get_span_context().is_valid:
        inject(request.headers)


HOOKS = {"request": [traced]}
