"""One row of a report of OpenAI -> a charge, or what was counted of tokens.

Money is in dollars, as a number or as text, negative for a credit; input contains what was cached. What a line of the
cost report is for stands in words that are made for people: only what they plainly say is read from them.
"""

import re
from decimal import Decimal

from loaders.cell import Cell, CellError
from loaders.daily import ReportRow
from store import Charge, ReportedUsage
from store.records import ChargeItem

VENDOR = "openai"
_LINE = re.compile(r"(?P<model>[a-z0-9][a-z0-9._:-]{1,99}), (?P<kind>cached input|input|output)", re.IGNORECASE)
_ITEMS: dict[str, ChargeItem] = {"input": "uncached_input", "cached input": "cache_read", "output": "output"}
_NO_TOKENS = re.compile(
    r"web.?search|file.?search|code.?interpreter|vector.?stor|storage|container|tool.?call|session", re.IGNORECASE
)
_WITHOUT_OUTPUT = ("embeddings", "moderations")
_COST_NAMES = ("line_item", "project_id")


def charge_of(row: ReportRow) -> tuple[Charge, ...]:
    """A line of the cost report. Raises `CellError` or `RecordError`."""
    names = [row.text(name) for name in _COST_NAMES]
    said, project = names
    charge_id = row.row_id(*names)
    currency = row.within("amount", "currency").text()
    if currency.upper() != "USD":
        raise CellError(f"amount.currency must be usd, got {currency[:20]!r}: amounts in others cannot be added")
    billed = row.within("amount", "value").usd()
    model, item = _meant(said or "", billed)
    described = f"{said or 'without a description'} ({project or 'no project'})"
    return (row.charge(charge_id, VENDOR, billed, described, model=model, line_item=item),)


def _meant(said: str, billed: Decimal) -> tuple[str | None, ChargeItem | None]:
    line = _LINE.fullmatch(said)
    if billed < 0:
        return None, "credit"
    if line is not None:
        return line["model"], _ITEMS[line["kind"].lower()]
    return None, "fee" if _NO_TOKENS.search(said) else None


def usage_of(row: ReportRow) -> tuple[ReportedUsage, ...]:
    """A row of the usage report of completions, embeddings or moderations. Raises `CellError` or `RecordError`.

    The report may lack the buckets that its kind does not have: embeddings have no output and no cache.
    """
    names = [row.text(name) for name in ("model", "project_id", "api_key_id")]
    model, project, key = names
    usage_id = row.row_id(*names)
    read, written = _count(row, "input_cached_tokens"), _count(row, "input_cache_write_tokens")
    total = row["input_tokens"].count()
    if read + written > total:
        raise CellError(
            f"input_tokens must contain what was cached, got {total:,} with {read:,} read from a cache and "
            f"{written:,} written to one"
        )
    return (
        row.usage(
            usage_id,
            VENDOR,
            model=model,
            member=", ".join([f"project {project}" if project else "no project", f"key {key}" if key else "no key"]),
            requests=row["num_model_requests"].maybe(Cell.count),
            uncached_input_tokens=total - read - written,
            cache_read_tokens=read,
            cache_write_5m_tokens=written,
            cache_write_1h_tokens=0,
            output_tokens=_count(row, "output_tokens")
            if row.report.name in _WITHOUT_OUTPUT
            else row["output_tokens"].count(),
        ),
    )


def _count(row: ReportRow, name: str) -> int:
    """0 where the report has no such count, for then there is nothing of it: input is told as a whole."""
    return row[name].maybe(Cell.count) or 0
