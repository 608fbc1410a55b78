"""Who sees what, as a page: every metric, dimension and field with the roles that have it. Made from the catalog."""

from collections.abc import Iterator

from semantic import Caller, Catalog, visible
from server.access.principal import ROLES
from server.graphql.schema import FIELDS
from server.names import field_name

INTRODUCTION = """# Who sees what

Made from `metrics.yaml` and the schema; [access](access.md) says how somebody gets a role. The role `admin` sees \
everything. A caller with several roles sees what any of them opens.

What a role does not see is in none of these, whatever is asked: GraphQL selection, `where`, `having`, `orderBy`, \
named filters, `evidence`, `catalog`, `explain`, introspection and `/schema.graphql`, error messages and their \
suggestions, `clawback query`, `sql`, `explain` and `schema` with a token (`export` is the operator's). The tests ask for each line on \
each of them (`tests/server/access/test_matrix.py`). Subscriptions run on the same schema and engine.

| role | what for |
| --- | --- |
"""


def roles_markdown(catalog: Catalog) -> str:
    """The page."""
    purpose = "".join(f"| `{role}` | {text} |\n" for role, text in ROLES.items())
    return "\n".join([INTRODUCTION + purpose, *_tables(catalog)])


def _tables(catalog: Catalog) -> Iterator[str]:
    roles = sorted(ROLES.keys() - {"admin"})
    callers = [Caller(frozenset({role})) for role in roles]
    seen = [visible(catalog, caller) for caller in callers]
    yield _table("metric", roles, [(name, [name in s.metrics for s in seen]) for name in sorted(catalog.metrics)])
    dimensions = [(name, [name in s.dimensions() for s in seen]) for name in catalog.dimensions()]
    yield _table("dimension", roles, dimensions)
    fields = [(field_name(f.name), [f.is_offered(catalog, caller) for caller in callers]) for f in FIELDS]
    metrics = [(name, [bool(s.metrics) for s in seen]) for name in ("catalog", "metrics")]
    yield _table("field of Query or Mutation", roles, sorted([*metrics, ("sources", [True] * len(roles)), *fields]))


def _table(title: str, roles: list[str], rows: list[tuple[str, list[bool]]]) -> str:
    head = f"| {title} | {' | '.join(roles)} |\n| --- |{' --- |' * len(roles)}\n"
    return head + "".join(
        f"| `{name}` | {' | '.join('yes' if has else '-' for has in held)} |\n" for name, held in rows
    )
