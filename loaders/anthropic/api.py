"""The three questions that are asked of Anthropic about an organisation, and the pages of their answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from loaders.auth import Bearer, InHeader, Scheme
from loaders.cell import Cell
from loaders.daily import Days, rows_in, whole_day
from loaders.item import LoadError
from loaders.paging import Page, page_of, pages
from loaders.service import Service
from loaders.web import Web

ROOT = "https://api.anthropic.com"
HEADERS = {"anthropic-version": "2023-06-01", "User-Agent": "clawback"}
KEY = "an Admin API key (sk-ant-admin...), which an admin of the organisation makes in the Console"
_MOST_DAYS, _MOST_ACTORS = 31, 1_000
"""On a page; the most that may be asked for."""
_ORDINARY, _OAUTH = "sk-ant-api", "sk-ant-oat"

COST_GROUPS = ("workspace_id", "description")
USAGE_GROUPS = ("model", "workspace_id", "api_key_id", "service_tier")


def scheme_of(token: str, place: str) -> Scheme:
    """How this kind of key is sent. Raises `LoadError` for one that calls models and may not see what they cost."""
    if token.startswith(_ORDINARY):
        raise LoadError(f"{place}: this is a key for calling models, which may not read what they cost; give {KEY}")
    return Bearer() if token.startswith(_OAUTH) else InHeader("x-api-key")


@dataclass(frozen=True, slots=True)
class Api:
    """Raises `LoadError` for what cannot be read, `ComeBackError` where Anthropic asks for a longer pause."""

    web: Web
    service: Service

    def costs(self, days: Days) -> Iterator[list[object]]:
        return self._buckets("cost_report", "the cost report", days, COST_GROUPS)

    def usage(self, days: Days) -> Iterator[list[object]]:
        return self._buckets("usage_report/messages", "the usage report", days, USAGE_GROUPS)

    def claude_code(self, day: date) -> Iterator[list[object]]:
        """A report of one day, with a row for each of its users and keys."""
        asked = [("starting_at", day.isoformat()), ("limit", str(_MOST_ACTORS))]
        return self._pages("usage_report/claude_code", "the Claude Code report", asked)

    def _buckets(self, path: str, what: str, days: Days, groups: tuple[str, ...]) -> Iterator[list[object]]:
        asked = [
            ("starting_at", f"{days.starts_at:%Y-%m-%dT%H:%M:%SZ}"),
            ("ending_at", f"{days.ends_at:%Y-%m-%dT%H:%M:%SZ}"),
            ("bucket_width", "1d"),
            ("limit", str(_MOST_DAYS)),
            *(("group_by[]", group) for group in groups),
        ]
        return self._pages(path, what, asked)

    def _pages(self, path: str, what: str, asked: list[tuple[str, str]]) -> Iterator[list[object]]:
        def ask(token: str | None) -> Page:
            query = urlencode([*asked, *([("page", token)] if token is not None else [])])
            return self.web.get(
                f"{self.web.root.rstrip('/')}/v1/organizations/{path}?{query}",
                lambda answer: page_of(self.service.object_of(answer, what, self.web.clock.now())),
            )

        return pages(ask, f"{self.service.place}, {what}")


def bucket(raw: dict[str, object]) -> tuple[date, list[object]]:
    """The day and the rows of a bucket. Raises `CellError`."""
    starts, ends = Cell("starting_at", raw.get("starting_at")), Cell("ending_at", raw.get("ending_at"))
    instants: tuple[datetime, datetime] = (starts.instant(), ends.instant())
    return whole_day(starts, instants[0], ends, instants[1]), rows_in(raw, "results")
