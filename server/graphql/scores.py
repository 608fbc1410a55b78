"""The `setScore` mutation: a caller tells how good the work of a session was. It is stored like any load."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import Info

from loaders.item import Item, Location, Parsed
from loaders.job import StalePricesError, run_load
from semantic import Comparison, Op, QueryError, visible
from server.graphql.context import Context
from server.graphql.fields import Inputs, RootField, today
from server.slices import check_unrestricted, slice_of
from store import RecordError, Score

TRIES = 5
SOURCE = "api"


@strawberry.type(description="A quality score that was stored.")
class SessionScore:
    session_id: str
    scorer: str
    score: Decimal
    observed_at: datetime = strawberry.field(description="When it was set; what the scorer says later replaces it.")
    is_known_session: bool | None = strawberry.field(
        description="False where no session of that id is loaded; the score counts once it is. Null for a caller who "
        "may not ask for sessions."
    )


def _make(_: Inputs) -> Any:
    def set_score(info: Info[Context, None], session_id: str, score: Decimal, scorer: str) -> SessionScore:
        context = info.context
        try:
            record = Score(session_id=session_id, scorer=scorer, score=score, observed_at=context.now, source=SOURCE)
        except RecordError as error:
            raise QueryError("BAD_VALUE", str(error)) from error
        is_known = _is_seen(context, session_id) if _sees_sessions(context) else None
        if not is_known:  # it may be one that a policy hides
            check_unrestricted(context.planner, ("sessions",), context.caller)
        context.deadline.remaining_ms()  # what is begun is finished
        _store(context, record)
        return SessionScore(
            session_id=session_id,
            scorer=scorer,
            score=record.score,
            observed_at=record.observed_at,
            is_known_session=is_known,
        )

    return strawberry.mutation(
        resolver=set_score,
        description="Sets the quality score of a session, 0 to 1, by one scorer. It stands beside success and is "
        "multiplied into nothing; of several scorers a session has the mean.",
    )


def _sees_sessions(context: Context) -> bool:
    seen = visible(context.catalog, context.caller)
    return "sessions" in seen.metrics and "session_id" in seen.dimensions()


def _is_seen(context: Context, session_id: str) -> bool:
    """Whether it is a session that the caller may see."""
    where = Comparison("session_id", Op.EQ, (session_id,))
    chosen = slice_of(context.planner, "sessions", as_of=today(context, None), where=where, caller=context.caller)
    rows = context.reader.read(chosen.sql, chosen.params, timeout_ms=context.deadline.remaining_ms()).rows
    return bool(rows)


def _store(context: Context, record: Score) -> None:
    items: list[Item] = [Parsed(Location("setScore"), (record,))]
    for _ in range(TRIES):
        try:
            run_load(context.store, "scores", SOURCE, items, now=context.now)
        except StalePricesError:  # a price book came in between; a score does not rest on it
            continue
        return
    raise QueryError("BUSY", "the store is busy with new prices; set the score again")


SET_SCORE = RootField(
    "set_score",
    _make,
    needs=("mean_score",),
    is_mutation=True,
    roles=frozenset({"ingest", "router"}),
    tells_nothing=True,
)
