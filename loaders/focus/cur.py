"""A line of AWS's own Cost and Usage Report 2.0 -> a row of FOCUS columns.

What is billed is the unblended cost, discounts being lines of their own. What it cost in effect follows the rule of
AWS's query library ("amortized cost by charge type", awslabs/aws-well-architected-labs): use that a commitment covers
costs its share of the commitment; the fee of the commitment costs only what was not used of it; what was paid up front
and the lines that take covered use back out of the on-demand price cost nothing more.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from loaders.cell import Cell, CellError
from loaders.focus.columns import instant, period_end
from loaders.focus.services import category_of
from loaders.table import Row

MARK = "line_item_line_item_type"
"""The column by which such a file is known."""
REQUIRED = (
    "bill_billing_period_start_date",
    "bill_payer_account_id",
    "line_item_currency_code",
    "line_item_line_item_type",
    "line_item_product_code",
    "line_item_unblended_cost",
    "line_item_usage_end_date",
    "line_item_usage_start_date",
)
_KINDS: Final[Mapping[str, str]] = {
    "Credit": "Credit",
    "DiscountedUsage": "Usage",
    "Fee": "Purchase",
    "RIFee": "Purchase",
    "SavingsPlanCoveredUsage": "Usage",
    "SavingsPlanNegation": "Usage",
    "SavingsPlanRecurringFee": "Purchase",
    "SavingsPlanUpfrontFee": "Purchase",
    "Tax": "Tax",
    "Usage": "Usage",
}
"""Line item type -> ChargeCategory. All others (Refund, EdpDiscount and what AWS may add) are adjustments."""
_ZERO = Decimal(0)


def as_focus(row: Row) -> dict[str, object]:
    currency = row["line_item_currency_code"].text()
    if currency.upper() != "USD":
        raise CellError(
            f"line_item_currency_code is {currency!r}: convert line_item_unblended_cost and the effective costs to US "
            "dollars and write USD here"
        )
    line_type = row[MARK].text()
    service, description = row["line_item_product_code"].text(), row["line_item_line_item_description"].value
    starts_at = instant(row["line_item_usage_start_date"])
    return {
        "BilledCost": row["line_item_unblended_cost"].usd(),
        "EffectiveCost": _effective(row, line_type),
        "BillingCurrency": "USD",
        "ServiceProviderName": "AWS",
        "BillingPeriodStart": instant(row["bill_billing_period_start_date"]),
        "ChargePeriodStart": starts_at,
        "ChargePeriodEnd": period_end(starts_at, row["line_item_usage_end_date"]),
        "BillingAccountId": row["bill_payer_account_id"].value,
        "SubAccountId": row["line_item_usage_account_id"].value,
        "ChargeCategory": _KINDS.get(line_type, "Adjustment"),
        "ChargeDescription": description,
        "CommitmentDiscountId": _commitment(row),
        "RegionId": row["product_region_code"].value,
        "ResourceId": row["line_item_resource_id"].value,
        "ServiceName": service,
        "SkuId": row["product_sku"].value,
        "SkuPriceId": row["pricing_rate_code"].value,
        "ServiceCategory": category_of(row["product_product_family"].value, service, description),
    }


def _effective(row: Row, line_type: str) -> Decimal:
    match line_type:
        case "SavingsPlanCoveredUsage":
            return row["savings_plan_savings_plan_effective_cost"].usd()
        case "DiscountedUsage":
            return row["reservation_effective_cost"].usd()
        case "SavingsPlanRecurringFee":
            return row["savings_plan_total_commitment_to_date"].usd() - row["savings_plan_used_commitment"].usd()
        case "RIFee":
            upfront = row["reservation_unused_amortized_upfront_fee_for_billing_period"].usd()
            return upfront + row["reservation_unused_recurring_fee"].usd()
        case "SavingsPlanNegation" | "SavingsPlanUpfrontFee":
            return _ZERO
        case "Fee" if not row["reservation_reservation_a_r_n"].is_empty:
            return _ZERO
    return row["line_item_unblended_cost"].usd()


def _commitment(row: Row) -> str | None:
    plan = row["savings_plan_savings_plan_a_r_n"].maybe(Cell.text)
    return plan or row["reservation_reservation_a_r_n"].maybe(Cell.text)
