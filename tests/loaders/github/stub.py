"""A GitHub of our own on loopback: a real HTTP server that answers as api.github.com does, over data in memory.

It pages by opaque addresses, knows ETags, wants a user agent and a token, and does what a test has written into its
script before it answers as usual.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.loaders.http_stub import NOW, Reply, Time
from tests.loaders.http_stub import served as served_at

__all__ = ["NOW", "TOKEN", "GitHub", "Reply", "Time", "issue", "merged", "named", "pull", "said", "served"]

TOKEN = "ghp_secretSECRETsecret0123456789"


def said(status: int, message: str, **headers: str) -> Reply:
    body = json.dumps({"message": message, "documentation_url": "https://docs.github.com/rest"}).encode()
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class GitHub:
    pulls: list[Any] = field(default_factory=list)
    issues: list[Any] = field(default_factory=list)
    commits: dict[int, list[str]] = field(default_factory=dict)
    token: str | None = TOKEN
    most_per_page: int = 100
    script: list[Reply | Callable[[str], Reply | None]] = field(default_factory=list)
    """Each answers one request, in its order; one that gives None lets it pass."""
    asked: list[str] = field(default_factory=list)
    """Every request, as its path and query."""
    statuses: list[int] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, headers: Mapping[str, str]) -> Reply:
        self.asked.append(path)
        if self.script:
            scripted = self.script.pop(0)
            reply = scripted if isinstance(scripted, Reply) else scripted(path)
            if reply is not None:
                return reply
        if not headers.get("user-agent"):
            return said(403, "Request forbidden by administrative rules.")
        if self.token is not None and headers.get("authorization") != f"Bearer {self.token}":
            return said(401, "Bad credentials")
        return self._page(path, headers.get("if-none-match"))

    def _page(self, path: str, known: str | None) -> Reply:
        url = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        place = url.path.replace("/repositories/1/", "/repos/acme/shop/").removeprefix("/repos/acme/shop/")
        match place.split("/"):
            case ["pulls"]:
                rows = self.pulls
            case ["pulls", number]:
                found = [pull for pull in self.pulls if str(pull["number"]) == number]
                return Reply(200, json.dumps(found[0]).encode()) if found else said(404, "Not Found")
            case ["pulls", number, "commits"]:
                messages = self.commits.get(int(number), ["A change"])
                return self._paged(url.path, asked, [{"sha": "1", "commit": {"message": m}} for m in messages], known)
            case ["issues"]:
                rows = [row for row in self.issues if _changed_at(row, "9") >= asked.get("since", "")]
            case _:
                return said(404, "Not Found")
        assert (asked["state"], asked["sort"], asked["direction"]) == ("all", "updated", "desc")
        rows = sorted(rows, key=_changed_at, reverse=True)
        return self._paged(url.path, asked, rows, known)

    def _paged(self, path: str, asked: dict[str, str], rows: list[Any], known: str | None) -> Reply:
        size, start = min(int(asked["per_page"]), self.most_per_page), int(asked.get("after", "0"))
        body = json.dumps(rows[start : start + size]).encode()
        headers = {"ETag": f'W/"{hashlib.sha256(body).hexdigest()}"', "X-RateLimit-Remaining": "4987"}
        if known == headers["ETag"]:
            return Reply(304, b"", headers)
        if start + size < len(rows):
            opaque = path.replace("/repos/acme/shop/", "/repositories/1/")
            following = f"{self.url}{opaque}?{urlencode({**asked, 'after': start + size})}"
            headers["Link"] = f'<{self.url}/first>; rel="first", <{following}>; rel="next"'
        return Reply(200, body, headers)


def _changed_at(row: Any, unknown: str = "") -> str:
    return str(row.get("updated_at", unknown)) if isinstance(row, dict) else unknown


def pull(number: int, /, **changes: Any) -> dict[str, Any]:
    """An open pull request of a human; with more than a loader reads, as GitHub gives it."""
    created = f"2026-11-01T00:{number // 60 % 60:02}:{number % 60:02}Z"
    return {
        "id": 900_000_000 + number,
        "node_id": f"PR_{number}",
        "number": number,
        "state": "open",
        "title": f"Change {number}",
        "user": {"login": "acme-agent[bot]", "id": 1234, "type": "Bot"},
        "body": None,
        "labels": [{"name": "agent"}],
        "draft": False,
        "created_at": created,
        "updated_at": created,
        "closed_at": None,
        "merged_at": None,
        "head": {"ref": f"topic-{number}", "sha": "1" * 40, "repo": None},
        "base": {"ref": "main"},
        "author_association": "NONE",
        "a_field_of_tomorrow": {"deep": [1, 2, 3]},
    } | changes


def merged(number: int, at: str, /, **changes: Any) -> dict[str, Any]:
    return pull(number, **({"state": "closed", "merged_at": at, "closed_at": at, "updated_at": at} | changes))


def issue(number: int, /, **changes: Any) -> dict[str, Any]:
    created = f"2026-11-02T00:{number // 60 % 60:02}:{number % 60:02}Z"
    return {
        "id": 700_000_000 + number,
        "number": number,
        "state": "open",
        "state_reason": None,
        "title": f"Issue {number}",
        "body": None,
        "created_at": created,
        "updated_at": created,
        "closed_at": None,
    } | changes


def named(session: str) -> str:
    return f"Rounds per line.\n\n<!-- agent-session: {session} -->"


@contextmanager
def served(answer: Callable[[str, Mapping[str, str]], Reply]) -> Iterator[str]:
    """The address of a server that answers so, whatever the method is."""
    with served_at(lambda asked: answer(asked.path, asked.headers)) as url:
        yield url
