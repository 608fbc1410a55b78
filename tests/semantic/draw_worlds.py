"""A random world: tables, metrics over them, and what a file says beside: grains, filters, policies."""

from collections.abc import Mapping
from datetime import date

from tests.semantic.draw_metrics import Metrics
from tests.semantic.draw_sql import condition
from tests.semantic.draw_tables import tables
from tests.semantic.draws import CLOCK, Draws
from tests.semantic.worlds import Caller, Claim, Condition, Length, Policy, Sql, Table, World, compared, name

ORIGINS = tuple(date.fromisoformat(d) for d in ("2026-01-05", "2024-02-29", "2026-04-01", "2020-07-15"))
FIRSTS = tuple(date.fromisoformat(d) for d in ("2026-02-01", "2024-01-01", "2025-12-01"))
OWN_GRAINS: Mapping[str, tuple[Length, tuple[date, ...]]] = {
    "sprint": (Length(2, "week"), ORIGINS),
    "span": (Length(10, "day"), ORIGINS),
    "pair": (Length(2, "day"), ORIGINS),
    "fiscal": (Length(3, "month"), FIRSTS),
    "season": (Length(2, "month"), FIRSTS),
    "fiscal_year": (Length(1, "year"), FIRSTS),
}
WEEK_STARTS = ("monday", "monday", "sunday", "saturday", "wednesday")
CLAIMS: Mapping[str, tuple[Claim, ...]] = {
    "teams": (("a",), ("a", "b"), ("zz",), ()),
    "team": ("a", "b"),
    "most": (0, 1, 5),
    "sizes": ((0, 1), (2,)),
}


def world(draws: Draws) -> World:
    found = tables(draws)
    grains = {n: (OWN_GRAINS[n][0], draws.one(OWN_GRAINS[n][1])) for n in draws.some(tuple(OWN_GRAINS), 1, 3)}
    zone = draws.zone if draws.scale == CLOCK or draws.maybe(0.3) else "UTC"
    empty = World(found, {}, zone, draws.one(WEEK_STARTS), grains)
    made = Metrics(draws).drawn(empty)
    filters = {f"only{i}": _condition(draws, found) for i in range(draws.whole(1, 2))}
    policies = {f"rule{i}": _policy(draws, found) for i in range(draws.whole(0, 2))}
    return World(found, made.metrics, made.zone, made.week_start, grains, filters, policies)


def _condition(draws: Draws, tables: Mapping[str, Table]) -> Condition:
    table = draws.one(list(tables.values()))
    return Condition(table.name, condition(draws, tables, table))


def _policy(draws: Draws, tables: Mapping[str, Table]) -> Policy:
    table = draws.one(list(tables.values()))
    claim = draws.one(("teams", "team", "most", "sizes", ""))
    roles = [r for r, j in table.joins.items() if j]
    path = f"{draws.one(roles)}." if roles and draws.maybe(0.2) else ""
    match claim:
        case "teams" | "sizes":
            rows = Sql("in claim", parts=(name(f"{path}{claim[:-1]}"), Sql("claim", claim)))
        case "team":
            rows = Sql("=", parts=(name(f"{path}team"), Sql("claim", claim)))
        case "most":
            rows = Sql("<=", parts=(name(f"{path}size"), Sql("claim", claim)))
        case _:
            rows = compared(f"{path}team", "<>", "a")
    if draws.maybe(0.2):
        rows = Sql("or", parts=(rows, Sql("is null", parts=(name("size"),))))
    return Policy(table.name, rows, frozenset({"admin"}) if draws.maybe(0.5) else frozenset())


def caller(draws: Draws, world: World) -> Caller | None:
    """The operator mostly; else somebody with some roles and claims."""
    if draws.maybe(0.6 if world.policies else 0.9):
        return None
    roles = frozenset(draws.some(("admin", "auditor", "guest"), 0, 2))
    claims = {n: draws.one(values) for n, values in CLAIMS.items() if draws.maybe(0.93)}
    return Caller(roles, claims)
