"""Days of the billing export -> charges for calls, each day as a whole.

Rows of the export have no id, and rows for a day still come days later. So the days of which anything was exported
since the last load are summed up anew and replace what was known of them, in whichever month they are invoiced.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import blake2b

from finance.pricing import rounded_usd
from loaders.cell import Cell, CellError
from loaders.focus.services import sells_calls
from loaders.google.query import BigQuery
from loaders.item import Ignored, Item, Location, Note, Parsed, Rejected, WholePart
from loaders.loader import Task
from loaders.read_until import ReadUntil
from loaders.web_json import shown
from store import Charge, RecordError
from store.records import ChargeItem

SOURCE, VENDOR = "google", "google"
REPULL = timedelta(days=10)
FIRST = timedelta(days=62)
"""What Google fills a new export with: this month and the last one."""
NO_CALL = "no call to a model, but machines, training or storage: the bill as a whole is read by `focus`"
_DAY = timedelta(days=1)
_ZERO = Decimal(0)
_IDENTITY = ("invoice_month", "day", "service", "sku_id", "sku", "project", "region", "cost_type", "currency", "rate")
_SQL = """\
WITH changed AS (
  SELECT DISTINCT DATE(usage_start_time) AS day FROM `{table}` WHERE export_time >= @since
)
SELECT
  invoice.month AS invoice_month,
  DATE(usage_start_time) AS day,
  service.description AS service,
  sku.id AS sku_id,
  sku.description AS sku,
  project.id AS project,
  location.region AS region,
  cost_type,
  currency,
  CAST(currency_conversion_rate AS STRING) AS rate,
  SUM(CAST(cost AS BIGNUMERIC)) AS cost,
  SUM(IFNULL((SELECT SUM(CAST(credit.amount AS BIGNUMERIC)) FROM UNNEST(credits) AS credit), 0)) AS credits
FROM `{table}`
WHERE DATE(usage_start_time) IN (SELECT day FROM changed)
  AND REGEXP_CONTAINS(LOWER(service.description), r'vertex ai|gemini|generative language')
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"""


@dataclass(frozen=True, slots=True)
class Bill:
    asked: BigQuery
    table: str

    def items(self, until: ReadUntil, task: Task) -> Iterator[Item | Note]:
        days: set[date | None] = set()
        gaps: set[date | None] = set()
        with self.asked.web:
            since = until.start(task, REPULL, FIRST)
            rows = self.asked.rows(_SQL.format(table=self.table), {"since": since})
            for number, row in enumerate(rows, start=1):
                day = _day(row)
                item = self._item(row, Location(f"{self.asked.service.place}, row", number))
                (gaps if isinstance(item, Rejected) else days).add(day)
                yield item
        if None not in gaps:
            yield from (WholePart(self._part(day)) for day in days if day is not None and day not in gaps)
        yield until.reached(task.now)

    def _item(self, row: Mapping[str, object], place: Location) -> Item:
        try:
            service, sku = _text(row, "service"), _text(row, "sku")
            if not sells_calls(service, sku):
                return Ignored(place, NO_CALL)
            return Parsed(place, (self._charge(row, service, sku),))
        except (CellError, RecordError) as error:
            return Rejected(place, str(error), shown(dict(row)))

    def _charge(self, row: Mapping[str, object], service: str | None, sku: str | None) -> Charge:
        day = Cell("day", row.get("day")).day()
        kind = _text(row, "cost_type") or "regular"
        told = repr([self.table, *(row.get(name) for name in _IDENTITY)])
        said = (None if kind == "regular" else kind, service, sku)
        return Charge(
            charge_id=f"{SOURCE}:{blake2b(told.encode(), digest_size=16).hexdigest()}",
            source=SOURCE,
            category="inference",
            amount_usd=_net(row),
            starts_on=day,
            ends_on=day + _DAY,
            vendor=VENDOR,
            description=": ".join(part for part in said if part)[:1000] or None,
            part=self._part(day),
            line_item=_line_item(sku),
        )

    def _part(self, day: date) -> str:
        return f"{self.table} | {day}"


def _net(row: Mapping[str, object]) -> Decimal:
    """The cost and its credits, which are below zero, in USD; other money by the rate that Google billed with."""
    net = Cell("cost", row.get("cost")).usd() + Cell("credits", row.get("credits")).usd()
    currency = Cell("currency", row.get("currency")).text().upper()
    if currency == "USD":
        return net
    rate = Cell("currency_conversion_rate", row.get("rate")).number("must be how much of it is one USD")
    if not rate:
        raise CellError(f"currency is {currency} and currency_conversion_rate is 0, so the cost in USD is not known")
    return rounded_usd(net / rate) or _ZERO


def _line_item(sku: str | None) -> ChargeItem | None:
    said = (sku or "").casefold()
    if "input" in said or "prompt" in said:
        return "cache_read" if "cach" in said else "uncached_input"
    if "output" in said:
        return "output"
    return "fee" if "grounding" in said or "search" in said else None


def _day(row: Mapping[str, object]) -> date | None:
    try:
        return Cell("day", row.get("day")).day()
    except CellError:
        return None


def _text(row: Mapping[str, object], name: str) -> str | None:
    return Cell(name, row.get(name)).maybe(Cell.text)
