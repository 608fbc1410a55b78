"""The demo's price book, and what a call costs by it: the demo's own arithmetic, which checks the product's.

Nothing here knows `grok-9-mystery`: its requests have no price. `gpt-5.2` becomes cheaper in the middle of the sixty
days, and OpenClaw does not notice.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from server.demo.cast import Rates, rates
from server.demo.session import Call, Tokens, midnight_ms

MILLION = Decimal(1_000_000)
LONG_PROMPT = 200_000


class PriceLine(NamedTuple):
    price_id: str
    provider: str
    model: str
    starts_on: date
    ends_on: date | None
    rates: Rates
    long_rates: Rates | None = None
    """For all tokens of a call with a prompt over `LONG_PROMPT` tokens."""


def price_book(first_day: date) -> tuple[PriceLine, ...]:
    listed, changed = first_day - timedelta(days=45), first_day + timedelta(days=30)
    opus, long_opus = rates("5", "0.50", "6.25", "25"), rates("10", "1.00", "12.50", "37.50")
    sonnet, long_sonnet = rates("3", "0.30", "3.75", "15"), rates("6", "0.60", "7.50", "22.50")
    haiku, free = rates("1", "0.10", "1.25", "5"), rates("0", "0", "0", "0")
    dear_gpt, cheap_gpt = rates("1.75", "0.175", "0", "14"), rates("1.40", "0.14", "0", "11.20")
    return (
        PriceLine("opus", "anthropic", "claude-opus-4-6", listed, None, opus, long_opus),
        PriceLine("sonnet", "anthropic", "claude-sonnet-4-6", listed, None, sonnet, long_sonnet),
        PriceLine("haiku", "anthropic", "claude-haiku-4-5", listed, None, haiku),
        PriceLine("gpt-before", "openai", "gpt-5.2", listed, changed, dear_gpt),
        PriceLine("gpt-after", "openai", "gpt-5.2", changed, None, cheap_gpt),
        PriceLine("qwen", "ollama", "qwen-local", listed, None, free),
    )


def cost_usd(call: Call, book: Sequence[PriceLine]) -> Decimal | None:
    """None where the book has no line for the model at the start of the call."""
    found = price_in_force(call, book)
    return None if found is None else amount_usd(call.tokens, found)


def price_in_force(call: Call, book: Sequence[PriceLine]) -> Rates | None:
    for price in book:
        if price.model == call.model.name and _is_in_force(price, call.started_ms):
            is_long = call.tokens.prompt > LONG_PROMPT
            return price.long_rates if is_long and price.long_rates else price.rates
    return None


def amount_usd(tokens: Tokens, usd: Rates) -> Decimal:
    of_prompt = tokens.input * usd.input + tokens.cache_read * usd.cache_read + tokens.cache_write * usd.cache_write
    return (of_prompt + tokens.output * usd.output) / MILLION


def _is_in_force(price: PriceLine, at_ms: int) -> bool:
    return midnight_ms(price.starts_on) <= at_ms and (price.ends_on is None or at_ms < midnight_ms(price.ends_on))
