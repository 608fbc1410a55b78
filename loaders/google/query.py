"""A question to BigQuery over its REST API: asked once, waited for, and read to the last of its rows.

Every value comes as text, a query that takes long is answered with a promise, and a long answer in pages.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlencode
from uuid import uuid4

from loaders.item import LoadError
from loaders.paging import Page, is_token, pages
from loaders.service import Object, Service
from loaders.web import Answer, TryAgainError, Web
from loaders.web_json import message_of

ROOT = "https://bigquery.googleapis.com/bigquery/v2"
PAGE = 10_000
_WAIT_MS = 20_000
"""For which BigQuery holds back an answer that is not there yet; below what is waited for without a byte."""
_MOST_BYTES = 100 * 2**30
"""That a query may have to read, and is paid for."""
_LIMITED = ("rateLimitExceeded", "quotaExceeded", "jobRateLimitExceeded", "backendError")
_MOST_ROWS = 5_000_000


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of an answer; or the promise of one, which has no columns yet."""

    job: Object
    columns: tuple[str, ...] = ()
    page: Page = field(default_factory=lambda: Page([], None))
    total: int = 0


@dataclass(frozen=True, slots=True)
class BigQuery:
    web: Web
    service: Service
    project: str
    """Which pays for the question."""
    region: str | None

    def rows(self, sql: str, instants: Mapping[str, datetime]) -> Iterator[Mapping[str, object]]:
        """Column -> text, for every row. Raises `LoadError` where they are not as many as BigQuery says."""
        promised = self.web.post(self._place(), self._question(sql, instants), self._read)
        first = promised if promised.columns else self._more(promised.job, None)
        count = 0
        for page in pages(
            lambda token: first.page if token is None else self._more(first.job, token).page,
            f"{self.service.place}, rows",
        ):
            count += len(page)
            if count > _MOST_ROWS:
                raise LoadError(f"{self.service.place}: over {_MOST_ROWS:,} rows; begin later with the option since")
            yield from (self._row(first.columns, row) for row in page)
        if count != first.total:
            raise LoadError(
                f"{self.service.place}: BigQuery counts {first.total:,} rows and gave {count:,}; load again"
            )

    def _question(self, sql: str, instants: Mapping[str, datetime]) -> Object:
        question: Object = {
            "query": sql,
            "useLegacySql": False,
            "parameterMode": "NAMED",
            "queryParameters": [
                {
                    "name": name,
                    "parameterType": {"type": "TIMESTAMP"},
                    "parameterValue": {"value": instant.isoformat()},
                }
                for name, instant in instants.items()
            ],
            "maxResults": PAGE,
            "timeoutMs": _WAIT_MS,
            "maximumBytesBilled": str(_MOST_BYTES),
            "requestId": str(uuid4()),  # asked again after a lost answer, it is not run and paid for again
        }
        return question | ({"location": self.region} if self.region else {})

    def _more(self, job: Object, token: str | None) -> _Part:
        """Where the query is not done, it is waited for as for any answer that may be better the next time."""
        asked = {"maxResults": str(PAGE), "timeoutMs": str(_WAIT_MS)}
        asked |= {"pageToken": token} if token else {}
        place = job.get("location")
        asked |= {"location": place} if is_token(place) else {}
        url = f"{self._place()}/{quote(str(job['jobId']), safe='')}?{urlencode(asked)}"
        return self.web.get(url, self._read_done)

    def _place(self) -> str:
        return f"{self.web.root.rstrip('/')}/projects/{self.project}/queries"

    def _read_done(self, answer: Answer) -> _Part:
        part = self._read(answer)
        if not part.columns:
            raise TryAgainError("the query is not done yet")
        return part

    def _read(self, answer: Answer) -> _Part:
        if answer.status == 403 and any(reason.encode() in answer.body for reason in _LIMITED):
            raise TryAgainError(
                f"BigQuery asks for a pause (403{message_of(answer)})", answer.pause(self.web.clock.now())
            )
        said = self.service.object_of(answer, "the billing export", self.web.clock.now())
        if said.get("errors"):
            raise LoadError(f"{self.service.place}: BigQuery could not answer: {ascii(said['errors'])[:300]}")
        job = said.get("jobReference")
        if not isinstance(job, dict) or not is_token(job.get("jobId")):
            raise TryAgainError("the answer has no jobReference")
        if said.get("jobComplete") is not True:
            return _Part(job)
        return _Part(job, _columns(said), Page(_rows(said), _token(said)), _total(said))

    def _row(self, columns: tuple[str, ...], row: object) -> Mapping[str, object]:
        cells = row.get("f") if isinstance(row, dict) else None
        if not isinstance(cells, list) or len(cells) != len(columns):
            raise LoadError(f"{self.service.place}: a row must have {len(columns)} values, got {ascii(row)[:200]}")
        return {
            name: cell.get("v") if isinstance(cell, dict) else None for name, cell in zip(columns, cells, strict=True)
        }


def _columns(said: Object) -> tuple[str, ...]:
    schema = said.get("schema")
    listed = schema.get("fields") if isinstance(schema, dict) else None
    if not isinstance(listed, list) or not listed:
        raise TryAgainError("the answer has no schema with its fields")
    return tuple(str(field.get("name")) if isinstance(field, dict) else "" for field in listed)


def _rows(said: Object) -> list[object]:
    rows = said.get("rows") or []  # an answer without rows leaves them out
    if not isinstance(rows, list) or len(rows) > PAGE:
        raise TryAgainError(f"the answer has no list of at most {PAGE:,} rows")
    return rows


def _token(said: Object) -> str | None:
    token = said.get("pageToken")
    if token is not None and not is_token(token):
        raise TryAgainError(f"pageToken must be a plain text, got {ascii(token)[:60]}")
    return token


def _total(said: Object) -> int:
    total = said.get("totalRows")
    if isinstance(total, str) and total.isascii() and total.isdigit() and len(total) < 19:
        return int(total)
    raise TryAgainError(f"totalRows must be a number as text, got {ascii(total)[:60]}")
