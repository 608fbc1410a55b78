"""The list of a project's generations, page by page to the end that Langfuse states.

Only what a request needs is asked for: prompts and answers never leave Langfuse.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from loaders.item import Item, Location, Note
from loaders.langfuse.generations import Lens, item_of
from loaders.loader import Task
from loaders.paging import Page, is_token, pages
from loaders.read_until import ReadUntil
from loaders.service import Service
from loaders.web import Answer, TryAgainError, Web

PAGE = 1_000
REPULL = timedelta(hours=3)
"""A generation is under the time at which it began, and what it used and cost may come, and change, later."""
FIRST = timedelta(days=30)
_FIELDS = "core,basic,time,model,usage,metadata,trace_context"
_SLACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Observations:
    web: Web
    service: Service
    lens: Lens

    def items(self, until: ReadUntil, task: Task) -> Iterator[Item | Note]:
        start = until.start(task, REPULL, FIRST)
        with self.web:
            listed = pages(lambda cursor: self._page(start, task.now, cursor), f"{self.service.place}, generations")
            for number, page in enumerate(listed, start=1):
                for place, entry in enumerate(page, start=1):
                    location = Location(f"{self.service.place}, generations, page {number}", place)
                    yield item_of(entry, location, self.lens)
        yield until.reached(task.now)

    def _page(self, start: datetime, now: datetime, cursor: str | None) -> Page:
        asked = {
            "fields": _FIELDS,
            "type": "GENERATION",
            "limit": str(PAGE),
            "fromStartTime": _text(start),
            "toStartTime": _text(now + _SLACK),  # clocks of those who trace may be ahead
        }
        if cursor is not None:
            asked["cursor"] = cursor
        return self.web.get(f"{self.lens.root}/api/public/v2/observations?{urlencode(asked)}", self._read)

    def _read(self, answer: Answer) -> Page:
        said = self.service.object_of(answer, "the observations of the project", self.web.clock.now())
        entries, meta = said.get("data"), said.get("meta")
        if not isinstance(entries, list) or len(entries) > PAGE:
            raise TryAgainError(f"the answer has no list of at most {PAGE:,} observations under 'data'")
        if not isinstance(meta, dict):
            raise TryAgainError("the answer has no 'meta', so that nobody can say whether there is more")
        cursor = meta.get("cursor")
        if cursor is not None and not is_token(cursor):
            raise TryAgainError(f"meta.cursor must be a plain text or null, got {ascii(cursor)[:60]}")
        return Page(entries, cursor)


def _text(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
