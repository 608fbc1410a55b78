"""What is asked of OpenAI about an organisation: the costs of its days, and the tokens that each kind of call used."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from loaders.cell import Cell
from loaders.daily import Days, rows_in, whole_day
from loaders.item import LoadError
from loaders.paging import Page, page_of, pages
from loaders.service import Service
from loaders.web import Answer, TryAgainError, Web

ROOT = "https://api.openai.com"
HEADERS = {"User-Agent": "clawback"}
KEY = "an Admin key (sk-admin-...), which an owner of the organisation makes in its settings"
_ORDINARY = ("sk-proj-", "sk-svcacct-", "sk-None-")
_MOST_COST_DAYS, _MOST_USAGE_DAYS = 180, 31
"""On a page; the most that may be asked for."""
COST_GROUPS = ("line_item", "project_id")
USAGE_GROUPS = ("model", "project_id", "api_key_id")


def check_key(token: str, place: str) -> None:
    """Raises `LoadError` for a key that calls models and may not see what they cost."""
    if token.startswith(_ORDINARY):
        raise LoadError(f"{place}: this is a key for calling models, which may not read what they cost; give {KEY}")


@dataclass(frozen=True, slots=True)
class Api:
    """Raises `LoadError` for what cannot be read, `ComeBackError` where OpenAI asks for a longer pause."""

    web: Web
    service: Service

    def costs(self, days: Days) -> Iterator[list[object]]:
        return self._buckets("costs", "the costs", days, COST_GROUPS, _MOST_COST_DAYS)

    def usage(self, kind: str, days: Days) -> Iterator[list[object]]:
        """`kind` is what was called: completions, embeddings, moderations."""
        return self._buckets(f"usage/{kind}", f"the usage of {kind}", days, USAGE_GROUPS, _MOST_USAGE_DAYS)

    def _buckets(self, path: str, what: str, days: Days, groups: tuple[str, ...], most: int) -> Iterator[list[object]]:
        asked = [
            ("start_time", str(int(days.starts_at.timestamp()))),
            ("end_time", str(int(days.ends_at.timestamp()))),
            ("bucket_width", "1d"),
            ("limit", str(most)),
            *(("group_by[]", group) for group in groups),
        ]

        def ask(token: str | None) -> Page:
            query = urlencode([*asked, *([("page", token)] if token is not None else [])])
            url = f"{self.web.root.rstrip('/')}/v1/organization/{path}?{query}"
            return self.web.get(url, lambda answer: self._page(answer, what))

        return pages(ask, f"{self.service.place}, {what}")

    def _page(self, answer: Answer, what: str) -> Page:
        now = self.web.clock.now()
        if answer.status == 409:  # OpenAI says so where two things happen at once
            raise TryAgainError("answered 409", answer.pause(now))
        return page_of(self.service.object_of(answer, what, now))


def bucket(raw: dict[str, object]) -> tuple[date, list[object]]:
    """The day and the rows of a bucket. Raises `CellError`."""
    starts, ends = Cell("start_time", raw.get("start_time")), Cell("end_time", raw.get("end_time"))
    return whole_day(starts, starts.instant("s"), ends, ends.instant("s")), rows_in(raw, "results")
