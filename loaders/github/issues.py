"""Issues: what became of those that name a session."""

from collections.abc import Generator
from datetime import datetime

from loaders.github.api import Api
from loaders.github.cursor import Mark
from loaders.github.entry import Entry, Lens, Object, issue_of
from loaders.github.lists import Listing, place_of, read_list
from loaders.item import Ignored, Item, Parsed, Rejected

UNNAMED = "names no agent session"
PULL_REQUEST = "a pull request: it is read with the pull requests"


def read_issues(api: Api, mark: Mark, since: datetime | None, lens: Lens) -> Generator[Item, None, Mark]:
    """An item for every issue that has changed; gives how far the list was read."""
    start = since if mark.updated_at is None else mark.updated_at - lens.repull
    listing = Listing("issues", api.issues_url(start), issue_of, None, ignored=_is_pull_request)
    issues, reached = yield from read_list(api, listing, mark, lens)
    for issue in issues.values():
        yield _item(issue, api.repository)
    return reached


def _is_pull_request(raw: Object) -> str | None:
    return PULL_REQUEST if raw.get("pull_request") is not None else None


def _item(issue: Entry, repository: str) -> Item:
    place = place_of(repository, issue)
    if issue.problem is not None:
        return Rejected(place, issue.problem)
    if not issue.sessions:
        return Ignored(place, UNNAMED)
    return Parsed(place, issue.outcomes(issue.sessions))
