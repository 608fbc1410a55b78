"""What of which bills was read without a gap, so that what a later export has dropped can be removed.

To remove what is still owed and to keep what is owed no more are both wrong numbers that look right. So nothing is
taken for whole without a word for it: the manifest of an export of the account itself, or the user's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from loaders.focus.bill import LAST_DAY, Bill
from loaders.focus.manifest import Extent


@dataclass(slots=True)
class Read:
    """Collects, for the files that state something together, which days of which bills they have."""

    extent: Extent
    owner: str | None = None
    """The only account whose bills they have all of; None for any."""
    rows: int = 0
    days: dict[Bill, set[int]] = field(default_factory=dict)
    gaps: set[tuple[Bill, int]] = field(default_factory=set)
    is_broken: bool = False

    def saw(self, bill: Bill, day: int) -> None:
        self.days.setdefault(bill, set()).add(day)

    def missed(self, bill: Bill | None = None, day: int = 0) -> None:
        """A row was rejected. Where nobody knows whose it was, nothing is whole."""
        if bill is None:
            self.is_broken = True
        else:
            self.gaps.add((bill, day))

    def stated(self) -> Iterator[tuple[Bill, int]]:
        if self.extent == "no":
            return
        for bill, days in self.days.items():
            if self.owner is None or self.owner == bill.account:
                whole = range(LAST_DAY + 1) if self.extent == "periods" else sorted(days)
                yield from ((bill, day) for day in whole)


def whole_parts(reads: Sequence[Read]) -> Iterator[str]:
    """The parts that were stated and have no gap in any of the files of the load."""
    if any(read.is_broken for read in reads):
        return
    gaps = {gap for read in reads for gap in read.gaps}
    stated = dict.fromkeys(place for read in reads for place in read.stated())
    yield from (bill.part(day) for bill, day in stated if (bill, day) not in gaps)
