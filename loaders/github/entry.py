"""One pull request or issue as GitHub gives it, as far as it says what became of a session's work."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from loaders.cell import Cell, CellError
from loaders.github.markers import MarkerError, Markers, reverted_by, together
from store import Outcome

Object = dict[str, object]

_CLOCK_SLACK = timedelta(days=1)
_ISSUE_VERDICTS = {"completed": True, "not_planned": False, "duplicate": False}


@dataclass(frozen=True, slots=True)
class Lens:
    """What the reading of an entry depends on."""

    repository: str
    markers: Markers
    now: datetime
    source_prefix: str
    """Of outcome ids: `github`, or the host of a GitHub of one's own."""
    repull: timedelta
    """How much before the last known change is read once more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The state it is in, and the sessions that its text and its branch name."""

    number: int
    key: str
    """Stays the same where the repository gets another name."""
    updated_at: datetime
    kind: str
    is_success: bool | None
    occurred_at: datetime | None
    sessions: tuple[str, ...]
    problem: str | None = None
    """Why what it says of sessions cannot be read."""
    base: str = ""
    """The branch that a pull request was made for."""
    reverts: tuple[int, ...] = ()
    """Pull requests that a merged one takes back."""

    @property
    def is_merged(self) -> bool:
        return self.kind == "PR_MERGED"

    def outcomes(self, sessions: tuple[str, ...], reverted_at: datetime | None = None) -> tuple[Outcome, ...]:
        """One for each session, numbered: a session that is named later in place of a wrong one replaces it.

        `reverted_at` is when a merged pull request was taken back.
        """
        kind, is_success, occurred_at, undone = self.kind, self.is_success, self.occurred_at, None
        if self.is_merged and reverted_at is not None:
            kind, is_success, occurred_at, undone = "PR_REVERTED", False, reverted_at, self.occurred_at
        return tuple(
            Outcome(
                outcome_id=f"{self.key}:{place}",
                source="github",
                session_id=session,
                kind=kind,
                is_success=is_success,
                occurred_at=occurred_at,
                undone_success_at=undone,
            )
            for place, session in enumerate(sessions, start=1)
        )


def pull_of(raw: Object, lens: Lens) -> Entry:
    """Raises `CellError` that names the field and what would be right."""
    body, number = _prose(raw, "body"), _number(raw)
    head, base = _text_in(raw, "head", "ref"), _text_in(raw, "base", "ref")
    merged_at, is_open = _instant(raw, "merged_at", lens), _is_open(raw)
    if merged_at is not None:
        kind, is_success, stated = "PR_MERGED", True, "merged_at"
    elif is_open:
        kind, is_success, stated = "PR_OPENED", None, "created_at"
    else:
        kind, is_success, stated = "PR_CLOSED", False, "closed_at"
    sessions, problem = _named(body, head, lens)
    # A pull request can only take back what was there before it, so no chain of reverts runs in a circle.
    reverts = tuple(older for older in reverted_by(body, head, lens.repository) if 0 < older < number)
    return Entry(
        number=number,
        key=_key(raw, "pr", lens),
        updated_at=_updated_at(raw, lens),
        kind=kind,
        is_success=is_success,
        occurred_at=_instant(raw, stated, lens),
        sessions=sessions,
        problem=problem,
        base=base,
        reverts=reverts if merged_at is not None else (),
    )


def issue_of(raw: Object, lens: Lens) -> Entry:
    """A closed issue succeeded if it was closed as completed; one that is open again is undecided again.

    Raises `CellError` that names the field and what would be right.
    """
    reason = Cell("state_reason", raw.get("state_reason")).maybe(Cell.text)
    if not _is_open(raw):
        kind, occurred_at = "ISSUE_CLOSED", _instant(raw, "closed_at", lens)
        is_success = _ISSUE_VERDICTS.get(reason or "")
    elif reason == "reopened":
        kind, is_success, occurred_at = "ISSUE_REOPENED", None, None
    else:
        kind, is_success, occurred_at = "ISSUE_OPENED", None, _instant(raw, "created_at", lens)
    sessions, problem = _named(_prose(raw, "body"), "", lens)
    return Entry(
        number=_number(raw),
        key=_key(raw, "issue", lens),
        updated_at=_updated_at(raw, lens),
        kind=kind,
        is_success=is_success,
        occurred_at=occurred_at,
        sessions=sessions,
        problem=problem,
    )


def sessions_of_commit(raw: object, lens: Lens) -> tuple[str, ...]:
    """Raises `CellError` for what is no commit, `MarkerError` for a trailer that names no session."""
    commit = raw.get("commit") if isinstance(raw, dict) else None
    if not isinstance(commit, dict):
        raise CellError("must be a commit like {'commit': {'message': ...}}")
    return lens.markers.in_text(_prose(commit, "message"))


def _named(body: str, branch: str, lens: Lens) -> tuple[tuple[str, ...], str | None]:
    try:
        return together([*lens.markers.in_text(body), *lens.markers.in_branch(branch)]), None
    except MarkerError as error:
        return (), str(error)


def _number(raw: Object) -> int:
    return Cell("number", raw.get("number")).count()


def _key(raw: Object, what: str, lens: Lens) -> str:
    return f"{lens.source_prefix}:{what}:{Cell('id', raw.get('id')).count()}"


def _updated_at(raw: Object, lens: Lens) -> datetime:
    return Cell("updated_at", raw.get("updated_at")).instant(latest=lens.now + _CLOCK_SLACK)


def _instant(raw: Object, field: str, lens: Lens) -> datetime | None:
    latest = lens.now + _CLOCK_SLACK
    return Cell(field, raw.get(field)).maybe(lambda cell: cell.instant(latest=latest))


def _is_open(raw: Object) -> bool:
    return Cell("state", raw.get("state")).flag(true=("open",), false=("closed",))


def _prose(raw: Object, field: str) -> str:
    value = raw.get(field)
    if value is None or isinstance(value, str):
        return value or ""
    raise CellError(f"{field} must be text or null, got {ascii(value)[:100]}")


def _text_in(raw: Object, field: str, inner: str) -> str:
    """Of an object in the entry; nothing where there is none: the branch of a fork that is gone has no name."""
    holder = raw.get(field)
    if holder is None:
        return ""
    if not isinstance(holder, dict):
        raise CellError(f"{field} must be an object, got {ascii(holder)[:100]}")
    return Cell(f"{field}.{inner}", holder.get(inner)).maybe(Cell.text) or ""
