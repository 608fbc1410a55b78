"""What the providers of the example company charged and counted of its last six days, as their APIs answer.

Most of it is what the transcripts have. Each way in which a bill differs from them is there once: calls that no source
recorded, a fee, a discount, a credit, and a last day that the provider restates later.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from server.demo.cast import SONNET
from server.demo.prices import LONG_PROMPT, MILLION, PriceLine, price_in_force
from server.demo.session import Call, PlannedSession, Tokens, iso, midnight_ms

BILLED_DAYS = 6
UNRECORDED = Tokens(input=8, cache_read=21_000, cache_write=900, output=400)
"""A call of Claude Sonnet 4.6 that costs 0.015699 at list price; somebody made three by hand."""
UNRECORDED_CALLS = 3
SEARCHES, USD_A_SEARCH = 7, Decimal("0.01")
DISCOUNT = Decimal("0.10")
CREDIT_USD = Decimal("-0.50")
LATE_HOUR = 18
"""What the first answer about the last day lacks is from this hour on."""
SNAPSHOT = "2025-12-11"
"""OpenAI counts the tokens of a model under the name of its snapshot, and charges them under that of the model."""
_KINDS = ("input", "cache_read", "cache_write", "output")
_TOKEN_TYPES = (
    "uncached_input_tokens",
    "cache_read_input_tokens",
    "cache_creation.ephemeral_5m_input_tokens",
    "output_tokens",
)
_LINE_ITEMS = ("input", "cached input", None, "output")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAnswers:
    """Rows of each report, by day as `2026-03-20`."""

    anthropic_costs: dict[str, list[Json]] = field(default_factory=dict)
    anthropic_usage: dict[str, list[Json]] = field(default_factory=dict)
    openai_costs: dict[str, list[Json]] = field(default_factory=dict)
    openai_usage: dict[str, list[Json]] = field(default_factory=dict)


def billed_days(last_day: date) -> tuple[date, ...]:
    return tuple(last_day - timedelta(days=n) for n in reversed(range(BILLED_DAYS)))


def answers(
    sessions: Sequence[PlannedSession], book: Sequence[PriceLine], last_day: date, *, is_restated: bool
) -> ProviderAnswers:
    """What is answered on the morning after the last day, or when it has been restated."""
    _, unrecorded_on, fee_on, discount_on, credit_on, _ = billed_days(last_day)
    found = ProviderAnswers()
    for day in billed_days(last_day):
        whole = is_restated or day != last_day
        calls = [call for call in calls_of(sessions, day) if whole or not is_late(call)]
        factor = 1 - DISCOUNT if day == discount_on else Decimal(1)
        anthropic = [call for call in calls if call.model.provider == "anthropic"]
        if day == unrecorded_on:
            noon = midnight_ms(day) + 12 * 3_600_000
            anthropic += [Call(SONNET, noon, noon, UNRECORDED, "stop")] * UNRECORDED_CALLS
        key = day.isoformat()
        found.anthropic_costs[key] = list(_anthropic_costs(anthropic, book, factor))
        found.anthropic_usage[key] = list(_anthropic_usage(anthropic))
        if day == fee_on:
            found.anthropic_costs[key].append(_anthropic_line(SEARCHES * USD_A_SEARCH, "web_search", None, None))
        openai = [call for call in calls if call.model.provider == "openai"]
        found.openai_costs[key] = list(_openai_costs(openai, book))
        found.openai_usage[key] = list(_openai_usage(openai))
        if day == credit_on:
            found.openai_costs[key].append(_openai_line(CREDIT_USD, "promotional credit"))
    return found


def calls_of(sessions: Iterable[PlannedSession], day: date) -> list[Call]:
    return [call for session in sessions for call in session.calls if iso(call.started_ms)[:10] == day.isoformat()]


def is_late(call: Call) -> bool:
    return int(iso(call.started_ms)[11:13]) >= LATE_HOUR


def _anthropic_costs(calls: Iterable[Call], book: Sequence[PriceLine], factor: Decimal) -> Iterator[Json]:
    """A line for each model, kind of token and size of the prompt, in cents."""
    for (model, is_long), usd in _spent(calls, book).items():
        for amount, token_type in zip(usd, _TOKEN_TYPES, strict=True):
            if amount:
                line = _anthropic_line(amount * factor, "tokens", model, token_type)
                yield line | {"context_window": "200k-1M" if is_long else "0-200k"}


def _anthropic_line(usd: Decimal, cost_type: str, model: str | None, token_type: str | None) -> Json:
    return {
        "amount": format(usd * 100, "f"),
        "currency": "USD",
        "cost_type": cost_type,
        "description": f"{model} Usage - {token_type}" if model else "Web Search Usage",
        "model": model,
        "token_type": token_type,
        "service_tier": "standard" if model else None,
        "context_window": None,
        "inference_geo": None,
        "workspace_id": None,
    }


def _anthropic_usage(calls: Iterable[Call]) -> Iterator[Json]:
    """A row for each model, without a count of calls: the report has none."""
    for model, (tokens, _) in _used(calls).items():
        yield {
            "uncached_input_tokens": tokens.input,
            "cache_creation": {"ephemeral_5m_input_tokens": tokens.cache_write, "ephemeral_1h_input_tokens": 0},
            "cache_read_input_tokens": tokens.cache_read,
            "output_tokens": tokens.output,
            "server_tool_use": {"web_search_requests": 0},
            "api_key_id": "apikey_01Example",
            "workspace_id": None,
            "model": model,
            "service_tier": "standard",
            "context_window": None,
            "inference_geo": None,
            "account_id": None,
            "service_account_id": None,
        }


def _openai_costs(calls: Iterable[Call], book: Sequence[PriceLine]) -> Iterator[Json]:
    for (model, _), usd in _spent(calls, book).items():
        for amount, kind in zip(usd, _LINE_ITEMS, strict=True):
            if amount:
                yield _openai_line(amount, f"{model}, {kind}")


def _openai_line(usd: Decimal, line_item: str) -> Json:
    """The amount in dollars, as text where a binary number would lose digits."""
    amount = {"value": float(usd) if Decimal(repr(float(usd))) == usd else format(usd, "f"), "currency": "usd"}
    named = {"line_item": line_item, "project_id": "proj_example", "api_key_id": None, "quantity": None}
    return {"object": "organization.costs.result", "amount": amount, **named}


def _openai_usage(calls: Iterable[Call]) -> Iterator[Json]:
    """A row for each model; the input contains what was cached."""
    for model, (tokens, count) in _used(calls).items():
        yield {
            "object": "organization.usage.completions.result",
            "input_tokens": tokens.prompt,
            "input_cached_tokens": tokens.cache_read,
            "output_tokens": tokens.output,
            "num_model_requests": count,
            "project_id": "proj_example",
            "user_id": None,
            "api_key_id": "key_example",
            "model": f"{model}-{SNAPSHOT}",
            "batch": None,
            "service_tier": None,
        }


def _spent(calls: Iterable[Call], book: Sequence[PriceLine]) -> dict[tuple[str, bool], list[Decimal]]:
    """By model and whether the prompt was long: USD for each kind of token."""
    spent: defaultdict[tuple[str, bool], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * len(_KINDS))
    for call in calls:
        rates = price_in_force(call, book)
        if rates is not None:
            usd = spent[call.model.name, call.tokens.prompt > LONG_PROMPT]
            for n, (count, rate) in enumerate(zip(call.tokens, rates, strict=True)):
                usd[n] += count * rate / MILLION
    return dict(spent)


def _used(calls: Iterable[Call]) -> dict[str, tuple[Tokens, int]]:
    """Calls that failed before they were answered are in no count."""
    used: dict[str, tuple[Tokens, int]] = {}
    for call in calls:
        if any(call.tokens):
            tokens, count = used.get(call.model.name, (Tokens(), 0))
            used[call.model.name] = Tokens(*map(sum, zip(tokens, call.tokens, strict=True))), count + 1
    return used
