"""The `roi` field: what groups of sessions brought for their money, with all that says how far it can be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET, Info, argument

from finance.comparison import most_compared
from finance.evidence import Evidence, Gates, evidence_of
from finance.tally import Prior, Tally, prior_of
from semantic import QueryError, local_day, suggestion, visible
from server.graphql.context import Context
from server.graphql.cost import Weight
from server.graphql.fields import Inputs, RootField, given, instant_of, known_zone, time_range
from server.graphql.generated import enum_type, list_of
from server.graphql.roi_types import Peers, RoiEvidence, told
from server.graphql.scalars import BigInt
from server.roi import DIMENSIONS, NEEDS, Counted, counted
from server.slices import slice_of
from store import QueryTimeout

MOST_GROUPS = 1_000
MOST_COMPARED = 50
MOST_KEYS = 4
MOST_MODELS = 100
MOST_STRENGTH = 1_000_000.0
LEVELS = (0.5, 0.9999)
NO_NAME = "(none)"


@strawberry.type(description="One group of sessions, and what it brought for its money.")
class RoiRow(RoiEvidence):
    model: str | None = strawberry.field(description="The model with most of a session's own cost.")
    task_class: str | None
    agent: str | None
    trigger: str | None
    provider: str | None
    mixed_model_sessions: BigInt = strawberry.field(
        description="Sessions that used several models: they count under the one with most of their cost, and their "
        "whole cost with them."
    )


@strawberry.type(description="Groups of sessions, those with the most sessions first.")
class Roi:
    rows: list[RoiRow]
    truncated: bool = strawberry.field(description=f"Whether there are more than {MOST_GROUPS:,} groups.")
    level: float = strawberry.field(description="Of every interval.")
    as_of: datetime = strawberry.field(description="The instant of the answer.")
    data_version: BigInt


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments, looked at."""

    by: tuple[str, ...]
    models: tuple[str, ...] | None
    reference: str | None
    gates: Gates
    strength: float

    @property
    def prior_source(self) -> str:
        if "task_class" in self.by:
            return "all sessions of the task class"
        return "all models" if self.by == ("model",) else "all groups"


def _roi_field(inputs: Inputs) -> Any:
    """Most of it is what each argument means, which must stand beside the argument."""
    offered = [name for name in DIMENSIONS if name in inputs.keys] or list(DIMENSIONS)
    dimension = enum_type("RoiDimension", offered, "What sessions can be grouped by.")

    def roi(
        info: Info[Context, None],
        by: Annotated[
            Any,
            argument(graphql_type=list_of(dimension) | None, description="One to four of them; default: MODEL."),
        ] = UNSET,
        range: Annotated[  # noqa: A002 - the name of the argument
            str | None, argument(description='Of the sessions\' start: "last 30 days", "2026-Q1"; default: all time.')
        ] = UNSET,
        where: Annotated[Any, argument(graphql_type=inputs.where | None)] = UNSET,
        zone: Annotated[str | None, argument(description="Where days are cut, such as Europe/Berlin.")] = UNSET,
        as_of: Annotated[
            datetime | None, argument(description="As it was at an instant: outcomes after it do not exist.")
        ] = UNSET,
        level: Annotated[float, argument(description="Of all intervals, from 0.5 to 0.9999.")] = 0.95,
        models: Annotated[
            list[str] | None,
            argument(description="Only these, and each of them, also without sessions; by MODEL alone."),
        ] = UNSET,
        reference: Annotated[
            str | None, argument(description="The model that break-even values are against; by MODEL alone.")
        ] = UNSET,
        min_resolved: Annotated[int, argument(description="Resolved sessions that a decision needs.")] = 30,
        prior_strength: Annotated[float, argument(description="How many sessions the prior counts for.")] = 20.0,
        single_model_only: Annotated[bool, argument(description="Leave out sessions of several models.")] = False,
    ) -> Roi:
        context = info.context
        asked = _asked(
            tuple(item.value for item in given(by) or ()), given(models), given(reference), level, min_resolved,
            prior_strength,
        )  # fmt: skip
        _check_visible(context, asked.by)
        instant = instant_of(context, as_of)
        day = local_day(instant, known_zone(context.catalog, given(zone)))
        chosen = slice_of(
            context.planner,
            "sessions",
            as_of=day,
            time=time_range(context, given(range), day, given(zone)),
            where=inputs.filter(where),
            zone=given(zone),
            caller=context.caller,
        )
        try:
            groups, truncated = counted(
                context.reader,
                chosen,
                asked.by,
                most=MOST_GROUPS,
                now=instant,
                single_model_only=single_model_only,
                timeout_ms=context.deadline.remaining_ms(),
            )
        except QueryTimeout as error:
            raise context.deadline.passed() from error
        return Roi(
            rows=_rows(groups, asked, truncated=truncated),
            truncated=truncated,
            level=level,
            as_of=instant,
            data_version=BigInt(context.reader.data_version),
        )

    return strawberry.field(
        resolver=roi,
        description="Successes per dollar of groups of sessions, with intervals, sample sizes, comparisons and the "
        "reason for every null.",
    )


ROI = RootField("roi", _roi_field, NEEDS, weight=Weight(per_value=20))


def _asked(
    by: tuple[str, ...],
    models: list[str] | None,
    reference: str | None,
    level: float,
    min_resolved: int,
    strength: float,
) -> Asked:
    by = by or ("model",)
    if len(by) > MOST_KEYS or len(set(by)) < len(by):
        raise QueryError("BAD_KEYS", f"sessions are grouped by one to {MOST_KEYS} different dimensions")
    if by != ("model",) and (models is not None or reference is not None):
        raise QueryError("BAD_KEYS", "models and reference need groups by MODEL alone; put other conditions in where")
    if models is not None and not 1 <= len(models) <= MOST_MODELS:
        raise QueryError("BAD_LIMIT", f"one to {MOST_MODELS} models can be asked for, these are {len(models):,}")
    if not LEVELS[0] <= level <= LEVELS[1]:
        raise QueryError("BAD_LEVEL", f"a level is from {LEVELS[0]} to {LEVELS[1]}, this is {level}")
    if min_resolved < 1:
        raise QueryError("BAD_LIMIT", f"a decision needs at least one resolved session, not {min_resolved}")
    if not 0 < strength <= MOST_STRENGTH:
        raise QueryError("BAD_PRIOR", f"a prior counts for more than 0 and at most {MOST_STRENGTH:,.0f} sessions")
    names = None if models is None else tuple(dict.fromkeys(models))
    return Asked(by, names, reference, Gates(min_resolved, level), strength)


def _check_visible(context: Context, by: Sequence[str]) -> None:
    seen = visible(context.catalog, context.caller).dimensions()
    for name in by:
        if name not in seen:
            raise QueryError("UNKNOWN_DIMENSION", f"there is no dimension '{name}'; {suggestion(name, seen)}")


def _rows(groups: list[Counted], asked: Asked, *, truncated: bool) -> list[RoiRow]:
    """Evidence of each group, with those that it may be compared with: it differs from them in its model alone."""
    keys = [group.keys for group in groups]
    tallies = [(group.tally, group.prior(asked.strength, asked.prior_source)) for group in groups]
    for name in _absent(asked, keys, truncated=truncated):
        keys.append((name,))
        tallies.append((Tally(), _pooled(groups, asked)))
    found = list(zip(keys, evidence_of(tallies, asked.gates), strict=True))
    reference = next(((str(key[0]), e) for key, e in found if asked.reference and key[0] == asked.reference), None)
    shown = [pair for pair in found if asked.models is None or pair[0][0] in asked.models]
    peers = _peers_of(shown, asked.by, reference)
    return [
        RoiRow(
            **_keys(asked.by, key),
            **told(_name(key, asked.by), evidence, peers[_beside_model(key, asked.by)]),
            mixed_model_sessions=BigInt(evidence.tally.mixed_model_sessions),
        )
        for key, evidence in shown
    ]


def _keys(by: tuple[str, ...], key: tuple[str | None, ...]) -> dict[str, Any]:
    return dict.fromkeys(DIMENSIONS) | dict(zip(by, key, strict=True))


def _absent(asked: Asked, keys: list[tuple[str | None, ...]], *, truncated: bool) -> list[str]:
    """Models that were asked for and have no sessions."""
    wanted = dict.fromkeys((*(asked.models or ()), *((asked.reference,) if asked.reference else ())))
    absent = [name for name in wanted if (name,) not in keys]
    if absent and truncated:
        raise QueryError("TOO_LARGE", f"there are more than {MOST_GROUPS:,} models; narrow them down with where")
    return absent


def _pooled(groups: list[Counted], asked: Asked) -> Prior:
    if not groups:
        return prior_of(0, 0, asked.strength, asked.prior_source)
    return groups[0].prior(asked.strength, asked.prior_source)


Keyed = tuple[tuple[str | None, ...], Evidence]


def _peers_of(
    found: list[Keyed], by: tuple[str, ...], reference: tuple[str, Evidence] | None
) -> dict[tuple[str | None, ...], Peers]:
    together: dict[tuple[str | None, ...], list[Keyed]] = {}
    for key, evidence in found:
        together.setdefault(_beside_model(key, by), []).append((key, evidence))
    peers = {}
    for beside, members in together.items():
        compared = {id(e) for e in most_compared([e for _, e in members], MOST_COMPARED)}
        named = tuple((_name(key, by), e) for key, e in members if id(e) in compared)
        peers[beside] = Peers(named, reference)
    return peers


def _beside_model(key: tuple[str | None, ...], by: tuple[str, ...]) -> tuple[str | None, ...]:
    """The keys in which groups agree that are compared; where models are no key, all are."""
    return tuple(part for name, part in zip(by, key, strict=True) if name != "model") if "model" in by else ()


def _name(key: tuple[str | None, ...], by: tuple[str, ...]) -> str:
    parts = [key[by.index("model")]] if "model" in by else key
    return ", ".join(NO_NAME if part is None else part for part in parts)
