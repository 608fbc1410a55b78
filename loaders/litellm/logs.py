"""The spend logs of a LiteLLM proxy, read day by day and page by page.

LiteLLM counts no further than a cap and so may say too few pages, orders rows of one instant as it likes, and takes
the end of a window as part of it, to the second. So pages are read until a short one, windows overlap by an instant,
and what was read is compared with what was counted.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from loaders.item import Ignored, Item, LoadError, Location, Note
from loaders.litellm.rows import Lens, item_of
from loaders.loader import Task
from loaders.read_until import ReadUntil
from loaders.service import Object, Service
from loaders.web import Answer, ComeBackError, TryAgainError, Web

PAGE = 1_000
MOST_PAGES = 2_000
"""Of one window."""
REPULL = timedelta(hours=3)
"""A row is written when its call has ended, under the time at which it began, and a call may last for 100 minutes."""
FIRST = timedelta(days=30)
_WINDOW = timedelta(days=1)
"""Deep pages are slow, so each window is short."""
REPEATED = "the same row again: windows overlap by an instant, and rows move between pages while they are read"


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[object]
    total: int | None
    """None where it is capped or not stated."""


@dataclass(frozen=True, slots=True)
class Logs:
    web: Web
    service: Service
    lens: Lens

    def items(self, until: ReadUntil, task: Task) -> Iterator[Item | Note]:
        start = until.start(task, REPULL, FIRST).replace(microsecond=0)
        with self.web:
            known: set[str] = set()
            while start < task.now:
                end = min(start + _WINDOW, task.now)
                known = yield from self._window(start, end, known)
                start = end
        yield until.reached(task.now)

    def _window(self, start: datetime, end: datetime, known: set[str]) -> Generator[Item, None, set[str]]:
        """Both ends belong to it. Gives the ids that it has."""
        been: set[str] = set()
        for number in range(1, MOST_PAGES + 1):
            page = self._page(start, end, number)
            been_before = len(been)
            for place, row in enumerate(page.rows, start=1):
                location = Location(f"{self.service.place}, spend logs of {start:%Y-%m-%d %H:%M}, page {number}", place)
                name = _name(row) or f"row {number}:{place}"
                repeated = name in been or name in known
                been.add(name)
                yield Ignored(location, REPEATED) if repeated else item_of(row, location, self.lens)
            if len(page.rows) < PAGE:
                self._check_whole(page, been)
                return been
            if len(been) == been_before:
                raise LoadError(f"{self.service.place}: page {number} of the spend logs repeats the pages before it")
        raise LoadError(f"{self.service.place}: the spend logs of a day do not end after {MOST_PAGES:,} pages")

    def _check_whole(self, page: _Page, been: set[str]) -> None:
        if page.total is not None and len(been) < page.total:
            raise ComeBackError(
                f"{self.service.place}: counts {page.total:,} rows and has listed {len(been):,}: they moved between "
                "pages while they were read; load again"
            )

    def _page(self, start: datetime, end: datetime, number: int) -> _Page:
        asked = {
            "start_date": f"{start.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            "end_date": f"{_whole_second(end):%Y-%m-%d %H:%M:%S}",
            "page": number,
            "page_size": PAGE,
            "sort_by": "startTime",
            "sort_order": "asc",
        }
        return self.web.get(f"{self.lens.root}/spend/logs/v2?{urlencode(asked)}", self._read)

    def _read(self, answer: Answer) -> _Page:
        said = self.service.object_of(answer, "the spend logs", self.web.clock.now())
        rows = said.get("data")
        if not isinstance(rows, list) or len(rows) > PAGE:
            raise TryAgainError(f"the answer has no list of at most {PAGE:,} rows under 'data'")
        return _Page(rows, _total(said))


def _name(row: object) -> str | None:
    """None where it has none: such a row is told from others by its place, and rejected there."""
    name = row.get("request_id") if isinstance(row, dict) else None
    return name if isinstance(name, str) and name else None


def _total(said: Object) -> int | None:
    total = said.get("total")
    return total if isinstance(total, int) and not said.get("total_is_capped") else None


def _whole_second(end: datetime) -> datetime:
    """The API takes no fraction of a second; what is cut off would be missed."""
    end = end.astimezone(UTC)
    return end if not end.microsecond else end.replace(microsecond=0) + timedelta(seconds=1)
