"""Whose bill a charge is on, and which day of it: the part of the source that an export states as a whole.

Exports are of days (the month so far, the last week), and a bill is of a period. So the parts are the days of one
account's bill: an export of a week replaces the days of that week, one of the whole period all its days.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import blake2b

LAST_DAY = 31
"""Counted from 0. Days after it, of a period longer than a month, are one part."""
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Bill:
    """What one vendor asks of one billing account for the billing period that starts on a day."""

    vendor: str | None
    account: str | None
    starts_on: date

    def day_of(self, day: date) -> int:
        """A charge for a day outside of the period, such as a correction, is on the bill's first or last day."""
        return min(max((day - self.starts_on).days, 0), LAST_DAY)

    def part(self, day: int) -> str:
        return f"{_short(self.vendor)} | {_short(self.account)} | {self.starts_on} | day {day + 1}"

    def __str__(self) -> str:
        return f"the bill of {self.vendor or 'nobody'} to {self.account or 'nobody'} from {self.starts_on}"


def _short(name: str | None) -> str:
    """A name that is not too long for a part; a long one as its digest."""
    return name or "-" if len(name or "") <= _SHOWN else blake2b(str(name).encode(), digest_size=16).hexdigest()
