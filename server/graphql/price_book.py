"""The `priceBook` field: the lines of the book, which are in force, and which say something of the same time."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import UNSET, Info, argument

from finance.overlaps import Overlap, overlaps
from finance.pricing import PriceBook
from semantic import QueryError
from server.graphql.context import Context
from server.graphql.fields import FINANCE, Inputs, RootField, given
from server.graphql.scalars import BigInt
from server.price_lines import lines_known
from store import Price

MOST_LINES = 1_000

_SAID = (
    "price_id", "source", "provider", "model", "effective_from", "effective_to", "input", "cache_read",
    "cache_write_5m", "cache_write_1h", "output", "tier_over", "tier_input", "tier_cache_read", "tier_cache_write_5m",
    "tier_cache_write_1h", "tier_output", "per_call_fee", "known_at", "reason",
)  # fmt: skip


@strawberry.type(description="One dated line of the price book, in USD per million tokens; null: it has no such price.")
class PriceBookLine:
    price_id: str
    source: str = strawberry.field(description="`prices`: one's own book; `library:...`: a published list.")
    provider: str
    model: str
    effective_from: datetime
    effective_to: datetime | None = strawberry.field(description="Exclusive; null: open.")
    input: Decimal | None
    cache_read: Decimal | None
    cache_write_5m: Decimal | None
    cache_write_1h: Decimal | None
    output: Decimal | None
    tier_over: BigInt | None = strawberry.field(
        description="Prompts of more tokens take the tier's prices for every token of the call."
    )
    tier_input: Decimal | None
    tier_cache_read: Decimal | None
    tier_cache_write_5m: Decimal | None
    tier_cache_write_1h: Decimal | None
    tier_output: Decimal | None
    per_call_fee: Decimal = strawberry.field(description="USD.")
    known_at: datetime | None = strawberry.field(
        description="Of two lines in force at once the later known one counts."
    )
    reason: str | None = strawberry.field(description="Why it says other than what was known before.")
    is_in_force: bool = strawberry.field(description="Whether it prices a call of the instant `at`.")


@strawberry.type(description="A time for which two lines of one model say what a call costs.")
class PriceOverlap:
    winner: str = strawberry.field(description="The line that counts: the one that became known later.")
    loser: str
    provider: str
    model: str
    starts_at: datetime
    ends_at: datetime | None = strawberry.field(description="Exclusive; null: open.")


@strawberry.type(name="PriceBook", description="The price book, by provider, model and time.")
class PriceBookType:
    at: datetime
    count: BigInt = strawberry.field(description="All lines that match, also those beyond `first`.")
    lines: list[PriceBookLine]
    overlaps: list[PriceOverlap] = strawberry.field(
        description=f"The first {MOST_LINES:,}. A correction overlaps what it corrects, and that is as it should be; "
        "where none was meant, give the earlier line an end."
    )


def _read(
    info: Info[Context, None],
    provider: str | None = UNSET,
    model: str | None = UNSET,
    at: Annotated[datetime | None, argument(description="In force when; default: now.")] = UNSET,
    known_at: Annotated[datetime | None, argument(description="As it was loaded then; default: now.")] = UNSET,
    first: int = 100,
) -> PriceBookType:
    if not 1 <= first <= MOST_LINES:
        raise QueryError("BAD_LIMIT", f"first is from 1 to {MOST_LINES:,}, this is {first:,}")
    context = info.context
    instant = given(at) or context.now
    lines = [
        line
        for line in lines_known(context.reader, given(known_at), timeout_ms=context.deadline.remaining_ms())
        if _is(line.provider, given(provider)) and _is(line.model, given(model))
    ]
    book = PriceBook(lines)
    return PriceBookType(
        at=instant,
        count=BigInt(len(lines)),
        lines=[_line(line, book.in_force(line.provider, line.model, instant) is line) for line in lines[:first]],
        overlaps=[_overlap(overlap) for overlap in overlaps(lines)[:MOST_LINES]],
    )


def _is(name: str, asked: str | None) -> bool:
    return asked is None or name.casefold() == asked.casefold()


def _line(line: Price, is_in_force: bool) -> PriceBookLine:
    return PriceBookLine(**{name: getattr(line, name) for name in _SAID}, is_in_force=is_in_force)


def _overlap(overlap: Overlap) -> PriceOverlap:
    return PriceOverlap(
        winner=overlap.winner,
        loser=overlap.loser,
        provider=overlap.provider,
        model=overlap.model,
        starts_at=overlap.starts_at,
        ends_at=overlap.ends_at,
    )


def _field(inputs: Inputs) -> Any:
    return strawberry.field(
        resolver=_read,
        graphql_type=PriceBookType | None,
        description="The price book: its lines, which are in force, and which overlap.",
    )


PRICE_BOOK = RootField("priceBook", _field, needs=("inference_cost",), roles=FINANCE)
