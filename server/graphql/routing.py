"""The `routing` field: evidence for each model that a router may choose, from memory. Nothing here reads the store."""

from datetime import datetime
from typing import Annotated, Any, get_args

import strawberry
from strawberry import UNSET, Info, argument

from finance.evidence import Evidence
from semantic import QueryError
from server import routing
from server.graphql.context import Context
from server.graphql.fields import Inputs, RootField, given
from server.graphql.generated import enum_type
from server.graphql.roi_types import Peers, RoiEvidence, told
from server.graphql.scalars import BigInt
from server.roi import NEEDS
from server.routing import NOTHING_KNOWN, Snapshot, expected
from server.slices import check_unrestricted

MOST_MODELS = 50

RouteBasis = enum_type(
    "RouteBasis",
    get_args(routing.Basis),
    "What answered for a model: the narrowest of these with at least one resolved session.",
    {
        "CELL": "The model's sessions at the task class.",
        "MODEL": "All sessions of the model, whatever the task class.",
        "PRIOR": "No session of the model: what is pooled over all models of the task class, or over all.",
    },
)
RoutingStatus = enum_type(
    "RoutingStatus",
    get_args(routing.Standing),
    "How far an answer can be relied on.",
    {
        "FRESH": "Of the newest data.",
        "STALE": "The data has changed since; the next snapshot is on its way.",
        "EXPIRED": "Older than the server's limit (CLAWBACK_ROUTING_MAX_AGE_S), because none could be computed since.",
        "NOT_COMPUTED": "There is none yet: every model is answered by a prior without any data.",
    },
)


@strawberry.type(description="What a router should know of one model.")
class Route(RoiEvidence):
    model: str
    basis: Any = strawberry.field(graphql_type=RouteBasis)


@strawberry.type(description="Evidence for the models that a router may choose, from memory.")
class Routing:
    snapshot_id: BigInt | None = strawberry.field(
        description="The version of the data that it rests on; null where nothing was computed yet."
    )
    computed_at: datetime | None = strawberry.field(description="Null where nothing was computed yet.")
    age_seconds: float | None = strawberry.field(description="Since `computedAt`.")
    status: Any = strawberry.field(graphql_type=RoutingStatus)
    stale: bool = strawberry.field(description="Whether `status` is anything but FRESH.")
    error: str | None = strawberry.field(
        description="Why the newest computation failed, for the operator; null where it did not."
    )
    truncated: bool = strawberry.field(
        description=f"Whether the snapshot holds only the {routing.MOST_CELLS:,} largest groups."
    )
    task_class: str | None
    models: list[Route] = strawberry.field(description="In the order in which they were asked for.")


def _routing_field(inputs: Inputs) -> Any:
    return strawberry.field(
        resolver=_routing,
        description="What a model router asks before each decision: from memory, stale rather than not at all.",
    )


ROUTING = RootField("routing", _routing_field, NEEDS)


def _routing(
    info: Info[Context, None],
    task_class: Annotated[
        str | None, argument(description="Of the work at hand; left out, models are told over all their work.")
    ] = UNSET,
    models: Annotated[
        list[str] | None,
        argument(description=f"At most {MOST_MODELS}; left out, those that are known at the task class."),
    ] = UNSET,
) -> Routing:
    _check_all_rows(info.context)
    kept, now, asked, kind = info.context.routing, info.context.now, given(models), given(task_class)
    if asked is not None and not 1 <= len(asked) <= MOST_MODELS:
        raise QueryError("BAD_LIMIT", f"one to {MOST_MODELS} models can be asked for, these are {len(asked):,}")
    known = kept.known(now) if kept else routing.Known(None, "NOT_COMPUTED", None)
    snapshot = known.snapshot
    names = dict.fromkeys(asked) if asked else snapshot.models_at(kind, MOST_MODELS) if snapshot else []
    error = known.error if info.context.caller is None or known.error is None else "the operator can see why"
    return Routing(
        snapshot_id=BigInt(snapshot.data_version) if snapshot else None,
        computed_at=snapshot.computed_at if snapshot else None,
        age_seconds=(now - snapshot.computed_at).total_seconds() if snapshot else None,
        status=RoutingStatus(known.standing),
        stale=known.standing != "FRESH",
        error=error,
        truncated=snapshot.truncated if snapshot else False,
        task_class=kind,
        models=_routes(snapshot, kind, list(names), kept.policy.default_model if kept else None),
    )


def _check_all_rows(context: Context) -> None:
    """What is in memory rests on all sessions, so it is for callers from whom no policy keeps a session."""
    try:
        check_unrestricted(context.planner, ("sessions",), context.caller)
    except QueryError as refused:
        message = "routing rests on all sessions, and you may see a part of them only; `roi` answers for those"
        raise QueryError("FORBIDDEN" if refused.code == "NOT_ALLOWED" else refused.code, message) from refused


def _routes(snapshot: Snapshot | None, task_class: str | None, models: list[str], default: str | None) -> list[Route]:
    found = {model: _route(snapshot, task_class, model) for model in models}
    reference = None if default is None else found.get(default) or _route(snapshot, task_class, default)
    return [
        Route(
            model=model,
            basis=RouteBasis(basis),
            **told(
                model,
                evidence,
                Peers(
                    tuple((other, _comparable(of_other, basis)) for other, of_other in found.items()),
                    None if default is None or reference is None else (default, _comparable(reference, basis)),
                ),
            ),
        )
        for model, (basis, evidence) in found.items()
    ]


def _comparable(found: tuple[routing.Basis, Evidence], basis: routing.Basis) -> Evidence | None:
    """What was seen at other work says nothing of how it compares at this."""
    return found[1] if found[0] == basis else None


def _route(snapshot: Snapshot | None, task_class: str | None, model: str) -> tuple[routing.Basis, Evidence]:
    return ("PRIOR", expected(NOTHING_KNOWN)) if snapshot is None else snapshot.route(task_class, model)
