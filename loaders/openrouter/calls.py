"""One generation, as OpenRouter tells of it afterwards -> a request with what was charged for it.

Its prompt contains what was read from a cache and what was written to one, and only the first is told apart. Where the
model's author charges for writes and the call used a cache, the tokens are therefore left to the records that have
them; what was charged is known all the same.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from finance.pricing import rounded_usd
from loaders.cell import Cell, CellError
from loaders.openclaw.calls import names_of_answer
from store import Request
from store.records import RequestStatus

PROVIDER = "openrouter"
AGENTS = ("none", "user", "api_key_name", "app_name")
"""What of a generation may be the name of an agent."""
_CHARGING_FOR_WRITES = ("anthropic", "qwen")
_CLOCK_SLACK = timedelta(days=1)
_LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Generation:
    """What the API and the export both say, under the names of neither."""

    id: Cell
    created_at: Cell
    model: str | None
    prompt: Cell
    completion: Cell
    cached: Cell
    cache_effect: Cell
    """What the cache changed in the price, in USD: 0 or empty where there was none."""
    cost: Cell
    upstream_cost: Cell
    """What the provider took where the key was one's own; empty or 0 else."""
    duration_ms: Cell
    status: RequestStatus
    session_id: str | None = None
    agent: str | None = None
    identities: tuple[str, ...] = ()


def request_of(said: Generation, source: str, now: datetime) -> Request:
    """Raises `CellError` or `RecordError`."""
    started_at = _instant(said.created_at)
    if started_at > now + _CLOCK_SLACK:
        raise CellError(f"{said.created_at.column} is in the future (read as {started_at.isoformat()})")
    took = said.duration_ms.maybe(_duration)
    cost, upstream = said.cost.maybe(Cell.price), said.upstream_cost.maybe(Cell.price)
    uncached, read, output = _tokens(said)
    return Request(
        request_key=f"{PROVIDER}:{said.id.text()}",
        source=source,
        session_id=said.session_id,
        agent=said.agent,
        provider=PROVIDER,
        model=said.model,
        started_at=started_at,
        ended_at=None if took is None else started_at + took,
        uncached_input_tokens=uncached,
        cache_read_tokens=read,
        cache_write_5m_tokens=None if uncached is None else 0,
        cache_write_1h_tokens=None if uncached is None else 0,
        output_tokens=output,
        billed_usd=None if cost is None else rounded_usd(cost + (upstream or Decimal(0))),
        status=said.status,
        identities=(*names_of_answer(said.id.text()), *said.identities),
    )


def _tokens(said: Generation) -> tuple[int | None, int | None, int | None]:
    """Uncached input, cache reads and output; none where one of them cannot be told."""
    prompt, output = said.prompt.maybe(Cell.count), said.completion.maybe(Cell.count)
    read = said.cached.maybe(Cell.count) or 0
    used_a_cache = read > 0 or (said.cache_effect.maybe(Cell.usd) or 0) != 0
    author = (said.model or "").partition("/")[0]
    if prompt is None or output is None or (used_a_cache and author in _CHARGING_FOR_WRITES):
        return None, None, None
    return max(0, prompt - read), read, output  # a replayed answer may count more reads than its prompt has tokens


def _duration(cell: Cell) -> timedelta:
    advice = "must be the milliseconds of a call, at most those of a day"
    milliseconds = cell.number(advice)
    if milliseconds > _LONGEST / timedelta(milliseconds=1):
        raise CellError(f"{cell.column} {advice}, got {milliseconds}")
    return timedelta(milliseconds=float(milliseconds))


def _instant(cell: Cell) -> datetime:
    """In UTC, which the export does not say."""
    if isinstance(cell.value, str):
        try:
            at = datetime.fromisoformat(cell.value.strip())
        except ValueError:
            return cell.instant()
        if at.tzinfo is None:
            return at.replace(tzinfo=UTC)
    return cell.instant()
