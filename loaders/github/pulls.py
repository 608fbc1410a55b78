"""Pull requests: what became of those that name a session, also when a later one takes it back.

A success is void once a merged pull request reverts it, and counts again once the revert is reverted. The pull request
that was taken back need not have changed itself, so it is then fetched on its own.
"""

from collections.abc import Generator
from datetime import datetime

from loaders.cell import CellError
from loaders.github.answers import NoAnswerError
from loaders.github.api import Api
from loaders.github.cursor import MOST_WAITING, Cursor, Mark, Revert, taken_back
from loaders.github.entry import Entry, Lens, pull_of, sessions_of_commit
from loaders.github.issues import UNNAMED
from loaders.github.lists import Listing, place_of, read_list
from loaders.github.markers import MarkerError, together
from loaders.item import Ignored, Item, Location, Parsed, Rejected
from loaders.web import ComeBackError
from loaders.web_json import shown

MOST_LOOKED_AT = 200
"""Pull requests of one load for which GitHub is asked on its own, most for their commits."""
LATER = f"its commits are read by a later load: at most {MOST_LOOKED_AT} are looked at in one, fewer under a rate limit"
NEVER = f"its commits are not read: {MOST_WAITING:,} other pull requests wait for that"
GONE = "the pull request is gone"


def list_pulls(
    api: Api, mark: Mark, since: datetime | None, lens: Lens
) -> Generator[Item, None, tuple[dict[int, Entry], Mark]]:
    """An item for every pull request that is not to be judged; gives the others, and how far the list was read."""
    start = since if mark.updated_at is None else mark.updated_at - lens.repull
    return (yield from read_list(api, Listing("pull requests", api.pulls_url(), pull_of, start), mark, lens))


def judge_pulls(
    api: Api, listed: dict[int, Entry], cursor: Cursor, lens: Lens
) -> Generator[Item, None, tuple[tuple[Revert, ...], tuple[int, ...]]]:
    """An item for every pull request that is listed or looked at; gives the reverts, and what waits to be looked at.

    This comes after the lists: where a rate limit is used up by looking, they have been read.
    """
    pulls = dict(listed)
    reverts = _reverts(api, listed, pulls, cursor.reverts, lens)
    void, was_void = taken_back(reverts), taken_back(cursor.reverts)
    alone = {number for number, pull in listed.items() if pull.problem is None and not pull.sessions}
    for number, pull in listed.items():
        if number not in alone:
            yield _item(pull, pull.sessions, void, api.repository)
    turned = [number for number in {**void, **was_void} if void.get(number) != was_void.get(number)]
    # First what was judged otherwise before, then what is new, then what has waited.
    wanted = dict.fromkeys([*turned, *(number for number in listed if number in alone), *cursor.waiting])
    closely = [number for number in wanted if number in alone or number not in listed]
    waiting = yield from _look_closer(api, closely, pulls, void, lens)
    kept = tuple(waiting[:MOST_WAITING])
    for number in waiting:
        if number in alone:
            yield Ignored(place_of(api.repository, listed[number]), LATER if number in kept else NEVER)
    return reverts, kept


def _reverts(
    api: Api, listed: dict[int, Entry], pulls: dict[int, Entry], before: tuple[Revert, ...], lens: Lens
) -> tuple[Revert, ...]:
    """All that are known: those of before, except where their pull request is here and does not say so any more.

    A revert counts on the branch that the work was merged to; elsewhere the work stands. `pulls` gets what is fetched.
    """
    same = {(revert.by, revert.of) for revert in before}
    reverts = [revert for revert in before if revert.by not in listed]
    for pull in listed.values():
        for number in pull.reverts:
            is_known = (pull.number, number) in same
            target = None if is_known else pulls.get(number) or _fetched(api, number, lens)
            if isinstance(target, Entry):
                pulls[number] = target
            if pull.occurred_at is not None and (is_known or _takes_back(pull, target)):
                reverts.append(Revert(pull.number, number, pull.occurred_at))
    return tuple(sorted(reverts))


def _takes_back(pull: Entry, target: Entry | Item | None) -> bool:
    return isinstance(target, Entry) and target.is_merged and target.base == pull.base


def _look_closer(
    api: Api, numbers: list[int], pulls: dict[int, Entry], void: dict[int, datetime], lens: Lens
) -> Generator[Item, None, list[int]]:
    """An item for each that could be looked at; gives those that are to be looked at another time."""
    for place, number in enumerate(numbers[:MOST_LOOKED_AT]):
        try:
            item = _closer(api, number, pulls, void, lens)
        except ComeBackError:
            return [*numbers[place + 1 :], number]  # last, so that one that never answers holds up no other
        yield item
    return numbers[MOST_LOOKED_AT:]


def _closer(api: Api, number: int, pulls: dict[int, Entry], void: dict[int, datetime], lens: Lens) -> Item:
    pull = pulls.get(number) or _fetched(api, number, lens)
    if not isinstance(pull, Entry):
        return pull
    sessions = pull.sessions
    try:
        if not sessions and pull.problem is None:
            sessions = together(name for raw in api.commits(number) for name in sessions_of_commit(raw, lens))
    except (CellError, MarkerError, NoAnswerError) as error:
        return Rejected(place_of(api.repository, pull), f"of its commits: {error}")
    return _item(pull, sessions, void, api.repository)


def _fetched(api: Api, number: int, lens: Lens) -> Entry | Item:
    place = Location(f"{api.repository}#{number}")
    try:
        raw = api.pull(number)
    except NoAnswerError as error:
        return Rejected(place, str(error))
    if raw is None:
        return Ignored(place, GONE)
    if not isinstance(raw, dict):
        return Rejected(place, "must be a JSON object like {'number': 17, ...}", shown(raw))
    try:
        pull = pull_of(raw, lens)
    except CellError as error:
        return Rejected(place, str(error), shown(raw))
    return pull if pull.number == number else Rejected(place, f"number must be {number}, got {pull.number}", shown(raw))


def _item(pull: Entry, sessions: tuple[str, ...], void: dict[int, datetime], repository: str) -> Item:
    place = place_of(repository, pull)
    if pull.problem is not None:
        return Rejected(place, pull.problem)
    if not sessions:
        return Ignored(place, UNNAMED)
    return Parsed(place, pull.outcomes(sessions, void.get(pull.number)))
