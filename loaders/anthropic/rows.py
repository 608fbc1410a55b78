"""One row of a report of Anthropic -> a charge, or what was counted of tokens.

Money is in cents, written as text; input is without what was cached; and a name that is null means nothing by itself:
it is the default, or was not asked for. Each report here is asked for the names that it reads, so null is the default.
"""

from decimal import Decimal
from hashlib import blake2b

from finance.pricing import rounded_usd
from loaders.cell import Cell, CellError
from loaders.daily import ReportRow
from store import Charge, ReportedUsage
from store.records import ChargeItem

VENDOR = "anthropic"
_ITEMS: dict[str | None, ChargeItem] = {
    "uncached_input_tokens": "uncached_input",
    "cache_read_input_tokens": "cache_read",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write",
    "output_tokens": "output",
}
_COST_NAMES = (
    "workspace_id",
    "description",
    "cost_type",
    "model",
    "token_type",
    "service_tier",
    "context_window",
    "inference_geo",
)
"""With the day they tell a line of the cost report from others; the amount is not among them."""
STANDARD = "standard"
_COMMITTED = ("priority", "priority_on_demand")
"""Tiers whose cost is in no report: capacity that was committed to is billed apart."""


def charge_of(row: ReportRow) -> tuple[Charge, ...]:
    """A line of the cost report. Raises `CellError` or `RecordError`."""
    names = {name: row.text(name) for name in _COST_NAMES}
    charge_id = row.row_id(*names.values())
    billed = _usd(row["amount"], row["currency"])
    workspace = names["workspace_id"] or "default workspace"
    described = f"{names['description'] or names['cost_type'] or 'without a description'} ({workspace})"
    item = _item(names["cost_type"], names["token_type"], billed)
    return (row.charge(charge_id, VENDOR, billed, described, model=names["model"], line_item=item),)


def _item(cost_type: str | None, token_type: str | None, billed: Decimal) -> ChargeItem:
    if billed < 0:
        return "credit"
    return _ITEMS.get(token_type, "tokens") if cost_type in (None, "tokens") else "fee"


def usage_of(row: ReportRow) -> tuple[ReportedUsage, ...]:
    """A row of the usage report, which counts tokens and never calls. Raises `CellError` or `RecordError`."""
    model, workspace, key, tier = (row.text(name) for name in ("model", "workspace_id", "api_key_id", "service_tier"))
    usage_id = row.row_id(model, workspace, key, tier)
    told = [f"workspace {workspace}" if workspace else "default workspace", f"key {key}" if key else "console"]
    told += [f"{tier} tier"] if tier not in (None, STANDARD) else []
    return (
        row.usage(
            usage_id,
            VENDOR,
            model=model,
            member=", ".join(told),
            uncached_input_tokens=row["uncached_input_tokens"].count(),
            cache_read_tokens=row["cache_read_input_tokens"].count(),
            cache_write_5m_tokens=row.within("cache_creation", "ephemeral_5m_input_tokens").count(),
            cache_write_1h_tokens=row.within("cache_creation", "ephemeral_1h_input_tokens").count(),
            output_tokens=row["output_tokens"].count(),
            is_billed_apart=tier in _COMMITTED,
        ),
    )


def claude_code_of(row: ReportRow) -> tuple[ReportedUsage, ...]:
    """What Claude Code says of the day of one user or key: a part of what the usage report has, so a lower bound.

    A row for each model. Its cost is an estimate in cents, as a number; under a subscription it is nobody's.
    """
    actor, customer = _actor(row), row.text("customer_type")
    told = (*actor, customer, row.text("terminal_type"))
    breakdown = row["model_breakdown"].value
    if not isinstance(breakdown, list):
        raise CellError("model_breakdown must be a list with a row for each model")
    return tuple(_metered(row, each, told, customer) for each in breakdown)


def _metered(row: ReportRow, raw: object, told: tuple[str | None, ...], customer: str | None) -> ReportedUsage:
    if not isinstance(raw, dict):
        raise CellError("model_breakdown must be a list of objects")
    inner = ReportRow(row.report, row.day, raw, row.numbers)
    model = inner.text("model")
    usage_id = row.row_id(*told, model)
    cents = inner.within("estimated_cost", "amount")
    return row.usage(
        usage_id,
        VENDOR,
        "meter",
        model=model,
        member=", ".join(["Claude Code", *(word for word in told[1:] if word)]),
        uncached_input_tokens=inner.within("tokens", "input").count(),
        cache_read_tokens=inner.within("tokens", "cache_read").count(),
        cache_write_5m_tokens=inner.within("tokens", "cache_creation").count(),
        output_tokens=inner.within("tokens", "output").count(),
        usd=None
        if customer == "subscription" or cents.is_empty
        else _usd(cents, inner.within("estimated_cost", "currency")),
        is_lower_bound=True,
    )


def _actor(row: ReportRow) -> tuple[str | None, str]:
    """Who it was: a key by its name, a person by a digest, for what is kept of days is no register of people."""
    key = row.within("actor", "api_key_name").maybe(Cell.text)
    if key is not None:
        return "api_actor", f"key {key}"
    address = row.within("actor", "email_address").maybe(Cell.text)
    if address is None:
        raise CellError("actor must have an api_key_name or an email_address")
    return "user_actor", f"user {blake2b(address.casefold().encode(), digest_size=4).hexdigest()}"


def _usd(cents: Cell, currency: Cell) -> Decimal:
    if currency.text().upper() != "USD":
        raise CellError(f"currency must be USD, got {currency.text()[:20]!r}: amounts in others cannot be added")
    return rounded_usd(cents.usd().scaleb(-2))
