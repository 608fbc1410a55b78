"""The four questions that are asked of a repository: its pull requests, its issues, one pull request, its commits."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from loaders.github.answers import Asked, Page, entry_of, page_of
from loaders.item import LoadError
from loaders.web import Web

ROOT = "https://api.github.com"
PAGE = 100
MOST_PAGES = 5_000
_COMMIT_PAGES = 3
"""GitHub gives at most 250 commits of a pull request."""
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}", re.ASCII)
HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "clawback",
}


def repository_of(location: str) -> str:
    """Raises `LoadError` for what is no repository: it becomes part of an address."""
    if not _REPOSITORY.fullmatch(location):
        raise LoadError(f"a repository is given as owner/repository, such as acme/shop; got {location[:200]!r}")
    return location


@dataclass(slots=True)
class Api:
    """Raises `LoadError` for what cannot be read, `ComeBackError` where GitHub asks for a longer pause."""

    web: Web
    repository: str

    @property
    def _place(self) -> str:
        return f"{self.web.root.rstrip('/')}/repos/{self.repository}"

    def pulls_url(self) -> str:
        return f"{self._place}/pulls?" + urlencode(
            {"state": "all", "sort": "updated", "direction": "desc", "per_page": PAGE}
        )

    def issues_url(self, since: datetime | None) -> str:
        asked = {"state": "all", "sort": "updated", "direction": "desc", "per_page": str(PAGE)}
        if since is not None:
            asked["since"] = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return f"{self._place}/issues?{urlencode(asked)}"

    def pages(self, url: str, etag: str | None, what: str) -> Iterator[Page]:
        """The pages of a list, each led to by the one before. With an ETag, one that says whether anything changed."""
        headers = {"If-None-Match": etag} if etag else {}
        been: set[str] = set()
        following: str | None = url
        while following is not None:
            if following in been or len(been) >= MOST_PAGES:
                raise LoadError(
                    f"{self.repository}: the list of {what} does not end after {len(been):,} pages ({following[:200]})"
                )
            been.add(following)
            page = self.web.get(following, lambda answer: page_of(answer, self._asked(what)), headers)
            if page.is_unchanged and not headers:
                raise LoadError(f"{self.repository}: GitHub says that {what} have not changed, and was not asked that")
            yield page
            headers, following = {}, page.next_url

    def pull(self, number: int) -> object | None:
        """None where it is gone."""
        return self.web.get(
            f"{self._place}/pulls/{number}", lambda answer: entry_of(answer, self._asked("pull requests"))
        )

    def commits(self, number: int) -> list[object]:
        entries: list[object] = []
        pages = self.pages(f"{self._place}/pulls/{number}/commits?per_page={PAGE}", None, "commits")
        for _, page in zip(range(_COMMIT_PAGES), pages, strict=False):
            entries += page.entries
        return entries

    def _asked(self, what: str) -> Asked:
        return Asked(self.repository, what, self.web.secret is not None, self.web.clock.now())
