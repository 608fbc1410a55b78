"""The `sources` field: where the data comes from, how fresh it is, what went wrong, what may be lost."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import strawberry
from strawberry import Info

from loaders.kinds import LOADERS
from loaders.schedule import gap, next_due
from loaders.sources import Source
from server.graphql.context import Context
from server.graphql.scalars import BigInt
from server.jobs import Job, Jobs, Place
from store import SourceState

SHOWN_GAPS = 20
MOST_REJECTIONS = 100
PLACED = frozenset({"finance", "ingest"})
"""Who sees where sources are, beside the operator: a path tells of the machine, an address of the team."""


@strawberry.type(description="A time whose events may be gone: the source deletes them sooner than it was loaded.")
class LoadGap:
    since: datetime
    until: datetime


@strawberry.type(description="Something that was read and not understood.")
class LoadRejection:
    location: str = strawberry.field(description="The file, or what else was read, and the line in it.")
    reason: str = strawberry.field(description="What is wrong, and what would be right.")


@strawberry.type(description="A load that is going on.")
class LoadProgress:
    state: str = strawberry.field(description="waiting or running")
    read_bytes: BigInt
    total_bytes: BigInt | None = strawberry.field(description="Null where nobody can say.")


def _rejections(root: strawberry.Parent[Any], info: Info[Context, None], first: int = 10) -> list[LoadRejection]:
    if root.load_id is None or info.context.caller is not None:
        return []
    found = info.context.store.rejections(root.load_id, max(0, min(first, MOST_REJECTIONS)))
    return [LoadRejection(location=location, reason=reason) for location, reason in found]


def _gaps(root: strawberry.Parent[Any], info: Info[Context, None]) -> list[LoadGap]:
    keeps, complete = root.keeps, root.complete_through
    if keeps is None or complete is None:
        return []
    pauses = info.context.store.pauses(*root.place, keeps, SHOWN_GAPS)
    found = [gap(before, after, keeps) for before, after in (*pauses, (complete, info.context.now))]
    return [LoadGap(since=lost.since, until=lost.until) for lost in found if lost is not None][-SHOWN_GAPS:]


def _error(root: strawberry.Parent[Any], info: Info[Context, None]) -> str | None:
    if root.error is None:
        return None
    found: str = root.error
    return found if info.context.caller is None else "the operator can see why"


@strawberry.type(name="Source", description="Where data comes from, and how its loads went.")
class SourceInfo:
    name: str | None = strawberry.field(description="As the file of sources names it; null where it does not.")
    source: str = strawberry.field(description="The kind of loader.")
    location: str | None = strawberry.field(
        description="The file, directory or address; null for callers other than the operator, finance and ingest."
    )
    schedule: str | None = strawberry.field(description="When it is loaded by itself, as cron says it.")
    next_load_at: datetime | None = strawberry.field(description="By its schedule.")
    running: LoadProgress | None = strawberry.field(description="The load that is going on.")
    loads: BigInt = strawberry.field(description="How often it has been stored.")
    last_load_at: datetime | None = strawberry.field(description="When it was stored last.")
    complete_through: datetime | None = strawberry.field(
        description="Everything that the source had until then was read."
    )
    age_seconds: BigInt | None = strawberry.field(description="Since `completeThrough`.")
    last_error: str | None = strawberry.field(
        resolver=_error, description="Why the newest load failed, for the operator; null where it did not."
    )
    last_error_at: datetime | None
    gaps: list[LoadGap] = strawberry.field(resolver=_gaps, description=f"The newest {SHOWN_GAPS}, oldest first.")
    data_version: BigInt | None = strawberry.field(description="Of the data, after the last load.")
    read: BigInt | None = strawberry.field(description="Items that the last load read: the sum of the four below.")
    stored: BigInt | None
    unchanged: BigInt | None
    ignored: BigInt | None = strawberry.field(description="By a rule, such as a kind of entry that costs nothing.")
    rejected: BigInt | None = strawberry.field(description="Not understood; kept with their place and the reason.")
    removed: BigInt | None = strawberry.field(description="Rows that the source no longer has.")
    conflicts: BigInt | None = strawberry.field(description="Records of one request that cannot both be true.")
    place: strawberry.Private[Place]
    load_id: strawberry.Private[int | None]
    keeps: strawberry.Private[timedelta | None]
    error: strawberry.Private[str | None]

    rejections: list[LoadRejection] = strawberry.field(
        resolver=_rejections,
        description=f"The first rows that the last load rejected, at most {MOST_REJECTIONS}; they quote what was "
        "read, so only the operator sees them.",
    )


def read_sources(info: Info[Context, None]) -> list[SourceInfo]:
    """Those that were ever loaded, and those that the file of sources names."""
    store, now, jobs, caller = info.context.store, info.context.now, info.context.jobs, info.context.caller
    states = {(state.newest.source, state.newest.location): state for state in store.sources()}
    named = {(s.loader.name, s.location): s for s in (jobs.sources if jobs else ())}
    going_on = {job.place: job for job in sorted(_running(jobs), key=lambda job: job.state == "running")}
    places = [*named, *(place for place in states if place not in named)]
    is_placed = caller is None or bool(caller.roles & PLACED)
    return [
        _source(
            place,
            named.get(place),
            states.get(place),
            going_on.get(place),
            now,
            is_placed=is_placed,
        )
        for place in places
    ]


def _running(jobs: Jobs | None) -> Iterable[Job]:
    return jobs.running() if jobs else ()


def _source(
    place: tuple[str, str],
    source: Source | None,
    state: SourceState | None,
    job: Job | None,
    now: datetime,
    *,
    is_placed: bool,
) -> SourceInfo:
    kind, location = place
    stored, newest = (state.newest_stored, state.newest) if state else (None, None)
    error = newest.error if newest else None
    attempt = (newest.started_at or newest.applied_at) if newest else None
    complete = (stored.started_at or stored.applied_at) if stored else None
    loader = LOADERS.get(kind)

    def count(name: str) -> BigInt | None:
        return None if stored is None else BigInt(getattr(stored, name))

    return SourceInfo(
        name=source.name if source else None,
        source=kind,
        location=location if is_placed else None,
        place=place,
        schedule=source.schedule if source else None,
        next_load_at=next_due(source.schedule, source.zone, attempt, now, has_failed=error is not None)
        if source
        else None,
        running=_progress(job) if job else None,
        loads=BigInt(state.loads if state else 0),
        last_load_at=stored.applied_at if stored else None,
        complete_through=complete,
        age_seconds=None if complete is None else BigInt(max(0, int((now - complete).total_seconds()))),
        last_error_at=newest.applied_at if newest and error else None,
        data_version=count("data_version"),
        read=count("read"),
        stored=count("stored"),
        unchanged=count("unchanged"),
        ignored=count("ignored"),
        rejected=count("rejected"),
        removed=count("removed"),
        conflicts=count("conflicts"),
        load_id=stored.load_id if stored else None,
        keeps=source.keeps if source else loader.keeps if loader else None,
        error=error,
    )


def _progress(job: Job) -> LoadProgress:
    total = None if job.total_bytes is None else BigInt(job.total_bytes)
    return LoadProgress(state=job.state, read_bytes=BigInt(job.read_bytes), total_bytes=total)
