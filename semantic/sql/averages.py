"""The mean of a trailing window per unit of time, over the history that there is."""

from sqlglot import exp

from semantic.measure import Rolling
from semantic.periods import Duration, Unit
from semantic.sql import dates, tree

_DAYS_OF = {
    Unit.DAY: "1",
    Unit.WEEK: "7",
    Unit.MONTH: "30.4375",
    Unit.QUARTER: "91.3125",
    Unit.YEAR: "365.25",
}
"""A month is the average one of the Gregorian calendar over four years: (3 x 365 + 366) / 48 days."""


def averaged(
    window: Rolling, total: exp.Expression, ends_on: exp.Expression, first_day: exp.Expression
) -> exp.Expression:
    """The window's sum as its mean per unit; the sum itself where no mean is asked for."""
    if window.average is None:
        return total
    return _per(window, window.average, total, ends_on, first_day)


def _per(
    window: Rolling, unit: Unit, total: exp.Expression, ends_on: exp.Expression, first_day: exp.Expression
) -> exp.Expression:
    length = window.length
    if length.days is not None:
        known = dates.days_between(first_day, ends_on)
        days: exp.Expression = tree.number(length.days)
        if window.partial == "scale":
            days = tree.least(tree.number(length.days), known)
        return exp.Mul(this=tree.ratio(total, days), expression=tree.number(_DAYS_OF[unit]))
    assert length.months is not None
    months: exp.Expression = tree.number(length.months)
    if window.partial == "scale":
        months = tree.least(tree.number(length.months), _months_back(ends_on, first_day))
    each = Duration(1, unit).months or 1
    return exp.Mul(this=tree.ratio(total, months), expression=tree.number(each))


def _months_back(ends_on: exp.Expression, first_day: exp.Expression) -> exp.Expression:
    """How many months one has to go back from `ends_on` to reach the first day: at least one.

    The distance of the months, and one more where going back so far leaves the first day behind.
    """

    def number(day: exp.Expression) -> exp.Expression:
        return exp.Add(
            this=exp.Mul(this=dates.part(day.copy(), "YEAR"), expression=tree.number(12)),
            expression=dates.part(day.copy(), "MONTH"),
        )

    apart = exp.Sub(this=exp.Paren(this=number(ends_on)), expression=exp.Paren(this=number(first_day)))
    back = tree.cast(
        exp.DateAdd(this=ends_on.copy(), expression=exp.Neg(this=exp.Paren(this=apart)), unit=exp.Var(this="MONTH")),
        "DATE",
    )
    is_short = exp.GT(this=back, expression=first_day.copy())
    more = exp.Case(ifs=[exp.If(this=is_short, true=tree.number(1))], default=tree.number(0))
    months = exp.Add(this=exp.Paren(this=apart.copy()), expression=more)
    return tree.greatest(tree.number(1), months)
